// SPDX-License-Identifier: GPL-2.0
/* One JSON document. */
#include "json.h"

#include <stddef.h>

#include "out.h"

static unsigned int depth;
static bool first = true;

/* Bytes that are not ASCII are escaped one by one: whatever a file's name
 * is, this is valid.
 */
static void quote(const char *text)
{
	out_char('"');
	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '"' || c == '\\')
			out_fmt("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			out_fmt("\\u%04x", c);
		else
			out_char(c);
	}
	out_char('"');
}

static void new_line(void)
{
	unsigned int i;

	out_char('\n');
	for (i = 0; i < depth; i++)
		out_char('\t');
}

static void item(const char *name)
{
	if (depth) {
		if (!first)
			out_char(',');
		new_line();
	}
	first = false;
	if (name) {
		quote(name);
		out_str(": ");
	}
}

void json_begin(const char *name, char bracket)
{
	item(name);
	out_char(bracket);
	depth++;
	first = true;
}

void json_end(char bracket)
{
	depth--;
	if (!first)
		new_line();
	first = false;
	out_char(bracket);
	if (!depth) {
		out_char('\n');
		first = true;
	}
}

void json_str(const char *name, const char *text)
{
	item(name);
	quote(text);
}

void json_int(const char *name, __s64 value)
{
	item(name);
	out_fmt("%lld", value);
}

void json_bool(const char *name, bool value)
{
	item(name);
	out_str(value ? "true" : "false");
}

void json_null(const char *name)
{
	item(name);
	out_str("null");
}

void json_tenths(const char *name, __u64 tenths)
{
	item(name);
	out_fmt("%llu.%u", tenths / 10, (unsigned int)(tenths % 10));
}
