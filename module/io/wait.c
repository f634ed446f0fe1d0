// SPDX-License-Identifier: GPL-2.0
/*
 * Connections that are complete and wait for room in the accept queue.
 *
 * The client has done all he has to, so what he sent is kept: the segment that
 * completed the connection and those that follow, up to a bound.  The entry
 * stays in the table, marked as acked: it is not evicted, and its SYN-ACK is
 * not sent again.  A timer looks for room (look.c).
 *
 * Who waits is found by others (more segments, a RST) and changed by them only
 * under the lock; only the timer takes anybody out, so it may let go of the
 * lock while it hands over.  Locks: bucket, or this one, never both.
 *
 * A segment that waits holds no device.  Its route may go away meanwhile, as
 * with packets of nfqueue; the device is looked up again.
 */
#include <halfopen/wait.h>

#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/dst.h>
#include <net/tcp.h>

#include <halfopen/look.h>
#include <halfopen/net.h>
#include <halfopen/rx.h>
#include <halfopen/timer.h>

static struct hlist_head *head_of(struct ho_wait *wait, u64 hash)
{
	return &wait->hash[hash % HO_WAIT_HASH];
}

static struct ho_waiter *find_locked(struct ho_wait *wait, u64 hash,
				     const struct ho_conn *conn)
{
	struct ho_waiter *waiter;

	lockdep_assert_held(&wait->lock);
	/* the ISN tells it from an earlier one that expired */
	hlist_for_each_entry(waiter, head_of(wait, hash), hnode)
		if (!waiter->dead &&
		    waiter->conn.req.snt_isn == conn->req.snt_isn &&
		    ho_key_equal(&waiter->conn.key, &conn->key))
			return waiter;
	return NULL;
}

void ho_wait_free(struct ho_net *hn, struct ho_waiter *waiter)
{
	__skb_queue_purge(&waiter->segments);
	ho_memory_uncharge(&hn->tbl.mem, waiter->bytes);
	kfree(waiter);
}

void ho_wait_unlink_locked(struct ho_wait *wait, struct ho_waiter *waiter)
{
	lockdep_assert_held(&wait->lock);
	list_del(&waiter->node);
	hlist_del(&waiter->hnode);
	WRITE_ONCE(wait->count, wait->count - 1);
}

/* The segment loses what it must not hold while it waits. */
static bool detach(struct sk_buff *skb)
{
	if (!skb_dst_force(skb))
		return false;
	skb_orphan(skb);
	nf_reset_ct(skb);
	skb->dev = NULL;
	return true;
}

/* Append or drop; a pure ACK says nothing that the first segment did not. */
static void append_locked(struct ho_net *hn, struct ho_waiter *waiter,
			  const struct ho_pkt *pkt)
{
	const struct ho_seg *seg = &pkt->seg;
	u32 bytes = pkt->skb->truesize;

	if (seg->seq == seg->end_seq ||
	    (s32)(seg->seq - waiter->end_seq) < 0) {
		consume_skb(pkt->skb);
		return;
	}
	if (waiter->bytes + bytes > HO_WAIT_BYTES_MAX ||
	    !ho_memory_charge(&hn->tbl.mem, bytes)) {
		ho_stat_inc(hn, HO_STAT_waiting_cut);
		consume_skb(pkt->skb);
		return;
	}
	if (!detach(pkt->skb)) {
		ho_memory_uncharge(&hn->tbl.mem, bytes);
		consume_skb(pkt->skb);
		return;
	}
	waiter->bytes += bytes;
	waiter->end_seq = seg->end_seq;
	__skb_queue_tail(&waiter->segments, pkt->skb);
	ho_stat_inc(hn, HO_STAT_waiting);
}

static struct ho_waiter *make_waiter(const struct ho_pkt *pkt,
				     const struct ho_conn *conn)
{
	struct ho_memory *mem = &pkt->hn->tbl.mem;
	u32 bytes = sizeof(struct ho_waiter) + pkt->skb->truesize;
	int ifindex = pkt->skb->dev->ifindex;
	struct ho_waiter *waiter;

	if (!ho_memory_charge(mem, bytes))
		return NULL;
	waiter = kzalloc(sizeof(*waiter), GFP_ATOMIC | __GFP_NOWARN);
	if (!waiter || !detach(pkt->skb)) {
		kfree(waiter);
		ho_memory_uncharge(mem, bytes);
		return NULL;
	}
	waiter->hash = pkt->hash;
	waiter->conn = *conn;
	waiter->acked_us = ho_clock_us();
	waiter->end_seq = pkt->seg.end_seq;
	waiter->bytes = bytes;
	waiter->family = pkt->family;
	waiter->ifindex = ifindex;
	waiter->okfn = pkt->okfn;
	__skb_queue_head_init(&waiter->segments);
	__skb_queue_tail(&waiter->segments, pkt->skb);
	ho_stat_inc(pkt->hn, HO_STAT_waiting);
	return waiter;
}

static void link_locked(struct ho_wait *wait, struct ho_waiter *waiter)
{
	lockdep_assert_held(&wait->lock);
	list_add_tail(&waiter->node, &wait->queue);
	hlist_add_head(&waiter->hnode, head_of(wait, waiter->hash));
	WRITE_ONCE(wait->count, wait->count + 1);
	if (wait->count == 1)
		mod_timer(&wait->timer,
			  jiffies + msecs_to_jiffies(HO_WAIT_LOOK_MS));
}

bool ho_wait_add(const struct ho_pkt *pkt, const struct ho_conn *conn)
{
	struct ho_net *hn = pkt->hn;
	struct ho_wait *wait = &hn->wait;
	struct ho_waiter *waiter;

	spin_lock_bh(&wait->lock);
	waiter = find_locked(wait, pkt->hash, conn);
	if (waiter) {
		append_locked(hn, waiter, pkt);
	} else if (wait->count < HO_WAIT_MAX) {
		waiter = make_waiter(pkt, conn);
		if (waiter)
			link_locked(wait, waiter);
	}
	spin_unlock_bh(&wait->lock);
	if (!waiter)
		ho_stat_inc(hn, HO_STAT_waiting_full);
	return waiter;
}

void ho_wait_forget(const struct ho_pkt *pkt, const struct ho_conn *conn)
{
	struct ho_wait *wait = &pkt->hn->wait;
	struct ho_waiter *waiter;

	spin_lock_bh(&wait->lock);
	waiter = find_locked(wait, pkt->hash, conn);
	if (waiter)
		WRITE_ONCE(waiter->dead, true);
	spin_unlock_bh(&wait->lock);
}

void ho_wait_net_init(struct ho_net *hn)
{
	struct ho_wait *wait = &hn->wait;
	unsigned int i;

	spin_lock_init(&wait->lock);
	INIT_LIST_HEAD(&wait->queue);
	wait->at = &wait->queue;
	wait->count = 0;
	for (i = 0; i < HO_WAIT_HASH; i++)
		INIT_HLIST_HEAD(&wait->hash[i]);
	timer_setup(&wait->timer, ho_look_fn, 0);
}

void ho_wait_net_stop(struct ho_net *hn)
{
	timer_shutdown_sync(&hn->wait.timer);
}

void ho_wait_net_exit(struct ho_net *hn)
{
	struct ho_wait *wait = &hn->wait;
	struct ho_waiter *waiter, *next;

	spin_lock_bh(&wait->lock);
	list_for_each_entry_safe(waiter, next, &wait->queue, node) {
		ho_wait_unlink_locked(wait, waiter);
		ho_wait_free(hn, waiter);
	}
	spin_unlock_bh(&wait->lock);
}

u32 ho_wait_count(const struct ho_net *hn)
{
	return READ_ONCE(hn->wait.count);
}
