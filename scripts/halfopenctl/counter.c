// SPDX-License-Identifier: GPL-2.0
/* The module's counters. */
#include "counter.h"

#include <string.h>

#define COUNTER_ROW(name, meaning, rising) { #name, meaning, rising },
const struct counter counters[COUNTER_MAX] = {
	HO_COUNTERS(COUNTER_ROW)
	HO_DECLINES(COUNTER_ROW)
	HO_OVERLOADS(COUNTER_ROW)
	HO_FASTS(COUNTER_ROW)
};

#undef COUNTER_ROW

const char *counter_file(int nr)
{
	if (nr >= COUNTER_FIRST_FAST)
		return "halfopen_fastpath";
	if (nr >= COUNTER_FIRST_OVERLOAD)
		return "halfopen_overload";
	if (nr >= COUNTER_FIRST_DECLINE)
		return "halfopen_declined";
	return "halfopen";
}

int counter_find(const char *name, int len)
{
	int nr;

	for (nr = 0; nr < COUNTER_MAX; nr++)
		if (!strncmp(counters[nr].name, name, len) &&
		    !counters[nr].name[len])
			break;
	return nr;
}
