/* SPDX-License-Identifier: GPL-2.0 */
/* Where somebody listens: an address of either family and a port. */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include <arpa/inet.h>
#include <err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct endpoint {
	struct sockaddr_storage	addr;
	socklen_t		len;
};

static inline struct endpoint parse_endpoint(const char *text, const char *port)
{
	struct endpoint end = {};
	struct sockaddr_in6 *sa6 = (void *)&end.addr;
	struct sockaddr_in *sa4 = (void *)&end.addr;
	bool v6 = strchr(text, ':');

	end.addr.ss_family = v6 ? AF_INET6 : AF_INET;
	end.len = v6 ? sizeof(*sa6) : sizeof(*sa4);
	if (inet_pton(end.addr.ss_family, text, v6 ? (void *)&sa6->sin6_addr :
		      (void *)&sa4->sin_addr) != 1)
		errx(1, "bad address %s", text);
	sa4->sin_port = htons(atoi(port));	/* the same place in both */
	return end;
}

/* @flags as for socket(). */
static inline int listen_at(const struct endpoint *end, int flags, int backlog)
{
	int one = 1, fd;

	fd = socket(end->addr.ss_family, SOCK_STREAM | flags, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(fd, (void *)&end->addr, end->len) || listen(fd, backlog))
		err(1, "listen");
	return fd;
}

#endif
