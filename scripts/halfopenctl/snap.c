// SPDX-License-Identifier: GPL-2.0
/* One look at all that /proc/net says, but for the entries. */
#include "snap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "util.h"

static const char * const stat_files[] = {
	"/proc/net/stat/halfopen",
	"/proc/net/stat/halfopen_declined",
	"/proc/net/stat/halfopen_overload",
	"/proc/net/stat/halfopen_fastpath",
};

/* The next line of *TEXT, which moves on; NULL at the end. */
static char *next_line(char **text)
{
	char *line = *text, *end;

	if (!*line)
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end++ = '\0';
	*text = end ? end : line + strlen(line);
	return line;
}

/*
 * Columns are known by their names: a module of another version has others.
 * The first one is a gauge that limits have, too.
 */
static void read_counters(struct snap *snap, const char *path)
{
	int column[256], columns = 0, i;
	char *text = read_proc(path), *rest = text, *line, *word, *end;

	line = next_line(&rest);
	for (word = line ? strtok(line, " ") : NULL;
	     word && columns < (int)ARRAY_SIZE(column);
	     word = strtok(NULL, " "))
		column[columns++] = counter_find(word, strlen(word));
	while ((line = next_line(&rest))) {
		for (i = 0; i < columns; i++, line = end) {
			__u64 value = strtoull(line, &end, 16);

			if (column[i] < COUNTER_MAX)
				snap->count[column[i]] += value;
		}
	}
	free(text);
}

static int by_entries(const void *one, const void *other)
{
	const struct snap_port *a = one, *b = other;

	if (a->entries != b->entries)
		return a->entries < b->entries ? 1 : -1;
	if (a->rate != b->rate)
		return a->rate < b->rate ? 1 : -1;
	if (a->syns != b->syns)
		return a->syns < b->syns ? 1 : -1;
	return a->port < b->port ? -1 : a->port > b->port;
}

static void read_ports(struct snap *snap)
{
	char *text = read_proc("/proc/net/halfopen_ports"), *rest = text;
	unsigned int pressure, cookies;
	struct snap_port port;
	size_t lines = 0;
	char *line;

	for (line = rest; (line = strchr(line, '\n')); line++)
		lines++;
	snap->ports = xcalloc(lines + 1, sizeof(*snap->ports));
	while ((line = next_line(&rest)) && snap->nr_ports <= lines) {
		if (sscanf(line, "%u entries:%u syns:%u rate:%u pressure:%u cookies:%u pressure_ms:%u",
			   &port.port, &port.entries, &port.syns, &port.rate,
			   &pressure, &cookies, &port.pressure_ms) != 7)
			continue;
		port.pressure = pressure;
		port.cookies = cookies;
		snap->ports[snap->nr_ports++] = port;
	}
	qsort(snap->ports, snap->nr_ports, sizeof(*snap->ports), by_entries);
	free(text);
}

static void read_limits(struct snap *snap)
{
	char *text = read_proc("/proc/net/halfopen_limits"), *rest = text;
	char *line;

	while ((line = next_line(&rest)) &&
	       snap->nr_limits < SNAP_LIMITS_MAX) {
		struct snap_limit *limit = &snap->limits[snap->nr_limits];

		if (sscanf(line, "%31s %llu %llu", limit->name,
			   &limit->used, &limit->limit) == 3)
			snap->nr_limits++;
	}
	free(text);
}

static void read_status(struct snap *snap)
{
	char *text = read_proc("/proc/net/halfopen_status"), *rest = text;
	__u64 value;
	char name[32];
	char *line;

	while ((line = next_line(&rest))) {
		if (sscanf(line, "%31s %llu", name, &value) != 2)
			continue;
		if (!strcmp(name, "mode"))
			snap->mode = value;
		else if (!strcmp(name, "mode_s"))
			snap->mode_s = value;
		else if (!strcmp(name, "pressure"))
			snap->pressure = value;
		else if (!strcmp(name, "pressure_ms"))
			snap->pressure_ms = value;
	}
	free(text);
}

void snap_take(struct snap *snap)
{
	size_t i;

	free(snap->ports);
	memset(snap, 0, sizeof(*snap));
	snap->at_ms = now_ms();
	read_status(snap);
	for (i = 0; i < ARRAY_SIZE(stat_files); i++)
		read_counters(snap, stat_files[i]);
	read_limits(snap);
	read_ports(snap);
}

struct snap_limit snap_limit(const struct snap *snap, const char *name)
{
	static const struct snap_limit none;
	size_t i;

	for (i = 0; i < snap->nr_limits; i++)
		if (!strcmp(snap->limits[i].name, name))
			return snap->limits[i];
	return none;
}

size_t snap_ports_under_pressure(const struct snap *snap)
{
	size_t i, nr = 0;

	for (i = 0; i < snap->nr_ports; i++)
		nr += snap->ports[i].pressure;
	return nr;
}

__u32 snap_longest_pressure_ms(const struct snap *snap)
{
	__u32 longest = snap->pressure_ms;
	size_t i;

	for (i = 0; i < snap->nr_ports; i++)
		if (snap->ports[i].pressure_ms > longest)
			longest = snap->ports[i].pressure_ms;
	return longest;
}

__u64 snap_declined(const struct snap *snap)
{
	__u64 sum = 0;
	int nr;

	for (nr = COUNTER_FIRST_DECLINE; nr < COUNTER_FIRST_OVERLOAD; nr++)
		sum += snap->count[nr];
	return sum;
}

const char *snap_mode(const struct snap *snap)
{
	static const char * const names[] = { "off", "on", "auto" };

	return snap->mode < ARRAY_SIZE(names) ? names[snap->mode] : "?";
}

const char *module_version(void)
{
	static char version[64];
	char *text = read_file("/sys/module/halfopen/version");

	if (!text)
		return "";
	snprintf(version, sizeof(version), "%.*s", (int)strcspn(text, "\n"),
		 text);
	free(text);
	return version;
}

char *duration_text(__u64 seconds, char *text)
{
	unsigned int s = seconds % 60, m = seconds / 60 % 60;
	unsigned int h = seconds / 3600 % 24;
	__u64 days = seconds / 86400;

	if (seconds < 120)
		snprintf(text, 32, "%llu s", seconds);
	else if (!days)
		snprintf(text, 32, "%02u:%02u:%02u", h, m, s);
	else
		snprintf(text, 32, "%llu d %02u:%02u:%02u", days, h, m,
			 s);
	return text;
}

char *since_text(__u64 seconds, char *text)
{
	time_t then = time(NULL) - (time_t)seconds;
	struct tm tm;

	if (!localtime_r(&then, &tm) ||
	    !strftime(text, 32, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(text, 32, "?");
	return text;
}

unsigned int percent(__u64 used, __u64 limit)
{
	return limit ? used * 100 / limit : 0;
}

void snap_json_ports(const struct snap *snap, size_t rows)
{
	size_t i;

	json_begin("ports", '[');
	for (i = 0; i < snap->nr_ports && i < rows; i++) {
		const struct snap_port *port = &snap->ports[i];

		json_begin(NULL, '{');
		json_int("port", port->port);
		json_int("entries", port->entries);
		json_int("syns", port->syns);
		json_int("rate", port->rate);
		json_bool("pressure", port->pressure);
		json_bool("cookies", port->cookies);
		json_int("pressure_ms", port->pressure_ms);
		json_end('}');
	}
	json_end(']');
}
