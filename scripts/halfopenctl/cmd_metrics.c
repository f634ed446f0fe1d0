// SPDX-License-Identifier: GPL-2.0
/*
 * halfopenctl metrics: OpenMetrics 1.0, in such a way that the textfile
 * collector of node_exporter, which reads the older format, takes it too.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "dump.h"
#include "knobs.h"
#include "out.h"
#include "prefix.h"
#include "snap.h"
#include "util.h"

static char *text;
static size_t used;
static size_t size;

__printf(1, 2)
static void add(const char *fmt, ...)
{
	va_list args;
	char *more;
	int len;

	if (size - used < 1024) {
		size = size * 2 + 16384;
		more = realloc(text, size);
		if (!more)
			fail("no memory");
		text = more;
	}
	va_start(args, fmt);
	len = vsnprintf(text + used, size - used, fmt, args);
	va_end(args);
	/* nothing is nearly as long */
	if (len > 0 && (size_t)len < size - used)
		used += len;
}

/* NAME_UNIT, as OpenMetrics wants it; UNIT may be NULL. */
static void family(const char *name, const char *type, const char *unit,
		   const char *help)
{
	add("# TYPE %s %s\n", name, type);
	if (unit)
		add("# UNIT %s %s\n", name, unit);
	add("# HELP %s ", name);
	for (; *help; help++) {
		if (*help == '"' || *help == '\\')
			add("\\");
		add("%c", *help);
	}
	add("\n");
}

static void gauge(const char *name, const char *unit, const char *help,
		  const char *value)
{
	family(name, "gauge", unit, help);
	add("%s %s\n", name, value);
}

static const char *seconds(__u64 ms)
{
	static char value[32];

	snprintf(value, sizeof(value), "%llu.%03u", ms / 1000,
		 (unsigned int)(ms % 1000));
	return value;
}

static const char *number(__u64 value)
{
	static char digits[32];

	snprintf(digits, sizeof(digits), "%llu", value);
	return digits;
}

static void add_counters(const struct snap *snap)
{
	char name[64];
	int nr;

	for (nr = 0; nr < COUNTER_MAX; nr++) {
		if (nr >= COUNTER_FIRST_DECLINE && nr < COUNTER_FIRST_OVERLOAD)
			continue;
		snprintf(name, sizeof(name), "halfopen_%s", counters[nr].name);
		family(name, "counter", NULL, counters[nr].meaning);
		add("%s_total %llu\n", name, snap->count[nr]);
	}
	family("halfopen_declined", "counter", NULL,
	       "SYNs that went the native way, by reason");
	for (nr = COUNTER_FIRST_DECLINE; nr < COUNTER_FIRST_OVERLOAD; nr++)
		add("halfopen_declined_total{reason=\"%s\"} %llu\n",
		    counters[nr].name + strlen("declined_"), snap->count[nr]);
}

static void add_limits(const struct snap *snap)
{
	size_t i;

	family("halfopen_used", "gauge", NULL, "used of a limit");
	for (i = 0; i < snap->nr_limits; i++)
		add("halfopen_used{limit=\"%s\"} %llu\n",
		    snap->limits[i].name, snap->limits[i].used);
	family("halfopen_limit", "gauge", NULL, "the limit");
	for (i = 0; i < snap->nr_limits; i++)
		add("halfopen_limit{limit=\"%s\"} %llu\n",
		    snap->limits[i].name, snap->limits[i].limit);
}

static void add_ports(const struct snap *snap, size_t rows)
{
	const struct snap_port *port;
	const struct snap_port *end;

	gauge("halfopen_ports", NULL, "local ports that got SYNs",
	      number(snap->nr_ports));
	if (rows > snap->nr_ports)
		rows = snap->nr_ports;
	if (!rows)
		return;
	end = snap->ports + rows;
	family("halfopen_port_entries", "gauge", NULL,
	       "half-open connections of a local port");
	for (port = snap->ports; port < end; port++)
		add("halfopen_port_entries{port=\"%u\"} %u\n",
		    port->port, port->entries);
	family("halfopen_port_syns", "counter", NULL,
	       "SYNs for listeners at a local port");
	for (port = snap->ports; port < end; port++)
		add("halfopen_port_syns_total{port=\"%u\"} %u\n",
		    port->port, port->syns);
	family("halfopen_port_syn_rate", "gauge", NULL,
	       "SYNs a second, as of the last second");
	for (port = snap->ports; port < end; port++)
		add("halfopen_port_syn_rate{port=\"%u\"} %u\n",
		    port->port, port->rate);
	family("halfopen_port_pressure", "gauge", NULL,
	       "the port is under pressure");
	for (port = snap->ports; port < end; port++)
		add("halfopen_port_pressure{port=\"%u\"} %d\n",
		    port->port, port->pressure);
	family("halfopen_port_pressure_seconds", "gauge", "seconds",
	       "for how long");
	for (port = snap->ports; port < end; port++)
		add("halfopen_port_pressure_seconds{port=\"%u\"} %s\n",
		    port->port, seconds(port->pressure_ms));
}

static void see(const struct halfopen_conn *conn, void *context)
{
	sources_add(context, conn->raddr);
}

static void add_sources(size_t rows)
{
	struct source *top = xcalloc(rows, sizeof(*top));
	struct sources sources;
	char prefix[64];
	size_t i, nr;

	sources_init(&sources);
	dump_each(see, &sources);
	nr = sources_top(&sources, top, rows);
	gauge("halfopen_sources", NULL, "source prefixes of all entries",
	      number(sources.nr));
	if (nr)
		family("halfopen_source_entries", "gauge", NULL,
		       "half-open connections of a source prefix");
	for (i = 0; i < nr; i++)
		add("halfopen_source_entries{prefix=\"%s\"} %u\n",
		    source_text(&sources, &top[i], prefix), top[i].entries);
	sources_free(&sources);
	free(top);
}

static int run(int argc, char **argv)
{
	static const struct option names[] = {
		{ "ports", required_argument, NULL, 'p' },
		{ "sources", required_argument, NULL, 's' },
		{ "output", required_argument, NULL, 'o' },
		COMMON_OPTIONS,
	};
	size_t ports = 20, sources = 0;
	const char *file = "-";
	static struct snap snap;
	int opt;

	while ((opt = next_option(argc, argv, "p:s:o:", names)) != -1) {
		switch (opt) {
		case 'p':
			ports = arg_u64("--ports", optarg, 0, 1000);
			break;
		case 's':
			sources = arg_u64("--sources", optarg, 0, 1000);
			break;
		case 'o':
			file = optarg;
			break;
		}
	}
	no_arguments(argc, argv);
	if (globals.json)
		usage_error("metrics have a format of their own; for JSON there are 'status -j' and 'stats -j'");
	snap_take(&snap);
	family("halfopen_build_info", "gauge", NULL, "the module");
	add("halfopen_build_info{version=\"%s\"} 1\n", module_version());
	gauge("halfopen_mode", NULL, "0 off, 1 on, 2 under pressure only",
	      number(snap.mode));
	gauge("halfopen_mode_seconds", "seconds", "since when it is so",
	      number(snap.mode_s));
	gauge("halfopen_pressure", NULL, "the whole table is under pressure",
	      number(snap.pressure));
	gauge("halfopen_pressure_seconds", "seconds", "for how long",
	      seconds(snap.pressure_ms));
	add_limits(&snap);
	add_counters(&snap);
	add_ports(&snap, ports);
	if (sources)
		add_sources(sources);
	add("# EOF\n");
	write_file(file, text, used);
	return EXIT_DONE;
}

const struct command cmd_metrics = {
	.name		= "metrics",
	.summary	= "OpenMetrics text for Prometheus",
	.usage		= "[-p PORTS] [-s SOURCES] [-o FILE]",
	.help		=
		"Options:\n"
		"  -p, --ports PORTS      with labels, those with most entries, 0 to 1000;\n"
		"                         default 20\n"
		"  -s, --sources SOURCES  source prefixes likewise; default 0, which spares the\n"
		"                         pass over all entries\n"
		"  -o, --output FILE      into FILE, at once: for node_exporter's textfile\n"
		"                         collector\n",
	.run		= run,
};
