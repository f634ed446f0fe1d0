/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The SYN_RECV table of one network namespace.
 *
 * Locks and lifetimes, the whole of it:
 *  1. ho_bucket.lock (spinlock, BH) protects a chain, its length and every
 *     mutable field of its entries but those of 2. Nothing is allocated under
 *     it, and nothing leaves the host under it.
 *  2. ho_shard.lock nests inside and protects the retransmission FIFOs: list
 *     linkage, deadlines, lengths. The timer takes it alone, lets go, then
 *     takes 1 and 2.
 *  3. Lookups run under RCU; an entry found is memory until the section ends,
 *     and in the table only while its bucket is locked and it is found there
 *     again.
 *  4. There are no references: who needs an entry past its lock copies it
 *     (struct ho_conn).
 *  5. Room is reserved (room.c) before an entry is allocated, and given back
 *     when it leaves the table; its memory, when it is freed.
 */
#ifndef _HALFOPEN_TABLE_H
#define _HALFOPEN_TABLE_H

#include <linux/cache.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include <halfopen/budget.h>
#include <halfopen/entry.h>
#include <halfopen/key.h>
#include <halfopen/limbo.h>
#include <halfopen/memory.h>
#include <halfopen/port.h>
#include <halfopen/pressure.h>
#include <halfopen/source.h>
#include <halfopen/watch.h>

struct ho_table;

/**
 * struct ho_bucket - one hash chain
 * @first: its entries
 * @lock: see above
 * @len: how many there are
 */
struct ho_bucket {
	struct ho_entry __rcu *first;
	spinlock_t lock;	/* chain, length, entries */
	u16 len;
};

/**
 * struct ho_shard - the retransmission FIFOs of a part of the table
 * @lock: see above
 * @armed: the timer will run, at @wake_ms or later
 * @wake_ms: ms clock
 * @len: entries a level
 * @late: entries of all levels but the first
 * @fifo: entries a level, by deadline
 * @timer: runs when the earliest head is due
 * @limbo: entries on their way out
 * @tbl: where it belongs
 */
struct ho_shard {
	spinlock_t lock;	/* FIFOs, deadlines, lengths, limbo */
	bool armed;
	u32 wake_ms;
	u32 len[HO_LEVELS];
	u32 late;
	struct list_head fifo[HO_LEVELS];
	struct timer_list timer;
	struct ho_limbo limbo;
	struct ho_table *tbl;
} ____cacheline_aligned_in_smp;

/**
 * struct ho_table_cfg - what an administrator may change at any time
 * @max_entries: cap, entries
 * @max_port_entries: cap of a local port, entries
 * @max_source_entries: cap of a source prefix, entries
 * @source_rate: SYN-ACKs a second that a source prefix may leave unanswered, 0
 *	= any
 * @marks: watermarks of the first two caps
 * @rto_init_ms: first wait, ms
 * @rto_max_ms: longest wait, ms
 * @retries: SYN-ACK retransmissions
 *
 * Written with WRITE_ONCE() by sysctl handlers, read with READ_ONCE().
 */
struct ho_table_cfg {
	unsigned int max_entries;
	unsigned int max_port_entries;
	unsigned int max_source_entries;
	unsigned int source_rate;
	struct ho_watermarks marks;
	unsigned int rto_init_ms;
	unsigned int rto_max_ms;
	unsigned int retries;
};

/* Why a SYN-ACK is not sent again. */
enum ho_hold {
	HO_HOLD_NOT,
	HO_HOLD_PRESSURE,	/* a SYN may cause no more of them now */
	HO_HOLD_SOURCE,		/* its source prefix is over its budget */
};

/**
 * struct ho_table_ops - what the table needs from above
 * @retries: retransmissions that the listener of a connection allows
 *	(TCP_SYNCNT), or @dflt; called without locks in an RCU section, may
 *	stash a pointer in *ctx
 * @resend: send the SYN-ACK of a connection, whose timeouts are those before
 *	this one; same section and ctx
 * @held: a SYN-ACK was not sent again, for pressure or for the source's budget;
 *	same section
 * @expired: a connection was dropped for want of an answer; same section
 * @evicted: a connection was dropped for another one; softirq, RCU read side
 * @pressure: it began or ended somewhere
 */
struct ho_table_ops {
	unsigned int (*retries)(struct ho_table *tbl,
				const struct ho_conn *conn, unsigned int dflt,
				void **ctx);
	void (*resend)(struct ho_table *tbl, const struct ho_conn *conn,
		       void *ctx);
	void (*held)(struct ho_table *tbl, enum ho_hold why);
	void (*expired)(struct ho_table *tbl, const struct ho_conn *conn);
	void (*evicted)(struct ho_table *tbl, const struct ho_conn *conn);
	void (*pressure)(struct ho_table *tbl,
			 const struct ho_watch_event *event);
};

/**
 * struct ho_table - a SYN_RECV table
 * @chunks: buckets, HO_CHUNK_BUCKETS at a time, allocated when first needed
 * @nr_chunks: a power of two
 * @secret: of the hash
 * @entries: how many there are
 * @mem: what they and all else use
 * @ports: local ports
 * @sources: source prefixes
 * @cfg: knobs
 * @ops: upward calls
 * @watch: over its pressure
 * @shards: timers
 */
struct ho_table {
	struct ho_bucket __rcu **chunks;
	u32 nr_chunks;
	siphash_key_t secret;
	struct ho_budget entries;
	struct ho_memory mem;
	struct ho_ports ports;
	struct ho_sources sources;
	struct ho_table_cfg cfg;
	const struct ho_table_ops *ops;
	struct ho_watch watch;
	struct ho_shard shards[HO_SHARDS];
};

/**
 * ho_table_init() - make an empty table
 * @tbl: the table, zeroed but for its knobs
 * @buckets: chains; rounded up to a power of two
 * @ops: upward calls
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_table_init(struct ho_table *tbl, u32 buckets,
		  const struct ho_table_ops *ops);

/**
 * ho_table_prealloc() - allocate now what grows on demand otherwise
 * @tbl: the table, empty
 *
 * Buckets and the cells of sources; a chunk of ports belongs to who listens.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_table_prealloc(struct ho_table *tbl);

/**
 * ho_table_stop() - stop the timers and the watch
 * @tbl: the table; no packet path uses it any more
 *
 * Context: process, may sleep.
 */
void ho_table_stop(struct ho_table *tbl);

/**
 * ho_table_exit() - drop every entry, free the table
 * @tbl: the table, stopped
 *
 * Context: process, may sleep: for a grace period if entries left lately.
 */
void ho_table_exit(struct ho_table *tbl);

/**
 * ho_table_hash() - hash of a key in this table
 * @tbl: the table
 * @key: the key
 *
 * Context: any.
 * Return: the hash.
 */
static inline u64 ho_table_hash(const struct ho_table *tbl,
				const struct ho_key *key)
{
	return ho_key_hash(key, &tbl->secret);
}

/**
 * ho_table_find_rcu() - is there an entry for this key?
 * @tbl: the table
 * @key: the key
 * @hash: ho_table_hash() of it
 *
 * Context: RCU read side.
 * Return: borrowed until the section ends, or NULL.
 */
struct ho_entry *ho_table_find_rcu(const struct ho_table *tbl,
				   const struct ho_key *key, u64 hash);

/**
 * ho_table_lock() - lock the bucket of a key
 * @tbl: the table
 * @hash: ho_table_hash() of the key
 *
 * Context: BH disabled or not; BH are disabled until ho_table_unlock().
 * Return: the bucket, or NULL where there never was an entry.
 */
struct ho_bucket *ho_table_lock(struct ho_table *tbl, u64 hash);

/**
 * ho_table_lock_new() - the same, and make the bucket if there is none
 * @tbl: the table
 * @hash: ho_table_hash() of the key
 *
 * Context: softirq.
 * Return: the bucket, or NULL without memory.
 */
struct ho_bucket *ho_table_lock_new(struct ho_table *tbl, u64 hash);

/**
 * ho_table_unlock() - unlock a bucket
 * @bkt: the bucket
 *
 * Context: as left by ho_table_lock().
 */
void ho_table_unlock(struct ho_bucket *bkt);

/**
 * ho_table_find_locked() - find the entry of a key
 * @bkt: its bucket
 * @key: the key
 *
 * Context: bucket lock held.
 * Return: the entry, valid while the lock is held, or NULL.
 */
struct ho_entry *ho_table_find_locked(struct ho_bucket *bkt,
				      const struct ho_key *key);

/**
 * ho_table_has_locked() - is this very entry still in its chain?
 * @bkt: its bucket
 * @ent: an entry found earlier in the same RCU section
 *
 * Context: bucket lock held.
 * Return: true if so.
 */
bool ho_table_has_locked(struct ho_bucket *bkt, const struct ho_entry *ent);

/**
 * ho_table_insert_locked() - put an entry into the table and start its timer
 * @tbl: the table
 * @bkt: its bucket, with no entry of the same key
 * @ent: from ho_room_enter(); the table owns it from now on
 * @hash: ho_table_hash() of its key
 * @now_ms: ms clock
 *
 * Context: bucket lock held.
 * Return: 0, or -ENOSPC if the chain is at HO_CHAIN_MAX; then the caller still
 * owns it.
 */
int ho_table_insert_locked(struct ho_table *tbl, struct ho_bucket *bkt,
			   struct ho_entry *ent, u64 hash, u32 now_ms);

/**
 * ho_table_remove_locked() - take an entry out and free it after a grace period
 * @tbl: the table
 * @bkt: its bucket
 * @ent: the entry
 * @hash: ho_table_hash() of its key
 *
 * Context: bucket lock held.
 */
void ho_table_remove_locked(struct ho_table *tbl, struct ho_bucket *bkt,
			    struct ho_entry *ent, u64 hash);

/**
 * struct ho_table_iter - a walk over the table that others may change meanwhile
 * @bucket: where it is
 * @index: in that chain
 */
struct ho_table_iter {
	u32 bucket;
	u32 index;
};

/**
 * ho_table_next() - copy the next entry of a walk
 * @tbl: the table
 * @iter: zeroed at the start
 * @conn: filled
 *
 * An entry that comes or goes during the walk may be missed or seen.
 *
 * Context: process, RCU read side; takes one bucket lock at a time.
 * Return: false at the end.
 */
bool ho_table_next(struct ho_table *tbl, struct ho_table_iter *iter,
		   struct ho_conn *conn);

#endif /* _HALFOPEN_TABLE_H */
