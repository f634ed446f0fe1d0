// SPDX-License-Identifier: GPL-2.0
/*
 * HTTP sessions, one after the other, by clients that ask for more than TCP:
 *
 *	sessions tcp|mptcp|fastopen ADDR PORT COUNT TIMEOUT_MS
 *
 * prints "OK GRANTED": how many were served, and how many of them got what they
 * asked for, which is a connection that did not fall back to TCP, or a SYN
 * whose data was taken.
 */
#include <err.h>
#include <linux/mptcp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "endpoint.h"

enum {
	PROTO_MPTCP	= 262,	/* younger than some libc, as the next */
	LEVEL_MPTCP	= 284,
};

static const char request[] = "GET / HTTP/1.0\r\n\r\n";

static struct endpoint server;
static bool mptcp, fastopen;

static bool is_mptcp(int fd)
{
	struct mptcp_info info = {};
	socklen_t len = sizeof(info);

	/* After a fallback TCP answers, which does not know this option. */
	return !getsockopt(fd, LEVEL_MPTCP, MPTCP_INFO, &info, &len) &&
	       !(info.mptcpi_flags & MPTCP_INFO_FLAG_FALLBACK);
}

static bool syn_had_data(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) &&
	       info.tcpi_options & TCPI_OPT_SYN_DATA;
}

static bool ask(int fd)
{
	size_t len = sizeof(request) - 1;

	if (fastopen)
		return sendto(fd, request, len, MSG_FASTOPEN | MSG_NOSIGNAL,
			      (void *)&server.addr, server.len) == (ssize_t)len;
	return !connect(fd, (void *)&server.addr, server.len) &&
	       send(fd, request, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool session(unsigned int timeout_ms, bool *granted)
{
	struct timeval tv = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = timeout_ms % 1000 * 1000,
	};
	char reply[256];
	ssize_t n = 0;
	int fd;

	fd = socket(server.addr.ss_family, SOCK_STREAM,
		    mptcp ? PROTO_MPTCP : 0);
	if (fd < 0)
		err(1, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)))
		err(1, "timeout");
	if (ask(fd))
		n = recv(fd, reply, sizeof(reply), 0);
	*granted = mptcp ? is_mptcp(fd) : fastopen && syn_had_data(fd);
	close(fd);
	return n >= 12 && !memcmp(reply + 9, "200", 3);
}

int main(int argc, char **argv)
{
	unsigned int ok = 0, all_granted = 0;
	bool granted;
	int i;

	if (argc != 6)
		errx(1, "sessions KIND ADDR PORT COUNT TIMEOUT_MS");
	mptcp = !strcmp(argv[1], "mptcp");
	fastopen = !strcmp(argv[1], "fastopen");
	server = parse_endpoint(argv[2], argv[3]);
	for (i = 0; i < atoi(argv[4]); i++) {
		if (session(atoi(argv[5]), &granted)) {
			ok++;
			all_granted += granted;
		}
	}
	printf("%u %u\n", ok, all_granted);
	return 0;
}
