// SPDX-License-Identifier: GPL-2.0
/*
 * Room in the accept queue for those who wait.
 *
 * Nothing tells us when a program accepts, so a timer looks.  When there is
 * room the connection is handed over, and its segments go on to the stack where
 * the hook had stopped them.
 *
 * A look is bounded: so many are tried, and the next look goes on from there.
 * Those of a listener that was found full in the same look are passed over,
 * unless they have not been tried for long: a listener is known by its address
 * only, which another one may have got since, and an entry may have expired.
 */
#include <halfopen/look.h>

#include <linux/netdevice.h>
#include <net/tcp.h>

#include <halfopen/handover.h>
#include <halfopen/net.h>
#include <halfopen/synack.h>
#include <halfopen/timer.h>

/**
 * struct ho_wait_round - one look at everybody
 * @now_ms: ms clock
 * @left: how many may still be tried
 * @nr_full: listeners known to be full
 * @full: these; never dereferenced
 */
struct ho_wait_round {
	u32 now_ms;
	unsigned int left;
	unsigned int nr_full;
	const struct sock *full[HO_WAIT_FULL_MAX];
};

static bool is_known_full(const struct sock *lsk,
			  const struct ho_wait_round *round)
{
	unsigned int i;

	for (i = 0; i < round->nr_full; i++)
		if (round->full[i] == lsk)
			return true;
	return false;
}

static bool is_full(const struct sock *lsk, struct ho_waiter *waiter,
		    struct ho_wait_round *round)
{
	if (!sk_acceptq_is_full(lsk))
		return false;
	waiter->lsk = lsk;
	waiter->tried_ms = round->now_ms;
	if (round->nr_full < HO_WAIT_FULL_MAX && !is_known_full(lsk, round))
		round->full[round->nr_full++] = lsk;
	return true;
}

/* What became of somebody who waited. */
enum ho_waited {
	STILL_WAITING,
	ENTRY_GONE,
	HANDED_OVER,	/* or left to the stack: the segments go on */
};

static enum ho_waited try_locked(const struct ho_pkt *pkt,
				 struct ho_waiter *waiter, struct sock *lsk,
				 struct ho_bucket *bkt,
				 struct ho_wait_round *round)
{
	struct ho_table *tbl = &pkt->hn->tbl;
	struct ho_conn conn = waiter->conn;
	struct ho_entry *ent;

	ent = ho_table_find_locked(bkt, &pkt->key);
	if (!ent || !ent->req.acked || ent->req.snt_isn != conn.req.snt_isn)
		return ENTRY_GONE;
	if (!lsk) {
		ho_stat_inc(pkt->hn, HO_STAT_no_listener);
		ho_table_remove_locked(tbl, bkt, ent, pkt->hash);
		return HANDED_OVER;
	}
	if (is_full(lsk, waiter, round))
		return STILL_WAITING;
	conn.waited_us = ho_clock_us() - waiter->acked_us;
	if (!ho_handover(pkt, lsk, &conn)) {
		ho_stat_inc(pkt->hn, HO_STAT_handover_failed);
		return STILL_WAITING;
	}
	ho_stat_inc(pkt->hn, HO_STAT_handover);
	ho_stat_inc(pkt->hn, HO_STAT_waited);
	ho_synack_answered(pkt, 1 + conn.req.retrans);
	ho_table_remove_locked(tbl, bkt, ent, pkt->hash);
	return HANDED_OVER;
}

static enum ho_waited try(struct ho_net *hn, struct ho_waiter *waiter,
			  struct ho_wait_round *round)
{
	struct sk_buff *skb = skb_peek(&waiter->segments);
	struct ho_pkt pkt = {
		.hn = hn,
		.skb = skb,
		.family = waiter->family,
		.hash = waiter->hash,
	};
	enum ho_waited what;
	struct ho_bucket *bkt;
	struct sock *lsk;

	if (READ_ONCE(waiter->dead))
		return ENTRY_GONE;
	skb->dev = dev_get_by_index_rcu(hn->net, waiter->ifindex);
	if (!skb->dev || !ho_rx_parse(&pkt))
		return ENTRY_GONE;
	lsk = ho_rx_listener(&pkt);
	bkt = ho_table_lock(&hn->tbl, waiter->hash);
	what = try_locked(&pkt, waiter, lsk, bkt, round);
	ho_table_unlock(bkt);
	skb->dev = NULL;
	return what;
}

/* As nf_reinject() would: on from where the hook stopped them. */
static void go_on(struct ho_net *hn, struct ho_waiter *waiter)
{
	struct net_device *dev = dev_get_by_index_rcu(hn->net, waiter->ifindex);
	struct sk_buff *skb;

	while (dev && (skb = __skb_dequeue(&waiter->segments))) {
		skb->dev = dev;
		waiter->okfn(hn->net, NULL, skb);
	}
}

static bool is_hopeless(const struct ho_waiter *waiter,
			const struct ho_wait_round *round)
{
	return !waiter->dead && waiter->lsk &&
	       round->now_ms - waiter->tried_ms < HO_WAIT_TRY_MS &&
	       is_known_full(waiter->lsk, round);
}

/* One waiter; the lock is let go meanwhile. */
static void look_at(struct ho_net *hn, struct ho_waiter *waiter,
		    struct ho_wait_round *round)
{
	struct ho_wait *wait = &hn->wait;
	enum ho_waited what;

	spin_unlock(&wait->lock);
	what = try(hn, waiter, round);
	spin_lock(&wait->lock);
	if (what == STILL_WAITING)
		return;
	ho_wait_unlink_locked(wait, waiter);
	spin_unlock(&wait->lock);
	if (what == HANDED_OVER)
		go_on(hn, waiter);
	ho_wait_free(hn, waiter);
	spin_lock(&wait->lock);
}

/* Everybody once, or as many as may be, from where the last look ended. */
static void look_round_locked(struct ho_net *hn, struct ho_wait_round *round)
{
	struct ho_wait *wait = &hn->wait;
	u32 n = wait->count;

	while (n-- && round->left) {
		struct ho_waiter *waiter;

		if (wait->at == &wait->queue)
			wait->at = wait->queue.next;
		waiter = list_entry(wait->at, struct ho_waiter, node);
		/* others only add at the tail: it stays while we look away */
		wait->at = wait->at->next;
		if (is_hopeless(waiter, round))
			continue;
		round->left--;
		look_at(hn, waiter, round);
	}
	/* all were seen: begin with the oldest again */
	if (round->left)
		wait->at = &wait->queue;
}

/* Others get half of the time at least, however long a look takes. */
static u32 pause_ms(u32 spent_us)
{
	return max_t(u32, HO_WAIT_LOOK_MS, 2 * spent_us / USEC_PER_MSEC);
}

void ho_look_fn(struct timer_list *timer)
{
	struct ho_wait *wait = container_of(timer, struct ho_wait, timer);
	struct ho_net *hn = container_of(wait, struct ho_net, wait);
	struct ho_wait_round round = {
		.now_ms = ho_clock_ms(),
		.left = HO_WAIT_TRIES,
	};
	u32 begin_us = ho_clock_us();

	rcu_read_lock();
	spin_lock(&wait->lock);
	look_round_locked(hn, &round);
	if (wait->count)
		mod_timer(&wait->timer, jiffies +
			  msecs_to_jiffies(pause_ms(ho_clock_us() - begin_us)));
	spin_unlock(&wait->lock);
	rcu_read_unlock();
}
