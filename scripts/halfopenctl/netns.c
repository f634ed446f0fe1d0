// SPDX-License-Identifier: GPL-2.0
/*
 * Another network namespace.  /proc/net and /proc/sys/net show that of whoever
 * opens a file there, so there is nothing to mount.
 */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

static const char *entered;

const char *netns_name(void)
{
	return entered;
}

void netns_enter(const char *name)
{
	char path[4096];
	int fd;

	if (!*name || strchr(name, '/') || !strcmp(name, ".") ||
	    !strcmp(name, "..") || strlen(name) > 255)
		usage_error("'%.64s' is no name of a network namespace; 'ip netns list' shows them",
			    name);
	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fail("there is no network namespace %s; 'ip netns list' shows them",
		     name);
	if (fd < 0)
		fail("cannot open %s: %s%s", path, strerror(errno),
		     errno == EACCES ? ": run this as root" : "");
	if (setns(fd, CLONE_NEWNET))
		fail("cannot enter network namespace %s: %s", name,
		     errno == EPERM ? "run this as root" : strerror(errno));
	close(fd);
	entered = name;
}
