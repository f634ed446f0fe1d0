/* SPDX-License-Identifier: GPL-2.0 */
/* A rate's last values, and a line of blocks that shows them. */
#ifndef SPARK_H
#define SPARK_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	SPARK_VALUES	= 512,
};

struct spark {
	__u64 value[SPARK_VALUES];	/* a ring */
	size_t nr;			/* ever added */
};

void spark_add(struct spark *spark, __u64 value);
/* The last WIDTH values, the highest of them is a whole block. */
void spark_text(const struct spark *spark, size_t width, bool utf8,
		char *text, size_t size);

#endif
