/* SPDX-License-Identifier: GPL-2.0 */
/* Per-CPU counters of a namespace, shown under /proc/net/stat/. */
#ifndef _HALFOPEN_STATS_H
#define _HALFOPEN_STATS_H

#include <linux/percpu.h>

#include <halfopen/admit.h>
#include <halfopen/counters.h>

#define HO_STAT_ENUM(name, ...) HO_STAT_##name,
enum ho_stat {
	HO_COUNTERS(HO_STAT_ENUM)
	HO_DECLINES(HO_STAT_ENUM)
	HO_OVERLOADS(HO_STAT_ENUM)
	HO_FASTS(HO_STAT_ENUM)
	HO_STAT_MAX,
	HO_STAT_FIRST_DECLINE = HO_STAT_declined_mode,
	HO_STAT_FIRST_OVERLOAD = HO_STAT_cookie_sent,
	HO_STAT_FIRST_FAST = HO_STAT_fast_taken,
};

#undef HO_STAT_ENUM

struct ho_net;
struct net;

/**
 * struct ho_stats - counters of one CPU and namespace
 * @count: by enum ho_stat
 */
struct ho_stats {
	unsigned long count[HO_STAT_MAX];
};

#define ho_stat_inc(hn, stat) this_cpu_inc((hn)->stats->count[stat])

/**
 * ho_stat_decline() - the counter of a reason to decline
 * @why: the reason, not HO_TAKE
 *
 * Context: any.
 * Return: the counter.
 */
static inline enum ho_stat ho_stat_decline(enum ho_decline why)
{
	/* the first reason follows HO_TAKE */
	return HO_STAT_FIRST_DECLINE + why - HO_declined_mode;
}

/**
 * ho_stats_net_init() - allocate the counters and show them
 * @hn: the namespace
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_stats_net_init(struct ho_net *hn);

/**
 * ho_stats_net_exit() - undo ho_stats_net_init()
 * @hn: the namespace; nothing counts any more
 *
 * Context: process, may sleep.
 */
void ho_stats_net_exit(struct ho_net *hn);

#endif /* _HALFOPEN_STATS_H */
