// SPDX-License-Identifier: GPL-2.0
/* halfopenctl save */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json.h"
#include "knobs.h"
#include "out.h"
#include "snap.h"
#include "util.h"

#define SAVE_FILE "/etc/sysctl.d/60-halfopen.conf"

enum {
	TEXT_MAX	= 8192,		/* bytes: a line a knob */
};

struct saved {
	const struct knob *knob;
	char value[KNOB_TEXT_MAX];
};

static __u64 number(const struct saved *saved)
{
	return strtoull(saved->value, NULL, 10);
}

/* Names have no default; a line without a value is no setting. */
static bool is_wanted(const struct saved *saved, bool all)
{
	if (saved->knob->flags & KNOB_NAMES)
		return *saved->value;
	return all || number(saved) != saved->knob->def;
}

/* Returns how many. */
static size_t collect(bool all, struct saved *saved)
{
	size_t i, nr = 0;

	/* before any of them says that it is not there */
	knob_value("mode");
	for (i = 0; i < nr_knobs; i++) {
		if (knobs[i].flags & (KNOB_READ_ONLY | KNOB_WRITE_ONLY) ||
		    !knob_read(&knobs[i], saved[nr].value))
			continue;
		saved[nr].knob = &knobs[i];
		nr += is_wanted(&saved[nr], all);
	}
	return nr;
}

static bool is(const struct saved *saved, const char *name)
{
	return !strcmp(saved->knob->name, name);
}

/*
 * The file is read when the module has its defaults, and neither mark may pass
 * the other: a low one above the default of the high one comes after it.
 */
static void order_marks(struct saved *saved, size_t nr)
{
	struct saved low;
	size_t i;

	for (i = 0; i + 1 < nr; i++) {
		if (!is(&saved[i], "pressure_low_pct") ||
		    !is(&saved[i + 1], "pressure_high_pct") ||
		    number(&saved[i]) <= saved[i + 1].knob->def)
			continue;
		low = saved[i];
		saved[i] = saved[i + 1];
		saved[i + 1] = low;
	}
}

static size_t make_text(const struct saved *saved, size_t nr, bool all,
			char *text)
{
	char date[32];
	size_t i, len;

	len = snprintf(text, TEXT_MAX,
		       "# Knobs of halfopen%s, by 'halfopenctl save' on %s.\n"
		       "# cookie_key is not among them: it can only be written.\n",
		       all ? "" : " that differ from the default",
		       since_text(0, date));
	for (i = 0; i < nr && len < TEXT_MAX; i++)
		len += snprintf(text + len, TEXT_MAX - len,
				"net.halfopen.%s = %s\n",
				saved[i].knob->name, saved[i].value);
	return len;
}

static void show_json(const char *file, const struct saved *saved, size_t nr)
{
	size_t i;

	json_begin(NULL, '{');
	if (strcmp(file, "-"))
		json_str("file", file);
	else
		json_null("file");
	json_begin("saved", '{');
	for (i = 0; i < nr; i++) {
		if (saved[i].knob->flags & KNOB_NAMES)
			json_str(saved[i].knob->name, saved[i].value);
		else
			json_int(saved[i].knob->name, number(&saved[i]));
	}
	json_end('}');
	json_end('}');
}

static int run(int argc, char **argv)
{
	static const struct option names[] = {
		{ "all", no_argument, NULL, 'a' },
		COMMON_OPTIONS,
	};
	const char *file = SAVE_FILE;
	struct saved saved[64];
	char text[TEXT_MAX];
	bool all = false, to_stdout;
	size_t nr, len;

	while (next_option(argc, argv, "a", names) != -1)
		all = true;
	if (optind < argc)
		file = argv[optind++];
	no_arguments(argc, argv);
	if (!*file)
		usage_error("the name of the file is empty");
	to_stdout = !strcmp(file, "-");
	nr = collect(all, saved);
	order_marks(saved, nr);
	len = make_text(saved, nr, all, text);
	if (!to_stdout || !globals.json)
		write_file(file, text, len);
	if (globals.json)
		show_json(file, saved, nr);
	else if (!to_stdout)
		out_fmt("%zu knobs saved in %s; cookie_key is not, because it can only be written\n",
			nr, file);
	return EXIT_DONE;
}

const struct command cmd_save = {
	.name		= "save",
	.summary	= "write the knobs into a file of sysctl.d",
	.usage		= "[-a] [FILE]",
	.help		=
		"Options:\n"
		"  -a, --all   every knob, not only those that differ from the default\n"
		"  -j, --json\n\n"
		"FILE is " SAVE_FILE ", or - for stdout. It is replaced at once\n"
		"or not at all. cookie_key is never saved: it can only be written.\n",
	.run		= run,
};
