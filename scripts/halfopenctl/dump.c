// SPDX-License-Identifier: GPL-2.0
/* Every entry, once. */
#include "dump.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

#define DUMP "/proc/net/halfopen_dump"

enum {
	/* the longest record and then some */
	DUMP_BUF	= 1 << 17,	/* bytes */
};

/* Returns what is left of the last record. */
static size_t walk(char *buf, size_t len, dump_fn fn, void *context)
{
	struct halfopen_conn conn;
	size_t at = 0;
	__u16 size;

	while (len - at >= sizeof(size)) {
		memcpy(&size, buf + at, sizeof(size));
		/* a newer module's are longer */
		if (size < sizeof(conn))
			fail("records of %s have %u bytes, not %zu: the module is older than this tool ("
			     HO_VERSION ")", DUMP, size, sizeof(conn));
		if (len - at < size)
			break;
		memcpy(&conn, buf + at, sizeof(conn));
		fn(&conn, context);
		at += size;
	}
	memmove(buf, buf + at, len - at);
	return len - at;
}

void dump_each(dump_fn fn, void *context)
{
	static char buf[DUMP_BUF];
	size_t left = 0;
	ssize_t got;
	int fd;

	fd = open(DUMP, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_open(DUMP, errno);
	while ((got = read(fd, buf + left, sizeof(buf) - left)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			fail("cannot read %s any further: %s", DUMP,
			     strerror(errno));
		left = walk(buf, left + got, fn, context);
	}
	close(fd);
	if (left)
		fail("%s ends within a record", DUMP);
}
