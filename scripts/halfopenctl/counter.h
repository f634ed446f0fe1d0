/* SPDX-License-Identifier: GPL-2.0 */
/* The module's counters, from its own header. */
#ifndef COUNTER_H
#define COUNTER_H

#include <halfopen/counters.h>

#define COUNTER_ENUM(name, ...) COUNTER_##name,
enum counter_nr {
	HO_COUNTERS(COUNTER_ENUM)
	HO_DECLINES(COUNTER_ENUM)
	HO_OVERLOADS(COUNTER_ENUM)
	HO_FASTS(COUNTER_ENUM)
	COUNTER_MAX,
	COUNTER_FIRST_DECLINE = COUNTER_declined_mode,
	COUNTER_FIRST_OVERLOAD = COUNTER_cookie_sent,
	COUNTER_FIRST_FAST = COUNTER_fast_taken,
};

#undef COUNTER_ENUM

struct counter {
	const char *name;
	const char *meaning;
	const char *rising;
};

extern const struct counter counters[COUNTER_MAX];

/* Of /proc/net/stat. */
const char *counter_file(int nr);
/* COUNTER_MAX: there is none. */
int counter_find(const char *name, int len);

#endif
