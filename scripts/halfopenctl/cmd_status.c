// SPDX-License-Identifier: GPL-2.0
/* halfopenctl status */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "advice.h"
#include "cmd.h"
#include "dump.h"
#include "json.h"
#include "netns.h"
#include "out.h"
#include "prefix.h"
#include "snap.h"
#include "util.h"

/* What the entries say. */
struct view {
	struct sources sources;
	__u32 acked[65536];	/* by local port */
	__u64 all_acked;
};

static void see(const struct halfopen_conn *conn, void *context)
{
	struct view *view = context;

	sources_add(&view->sources, conn->raddr);
	if (conn->flags & HALFOPEN_ACKED) {
		view->acked[ntohs(conn->lport)]++;
		view->all_acked++;
	}
}

static void say_text(const char *sentence)
{
	out_fmt("Advice: %s.\n", sentence);
}

static void say_json(const char *sentence)
{
	json_str(NULL, sentence);
}

static void show_pressure(const struct snap *snap)
{
	char since[32], lasted[32];
	size_t i;

	if (!snap->pressure && !snap_ports_under_pressure(snap))
		out_str("No attack: neither the table nor a port is under pressure.\n");
	if (snap->pressure)
		out_fmt("UNDER ATTACK: the whole table, since %s (%s).\n",
			since_text(snap->pressure_ms / 1000, since),
			duration_text(snap->pressure_ms / 1000, lasted));
	for (i = 0; i < snap->nr_ports; i++) {
		const struct snap_port *port = &snap->ports[i];

		if (port->pressure)
			out_fmt("UNDER ATTACK: port %u, since %s (%s), %u SYN/s.\n",
				port->port,
				since_text(port->pressure_ms / 1000, since),
				duration_text(port->pressure_ms / 1000, lasted),
				port->rate);
	}
}

static void show_limits(const struct snap *snap)
{
	size_t i;

	out_fmt("\n%-18s %11s %11s %5s\n", "LIMIT", "USED", "OF", "");
	for (i = 0; i < snap->nr_limits; i++) {
		const struct snap_limit *limit = &snap->limits[i];

		out_fmt("%-18s %11llu %11llu %3u %%\n",
			limit->name, limit->used, limit->limit,
			percent(limit->used, limit->limit));
	}
}

static void show_ports(const struct snap *snap, size_t rows)
{
	char lasted[32];
	size_t i;

	if (!snap->nr_ports)
		return;
	out_fmt("\n%-5s %10s %9s %11s %8s %11s\n", "PORT", "ENTRIES",
		"SYN/S", "PRESSURE", "COOKIES", "SYNS");
	for (i = 0; i < snap->nr_ports && i < rows; i++) {
		const struct snap_port *port = &snap->ports[i];

		out_fmt("%-5u %10u %9u %11s %8s %11u\n",
			port->port, port->entries, port->rate,
			port->pressure ? duration_text(port->pressure_ms / 1000,
						       lasted) : "-",
			port->cookies ? "yes" : "-", port->syns);
	}
	if (snap->nr_ports > rows)
		out_fmt("(%zu more)\n", snap->nr_ports - rows);
}

static void show_sources(const struct sources *sources, size_t rows)
{
	struct source *top = xcalloc(rows, sizeof(*top));
	size_t i, nr = sources_top(sources, top, rows);
	char text[64];

	if (nr)
		out_fmt("\n%-30s %10s %6s\n", "SOURCE", "ENTRIES", "SHARE");
	for (i = 0; i < nr; i++)
		out_fmt("%-30s %10u %4u %%\n",
			source_text(sources, &top[i], text), top[i].entries,
			percent(top[i].entries, sources->total));
	if (sources->nr > nr)
		out_fmt("(%zu more)\n", sources->nr - nr);
	free(top);
}

static void show(const struct snap *snap, const struct view *view, size_t rows)
{
	const char *ns = netns_name();
	char since[32], lasted[32];

	out_fmt("halfopen %s is %s%s%s since %s (%s).\n", module_version(),
		snap_mode(snap), ns ? " in netns " : "", ns ? ns : "",
		since_text(snap->mode_s, since),
		duration_text(snap->mode_s, lasted));
	show_pressure(snap);
	show_limits(snap);
	show_ports(snap, rows);
	show_sources(&view->sources, rows);
	out_char('\n');
	advise(snap, &view->sources, view->acked, say_text);
}

static void show_json(const struct snap *snap, const struct view *view,
		      size_t rows)
{
	bool any = snap->pressure || snap_ports_under_pressure(snap);
	__u32 seconds = snap_longest_pressure_ms(snap) / 1000;
	size_t i;

	json_begin(NULL, '{');
	json_str("version", module_version());
	if (netns_name())
		json_str("netns", netns_name());
	else
		json_null("netns");
	json_int("mode", snap->mode);
	json_int("mode_since", time(NULL) - (time_t)snap->mode_s);
	json_int("mode_s", snap->mode_s);
	json_begin("attack", '{');
	json_bool("table", snap->pressure);
	json_begin("ports", '[');
	for (i = 0; i < snap->nr_ports; i++)
		if (snap->ports[i].pressure)
			json_int(NULL, snap->ports[i].port);
	json_end(']');
	if (any) {
		json_int("since", time(NULL) - (time_t)seconds);
		json_int("seconds", seconds);
	} else {
		json_null("since");
		json_null("seconds");
	}
	json_end('}');
	json_begin("limits", '[');
	for (i = 0; i < snap->nr_limits; i++) {
		json_begin(NULL, '{');
		json_str("name", snap->limits[i].name);
		json_int("used", snap->limits[i].used);
		json_int("limit", snap->limits[i].limit);
		json_end('}');
	}
	json_end(']');
	snap_json_ports(snap, rows);
	sources_json(&view->sources, rows);
	json_int("acked", view->all_acked);
	json_begin("advice", '[');
	advise(snap, &view->sources, view->acked, say_json);
	json_end(']');
	json_end('}');
}

static int run(int argc, char **argv)
{
	static const struct option names[] = {
		{ "rows", required_argument, NULL, 'c' },
		COMMON_OPTIONS,
	};
	static struct snap snap;
	static struct view view;
	size_t rows = 5;

	while (next_option(argc, argv, "c:", names) != -1)
		rows = arg_u64("--rows", optarg, 1, 1000);
	no_arguments(argc, argv);
	snap_take(&snap);
	sources_init(&view.sources);
	dump_each(see, &view);
	if (globals.json)
		show_json(&snap, &view, rows);
	else
		show(&snap, &view, rows);
	return EXIT_DONE;
}

const struct command cmd_status = {
	.name		= "status",
	.summary	= "whether it is on, who attacks whom, and what to do",
	.usage		= "[-c ROWS]",
	.help		=
		"Options:\n"
		"  -c, --rows ROWS  of each table, 1 to 1000; default 5\n"
		"  -j, --json\n\n"
		"Under attack means that the table or a port is above the high watermark, and\n"
		"until it is below the low one. SOURCE counts entries by source_prefix_v4 and\n"
		"source_prefix_v6. COOKIES: some were given at that port in the last two minutes.\n",
	.run		= run,
};
