// SPDX-License-Identifier: GPL-2.0
/*
 * A segment for an entry: SYN-RECEIVED.
 *
 * Decisions are made under the bucket lock and leave a copy (struct ho_conn);
 * what is sent is sent after it is let go.  The one exception is the handover,
 * which must be over before the next segment of the same connection is looked
 * at: see handover.c.
 */
#include <halfopen/synrecv.h>

#include <net/tcp.h>

#include <halfopen/compat.h>
#include <halfopen/handover.h>
#include <halfopen/listener.h>
#include <halfopen/rto.h>
#include <halfopen/rx.h>
#include <halfopen/synack.h>
#include <halfopen/sysctl.h>
#include <halfopen/timer.h>
#include <halfopen/tx.h>
#include <halfopen/wait.h>

/* The namespace's quota of RFC 5961 7, shared with the stack. */
static bool challenge_allowed(struct net *net)
{
	struct netns_ipv4 *ipv4 = &net->ipv4;
	u32 limit = READ_ONCE(ipv4->sysctl_tcp_challenge_ack_limit);
	u32 now = jiffies / HZ;
	u32 left;

	if (limit == INT_MAX)
		return true;
	if (READ_ONCE(ipv4->tcp_challenge_timestamp) != now) {
		u32 half = (limit + 1) / 2;

		/* a random quota tells an observer nothing (CVE-2016-5696) */
		WRITE_ONCE(ipv4->tcp_challenge_timestamp, now);
		WRITE_ONCE(ipv4->tcp_challenge_count,
			   half + get_random_u32_below(max(limit, 1U)));
	}
	left = READ_ONCE(ipv4->tcp_challenge_count);
	if (!left)
		return false;
	WRITE_ONCE(ipv4->tcp_challenge_count, left - 1);
	return true;
}

/* Data is not part of an ACK loop; cf. tcp_oow_rate_limited(). */
static bool answer_oow(const struct ho_pkt *pkt, struct ho_req *req, u32 now_ms)
{
	const struct ho_seg *seg = &pkt->seg;

	if (seg->seq != seg->end_seq && !(seg->flags & HO_TCP_SYN))
		return true;
	if (ho_oow_allow(req, now_ms, ho_sysctl_oow_limit_ms(pkt->hn)))
		return true;
	NET_INC_STATS(pkt->hn->net, LINUX_MIB_TCPACKSKIPPEDSYNRECV);
	return false;
}

/* What is left to send once the bucket lock is let go. */
enum ho_send {
	SEND_NOTHING,
	SEND_SYNACK,
	SEND_ACK,
	SEND_RESET,
	KEEP_SEGMENT,	/* nothing; it waits for the accept queue */
};

static enum ho_send on_dup_syn(const struct ho_pkt *pkt, struct ho_entry *ent,
			       struct ho_conn *conn, u32 now_ms)
{
	struct ho_table *tbl = &pkt->hn->tbl;
	struct ho_source who;

	ho_stat_inc(pkt->hn, HO_STAT_syn_dup);
	if (!answer_oow(pkt, &ent->req, now_ms))
		return SEND_NOTHING;
	who = ho_source_of(&tbl->sources, &pkt->key);
	if (!ho_synack_may_send(pkt, &who, ktime_get_ns()))
		return SEND_NOTHING;
	if (ent->req.retrans < HO_RETRANS_MAX)
		ent->req.retrans++;
	conn->req.retrans = ent->req.retrans;
	ho_timer_cancel_locked(tbl, ent, pkt->hash);
	ho_timer_arm_locked(tbl, ent, pkt->hash, now_ms);
	return SEND_SYNACK;
}

static enum ho_send on_out_of_window(const struct ho_pkt *pkt,
				     struct ho_entry *ent, u32 now_ms)
{
	if (!answer_oow(pkt, &ent->req, now_ms)) {
		ho_stat_inc(pkt->hn, HO_STAT_oow_ignored);
		return SEND_NOTHING;
	}
	ho_stat_inc(pkt->hn, HO_STAT_oow_ack);
	return SEND_ACK;
}

static enum ho_send on_rst_in_window(const struct ho_pkt *pkt,
				     struct ho_entry *ent, u32 now_ms)
{
	struct net *net = pkt->hn->net;

	if (!ho_oow_allow(&ent->req, now_ms, ho_sysctl_oow_limit_ms(pkt->hn))) {
		NET_INC_STATS(net, LINUX_MIB_TCPACKSKIPPEDCHALLENGE);
		ho_stat_inc(pkt->hn, HO_STAT_challenge_limited);
		return SEND_NOTHING;
	}
	if (!challenge_allowed(net)) {
		ho_stat_inc(pkt->hn, HO_STAT_challenge_limited);
		return SEND_NOTHING;
	}
	NET_INC_STATS(net, LINUX_MIB_TCPCHALLENGEACK);
	ho_stat_inc(pkt->hn, HO_STAT_challenge_ack);
	return SEND_ACK;
}

/* The connection is over before it began. */
static void abort_locked(const struct ho_pkt *pkt, struct ho_bucket *bkt,
			 struct ho_entry *ent)
{
	TCP_INC_STATS(pkt->hn->net, TCP_MIB_ATTEMPTFAILS);
	NET_INC_STATS(pkt->hn->net, LINUX_MIB_EMBRYONICRSTS);
	ho_table_remove_locked(&pkt->hn->tbl, bkt, ent, pkt->hash);
}

/*
 * Accept queue full: the connection waits, unless told to abort
 * (tcp_abort_on_overflow).
 */
static enum ho_send on_overflow(const struct ho_pkt *pkt, struct sock *lsk,
				struct ho_bucket *bkt, struct ho_entry *ent)
{
	struct net *net = pkt->hn->net;

	NET_INC_STATS(net, LINUX_MIB_LISTENOVERFLOWS);
	ho_stat_inc(pkt->hn, HO_STAT_acceptq_full);
	if (!READ_ONCE(net->ipv4.sysctl_tcp_abort_on_overflow)) {
		ent->req.acked = 1;
		return KEEP_SEGMENT;
	}
	tcp_listendrop(lsk);
	NET_INC_STATS(net, LINUX_MIB_EMBRYONICRSTS);
	ho_table_remove_locked(&pkt->hn->tbl, bkt, ent, pkt->hash);
	return SEND_RESET;
}

static enum ho_verdict complete_locked(const struct ho_pkt *pkt,
				       struct sock *lsk, struct ho_bucket *bkt,
				       struct ho_entry *ent,
				       const struct ho_conn *conn,
				       enum ho_send *send)
{
	struct ho_table *tbl = &pkt->hn->tbl;

	/* what follows a segment that waits does not overtake it */
	if (ent->req.acked) {
		*send = KEEP_SEGMENT;
		return HO_CONSUMED;
	}
	if (sk_acceptq_is_full(lsk)) {
		*send = on_overflow(pkt, lsk, bkt, ent);
		return HO_CONSUMED;
	}
	if (!ho_handover(pkt, lsk, conn)) {
		ho_stat_inc(pkt->hn, HO_STAT_handover_failed);
		return HO_CONSUMED;
	}
	ho_stat_inc(pkt->hn, HO_STAT_handover);
	ho_synack_answered(pkt, 1 + conn->req.retrans);
	ho_table_remove_locked(tbl, bkt, ent, pkt->hash);
	return HO_PASS;
}

/*
 * Decide and change the entry; @send says what is to be sent without the lock.
 */
static enum ho_verdict act_locked(const struct ho_pkt *pkt, struct sock *lsk,
				  struct ho_bucket *bkt, struct ho_entry *ent,
				  enum ho_event event,
				  struct ho_conn *conn,
				  enum ho_send *send)
{
	struct ho_net *hn = pkt->hn;
	u32 now_ms = ho_clock_ms();

	switch (event) {
	case HO_EV_DUP_SYN:
		*send = on_dup_syn(pkt, ent, conn, now_ms);
		break;
	case HO_EV_BAD_ACK:
		ho_stat_inc(hn, HO_STAT_bad_ack);
		return HO_PASS;		/* the listening socket sends the RST */
	case HO_EV_PAWS:
		NET_INC_STATS(hn->net, LINUX_MIB_PAWSESTABREJECTED);
		fallthrough;
	case HO_EV_OUT_OF_WINDOW:
		*send = on_out_of_window(pkt, ent, now_ms);
		break;
	case HO_EV_PAWS_RST:
		NET_INC_STATS(hn->net, LINUX_MIB_PAWSESTABREJECTED);
		fallthrough;
	case HO_EV_OUT_OF_WINDOW_RST:
		ho_stat_inc(hn, HO_STAT_oow_ignored);
		break;
	case HO_EV_RST_IN_WINDOW:
		*send = on_rst_in_window(pkt, ent, now_ms);
		break;
	case HO_EV_RST_EXACT:
		ho_stat_inc(hn, HO_STAT_reset_rcvd);
		abort_locked(pkt, bkt, ent);
		break;
	case HO_EV_SYN_IN_WINDOW:
		ho_stat_inc(hn, HO_STAT_reset_sent);
		abort_locked(pkt, bkt, ent);
		*send = SEND_RESET;
		break;
	case HO_EV_NO_ACK:
		ho_stat_inc(hn, HO_STAT_no_ack);
		break;
	case HO_EV_COMPLETE:
		return complete_locked(pkt, lsk, bkt, ent, conn, send);
	}
	return HO_CONSUMED;
}

/*
 * The stack answers for a listener that is gone; who is told so has no need of
 * us.
 */
static enum ho_verdict act_orphan_locked(const struct ho_pkt *pkt,
					 struct ho_bucket *bkt,
					 struct ho_entry *ent,
					 enum ho_event event)
{
	ho_stat_inc(pkt->hn, HO_STAT_no_listener);
	if (event == HO_EV_COMPLETE || event == HO_EV_DUP_SYN ||
	    event == HO_EV_RST_EXACT)
		ho_table_remove_locked(&pkt->hn->tbl, bkt, ent, pkt->hash);
	return HO_PASS;
}

enum ho_event ho_synrecv_classify(const struct ho_pkt *pkt,
				  const struct ho_req *req)
{
	const struct ho_table_cfg *cfg = &pkt->hn->tbl.cfg;
	const struct ho_fsm_cfg fsm = {
		.timestamps = ho_sysctl_timestamps(pkt->hn),
		.rto_ms = ho_rto_ms(READ_ONCE(cfg->rto_init_ms),
				    READ_ONCE(cfg->rto_max_ms), req->timeouts),
	};

	return ho_fsm_event(req, &pkt->seg, &fsm);
}

static void send(const struct ho_pkt *pkt, const struct sock *lsk,
		 const struct ho_conn *conn, enum ho_send what)
{
	switch (what) {
	case SEND_NOTHING:
	case KEEP_SEGMENT:
		break;
	case SEND_SYNACK:
		ho_synack_resend(pkt->hn, lsk, conn);
		break;
	case SEND_ACK:
		ho_tx_ack(pkt->hn, lsk, conn, pkt->skb);
		break;
	case SEND_RESET:
		ho_tx_reset(pkt->hn, lsk, conn, pkt->skb, &pkt->seg);
		break;
	}
}

bool ho_synrecv_wait(const struct ho_pkt *pkt, const struct ho_conn *conn,
		     struct sock *lsk)
{
	struct ho_bucket *bkt;
	struct ho_entry *ent;

	/* who waits is looked up again */
	if (!ho_rx_is_assigned(pkt) && ho_wait_add(pkt, conn))
		return true;
	/* as natively the client sends again, and is sent to again */
	bkt = ho_table_lock(&pkt->hn->tbl, pkt->hash);
	ent = ho_table_find_locked(bkt, &pkt->key);
	if (ent)
		ent->req.acked = 0;
	ho_table_unlock(bkt);
	tcp_listendrop(lsk);
	return false;
}

static bool ends_waiting(enum ho_event event)
{
	return event == HO_EV_RST_EXACT || event == HO_EV_SYN_IN_WINDOW;
}

enum ho_verdict ho_synrecv_rx(struct ho_pkt *pkt, bool *gone)
{
	enum ho_send what = SEND_NOTHING;
	enum ho_verdict verdict;
	struct ho_bucket *bkt;
	enum ho_event event;
	struct ho_entry *ent;
	struct ho_conn conn;
	struct sock *lsk;

	if (!ho_rx_checksum_ok(pkt) || !ho_rx_parse_options(pkt))
		return HO_PASS;
	lsk = ho_rx_listener(pkt);
	/* nobody's whose SYN was not signed; cf. tcp_inbound_hash() */
	if (lsk && pkt->ao) {
		ho_count_ao_bad(pkt->hn->net);
		ho_drops_skbadd(lsk, pkt->skb);
		return ho_rx_drop(pkt, HO_STAT_bad_auth,
				  SKB_DROP_REASON_NOT_SPECIFIED);
	}

	bkt = ho_table_lock(&pkt->hn->tbl, pkt->hash);
	ent = ho_table_find_locked(bkt, &pkt->key);
	if (!ent) {
		ho_table_unlock(bkt);
		*gone = true;
		return HO_PASS;
	}
	event = ho_synrecv_classify(pkt, &ent->req);
	if (pkt->fragment && event != HO_EV_COMPLETE) {
		ho_table_unlock(bkt);
		return HO_PASS;
	}
	/* the stack asks them itself about what is handed over */
	if (lsk && event != HO_EV_COMPLETE && event != HO_EV_BAD_ACK &&
	    !ho_listener_allows(lsk, pkt->skb, pkt->family, pkt->thoff)) {
		ho_table_unlock(bkt);
		return ho_rx_drop(pkt, HO_STAT_filtered,
				  SKB_DROP_REASON_SOCKET_FILTER);
	}
	ho_entry_conn(ent, &conn);
	if (event == HO_EV_COMPLETE)
		ho_tx_follow_clock(pkt->hn, &conn, pkt->hash, &pkt->seg.opts);
	verdict = lsk ? act_locked(pkt, lsk, bkt, ent, event, &conn, &what) :
			act_orphan_locked(pkt, bkt, ent, event);
	ho_table_unlock(bkt);

	if (verdict != HO_CONSUMED)
		return verdict;
	if (what == KEEP_SEGMENT && ho_synrecv_wait(pkt, &conn, lsk))
		return HO_CONSUMED;
	if (lsk && event != HO_EV_COMPLETE)
		ho_drops_skbadd(lsk, pkt->skb);
	if (conn.req.acked && ends_waiting(event))
		ho_wait_forget(pkt, &conn);
	send(pkt, lsk, &conn, what);
	return ho_rx_consume(pkt);
}
