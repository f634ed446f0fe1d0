// SPDX-License-Identifier: GPL-2.0
/*
 * HTTP clients at an even rate, each a connection of its own, and one line per
 * second about those that ended in it:
 *
 *	SECOND OK FAILED P50_MS P99_MS
 *
 * of the time that connect() took, "-" where nobody connected.  The last line
 * is the same for all of them, with "total" for the second.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "endpoint.h"

enum { MAX_OPEN = 4096, MAX_SAMPLES = 1 << 20 };

static const char request[] = "GET / HTTP/1.0\r\n\r\n";

struct samples {
	unsigned int	failed;
	unsigned int	n;
	float		ms[MAX_SAMPLES];
};

struct client {
	uint64_t	start;
	float		connect_ms;
	bool		connected;
};

static struct samples second, total;
static struct pollfd fds[MAX_OPEN];
static struct client clients[MAX_OPEN];
static int nfds;

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ull + ts.tv_nsec / 1000;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

static void report(const char *label, struct samples *s)
{
	printf("%s %u %u", label, s->n, s->failed);
	if (s->n) {
		qsort(s->ms, s->n, sizeof(*s->ms), by_value);
		printf(" %.1f %.1f\n", s->ms[(s->n - 1) / 2],
		       s->ms[(s->n * 99 + 99) / 100 - 1]);
	} else {
		printf(" - -\n");
	}
	fflush(stdout);
	s->n = 0;
	s->failed = 0;
}

static void count(bool ok, float ms)
{
	if (!ok) {
		second.failed++;
		total.failed++;
		return;
	}
	if (second.n < MAX_SAMPLES)
		second.ms[second.n++] = ms;
	if (total.n < MAX_SAMPLES)
		total.ms[total.n++] = ms;
}

static void end(int i, bool ok)
{
	count(ok, clients[i].connect_ms);
	close(fds[i].fd);
	nfds--;
	fds[i] = fds[nfds];
	clients[i] = clients[nfds];
}

static void begin(const struct sockaddr_storage *ss, socklen_t len)
{
	int fd;

	if (nfds == MAX_OPEN) {
		count(false, 0);
		return;
	}
	fd = socket(ss->ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		err(1, "socket");
	clients[nfds] = (struct client){ .start = now_us() };
	fds[nfds] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	nfds++;
	if (connect(fd, (const void *)ss, len) && errno != EINPROGRESS)
		end(nfds - 1, false);
}

static void step(int i)
{
	int error = 0;
	socklen_t len = sizeof(error);
	char buf[256];
	ssize_t n;

	if (!clients[i].connected) {
		getsockopt(fds[i].fd, SOL_SOCKET, SO_ERROR, &error, &len);
		if (error) {
			end(i, false);
			return;
		}
		clients[i].connected = true;
		clients[i].connect_ms = (now_us() - clients[i].start) / 1000.0;
		fds[i].events = POLLIN;
		if (send(fds[i].fd, request, sizeof(request) - 1,
			 MSG_NOSIGNAL) < 0)
			end(i, false);
		return;
	}
	n = recv(fds[i].fd, buf, sizeof(buf), 0);
	end(i, n >= 12 && !memcmp(buf + 9, "200", 3));
}

static void run(const struct sockaddr_storage *ss, socklen_t len, double rate,
		unsigned int seconds, uint64_t timeout)
{
	uint64_t start = now_us(), now = start, next_report = 1, begun = 0;
	uint64_t all = rate * seconds;
	char label[16];
	int i;

	while (begun < all || nfds) {
		while (begun < all && begun * 1e6 / rate <= now - start) {
			begin(ss, len);
			begun++;
		}
		poll(fds, nfds, 5);
		now = now_us();
		for (i = nfds - 1; i >= 0; i--) {
			if (fds[i].revents)
				step(i);
			else if (now - clients[i].start > timeout)
				end(i, false);
		}
		if (now - start >= next_report * 1000000) {
			snprintf(label, sizeof(label), "%llu",
				 (unsigned long long)next_report++);
			report(label, &second);
		}
	}
	report("total", &total);
}

int main(int argc, char **argv)
{
	struct endpoint server;

	if (argc != 6)
		errx(1, "clients ADDR PORT PER_SECOND SECONDS TIMEOUT_MS");
	server = parse_endpoint(argv[1], argv[2]);
	run(&server.addr, server.len, atof(argv[3]),
	    atoi(argv[4]), atoi(argv[5]) * 1000ull);
	return 0;
}
