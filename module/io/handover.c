// SPDX-License-Identifier: GPL-2.0
/*
 * Giving a proven connection to the listener by replaying its SYN.
 *
 * The stack's own way from a SYN to a request is not callable on distribution
 * kernels, but the listener's table of functions is.  So the SYN is rebuilt
 * from the entry and given to its conn_request(), marked as if it had met a
 * TIME_WAIT socket: that makes the stack use the ISN that we already promised
 * and skip queue limits and cookies (TCP_SKB_CB()->tcp_tw_isn, 0 means none).
 * It allocates and hashes a request and sends a SYN-ACK; the LOCAL_OUT hook
 * recognises it by the request in skb->sk, corrects in the request what the
 * stack could not know, and swallows the packet.  The caller then lets the
 * client's segment go on: the stack finds the request and does the rest.
 *
 * The bucket lock is held throughout.  The request is visible to other CPUs
 * before it is corrected; a segment of the same connection on another CPU
 * either finds the entry and waits for that lock, or finds the request and
 * waits for it in ho_rx_settle().
 *
 * Nothing of ours stays behind: the request is the stack's own, the rebuilt SYN
 * is used again.
 */
#include <halfopen/handover.h>

#include <net/tcp.h>

#include <halfopen/compat.h>
#include <halfopen/key.h>
#include <halfopen/limits.h>
#include <halfopen/listener.h>
#include <halfopen/replay.h>
#include <halfopen/sysctl.h>
#include <halfopen/trace.h>
#include <halfopen/tx.h>
#include <halfopen/verify.h>

/**
 * struct ho_replay - the handover under way on this CPU
 * @hn: the namespace
 * @lsk: the listener
 * @conn: the connection
 * @hash: ho_table_hash() of its key
 * @own: waiting for halfopen's own SYN-ACK, sent for comparison; else for the
 *	stack's
 * @syn: the SYN, made again
 * @captured: the SYN-ACK, once it came
 */
struct ho_replay {
	struct ho_net *hn;
	struct sock *lsk;
	const struct ho_conn *conn;
	u64 hash;
	bool own;
	struct sk_buff *syn;
	struct sk_buff *captured;
};

/*
 * Sections with softirqs disabled do not nest, so one a CPU is enough; NULL is
 * "none".  With PREEMPT_RT another task may send a packet in the middle of one,
 * hence the second.
 */
DEFINE_PER_CPU(struct ho_replay *, ho_replay);
static DEFINE_PER_CPU(struct task_struct *, ho_replay_task);

/* The SYN of the last handover is the memory of the next one's. */
static DEFINE_PER_CPU(struct sk_buff *, ho_replay_spare);

/* --- the SYN, made again --- */

/*
 * As tcp_v4_fill_cb() and tcp_v6_fill_cb() leave it.  The interface is the
 * segment's; its IP options are not, because the stack would look for them in
 * the SYN, which has none.
 */
static void fill_cb(struct sk_buff *syn, const struct ho_pkt *pkt,
		    const struct ho_conn *conn)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(syn);

	memset(cb, 0, sizeof(*cb));
	if (pkt->family == NFPROTO_IPV4) {
		cb->header.h4.iif = IPCB(pkt->skb)->iif;
		cb->header.h4.flags = IPCB(pkt->skb)->flags & IPSKB_L3SLAVE;
	} else {
		cb->header.h6.iif = IP6CB(pkt->skb)->iif;
		cb->header.h6.flags = IP6CB(pkt->skb)->flags & IP6SKB_L3SLAVE;
	}
	cb->seq = conn->req.rcv_isn;
	cb->end_seq = conn->req.rcv_isn + 1;
	cb->tcp_flags = HO_TCP_SYN;
	cb->ip_dsfield = conn->req.tos;
	cb->tcp_tw_isn = conn->req.snt_isn;
}

/* What IPV6_RECVHOPLIMIT and IPV6_FLOWINFO show of the SYN. */
static void copy_path_v6(struct sk_buff *syn, const struct ho_pkt *pkt)
{
	struct ipv6hdr *hdr = ipv6_hdr(syn);

	hdr->hop_limit = pkt->ttl;
	ip6_flow_hdr(hdr, ip6_tclass(ip6_flowinfo(hdr)),
		     ip6_flowlabel(ipv6_hdr(pkt->skb)));
}

static struct sk_buff *rebuild_syn(const struct ho_pkt *pkt,
				   const struct ho_conn *conn)
{
	struct sk_buff *skb = pkt->skb;
	struct sk_buff *syn;

	syn = ho_replay_syn(conn, this_cpu_xchg(ho_replay_spare, NULL));
	if (!syn)
		return NULL;
	/* the segment came the same way */
	if (pkt->family == NFPROTO_IPV4)
		ip_hdr(syn)->ttl = pkt->ttl;
	else
		copy_path_v6(syn, pkt);
	__skb_pull(syn, skb_transport_offset(syn));

	syn->dev = skb->dev;
	syn->skb_iif = skb->skb_iif;
	syn->mark = conn->mark;
	skb_copy_secmark(syn, skb);
	skb_copy_queue_mapping(syn, skb);
	/* borrowed: the segment outlives the SYN */
	skb_dst_set_noref(syn, skb_dst(skb));
	fill_cb(syn, pkt, conn);
	return syn;
}

/* --- the request, corrected --- */

static u64 first_synack_us(const struct ho_req *req, u64 now_us)
{
	return now_us - (u32)((u32)now_us - req->snt_us);
}

/* As its TSval has it; what nobody knows is as long ago as can be. */
static u32 first_synack_ms(const struct ho_conn *conn, u64 now_us)
{
	if (conn->untimed)
		return (u32)div_u64(now_us, USEC_PER_MSEC) -
		       HO_LIFETIME_MAX_S * MSEC_PER_SEC;
	return (u32)div_u64(first_synack_us(&conn->req, now_us), USEC_PER_MSEC);
}

static void correct_timing(struct request_sock *rsk,
			   const struct ho_conn *conn, struct sock *lsk,
			   u64 now_us)
{
	const struct ho_req *req = &conn->req;

	/*
	 * No round trip is measured from 0, as with the stack's own cookies.
	 * It ended when the ACK came, not when there was room.
	 */
	tcp_rsk(rsk)->snt_synack =
		conn->untimed ? 0 :
		first_synack_us(req, now_us) + conn->waited_us;
	rsk->num_retrans = req->retrans;
	if (!req->timeouts)
		return;
	/* as reqsk_timer_handler() does at the first timeout */
	rsk->num_timeout = req->timeouts;
	atomic_dec(&inet_csk(lsk)->icsk_accept_queue.young);
}

static void correct_options(struct request_sock *rsk, const struct ho_req *req)
{
	struct inet_request_sock *ireq = inet_rsk(rsk);

	rsk->mss = req->mss;
	rsk->ts_recent = req->ts_recent;
	ireq->tstamp_ok = req->tstamp_ok;
	ireq->sack_ok = req->sack_ok;
	ireq->ecn_ok = req->ecn_ok;
	ireq->wscale_ok = req->wscale_ok;
	ireq->snd_wscale = req->snd_wscale;
	ireq->rcv_wscale = req->rcv_wscale;
	/* may be more than a SYN-ACK can say; else the promise holds */
	if (min_t(u32, rsk->rsk_rcv_wnd, HO_WIN_UNSCALED_MAX) != req->win)
		rsk->rsk_rcv_wnd = req->win;
}

/*
 * The SYN goes with the request where the listener shows what was around it
 * (IPV6_RECVPKTINFO and the like), but the stack keeps none that met a
 * TIME_WAIT socket; cf. tcp_v6_init_req().
 */
static bool keeps_syn(const struct sock *lsk, const struct sk_buff *syn)
{
	const struct ipv6_pinfo *np = ho_listener_v6(lsk);

	if (syn->protocol != htons(ETH_P_IPV6))
		return false;
	return np->rxopt.bits.rxinfo || np->rxopt.bits.rxoinfo ||
	       np->rxopt.bits.rxhlim || np->rxopt.bits.rxohlim ||
	       ho_reflects_flowlabel(lsk) ||
	       (np->rxopt.bits.rxflow && ip6_flowinfo(ipv6_hdr(syn)));
}

static void correct(struct request_sock *rsk, const struct ho_replay *replay)
{
	const struct ho_conn *conn = replay->conn;
	struct tcp_request_sock *treq = tcp_rsk(rsk);
	u32 ts_off = ho_tx_ts_off(replay->hn, conn, replay->hash);
	u64 now_us = div_u64(ktime_get_ns(), NSEC_PER_USEC);

	treq->ts_off = ts_off;
	inet_rsk(rsk)->ir_mark = conn->mark;
	treq->txhash = ho_tx_hash(replay->lsk, conn, replay->hash);
	correct_timing(rsk, conn, replay->lsk, now_us);
	correct_options(rsk, &conn->req);
	if (keeps_syn(replay->lsk, replay->syn))
		inet_rsk(rsk)->pktopts = skb_get(replay->syn);
	ho_req_set_tsval(treq, first_synack_ms(conn, now_us) + ts_off,
			 (u32)div_u64(now_us, USEC_PER_MSEC) + ts_off);
}

/*
 * It was counted on its way here, and the one that really left was counted
 * before.
 */
static void uncount(struct net *net, const struct ho_conn *conn,
		    struct sk_buff *skb)
{
	TCP_DEC_STATS(net, TCP_MIB_OUTSEGS);
	/* a VRF has its hooks before skb->protocol is set */
	if (ho_key_is_v4(&conn->key))
		ho_uncount_out_v4(net);
	else
		ho_uncount_out_v6(net, ip6_dst_idev(skb_dst(skb)), skb->len);
}

/* --- both together --- */

/* The stack's belongs to the new request, halfopen's to no socket. */
static bool is_answer(const struct ho_replay *replay, const struct sk_buff *skb)
{
	const struct ho_key *key = &replay->conn->key;
	const struct sock *sk = skb->sk;

	if (replay->own)
		return !sk && tcp_hdr(skb)->source == key->lport &&
		       tcp_hdr(skb)->dest == key->rport;
	return sk && sk->sk_state == TCP_NEW_SYN_RECV &&
	       sk->sk_num == ntohs(key->lport) && sk->sk_dport == key->rport;
}

/* BH disabled; what is sent from now on may be the answer. */
static void set_trap(struct ho_replay *replay)
{
	this_cpu_write(ho_replay, replay);
	this_cpu_write(ho_replay_task, (replay ? current : NULL));
}

bool ho_handover_capture(struct sk_buff *skb)
{
	struct ho_replay *replay = this_cpu_read(ho_replay);

	/* without preemption disabled the task may have moved since */
	if (!replay || this_cpu_read(ho_replay_task) != current ||
	    replay->captured || !is_answer(replay, skb))
		return false;
	if (!replay->own)
		correct(inet_reqsk(skb->sk), replay);
	uncount(replay->hn->net, replay->conn, skb);
	replay->captured = skb;
	return true;
}

/* Send ours once more, into the same trap. */
static void verify(struct ho_replay *replay, struct sk_buff *theirs)
{
	struct ho_conn conn = *replay->conn;
	struct ho_net *hn = replay->hn;
	struct ho_path path;
	int err;

	replay->own = true;
	replay->captured = NULL;
	/* theirs is a first one */
	conn.req.timeouts = 0;
	if (ho_tx_route(hn, replay->lsk, &conn, replay->hash, NULL, &path) < 0)
		return;
	path.ts_off = ho_tx_ts_off(hn, &conn, replay->hash);
	set_trap(replay);
	err = ho_tx_synack(hn, replay->lsk, &conn, &path, ktime_get_ns());
	set_trap(NULL);
	/* no memory: there is nothing to compare with */
	if (err < 0 && !replay->captured)
		return;

	if (replay->captured && ho_verify_synack(theirs, replay->captured))
		ho_stat_inc(hn, HO_STAT_verify_ok);
	else
		ho_stat_inc(hn, HO_STAT_verify_diff);
	consume_skb(replay->captured);
}

/*
 * No memory for the stack's SYN-ACK, or a hook before ours dropped it: the
 * request may be there all the same, and wrong until it is corrected.
 */
static bool correct_unseen(const struct ho_pkt *pkt,
			   const struct ho_replay *replay)
{
	struct sock *sk = ho_socket_get(pkt->hn->net, &pkt->key, &pkt->ifs);
	bool ours;

	if (!sk)
		return false;
	ours = sk->sk_state == TCP_NEW_SYN_RECV &&
	       tcp_rsk(inet_reqsk(sk))->snt_isn == replay->conn->req.snt_isn;
	if (ours)
		correct(inet_reqsk(sk), replay);
	sock_gen_put(sk);
	return ours;
}

bool ho_handover(const struct ho_pkt *pkt, struct sock *lsk,
		 const struct ho_conn *conn)
{
	struct ho_replay replay = {
		.hn = pkt->hn,
		.lsk = lsk,
		.conn = conn,
		.hash = pkt->hash,
	};
	struct sk_buff *syn = rebuild_syn(pkt, conn);
	struct sk_buff *theirs;
	bool done;

	if (!syn)
		return false;

	replay.syn = syn;
	set_trap(&replay);
	inet_csk(lsk)->icsk_af_ops->conn_request(lsk, syn);
	set_trap(NULL);
	/* the request may keep it, but not what is borrowed */
	skb_dst_drop(syn);
	syn->dev = NULL;

	theirs = replay.captured;
	done = theirs || correct_unseen(pkt, &replay);
	if (done)
		trace_ho_handed_over(pkt->hn->net, &conn->key,
				     conn->req.retrans);
	if (theirs && ho_sysctl_verify(pkt->hn))
		verify(&replay, theirs);
	consume_skb(theirs);
	consume_skb(this_cpu_xchg(ho_replay_spare, syn));
	/* the request is looked up only for a segment without a socket */
	if (done && ho_rx_is_assigned(pkt))
		skb_orphan(pkt->skb);
	return done;
}

void ho_handover_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		consume_skb(per_cpu(ho_replay_spare, cpu));
}
