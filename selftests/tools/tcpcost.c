// SPDX-License-Identifier: GPL-2.0
/*
 * What TCP costs, both ends in one process and one after the other, with no
 * system call that is not needed:
 *
 *	tcpcost CLIENT_NETNS ADDR PORT connections|segments COUNT
 *
 * connections: socket, connect, accept, reset, close.  segments: a byte there
 * and a byte back on one connection.  Prints the nanoseconds that COUNT of them
 * took, after as many that do not count.
 */
#define _GNU_SOURCE
#include <err.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoint.h"
#include "frame.h"
#include "netns.h"

static struct endpoint server;
static int listen_fd, client, child;

static void open_connection(void)
{
	client = socket(server.addr.ss_family, SOCK_STREAM, 0);
	if (client < 0 || connect(client, (void *)&server.addr, server.len))
		err(1, "connect");
	child = accept(listen_fd, NULL, NULL);
	if (child < 0)
		err(1, "accept");
}

/* No port is kept in TIME_WAIT. */
static void reset_connection(void)
{
	struct linger linger = { .l_onoff = 1 };

	if (setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
		err(1, "SO_LINGER");
	close(client);
	close(child);
}

static void connection(void)
{
	open_connection();
	reset_connection();
}

static void pass(int from, int to)
{
	char byte = 'x';

	if (send(from, &byte, 1, 0) != 1 || recv(to, &byte, 1, 0) != 1)
		err(1, "a byte is lost");
}

static void segments(void)
{
	pass(client, child);
	pass(child, client);
}

static uint64_t nanoseconds(void (*what)(void), unsigned long count)
{
	uint64_t begin = now_ns();

	while (count--)
		what();
	return now_ns() - begin;
}

int main(int argc, char **argv)
{
	void (*what)(void) = connection;
	unsigned long count;

	if (argc != 6)
		errx(1, "tcpcost NETNS ADDR PORT WHAT COUNT");
	server = parse_endpoint(argv[2], argv[3]);
	count = strtoul(argv[5], NULL, 0);
	listen_fd = listen_at(&server, 0, 128);
	enter(argv[1]);
	if (!strcmp(argv[4], "segments")) {
		what = segments;
		open_connection();
	}
	nanoseconds(what, count);
	printf("%llu\n", (unsigned long long)nanoseconds(what, count));
	return 0;
}
