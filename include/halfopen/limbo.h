/* SPDX-License-Identifier: GPL-2.0 */
/* Entries that left the table and wait for the last reader. */
#ifndef _HALFOPEN_LIMBO_H
#define _HALFOPEN_LIMBO_H

#include <linux/rcupdate.h>

struct ho_entry;
struct ho_shard;
struct ho_table;

/**
 * struct ho_limbo - entries of a shard on their way out
 * @rcu: of the grace period under way
 * @dying: who waits for its end
 * @fresh: who came since, and waits for the next one
 * @busy: a grace period is under way
 */
struct ho_limbo {
	struct rcu_head rcu;
	struct ho_entry *dying;
	struct ho_entry *fresh;
	bool busy;
};

/**
 * ho_limbo_add_locked() - free an entry after a grace period
 * @shard: its shard
 * @ent: out of its chain and queue
 *
 * Context: shard lock held.
 */
void ho_limbo_add_locked(struct ho_shard *shard, struct ho_entry *ent);

/**
 * ho_limbo_wait() - wait until everybody is freed
 * @tbl: a table that nobody adds to or removes from any more
 *
 * Context: process, sleeps.
 */
void ho_limbo_wait(struct ho_table *tbl);

#endif /* _HALFOPEN_LIMBO_H */
