/* SPDX-License-Identifier: GPL-2.0 */
/* The commands. */
#ifndef CMD_H
#define CMD_H

#include <getopt.h>
#include <stdbool.h>

/* What stands in front of the command, or behind it where that is said. */
struct globals {
	bool json;
};

extern struct globals globals;

struct command {
	const char *name;
	const char *summary;
	const char *usage;	/* arguments */
	const char *help;	/* options and the rest */
	/* argv[0] is the command; returns the exit code */
	int (*run)(int argc, char **argv);
};

extern const struct command cmd_status;
extern const struct command cmd_list;
extern const struct command cmd_top;
extern const struct command cmd_stats;
extern const struct command cmd_metrics;
extern const struct command cmd_check;
extern const struct command cmd_drain;
extern const struct command cmd_set;
extern const struct command cmd_save;

/* Of every command. */
#define COMMON_OPTIONS						\
	{ "json", no_argument, NULL, 'j' },			\
	{ "help", no_argument, NULL, 'h' },			\
	{ NULL, 0, NULL, 0 }

/*
 * The next option, or -1; what every command has is dealt with.  OPTIONS is in
 * the form of getopt() and without j and h.
 */
int next_option(int argc, char **argv, const char *options,
		const struct option *names);
/* There is nothing behind the options. */
void no_arguments(int argc, char **argv);

#endif
