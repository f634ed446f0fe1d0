// SPDX-License-Identifier: GPL-2.0
/*
 * How much of its CPU a process does not get: it looks at the clock all the
 * time, and whenever that takes longer than it takes at best, somebody else
 * ran.
 *
 *	stolen MS
 *
 * Prints the nanoseconds that were taken from it in so many milliseconds.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "frame.h"

enum { TRIES = 1000 };

static uint64_t shortest_look(void)
{
	uint64_t least = UINT64_MAX, last = now_ns(), now;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		now = now_ns();
		if (now - last < least)
			least = now - last;
		last = now;
	}
	return least;
}

int main(int argc, char **argv)
{
	uint64_t end, now, last, least, stolen = 0;

	if (argc != 2 || !atoi(argv[1]))
		errx(1, "stolen MS");
	least = shortest_look();
	last = now_ns();
	end = last + atoi(argv[1]) * 1000000ull;
	while (last < end) {
		now = now_ns();
		/* The loop itself is no longer than twice a look. */
		if (now - last > 3 * least)
			stolen += now - last - least;
		last = now;
	}
	printf("%llu\n", (unsigned long long)stolen);
	return 0;
}
