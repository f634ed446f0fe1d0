// SPDX-License-Identifier: GPL-2.0
/* net.halfopen.*: names, ranges, defaults; how they are read and written. */
#include "knobs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <halfopen/limits.h>

#include "util.h"

#define DIR "/proc/sys/net/halfopen/"
#define PREFIX "net.halfopen."

/* In the order in which defaults can be changed to any other values. */
const struct knob knobs[] = {
	{ "mode", 1, 0, 2, 0 },
	{ "max_backlog", HO_BACKLOG_DEF, 0, HO_BACKLOG_MAX, 0 },
	{ "max_port_backlog", HO_PORT_BACKLOG_DEF, 0, HO_BACKLOG_MAX, 0 },
	{ "max_source_backlog", HO_SOURCE_BACKLOG_DEF, 0, HO_BACKLOG_MAX, 0 },
	{ "source_prefix_v4", HO_PREFIX_V4_DEF, 0, 32, 0 },
	{ "source_prefix_v6", HO_PREFIX_V6_DEF, 0, 128, 0 },
	{ "source_synack_rate", HO_SOURCE_RATE_DEF, 0, HO_SOURCE_RATE_MAX, 0 },
	{ "pressure_low_pct", HO_LOW_PCT_DEF, 1, 100, 0 },
	{ "pressure_high_pct", HO_HIGH_PCT_DEF, 1, 100, 0 },
	{ "max_memory_bytes", HO_MEMORY_DEF, 0, INT_MAX, 0 },
	{ "host_memory_bytes", HO_HOST_MEMORY_DEF, 0, INT_MAX, KNOB_INITIAL },
	{ "cookie_key", 0, 0, 0, KNOB_WRITE_ONLY },
	{ "synack_retries", HO_RETRIES_DEF, 0, HO_RETRIES_MAX, 0 },
	{ "synack_timeout_ms", HO_RTO_INIT_MS, HO_RTO_MIN_MS, HO_RTO_MAX_MS,
	  0 },
	{ "synack_timeout_max_ms", HO_RTO_MAX_MS, HO_RTO_MIN_MS,
	  HO_RTO_MAX_MS, 0 },
	{ "lifetime_ms", 0, 0, 0, KNOB_READ_ONLY },
	{ "verify_synack", 0, 0, 1, 0 },
	{ "fastpath", 0, 0, 0, KNOB_NAMES },
};

const size_t nr_knobs = ARRAY_SIZE(knobs);

static const char *without_prefix(const char *name)
{
	if (!strncmp(name, PREFIX, strlen(PREFIX)) ||
	    !strncmp(name, "net/halfopen/", strlen(PREFIX)))
		return name + strlen(PREFIX);
	return name;
}

const struct knob *knob_find(const char *name)
{
	size_t i;

	name = without_prefix(name);
	for (i = 0; i < nr_knobs; i++)
		if (!strcmp(knobs[i].name, name))
			return &knobs[i];
	return NULL;
}

static unsigned int least(unsigned int a, unsigned int b, unsigned int c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Levenshtein; both shorter than 64 bytes. */
static unsigned int distance(const char *a, const char *b)
{
	size_t i, j, len = strlen(b);
	unsigned int row[64];

	for (j = 0; j <= len; j++)
		row[j] = j;
	for (i = 1; a[i - 1]; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (j = 1; j <= len; j++) {
			unsigned int above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1,
				       diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[len];
}

const char *knob_nearest(const char *name)
{
	unsigned int best = 0, dist;
	const char *found = NULL;
	size_t i;

	name = without_prefix(name);
	if (strlen(name) < 2 || strlen(name) > 60)
		return NULL;
	/* a part of one, such as "backlog" */
	for (i = 0; i < nr_knobs; i++)
		if (strstr(knobs[i].name, name))
			return knobs[i].name;
	for (i = 0; i < nr_knobs; i++) {
		dist = distance(knobs[i].name, name);
		if (found && dist >= best)
			continue;
		best = dist;
		found = knobs[i].name;
	}
	return best <= strlen(name) / 2 ? found : NULL;
}

static char *knob_path(const struct knob *knob, char *path, size_t size)
{
	snprintf(path, size, DIR "%s", knob->name);
	return path;
}

bool knob_read(const struct knob *knob, char *text)
{
	char path[96], *c;
	char *file = read_file(knob_path(knob, path, sizeof(path)));

	if (!file && errno == ENOENT && knob->flags & KNOB_INITIAL &&
	    !access(DIR "mode", F_OK))
		return false;
	if (!file)
		fail_open(path, errno);
	snprintf(text, KNOB_TEXT_MAX, "%.*s", (int)strcspn(file, "\n"), file);
	for (c = text; *c; c++)
		if (*c == ' ')
			*c = ',';
	free(file);
	return true;
}

__u64 knob_value(const char *name)
{
	char text[KNOB_TEXT_MAX] = "";

	knob_read(knob_find(name), text);
	return strtoull(text, NULL, 10);
}

int knob_write(const struct knob *knob, const char *text)
{
	char path[96];
	ssize_t put;
	size_t len;
	int fd, err = 0;

	fd = open(knob_path(knob, path, sizeof(path)), O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* no name is a line, too */
	if (!*text)
		text = "\n";
	len = strlen(text);
	do {
		put = write(fd, text, len);
	} while (put < 0 && errno == EINTR);
	if (put < 0)
		err = -errno;
	else if ((size_t)put != len)
		err = -EINVAL;
	close(fd);
	return err;
}

char *knob_range(const struct knob *knob, char *text)
{
	__u32 min = knob->min, max = knob->max;

	if (knob->flags & KNOB_NAMES) {
		snprintf(text, 64, "names of devices, 16 at most");
		return text;
	}
	if (knob->flags & (KNOB_WRITE_ONLY | KNOB_READ_ONLY)) {
		snprintf(text, 64, "%s", knob->flags & KNOB_READ_ONLY ?
			 "read-only" : "auto, or 1 or 2 keys of 32 hex digits");
		return text;
	}
	/* neither passes the other */
	if (!strcmp(knob->name, "pressure_low_pct"))
		max = knob_value("pressure_high_pct");
	else if (!strcmp(knob->name, "pressure_high_pct"))
		min = knob_value("pressure_low_pct");
	snprintf(text, 64, "%u to %u", min, max);
	return text;
}

void knob_refused(const struct knob *knob, const char *text, int err)
{
	const char *secret = knob->flags & KNOB_WRITE_ONLY ? "..." : text;
	char range[64], path[96];

	if (err == -EACCES || err == -EPERM || err == -EROFS)
		fail("no permission to set " PREFIX "%s: %s", knob->name,
		     err == -EROFS ? "/proc/sys is mounted read-only" :
				     "run this as root");
	if (err == -ENOENT && knob->flags & KNOB_INITIAL &&
	    !access(DIR "mode", F_OK))
		fail(PREFIX "%s is set in the initial network namespace alone",
		     knob->name);
	if (err == -ENOENT)
		fail_open(knob_path(knob, path, sizeof(path)), ENOENT);
	if (err == -EBUSY)
		fail(PREFIX "%s=%.64s: entries are still counted by an earlier length; try again when they are gone, in %llu s at the latest",
		     knob->name, text,
		     knob_value("lifetime_ms") / 1000 + 1);
	if (err == -EINVAL || err == -ERANGE || err == -E2BIG)
		fail(PREFIX "%s=%.64s is refused: it takes %s%s", knob->name,
		     secret, knob_range(knob, range),
		     strstr(knob->name, "pressure_") ?
		     ", the low mark is never above the high one" : "");
	fail(PREFIX "%s=%.64s: %s", knob->name, secret, strerror(-err));
}
