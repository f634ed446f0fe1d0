// SPDX-License-Identifier: GPL-2.0
/*
 * Take packets of each size from the allocator and keep them:
 *
 *	hoard COUNT
 *
 * Where there is a free object here and another one there, two packets that
 * live at the same time are of two slabs, which makes both their allocation
 * and their end slow, and the next two get the same places.  When all of these
 * are in a hoard, both come from one slab.  Says "full" and waits for a
 * signal.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE_MIN = 100, SIZE_MAX = 1800, QUEUE_MAX = 16 << 20 };

int main(int argc, char **argv)
{
	char data[SIZE_MAX] = {};
	int count, size, fds[2], max = QUEUE_MAX;

	if (argc != 2)
		errx(1, "hoard COUNT");
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) ||
	    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &max, sizeof(max)))
		err(1, "socketpair");
	for (count = atoi(argv[1]); count > 0; count--)
		for (size = SIZE_MIN; size <= SIZE_MAX; size = size * 2 + 50)
			if (send(fds[0], data, size, MSG_DONTWAIT) != size)
				err(1, "send");
	printf("full\n");
	fflush(stdout);
	pause();
	return 0;
}
