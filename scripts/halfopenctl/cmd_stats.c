// SPDX-License-Identifier: GPL-2.0
/* halfopenctl stats */
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "out.h"
#include "snap.h"
#include "util.h"

static bool chosen[COUNTER_MAX];
static bool explain;

static void show(const struct snap *snap, int nr)
{
	out_fmt("%-21s %12llu\n", counters[nr].name, snap->count[nr]);
	if (explain)
		out_fmt("    What: %s.\n    Rising: %s.\n",
			counters[nr].meaning, counters[nr].rising);
}

static void show_json(const struct snap *snap, int nr)
{
	json_begin(NULL, '{');
	json_str("name", counters[nr].name);
	json_str("file", counter_file(nr));
	json_int("value", snap->count[nr]);
	if (explain) {
		json_str("meaning", counters[nr].meaning);
		json_str("rising", counters[nr].rising);
	}
	json_end('}');
}

static int run(int argc, char **argv)
{
	static const struct option names[] = {
		{ "nonzero", no_argument, NULL, 'z' },
		{ "explain", no_argument, NULL, 'e' },
		COMMON_OPTIONS,
	};
	static struct snap snap;
	bool nonzero = false, all;
	int opt, nr;

	while ((opt = next_option(argc, argv, "ze", names)) != -1) {
		if (opt == 'z')
			nonzero = true;
		else
			explain = true;
	}
	all = optind == argc;
	for (; optind < argc; optind++) {
		nr = counter_find(argv[optind], strlen(argv[optind]));
		if (nr == COUNTER_MAX)
			usage_error("there is no counter '%.64s'; 'halfopenctl stats' shows all",
				    argv[optind]);
		chosen[nr] = true;
	}
	snap_take(&snap);
	if (globals.json) {
		json_begin(NULL, '{');
		json_begin("counters", '[');
	}
	for (nr = 0; nr < COUNTER_MAX; nr++) {
		if ((!all && !chosen[nr]) || (nonzero && !snap.count[nr]))
			continue;
		if (globals.json)
			show_json(&snap, nr);
		else
			show(&snap, nr);
	}
	if (globals.json) {
		json_end(']');
		json_end('}');
	}
	return EXIT_DONE;
}

const struct command cmd_stats = {
	.name		= "stats",
	.summary	= "every counter, and what a rising one means",
	.usage		= "[-z] [-e] [COUNTER]...",
	.help		=
		"Options:\n"
		"  -z, --nonzero  only those that are not 0\n"
		"  -e, --explain  each with a sentence, and what a rising one means\n"
		"  -j, --json\n\n"
		"Sums over all CPUs of /proc/net/stat/halfopen, halfopen_declined,\n"
		"halfopen_overload and halfopen_fastpath, since the module was loaded.\n",
	.run		= run,
};
