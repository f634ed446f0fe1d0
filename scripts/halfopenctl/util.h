/* SPDX-License-Identifier: GPL-2.0 */
/* Errors, files, numbers. */
#ifndef UTIL_H
#define UTIL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#ifndef __noreturn
#define __noreturn	__attribute__((__noreturn__))
#endif
#define __printf(a, b)	__attribute__((__format__(__printf__, a, b)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Exit codes. */
enum {
	EXIT_DONE	= 0,
	EXIT_FAILED	= 1,
	EXIT_USAGE	= 2,
};

/* Exit codes of check, as Nagios has them. */
enum check_state {
	CHECK_OK,
	CHECK_WARNING,
	CHECK_CRITICAL,
	CHECK_UNKNOWN,
};

/* Errors become those of a Nagios plugin. */
extern bool errors_are_unknown;
/* Called before an error is shown; NULL. */
extern void (*before_error)(void);

__noreturn __printf(1, 2)
void fail(const char *fmt, ...);
/* The same with "see --help" and the exit code of wrong arguments. */
__noreturn __printf(1, 2)
void usage_error(const char *fmt, ...);
/* The command that usage_error() points to. */
void set_command(const char *name);

/* Because the module, or a part of it, is not there. */
__noreturn
void fail_open(const char *path, int err);
bool module_loaded(void);

void *xmalloc(size_t size);
void *xcalloc(size_t nr, size_t size);

/* A whole file and a 0 behind it; NULL with errno. */
char *read_file(const char *path);
/* The same, and the reason ends the program. */
char *read_proc(const char *path);
/* Into FILE at once or not at all; "-" is stdout. */
void write_file(const char *path, const char *text, size_t len);

/* All of TEXT is a number between MIN and MAX. */
bool parse_u64(const char *text, __u64 min, __u64 max, __u64 *value);
/* An option's argument, or usage_error(). */
__u64 arg_u64(const char *option, const char *text, __u64 min, __u64 max);

/* Monotonic. */
__u64 now_ms(void);

#endif
