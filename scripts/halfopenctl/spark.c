// SPDX-License-Identifier: GPL-2.0
/* Sparklines. */
#include "spark.h"

#include <stdio.h>
#include <string.h>

static const char * const blocks[] = {
	"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█",
};

static const char * const letters[] = {
	"_", ".", ":", "-", "=", "+", "*", "#",
};

enum {
	LEVELS	= 8,
};

void spark_add(struct spark *spark, __u64 value)
{
	spark->value[spark->nr++ % SPARK_VALUES] = value;
}

void spark_text(const struct spark *spark, size_t width, bool utf8,
		char *text, size_t size)
{
	size_t nr = spark->nr < SPARK_VALUES ? spark->nr : SPARK_VALUES;
	size_t i, level, len = 0;
	__u64 highest = 1, value;

	if (nr > width)
		nr = width;
	for (i = spark->nr - nr; i < spark->nr; i++)
		if (spark->value[i % SPARK_VALUES] > highest)
			highest = spark->value[i % SPARK_VALUES];
	text[0] = '\0';
	for (i = spark->nr - nr; i < spark->nr && len + 4 < size; i++) {
		const char *mark = " ";

		value = spark->value[i % SPARK_VALUES];
		/* the least that is not nothing can be seen */
		level = (value * LEVELS + highest - 1) / highest;
		if (level)
			mark = utf8 ? blocks[level - 1] : letters[level - 1];
		len += snprintf(text + len, size - len, "%s", mark);
	}
}
