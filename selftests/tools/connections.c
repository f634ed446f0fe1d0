// SPDX-License-Identifier: GPL-2.0
/*
 * Whole connections, both ends in one process: as few system calls as can be.
 *
 *	connections CLIENT_NETNS ADDR PORT COUNT PAUSE_MS
 *
 * It listens at PORT in its own namespace and connects from the other, with a
 * pause after each batch.  A client says its number in the batch and is
 * answered, so that a connection is good only if both ends have it, once.  The
 * client closes with a reset: no port is kept in TIME_WAIT.  Prints how many
 * were good.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoint.h"
#include "netns.h"

enum { BATCH = 64, WAIT_MS = 5000 };

static struct endpoint server;
static int listen_fd;

static void begin(int *fds, unsigned int n)
{
	struct linger linger = { .l_onoff = 1 };
	unsigned int i;

	for (i = 0; i < n; i++) {
		fds[i] = socket(server.addr.ss_family,
				SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (fds[i] < 0 ||
		    setsockopt(fds[i], SOL_SOCKET, SO_LINGER, &linger,
			       sizeof(linger)))
			err(1, "socket");
		if (connect(fds[i], (void *)&server.addr, server.len) &&
		    errno != EINPROGRESS)
			err(1, "connect");
	}
}

/* Mostly it is there already. */
static bool again(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return errno == EAGAIN && poll(&pfd, 1, WAIT_MS) == 1;
}

static bool say(int fd, unsigned int number)
{
	ssize_t len;

	do
		len = send(fd, &number, sizeof(number), MSG_NOSIGNAL);
	while (len < 0 && again(fd, POLLOUT));
	return len == sizeof(number);
}

static bool hear(int fd, unsigned int *number)
{
	ssize_t len;

	do
		len = recv(fd, number, sizeof(*number), MSG_DONTWAIT);
	while (len < 0 && again(fd, POLLIN));
	return len == sizeof(*number);
}

static int accept_one(void)
{
	int fd;

	do
		fd = accept(listen_fd, NULL, NULL);
	while (fd < 0 && again(listen_fd, POLLIN));
	return fd;
}

/* The server's side of one connection, and what its client hears. */
static bool serve(const int *fds, bool *served, unsigned int n)
{
	unsigned int number, answer;
	int child = accept_one();
	bool good;

	if (child < 0)
		return false;
	good = hear(child, &number) && number < n && !served[number] &&
	       say(child, number) && hear(fds[number], &answer) &&
	       answer == number;
	if (good)
		served[number] = true;
	close(child);
	return good;
}

static unsigned int batch(unsigned int n)
{
	bool served[BATCH] = {};
	unsigned int i, good = 0;
	int fds[BATCH];

	begin(fds, n);
	for (i = 0; i < n; i++)
		if (!say(fds[i], i))
			warn("a client cannot speak");
	for (i = 0; i < n; i++)
		good += serve(fds, served, n);
	for (i = 0; i < n; i++)
		close(fds[i]);
	return good;
}

int main(int argc, char **argv)
{
	unsigned long count, done, good = 0;

	if (argc != 6)
		errx(1, "connections NETNS ADDR PORT COUNT PAUSE_MS");
	server = parse_endpoint(argv[2], argv[3]);
	count = strtoul(argv[4], NULL, 0);
	listen_fd = listen_at(&server, SOCK_NONBLOCK, BATCH);
	enter(argv[1]);
	for (done = 0; done < count; done += BATCH) {
		good += batch(count - done < BATCH ? count - done : BATCH);
		usleep(atoi(argv[5]) * 1000);
	}
	printf("%lu\n", good);
	return 0;
}
