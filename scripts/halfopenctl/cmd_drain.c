// SPDX-License-Identifier: GPL-2.0
/* halfopenctl drain */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "knobs.h"
#include "out.h"
#include "snap.h"
#include "util.h"

enum {
	LOOK_MS		= 200,
	TELL_MS		= 10000,	/* where no line can be written over */
	SPARE_S		= 10,
};

static volatile sig_atomic_t stopped;

static void on_signal(int nr)
{
	(void)nr;
	stopped = 1;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static __u64 entries_left(void)
{
	static struct snap snap;

	snap_take(&snap);
	return snap_limit(&snap, "backlog").used;
}

static void progress(__u64 left, __u64 began_with, __u64 ms,
		     bool last)
{
	static __u64 told_ms;
	bool tty = isatty(STDERR_FILENO);

	if (!tty && (last || (told_ms && ms < told_ms + TELL_MS)))
		return;
	told_ms = ms + 1;
	fprintf(stderr, "%sdraining: %llu of %llu entries left, %llu s%s",
		tty ? "\r\033[K" : "", left, began_with, ms / 1000,
		tty && !last ? "" : "\n");
}

/* Waits; returns what is left. */
static __u64 wait_empty(__u64 limit_ms, bool quiet, __u64 *took_ms)
{
	__u64 begin = now_ms(), left = entries_left(), began_with = left;

	for (;;) {
		*took_ms = now_ms() - begin;
		if (!left || stopped || *took_ms >= limit_ms)
			break;
		if (!quiet)
			progress(left, began_with, *took_ms, false);
		poll(NULL, 0, LOOK_MS);
		left = entries_left();
	}
	if (!quiet && began_with)
		progress(left, began_with, *took_ms, true);
	return left;
}

static int run(int argc, char **argv)
{
	static const struct option names[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "quiet", no_argument, NULL, 'q' },
		COMMON_OPTIONS,
	};
	const struct knob *mode = knob_find("mode");
	__u64 limit_s = 0, left, took_ms;
	bool quiet = false, limited = false;
	int opt, err;

	while ((opt = next_option(argc, argv, "t:q", names)) != -1) {
		if (opt == 't') {
			limit_s = arg_u64("--timeout", optarg, 0, 86400);
			limited = true;
		} else {
			quiet = true;
		}
	}
	no_arguments(argc, argv);
	if (!limited)
		limit_s = knob_value("lifetime_ms") / 1000 + SPARE_S;
	err = knob_write(mode, "0");
	if (err)
		knob_refused(mode, "0", err);
	catch_signals();
	left = wait_empty(limit_s * 1000, quiet, &took_ms);
	if (globals.json) {
		json_begin(NULL, '{');
		json_bool("drained", !left);
		json_int("left", left);
		json_tenths("seconds", took_ms / 100);
		json_end('}');
		out_flush();
	} else if (!left) {
		out_fmt("The table is empty after %llu s: 'rmmod halfopen' loses nobody. New SYNs go the native way; 'halfopenctl set mode=1' turns halfopen on again.\n",
			took_ms / 1000);
	}
	if (left)
		fail("%s after %llu s, %llu entries are left. net.halfopen.mode stays 0: 'halfopenctl drain' waits again, 'halfopenctl set mode=1' turns halfopen on",
		     stopped ? "stopped" : "time is up", took_ms / 1000, left);
	return EXIT_DONE;
}

const struct command cmd_drain = {
	.name		= "drain",
	.summary	= "take no more SYNs and wait until the table is empty",
	.usage		= "[-t SECONDS] [-q]",
	.help		=
		"Options:\n"
		"  -t, --timeout SECONDS  how long to wait, 0 to 86400; default: lifetime_ms and\n"
		"                         10 seconds\n"
		"  -q, --quiet            no progress\n"
		"  -j, --json\n\n"
		"Sets net.halfopen.mode to 0, so that new SYNs go the native way. Once no entry is\n"
		"left 'rmmod halfopen' loses nobody. Nothing is restored: 'halfopenctl set mode=1'\n"
		"turns it on again. Exit code 1 if time is up or a signal comes before that.\n",
	.run		= run,
};
