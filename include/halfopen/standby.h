/* SPDX-License-Identifier: GPL-2.0 */
/* Hooks only where they are needed. */
#ifndef _HALFOPEN_STANDBY_H
#define _HALFOPEN_STANDBY_H

#include <linux/mutex.h>
#include <linux/workqueue.h>

struct ho_net;

/**
 * struct ho_standby - whether a namespace has its hooks
 * @work: looks whether they may go
 * @lock: of the fields below
 * @hooked: they are there
 * @stopped: the namespace goes
 */
struct ho_standby {
	struct delayed_work work;
	struct mutex lock;	/* of what follows */
	bool hooked;
	bool stopped;
};

/**
 * ho_standby_net_init() - start seeing packets
 * @hn: the namespace, everything else in place
 *
 * Context: process, may sleep.
 * Return: 0 or -errno.
 */
int ho_standby_net_init(struct ho_net *hn);

/**
 * ho_standby_net_stop() - stop seeing packets for good
 * @hn: the namespace
 *
 * A hook may still run until the next grace period.
 *
 * Context: process, may sleep.
 */
void ho_standby_net_stop(struct ho_net *hn);

/**
 * ho_standby_follow() - the mode or the keys have changed
 * @hn: the namespace
 *
 * What needs the hooks has them when this returns.  They go HO_STANDBY_S after
 * nothing needs them any more: new SYNs are not taken, no connection is
 * half-open, and no cookie may come back.
 *
 * Context: process, may sleep.
 * Return: 0 or -errno, then the hooks are not there.
 */
int ho_standby_follow(struct ho_net *hn);

#endif /* _HALFOPEN_STANDBY_H */
