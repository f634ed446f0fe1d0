// SPDX-License-Identifier: GPL-2.0
/* halfopenctl check: a Nagios plugin. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "out.h"
#include "snap.h"
#include "util.h"

static const char * const state_names[] = {
	"OK", "WARNING", "CRITICAL", "UNKNOWN",
};

static enum check_state worst(enum check_state a, enum check_state b)
{
	return a > b ? a : b;
}

/* More than so many percent; without a limit nothing is. */
static bool exceeds(const struct snap_limit *limit, unsigned int pct)
{
	return limit->limit && limit->used * 100 > limit->limit * pct;
}

static void pressure_text(const struct snap *snap, char *text, size_t size)
{
	size_t ports = snap_ports_under_pressure(snap), i;

	if (snap->pressure)
		snprintf(text, size, "the table is under pressure");
	else if (ports > 1)
		snprintf(text, size, "%zu ports are under pressure", ports);
	else
		snprintf(text, size, "no pressure");
	if (snap->pressure || ports != 1)
		return;
	for (i = 0; !snap->ports[i].pressure; i++)
		;
	snprintf(text, size, "port %u is under pressure, %u SYN/s",
		 snap->ports[i].port, snap->ports[i].rate);
}

static enum check_state show(const struct snap *snap, unsigned int warning,
			     unsigned int critical, bool mind_pressure)
{
	const struct snap_limit backlog = snap_limit(snap, "backlog");
	const struct snap_limit memory = snap_limit(snap, "memory_bytes");
	const struct snap_limit waiting = snap_limit(snap, "waiting");
	size_t ports = snap_ports_under_pressure(snap);
	enum check_state state = CHECK_OK;
	char line[256], pressure[96];

	if (exceeds(&backlog, warning))
		state = CHECK_WARNING;
	if (exceeds(&backlog, critical))
		state = CHECK_CRITICAL;
	if (!snap->mode || (mind_pressure && (snap->pressure || ports)))
		state = worst(state, CHECK_WARNING);

	pressure_text(snap, pressure, sizeof(pressure));
	snprintf(line, sizeof(line), "%llu of %llu half-open (%u %%), %s%s",
		 backlog.used, backlog.limit,
		 percent(backlog.used, backlog.limit), pressure,
		 snap->mode ? "" : ", switched off (net.halfopen.mode=0)");
	if (globals.json) {
		json_begin(NULL, '{');
		json_str("state", state_names[state]);
		json_int("code", state);
		json_str("text", line);
		json_int("entries", backlog.used);
		json_int("limit", backlog.limit);
		json_int("percent", percent(backlog.used, backlog.limit));
		json_int("ports_under_pressure", ports);
		json_end('}');
		return state;
	}
	out_fmt("HALFOPEN %s - %s | entries=%llu;%llu;%llu;0;%llu memory=%lluB;;;0;%llu waiting=%llu;;;0;%llu ports_under_pressure=%zu;;;0;65535\n",
		state_names[state], line, backlog.used,
		backlog.limit * warning / 100, backlog.limit * critical / 100,
		backlog.limit, memory.used, memory.limit, waiting.used,
		waiting.limit, ports);
	return state;
}

static int run(int argc, char **argv)
{
	static const struct option names[] = {
		{ "warning", required_argument, NULL, 'w' },
		{ "critical", required_argument, NULL, 'c' },
		{ "pressure", no_argument, NULL, 'p' },
		COMMON_OPTIONS,
	};
	unsigned int warning = 70, critical = 90;
	static struct snap snap;
	bool pressure = false;
	int opt;

	while ((opt = next_option(argc, argv, "w:c:p", names)) != -1) {
		switch (opt) {
		case 'w':
			warning = arg_u64("--warning", optarg, 0, 100);
			break;
		case 'c':
			critical = arg_u64("--critical", optarg, 0, 100);
			break;
		case 'p':
			pressure = true;
			break;
		}
	}
	no_arguments(argc, argv);
	if (warning > critical)
		usage_error("--warning %u is above --critical %u", warning,
			    critical);
	snap_take(&snap);
	return show(&snap, warning, critical, pressure);
}

const struct command cmd_check = {
	.name		= "check",
	.summary	= "a Nagios plugin: how full the table is",
	.usage		= "[-w PERCENT] [-c PERCENT] [-p]",
	.help		=
		"Options:\n"
		"  -w, --warning PERCENT   more than that of max_backlog is a WARNING; default 70\n"
		"  -c, --critical PERCENT  more than that is CRITICAL; default 90\n"
		"  -p, --pressure          pressure is a WARNING, too\n"
		"  -j, --json\n\n"
		"net.halfopen.mode=0 is a WARNING.\n\n"
		"Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, which is any error.\n",
	.run		= run,
};
