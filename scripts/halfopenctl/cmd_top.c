// SPDX-License-Identifier: GPL-2.0
/* halfopenctl top */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "dump.h"
#include "json.h"
#include "netns.h"
#include "out.h"
#include "prefix.h"
#include "screen.h"
#include "snap.h"
#include "spark.h"
#include "util.h"

enum rate_nr {
	RATE_SYNS,
	RATE_TAKEN,
	RATE_COOKIES,
	RATE_DECLINED,
	RATE_SYNACKS,
	RATE_HANDED_OVER,
	RATE_EXPIRED,
	RATES,
};

static const struct {
	const char *key;
	const char *label;
} rate_names[RATES] = {
	[RATE_SYNS]		= { "syns", "SYNs" },
	[RATE_TAKEN]		= { "taken", "  entry made" },
	[RATE_COOKIES]		= { "cookies", "  cookie" },
	[RATE_DECLINED]		= { "declined", "  native way" },
	[RATE_SYNACKS]		= { "synacks", "SYN-ACKs" },
	[RATE_HANDED_OVER]	= { "handed_over", "connected" },
	[RATE_EXPIRED]		= { "expired", "expired" },
};

enum {
	SCAN_SHARE	= 4,	/* a pass gets a fourth of the time */
	FIRST_MS	= 200,	/* of rates, before the first frame */
	BATCH_ROWS	= 10,
	HEAD_LINES	= 5 + RATES,
	TABLE_LINES	= 2,	/* an empty one and the names of columns */
	ROWS_MAX	= 1000,
	SPARK_BYTES	= 3 * SPARK_VALUES + 1,
	BATCH_SPARK	= 40,
};

/* What is shown. */
static struct {
	struct snap snap;
	__u64 total[RATES];
	__u64 rate[RATES];
	struct spark spark[RATES];
	struct sources sources;
	__u64 next_scan_ms;
} view;

/* Sums since the module was loaded. */
static void totals(const struct snap *snap, __u64 *total)
{
	const __u64 *count = snap->count;
	__u32 syns = 0;
	size_t i;

	/* those of a port wrap, and so does their sum */
	for (i = 0; i < snap->nr_ports; i++)
		syns += snap->ports[i].syns;
	total[RATE_SYNS] = syns;
	total[RATE_TAKEN] = count[COUNTER_syn_taken];
	total[RATE_COOKIES] = count[COUNTER_cookie_sent];
	total[RATE_DECLINED] = snap_declined(snap);
	total[RATE_SYNACKS] = count[COUNTER_synack_sent];
	total[RATE_HANDED_OVER] = count[COUNTER_handover] +
				  count[COUNTER_cookie_accepted];
	total[RATE_EXPIRED] = count[COUNTER_expired];
}

static void see(const struct halfopen_conn *conn, void *context)
{
	sources_add(context, conn->raddr);
}

/* The whole table is looked at only as often as that is cheap. */
static void scan(void)
{
	__u64 begin = now_ms(), end;

	if (begin < view.next_scan_ms)
		return;
	sources_free(&view.sources);
	sources_init(&view.sources);
	dump_each(see, &view.sources);
	end = now_ms();
	view.next_scan_ms = end + (end - begin) * (SCAN_SHARE - 1);
}

static void look(void)
{
	__u64 before_ms = view.snap.at_ms, total[RATES], ms, delta;
	int i;

	snap_take(&view.snap);
	totals(&view.snap, total);
	ms = view.snap.at_ms - before_ms;
	for (i = 0; before_ms && ms && i < RATES; i++) {
		delta = total[i] - view.total[i];
		if (i == RATE_SYNS)
			delta = (__u32)delta;
		/* the module was loaded anew */
		if (delta > UINT64_MAX / 2)
			delta = 0;
		view.rate[i] = (delta * 1000 + ms / 2) / ms;
		spark_add(&view.spark[i], view.rate[i]);
	}
	memcpy(view.total, total, sizeof(total));
}

static void put_bar(char *text, size_t width, unsigned int pct)
{
	size_t full = width * (pct < 100 ? pct : 100) / 100;

	text[0] = '[';
	memset(text + 1, '#', full);
	memset(text + 1 + full, '-', width - full);
	text[width + 1] = ']';
	text[width + 2] = '\0';
}

static void show_head(void)
{
	const struct snap *snap = &view.snap;
	struct snap_limit backlog = snap_limit(snap, "backlog");
	struct snap_limit memory = snap_limit(snap, "memory_bytes");
	size_t ports = snap_ports_under_pressure(snap), i;
	char lasted[32], since[32], bar[32], which[64] = "the whole table";
	const char *ns = netns_name();

	screen_line(STYLE_PLAIN, "halfopen %s, %s for %s%s%s    %s",
		    module_version(), snap_mode(snap),
		    duration_text(snap->mode_s, lasted),
		    ns ? ", netns " : "", ns ? ns : "", since_text(0, since));
	for (i = 0; !snap->pressure && i < snap->nr_ports; i++) {
		if (!snap->ports[i].pressure)
			continue;
		snprintf(which, sizeof(which), ports > 1 ?
			 "port %u and %zu more" : "port %u",
			 snap->ports[i].port, ports - 1);
		break;
	}
	if (snap->pressure || ports)
		screen_line(STYLE_ALARM, "UNDER ATTACK: %s, for %s", which,
			    duration_text(snap_longest_pressure_ms(snap) / 1000,
					  lasted));
	else
		screen_line(STYLE_GOOD, "no attack");
	put_bar(bar, 20, percent(backlog.used, backlog.limit));
	screen_line(STYLE_PLAIN, "%llu of %llu half-open %s %u %%, %llu of %llu KB",
		    backlog.used, backlog.limit, bar,
		    percent(backlog.used, backlog.limit), memory.used >> 10,
		    memory.limit >> 10);
	screen_line(STYLE_PLAIN, "%s", "");
}

static void show_rates(bool batch)
{
	size_t width = batch ? BATCH_SPARK : screen_columns();
	char text[SPARK_BYTES];
	int i;

	if (!batch)
		width = width > 34 ? width - 34 : 0;
	screen_line(STYLE_HEADER, "%-14s %10s", "RATE", "A SECOND");
	for (i = 0; i < RATES; i++) {
		spark_text(&view.spark[i], width, screen_utf8(), text,
			   sizeof(text));
		screen_line(STYLE_PLAIN, "%-14s %10llu  %s",
			    rate_names[i].label, view.rate[i], text);
	}
}

static void show_ports(size_t rows)
{
	const struct snap *snap = &view.snap;
	char lasted[32];
	size_t i;

	screen_line(STYLE_PLAIN, "%s", "");
	screen_line(STYLE_HEADER, "%-5s %10s %9s %11s %8s %11s", "PORT",
		    "ENTRIES", "SYN/S", "PRESSURE", "COOKIES", "SYNS");
	for (i = 0; i < snap->nr_ports && i < rows; i++) {
		const struct snap_port *port = &snap->ports[i];

		screen_line(port->pressure ? STYLE_ALARM : STYLE_PLAIN,
			    "%-5u %10u %9u %11s %8s %11u",
			    port->port, port->entries, port->rate,
			    port->pressure ?
			    duration_text(port->pressure_ms / 1000, lasted) :
			    "-", port->cookies ? "yes" : "-", port->syns);
	}
}

static void show_sources(size_t rows)
{
	struct source *top = xcalloc(rows + 1, sizeof(*top));
	size_t i, nr = sources_top(&view.sources, top, rows);
	char text[64];

	screen_line(STYLE_PLAIN, "%s", "");
	screen_line(STYLE_HEADER, "%-30s %10s %6s", "SOURCE", "ENTRIES",
		    "SHARE");
	for (i = 0; i < nr; i++)
		screen_line(STYLE_PLAIN, "%-30s %10u %4u %%",
			    source_text(&view.sources, &top[i], text),
			    top[i].entries,
			    percent(top[i].entries, view.sources.total));
	free(top);
}

static void show(bool batch, size_t rows)
{
	size_t ports = rows, sources = rows, room;

	/* ports take what they need of half of the room, sources the rest */
	if (!batch) {
		room = screen_rows();
		room -= room < HEAD_LINES + 2 * TABLE_LINES ? room :
			HEAD_LINES + 2 * TABLE_LINES;
		ports = view.snap.nr_ports < room / 2 ? view.snap.nr_ports :
							room / 2;
		if (rows && ports > rows)
			ports = rows;
		sources = room - ports;
		if (rows && sources > rows)
			sources = rows;
	}
	screen_begin();
	show_head();
	show_rates(batch);
	show_ports(ports);
	show_sources(sources);
	screen_end();
}

static void show_json(size_t rows)
{
	struct snap_limit backlog = snap_limit(&view.snap, "backlog");
	int i;

	json_begin(NULL, '{');
	json_int("time", time(NULL));
	json_int("entries", backlog.used);
	json_int("limit", backlog.limit);
	json_begin("rates", '{');
	for (i = 0; i < RATES; i++)
		json_int(rate_names[i].key, view.rate[i]);
	json_end('}');
	snap_json_ports(&view.snap, rows);
	sources_json(&view.sources, rows);
	json_end('}');
	out_flush();
}

static __u64 parse_delay(const char *text)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || !(s >= 0.1 && s <= 3600))
		usage_error("--delay takes seconds from 0.1 to 3600, not '%.64s'",
			    text);
	return s * 1000;
}

/* Frames until somebody quits; NR 0: without end. */
static void frames(__u64 delay_ms, __u64 nr, size_t rows, bool batch)
{
	enum screen_event event;
	__u64 next, now;

	look();
	if (screen_wait(delay_ms < FIRST_MS ? delay_ms : FIRST_MS) ==
	    EVENT_QUIT)
		return;
	for (;;) {
		next = now_ms() + delay_ms;
		look();
		scan();
		if (globals.json)
			show_json(rows);
		else
			show(batch, rows);
		if (nr && !--nr)
			return;
		while (now = now_ms(),
		       (event = screen_wait(next > now ? next - now : 0)) ==
		       EVENT_RESIZE)
			if (!batch)
				show(batch, rows);
		if (event == EVENT_QUIT)
			return;
	}
}

static int run(int argc, char **argv)
{
	static const struct option names[] = {
		{ "delay", required_argument, NULL, 'd' },
		{ "frames", required_argument, NULL, 'n' },
		{ "rows", required_argument, NULL, 'c' },
		{ "batch", no_argument, NULL, 'b' },
		COMMON_OPTIONS,
	};
	__u64 delay_ms = 1000, nr = 0;
	bool batch = false;
	size_t rows = 0;
	int opt;

	while ((opt = next_option(argc, argv, "d:n:c:b", names)) != -1) {
		switch (opt) {
		case 'd':
			delay_ms = parse_delay(optarg);
			break;
		case 'n':
			nr = arg_u64("--frames", optarg, 1, UINT32_MAX);
			break;
		case 'c':
			rows = arg_u64("--rows", optarg, 1, ROWS_MAX);
			break;
		case 'b':
			batch = true;
			break;
		}
	}
	no_arguments(argc, argv);
	if (globals.json || !isatty(STDOUT_FILENO))
		batch = true;
	if (batch && !rows)
		rows = BATCH_ROWS;
	/* errors come before the screen is taken */
	snap_take(&view.snap);
	view.snap.at_ms = 0;
	sources_init(&view.sources);
	screen_open(batch);
	if (globals.json) {
		json_begin(NULL, '{');
		json_begin("frames", '[');
	}
	frames(delay_ms, nr, rows, batch);
	if (globals.json) {
		json_end(']');
		json_end('}');
	}
	screen_close();
	return EXIT_DONE;
}

const struct command cmd_top = {
	.name		= "top",
	.summary	= "the same as status, live, with rates",
	.usage		= "[-d SECONDS] [-n FRAMES] [-c ROWS] [-b]",
	.help		=
		"Options:\n"
		"  -d, --delay SECONDS  between two frames, 0.1 to 3600; default 1\n"
		"  -n, --frames FRAMES  that many, then quit; default: until q\n"
		"  -c, --rows ROWS      of each table, 1 to 1000; default: as many as fit, 10 with\n"
		"                       --batch\n"
		"  -b, --batch          frames one after the other, no escape sequences; also if\n"
		"                       stdout is no terminal\n"
		"  -j, --json           all frames in one document\n\n"
		"Keys: q or Esc quits, space looks at once. Counting sources takes a pass over all\n"
		"entries: at most a quarter of the time is spent on it.\n",
	.run		= run,
};
