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
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"

static struct sockaddr_storage addr;
static socklen_t addr_len;
static int listen_fd, client, child;

static void parse_addr(const char *text, uint16_t port)
{
	struct sockaddr_in6 *sa6 = (void *)&addr;
	struct sockaddr_in *sa4 = (void *)&addr;

	if (inet_pton(AF_INET, text, &sa4->sin_addr) == 1) {
		sa4->sin_family = AF_INET;
		addr_len = sizeof(*sa4);
	} else if (inet_pton(AF_INET6, text, &sa6->sin6_addr) == 1) {
		sa6->sin6_family = AF_INET6;
		addr_len = sizeof(*sa6);
	} else {
		errx(1, "bad address %s", text);
	}
	/* at the same place in both */
	sa4->sin_port = htons(port);
}

static void open_listener(void)
{
	int one = 1;

	listen_fd = socket(addr.ss_family, SOCK_STREAM, 0);
	if (listen_fd < 0 ||
	    setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &one,
		       sizeof(one)) ||
	    bind(listen_fd, (void *)&addr, addr_len) || listen(listen_fd, 128))
		err(1, "listen");
}

static void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY);

	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", netns);
	close(fd);
}

static void open_connection(void)
{
	client = socket(addr.ss_family, SOCK_STREAM, 0);
	if (client < 0 || connect(client, (void *)&addr, addr_len))
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
	parse_addr(argv[2], atoi(argv[3]));
	count = strtoul(argv[5], NULL, 0);
	open_listener();
	enter(argv[1]);
	if (!strcmp(argv[4], "segments")) {
		what = segments;
		open_connection();
	}
	nanoseconds(what, count);
	printf("%llu\n", (unsigned long long)nanoseconds(what, count));
	return 0;
}
