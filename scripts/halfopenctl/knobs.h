/* SPDX-License-Identifier: GPL-2.0 */
/* net.halfopen.* */
#ifndef KNOBS_H
#define KNOBS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "util.h"

enum knob_flags {
	KNOB_READ_ONLY	= 1 << 0,
	KNOB_WRITE_ONLY	= 1 << 1,
	KNOB_INITIAL	= 1 << 2,	/* only the initial namespace has it */
	KNOB_NAMES	= 1 << 3,	/* a list of names, no number */
};

enum {
	KNOB_TEXT_MAX	= 512,
};

struct knob {
	const char *name;
	__u32 def;
	__u32 min;
	__u32 max;
	unsigned int flags;
};

extern const struct knob knobs[];
extern const size_t nr_knobs;

/* NAME may begin with "net.halfopen."; NULL. */
const struct knob *knob_find(const char *name);
/* The known name that is most like it; NULL if none is. */
const char *knob_nearest(const char *name);
/*
 * Into TEXT, KNOB_TEXT_MAX bytes; names with commas between them.  False if
 * this namespace does not have it.
 */
bool knob_read(const struct knob *knob, char *text);
__u64 knob_value(const char *name);
/* 0 or a negative errno. */
int knob_write(const struct knob *knob, const char *text);
/* Why the kernel refused TEXT; ends the program. */
__noreturn
void knob_refused(const struct knob *knob, const char *text, int err);
/* "0 to 100" into TEXT, 64 bytes; returns it. */
char *knob_range(const struct knob *knob, char *text);

#endif
