// SPDX-License-Identifier: GPL-2.0
/* halfopenctl set */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "knobs.h"
#include "out.h"
#include "util.h"

/* One that has a default and bounds. */
static bool is_bounded(const struct knob *knob)
{
	return !(knob->flags & (KNOB_READ_ONLY | KNOB_WRITE_ONLY | KNOB_NAMES));
}

static void show_knob(const struct knob *knob, const char *value)
{
	char def[32] = "-", range[64];

	if (is_bounded(knob))
		snprintf(def, sizeof(def), "%u", knob->def);
	out_fmt("%-22s %10s %10s  %s\n", knob->name, *value ? value : "-", def,
		knob_range(knob, range));
}

static void show_value_json(const struct knob *knob, const char *name,
			    const char *value)
{
	if (knob->flags & KNOB_WRITE_ONLY)
		json_null(name);
	else if (knob->flags & KNOB_NAMES)
		json_str(name, value);
	else
		json_int(name, strtoull(value, NULL, 10));
}

static void show_knob_json(const struct knob *knob, const char *value)
{
	json_begin(NULL, '{');
	json_str("name", knob->name);
	show_value_json(knob, "value", value);
	if (is_bounded(knob)) {
		json_int("default", knob->def);
		json_int("min", knob->min);
		json_int("max", knob->max);
	} else {
		json_null("default");
		json_null("min");
		json_null("max");
	}
	json_end('}');
}

static void show_all(void)
{
	char value[KNOB_TEXT_MAX];
	size_t i;

	/* before half of the output is there */
	knob_value("mode");
	if (globals.json) {
		json_begin(NULL, '{');
		json_begin("knobs", '[');
	} else {
		out_fmt("%-22s %10s %10s  %s\n", "KNOB", "VALUE", "DEFAULT",
			"RANGE");
	}
	for (i = 0; i < nr_knobs; i++) {
		value[0] = '\0';
		if (!(knobs[i].flags & KNOB_WRITE_ONLY) &&
		    !knob_read(&knobs[i], value))
			continue;
		if (globals.json)
			show_knob_json(&knobs[i], value);
		else
			show_knob(&knobs[i], value);
	}
	if (globals.json) {
		json_end(']');
		json_end('}');
	}
}

/* Cuts ARG in two. */
static const struct knob *parse(char *arg, const char **value)
{
	const struct knob *knob;
	const char *nearest;
	char *equal = strchr(arg, '=');

	if (!equal)
		usage_error("'%.64s' is not of the form KNOB=VALUE", arg);
	*equal = '\0';
	*value = equal + 1;
	knob = knob_find(arg);
	nearest = knob ? NULL : knob_nearest(arg);
	if (!knob)
		usage_error("there is no knob '%.64s'%s%s%s", arg,
			    nearest ? ", did you mean " : "",
			    nearest ? nearest : "", nearest ? "?" : "");
	if (knob->flags & KNOB_READ_ONLY)
		usage_error("%s is read-only: it follows from synack_timeout_ms, synack_timeout_max_ms and synack_retries",
			    knob->name);
	if (!**value && !(knob->flags & KNOB_NAMES))
		usage_error("%s= has no value", knob->name);
	return knob;
}

static void set_one(const struct knob *knob, const char *text)
{
	char value[KNOB_TEXT_MAX];
	int err;

	err = knob_write(knob, text);
	if (err) {
		/* what was set before */
		if (!globals.json)
			out_flush();
		else
			out_discard();
		knob_refused(knob, text, err);
	}
	if (knob->flags & KNOB_WRITE_ONLY) {
		if (globals.json)
			json_null(knob->name);
		else
			out_fmt("net.halfopen.%s is set\n", knob->name);
		return;
	}
	if (!knob_read(knob, value))
		return;
	if (globals.json)
		show_value_json(knob, knob->name, value);
	else
		out_fmt("net.halfopen.%s = %s\n", knob->name, value);
}

static int run(int argc, char **argv)
{
	static const struct option names[] = { COMMON_OPTIONS };
	const struct knob **knob;
	const char **value;
	int i, nr;

	while (next_option(argc, argv, "", names) != -1)
		;
	nr = argc - optind;
	argv += optind;
	if (!nr) {
		show_all();
		return EXIT_DONE;
	}
	knob = xcalloc(nr, sizeof(*knob));
	value = xcalloc(nr, sizeof(*value));
	for (i = 0; i < nr; i++)
		knob[i] = parse(argv[i], &value[i]);
	if (globals.json) {
		json_begin(NULL, '{');
		json_begin("set", '{');
	}
	for (i = 0; i < nr; i++)
		set_one(knob[i], value[i]);
	if (globals.json) {
		json_end('}');
		json_end('}');
	}
	return EXIT_DONE;
}

const struct command cmd_set = {
	.name		= "set",
	.summary	= "change knobs, or show them all",
	.usage		= "[KNOB=VALUE]...",
	.help		=
		"Without arguments: every knob with value, default and range. A knob is named as\n"
		"below net.halfopen., or with that. The kernel decides about values, in the order\n"
		"in which they stand here: what was set before a refusal stays. They hold until\n"
		"the module is unloaded; 'halfopenctl save' keeps them.\n\n"
		"Options:\n"
		"  -j, --json\n",
	.run		= run,
};
