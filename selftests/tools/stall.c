// SPDX-License-Identifier: GPL-2.0
/*
 * How late a process of the highest real-time priority wakes up: it wants to
 * run every so many microseconds, and what keeps it from that is the kernel.
 *
 *	stall PERIOD_US
 *
 * until it is told to end (SIGTERM); then prints how often it ran, and the
 * longest delay and the longest time between two runs, in microseconds.
 */
#include <err.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "frame.h"

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void sleep_until(uint64_t ns)
{
	struct timespec ts = {
		.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000,
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

int main(int argc, char **argv)
{
	struct sched_param param = {
		.sched_priority = sched_get_priority_max(SCHED_FIFO),
	};
	struct sigaction sa = { .sa_handler = on_signal };
	uint64_t period, due, now, last, late = 0, gap = 0, runs = 0;

	if (argc != 2 || !atoi(argv[1]))
		errx(1, "stall PERIOD_US");
	period = atoi(argv[1]) * 1000ull;
	sigaction(SIGTERM, &sa, NULL);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) ||
	    sched_setscheduler(0, SCHED_FIFO, &param))
		err(1, "no real-time priority");
	last = now_ns();
	while (!stop) {
		due = now_ns() + period;
		sleep_until(due);
		now = now_ns();
		if (stop)
			break;
		if (now - due > late)
			late = now - due;
		if (now - last > gap)
			gap = now - last;
		last = now;
		runs++;
	}
	printf("runs %llu late_us %llu gap_us %llu\n",
	       (unsigned long long)runs, (unsigned long long)late / 1000,
	       (unsigned long long)gap / 1000);
	return 0;
}
