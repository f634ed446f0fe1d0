/* SPDX-License-Identifier: GPL-2.0 */
/* To go into another network namespace; wants _GNU_SOURCE. */
#ifndef NETNS_H
#define NETNS_H

#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

/* By its file, as below /run/netns. */
static inline void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", netns);
	close(fd);
}

#endif
