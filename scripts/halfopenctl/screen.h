/* SPDX-License-Identifier: GPL-2.0 */
/* The terminal, for as long as it shows a live view. */
#ifndef SCREEN_H
#define SCREEN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "util.h"

enum screen_style {
	STYLE_PLAIN,
	STYLE_HEADER,
	STYLE_ALARM,
	STYLE_GOOD,
};

enum screen_event {
	EVENT_TIME,		/* it is up */
	EVENT_LOOK,		/* somebody wants to see it now */
	EVENT_RESIZE,
	EVENT_QUIT,
};

/* With BATCH there is no terminal, only lines. */
void screen_open(bool batch);
/* Also called at exit. */
void screen_close(void);
bool screen_utf8(void);
size_t screen_rows(void);
size_t screen_columns(void);

void screen_begin(void);
/* Cut off where the screen ends. */
__printf(2, 3)
void screen_line(enum screen_style style, const char *fmt, ...);
void screen_end(void);

enum screen_event screen_wait(__u64 ms);

#endif
