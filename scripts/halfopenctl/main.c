// SPDX-License-Identifier: GPL-2.0
/* halfopenctl: options in front of the command, and the commands. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "netns.h"
#include "out.h"
#include "util.h"

struct globals globals;

static const struct command * const commands[] = {
	&cmd_status,
	&cmd_list,
	&cmd_top,
	&cmd_stats,
	&cmd_metrics,
	&cmd_check,
	&cmd_drain,
	&cmd_set,
	&cmd_save,
};

static const struct command *current;

__noreturn
static void done(void)
{
	out_flush();
	exit(EXIT_DONE);
}

__noreturn
static void show_help(void)
{
	size_t i;

	if (current) {
		out_fmt("Usage: halfopenctl [-n NETNS] [-j] %s%s%s\n\n%s.\n\n",
			current->name, *current->usage ? " " : "",
			current->usage, current->summary);
		out_str(current->help);
		done();
	}
	out_str("Usage: halfopenctl [-n NETNS] [-j] COMMAND [OPTION]... [ARGUMENT]...\n\n"
		"What the kernel module halfopen does, what it holds, and its knobs.\n\n"
		"Commands:\n");
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		out_fmt("  %-9s %s\n", commands[i]->name,
			commands[i]->summary);
	out_str("\nOptions:\n"
		"  -n, --netns NETNS  in this network namespace, a name as of ip-netns(8)\n"
		"  -j, --json         one JSON document instead of text; also behind COMMAND\n"
		"  -V, --version      version of the module that the tool was built with\n"
		"  -h, --help         this; 'halfopenctl COMMAND --help' says more\n\n"
		"Exit codes: 0 done, 1 it failed, 2 wrong arguments; of 'check' 0 OK, 1 WARNING,\n"
		"2 CRITICAL, 3 UNKNOWN.\n");
	done();
}

int next_option(int argc, char **argv, const char *options,
		const struct option *names)
{
	char all[64];
	int opt;

	/* "+": our own end at the command's name, which has others */
	snprintf(all, sizeof(all), "%s:jh%s", current ? "" : "+", options);
	for (;;) {
		opt = getopt_long(argc, argv, all, names, NULL);
		switch (opt) {
		case 'j':
			globals.json = true;
			break;
		case 'h':
			show_help();
		case ':':
			usage_error("option '%.64s' needs a value",
				    argv[optind - 1]);
		case '?':
			/* a long one has no letter, or a value too much */
			if (optopt && argv[optind - 1][1] != '-')
				usage_error("there is no option '-%c'",
					    optopt);
			usage_error("there is no option '%.64s', or it takes no value",
				    argv[optind - 1]);
		default:
			return opt;
		}
	}
}

void no_arguments(int argc, char **argv)
{
	if (optind < argc)
		usage_error("'%.64s' is too much", argv[optind]);
}

static const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

/* A file that is opened must not become stdout or stderr. */
static void open_std(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "netns", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		COMMON_OPTIONS,
	};
	const char *netns = NULL;
	int opt, code;

	open_std();
	signal(SIGPIPE, SIG_DFL);
	if (!argc)
		return EXIT_USAGE;
	while ((opt = next_option(argc, argv, "n:V", names)) != -1) {
		if (opt == 'n') {
			netns = optarg;
		} else {
			out_str("halfopenctl " HO_VERSION "\n");
			done();
		}
	}
	if (optind == argc)
		usage_error("which command?");
	current = command_find(argv[optind]);
	if (!current)
		usage_error("there is no command '%.64s'", argv[optind]);
	set_command(current->name);
	errors_are_unknown = current == &cmd_check;
	if (netns)
		netns_enter(netns);
	argc -= optind;
	argv += optind;
	optind = 0;
	code = current->run(argc, argv);
	out_flush();
	return code;
}
