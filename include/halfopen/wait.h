/* SPDX-License-Identifier: GPL-2.0 */
/* Connections that are complete and wait for room in the accept queue. */
#ifndef _HALFOPEN_WAIT_H
#define _HALFOPEN_WAIT_H

#include <linux/list.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include <halfopen/types.h>

struct ho_net;
struct ho_pkt;
struct net;
struct sock;

enum { HO_WAIT_HASH = 1 << 8 };

/**
 * struct ho_waiter - one of them
 * @node: in ho_wait.queue
 * @hnode: in ho_wait.hash
 * @hash: ho_table_hash() of @conn
 * @conn: as it was when it completed
 * @acked_us: when that was, low 32 bits of the monotonic clock in us
 * @end_seq: one past the last byte that is kept
 * @bytes: memory of all this
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @dead: the entry is gone
 * @lsk: the listener that was full when it was last tried; never dereferenced
 * @tried_ms: ms clock when that was
 * @ifindex: where the segments came in
 * @okfn: how they go on
 * @segments: in the order of arrival
 */
struct ho_waiter {
	struct list_head node;
	struct hlist_node hnode;
	u64 hash;
	struct ho_conn conn;
	u32 acked_us;
	u32 end_seq;
	u32 bytes;
	u8 family;
	bool dead;
	const struct sock *lsk;
	u32 tried_ms;
	int ifindex;
	int (*okfn)(struct net *net, struct sock *sk, struct sk_buff *skb);
	struct sk_buff_head segments;
};

/**
 * struct ho_wait - those of a namespace
 * @lock: see wait.c
 * @timer: looks for room while somebody waits
 * @count: how many wait
 * @queue: in the order in which they completed
 * @at: where the next look begins; @queue itself = the oldest
 * @hash: by ho_table_hash()
 */
struct ho_wait {
	spinlock_t lock;	/* everything below, and segments */
	struct timer_list timer;
	u32 count;
	struct list_head queue;
	struct list_head *at;
	struct hlist_head hash[HO_WAIT_HASH];
};

/**
 * ho_wait_net_init() - prepare a namespace
 * @hn: the namespace
 *
 * Context: process.
 */
void ho_wait_net_init(struct ho_net *hn);

/**
 * ho_wait_net_stop() - hand nobody over any more
 * @hn: the namespace; its hooks still there, a handover needs them
 *
 * Context: process, may sleep.
 */
void ho_wait_net_stop(struct ho_net *hn);

/**
 * ho_wait_net_exit() - send everybody away
 * @hn: the namespace, stopped; nobody comes any more
 *
 * Context: process.
 */
void ho_wait_net_exit(struct ho_net *hn);

/**
 * ho_wait_add() - keep a segment until its connection can be handed over
 * @pkt: the segment that completes it, or one that follows
 * @conn: the connection; its entry is marked as acked
 *
 * Context: softirq, RCU read side, no locks.
 * Return: true if the packet is used up: it waits, or the connection does and
 * can do without it. False if there is no room to wait: nothing has changed.
 */
bool ho_wait_add(const struct ho_pkt *pkt, const struct ho_conn *conn);

/**
 * ho_wait_forget() - the connection is gone
 * @pkt: the segment that ended it
 * @conn: the connection
 *
 * Context: softirq.
 */
void ho_wait_forget(const struct ho_pkt *pkt, const struct ho_conn *conn);

/**
 * ho_wait_unlink_locked() - somebody does not wait any more
 * @wait: where he waited
 * @waiter: he
 *
 * Context: wait->lock held.
 */
void ho_wait_unlink_locked(struct ho_wait *wait, struct ho_waiter *waiter);

/**
 * ho_wait_free() - free a waiter and what is left of his segments
 * @hn: the namespace
 * @waiter: not linked
 *
 * Context: BH disabled.
 */
void ho_wait_free(struct ho_net *hn, struct ho_waiter *waiter);

/**
 * ho_wait_count() - how many wait
 * @hn: the namespace
 *
 * Context: any.
 * Return: connections.
 */
u32 ho_wait_count(const struct ho_net *hn);

#endif /* _HALFOPEN_WAIT_H */
