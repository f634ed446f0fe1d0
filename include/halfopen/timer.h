/* SPDX-License-Identifier: GPL-2.0 */
/* Retransmission timers: FIFO queues, one per retry level and shard. */
#ifndef _HALFOPEN_TIMER_H
#define _HALFOPEN_TIMER_H

#include <linux/jiffies.h>
#include <linux/ktime.h>

#include <halfopen/table.h>

/**
 * ho_clock_ms() - the clock of all deadlines
 *
 * Context: any.
 * Return: ms, wraps with 32 bits. Made from 64-bit jiffies, so that their wrap
 * five minutes after boot does not show.
 */
static inline u32 ho_clock_ms(void)
{
	return jiffies64_to_msecs(get_jiffies_64());
}

/**
 * ho_clock_us() - the clock of rates
 *
 * Context: any.
 * Return: us, wraps with 32 bits.
 */
static inline u32 ho_clock_us(void)
{
	return ktime_to_us(ktime_get());
}

/**
 * ho_timer_init() - prepare a shard
 * @shard: the shard
 * @tbl: its table
 *
 * Context: process.
 */
void ho_timer_init(struct ho_shard *shard, struct ho_table *tbl);

/**
 * ho_timer_exit() - stop a shard's timer for good
 * @shard: the shard
 *
 * Context: process, may sleep.
 */
void ho_timer_exit(struct ho_shard *shard);

/**
 * ho_timer_arm_locked() - queue an entry at the level of its timeouts
 * @tbl: the table
 * @ent: not queued yet
 * @hash: ho_table_hash() of its key
 * @now_ms: ms clock
 *
 * Context: bucket lock held; takes the shard lock.
 */
void ho_timer_arm_locked(struct ho_table *tbl, struct ho_entry *ent, u64 hash,
			 u32 now_ms);

/**
 * ho_timer_cancel_locked() - take an entry out of its queue
 * @tbl: the table
 * @ent: a queued entry
 * @hash: ho_table_hash() of its key
 *
 * Context: bucket lock held; takes the shard lock.
 */
void ho_timer_cancel_locked(struct ho_table *tbl, struct ho_entry *ent,
			    u64 hash);

/**
 * ho_timer_retire_locked() - take an entry out of its queue for good
 * @tbl: the table
 * @ent: a queued entry, out of its chain; freed after a grace period
 * @hash: ho_table_hash() of its key
 *
 * Context: bucket lock held; takes the shard lock.
 */
void ho_timer_retire_locked(struct ho_table *tbl, struct ho_entry *ent,
			    u64 hash);

/**
 * ho_timer_oldest() - who waited longest
 * @tbl: the table
 * @hash: of somebody; his shard and the next ones are looked at
 * @lport: a local port, or 0 for any
 *
 * Of those that had a timeout already, did not complete, and can do without. A
 * level holds younger entries than the next one, and its head is its oldest; at
 * most HO_EVICT_SCAN entries a level are looked at, of the first of
 * HO_EVICT_SHARDS shards that has somebody.
 *
 * Context: RCU read side, BH disabled, no locks.
 * Return: borrowed until the section ends, or NULL.
 */
struct ho_entry *ho_timer_oldest(struct ho_table *tbl, u64 hash, __be16 lport);

/**
 * ho_timer_run() - work off what is due in a shard
 * @shard: the shard
 * @now_ms: ms clock
 *
 * At most HO_TIMER_BUDGET entries a call, so that a softirq stays short however
 * many fell due together.
 *
 * Context: RCU read side, BH disabled, one caller a shard at a time.
 * Return: true if more is due.
 */
bool ho_timer_run(struct ho_shard *shard, u32 now_ms);

/**
 * ho_timer_clamp() - apply shorter waits to entries that wait already
 * @tbl: the table, cfg changed
 * @now_ms: ms clock
 *
 * Keeps the queues in the order of deadlines after rto_init_ms or rto_max_ms
 * were lowered; waits that got longer count from the next timeout on.
 *
 * Context: process.
 */
void ho_timer_clamp(struct ho_table *tbl, u32 now_ms);

#endif /* _HALFOPEN_TIMER_H */
