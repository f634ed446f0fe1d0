// SPDX-License-Identifier: GPL-2.0
/*
 * A SYN without an entry: take it, or leave it to the stack.
 *
 * It is taken if nothing speaks against it: what the packet alone can say comes
 * first (admit_packet()), then what the listener wants (ho_admit_listener()),
 * then the way back.  In doubt the stack gets it, and a counter says why.
 */
#include <halfopen/syn.h>

#include <linux/netfilter.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/tcp.h>

#include <halfopen/cookie.h>
#include <halfopen/offer.h>
#include <halfopen/room.h>
#include <halfopen/rx.h>
#include <halfopen/stateless.h>
#include <halfopen/synack.h>
#include <halfopen/sysctl.h>
#include <halfopen/timer.h>
#include <halfopen/trace.h>
#include <halfopen/track.h>
#include <halfopen/tx.h>

static bool is_unicast(const struct ho_pkt *pkt)
{
	if (pkt->skb->pkt_type != PACKET_HOST)
		return false;
	if (pkt->family == NFPROTO_IPV4)
		return !(skb_rtable(pkt->skb)->rt_flags &
			 (RTCF_BROADCAST | RTCF_MULTICAST));
	return ipv6_unicast_destination(pkt->skb) &&
	       !ipv6_addr_v4mapped(&pkt->key.raddr);
}

/* What the packet alone can say, cheapest first. */
static enum ho_decline admit_packet(const struct ho_pkt *pkt)
{
	if (ho_sysctl_mode(pkt->hn) == HO_MODE_OFF)
		return HO_declined_mode;
	if (!is_unicast(pkt))
		return HO_declined_unicast;
	/* a program that chose for the SYN need not choose for the ACK */
	if (ho_rx_is_assigned(pkt) && skb_sk_is_prefetched(pkt->skb))
		return HO_declined_assigned;
	if (!ho_rx_checksum_ok(pkt))
		return HO_declined_checksum;
	/* TIME_WAIT, SYN_SENT and the like are the stack's business */
	if (ho_rx_has_socket(pkt))
		return HO_declined_socket;
	return ho_track_admit(pkt);
}

/* The connection that this SYN asks for, and the way back if not known yet. */
static enum ho_offer prepare(const struct ho_pkt *pkt, struct ho_syn *syn,
			     const struct ho_cookie_key *key, u64 now_ns)
{
	struct ho_conn *conn = &syn->conn;
	struct ho_req *req = &conn->req;
	enum ho_offer offer = HO_OFFER_WAY;

	if (!syn->path.dst)
		offer = ho_offer_path(pkt, syn->lsk, syn->lsn.oif, conn,
				      &syn->path);
	if (offer != HO_OFFER_WAY)
		return offer;
	ho_track_note(pkt, conn);
	ho_offer_answer(pkt, syn->lsk, &syn->path, req);
	req->snt_isn = ho_cookie_isn(&pkt->key, req, &key->mac);
	req->snt_us = (u32)div_u64(now_ns, NSEC_PER_USEC);
	return HO_OFFER_WAY;
}

/*
 * How full the listener's own queue of half-open connections is.  Without
 * cookies the stack keeps the last quarter of tcp_max_syn_backlog for peers
 * that it knows; cf. tcp_conn_request().
 */
static enum ho_pressure synq_level(const struct ho_pkt *pkt,
				   const struct sock *lsk, u32 *used, u32 *max)
{
	const struct netns_ipv4 *ipv4 = &pkt->hn->net->ipv4;
	u32 synq_max = READ_ONCE(ipv4->sysctl_max_syn_backlog);

	*used = inet_csk_reqsk_queue_len(lsk);
	*max = READ_ONCE(lsk->sk_max_ack_backlog);
	if (!READ_ONCE(ipv4->sysctl_tcp_syncookies))
		*max = min(*max, synq_max - synq_max / 4);
	return ho_pressure_level(*used, *max, &pkt->hn->tbl.cfg.marks);
}

/*
 * Is the port ours?  In mode auto only while it is under pressure, which begins
 * when the listener's own queue fills up.
 */
static bool port_is_ours(const struct ho_pkt *pkt, const struct sock *lsk,
			 struct ho_port *port)
{
	struct ho_table *tbl = &pkt->hn->tbl;
	u32 used, max;

	if (ho_sysctl_mode(pkt->hn) != HO_MODE_AUTO ||
	    READ_ONCE(port->pressure))
		return true;
	if (synq_level(pkt, lsk, &used, &max) != HO_PRESSURE_HIGH)
		return false;
	ho_watch_begin(tbl, pkt->key.lport, port, used, max, ho_clock_ms());
	return true;
}

/* The port, and whether its SYNs are taken at all. */
static enum ho_decline admit_port(const struct ho_pkt *pkt,
				  const struct sock *lsk,
				  struct ho_port **port)
{
	struct ho_table *tbl = &pkt->hn->tbl;

	*port = ho_port_make(&tbl->ports, pkt->key.lport, &tbl->mem);
	if (!*port)
		return HO_declined_memory;
	ho_port_count_syn(*port);
	ho_watch_kick(tbl);
	return port_is_ours(pkt, lsk, *port) ? HO_TAKE : HO_declined_auto;
}

/* What the stack does in tcp_conn_request(). */
static void drop_unroutable(const struct ho_pkt *pkt, struct sock *lsk,
			    const struct ho_conn *conn)
{
	ho_tx_no_route(pkt->hn->net, conn);
	ho_stat_inc(pkt->hn, HO_STAT_syn_no_route);
	tcp_listendrop(lsk);
}

/* It is looked at no more; the answer may be made of it. */
static void use_up(const struct ho_pkt *pkt, struct ho_path *path)
{
	path->ct = ho_track_take(pkt->skb);
	ho_rx_count_delivered(pkt);
	path->skb = pkt->skb;
}

static enum ho_decline leave_unanswered(const struct ho_pkt *pkt)
{
	ho_rx_consume(pkt);
	return HO_TAKE;
}

/* HO_TAKE: consumed. */
static enum ho_decline take_syn(const struct ho_pkt *pkt, struct ho_syn *syn,
				struct ho_port *port)
{
	const struct ho_clocks now = ho_clocks_now();
	struct ho_path *path = &syn->path;
	struct ho_conn *conn = &syn->conn;
	u64 now_ns = ktime_get_ns();
	struct ho_cookie_key key;
	enum ho_offer offer;
	enum ho_full full;
	bool lost;

	conn->source = ho_source_of(&pkt->hn->tbl.sources, &pkt->key);
	if (!ho_synack_may_send(pkt, &conn->source, now_ns)) {
		ho_tx_release(path);
		return leave_unanswered(pkt);
	}
	ho_keyring_current(&pkt->hn->keys, &now, &key);
	offer = prepare(pkt, syn, &key, now_ns);
	if (offer == HO_OFFER_USEC_TS)
		return HO_declined_usec_ts;
	if (offer == HO_OFFER_NO_ROUTE) {
		drop_unroutable(pkt, syn->lsk, conn);
		return leave_unanswered(pkt);
	}
	/* one mark has room */
	if (conn->ct_mark && conn->mark && conn->ct_mark != conn->mark) {
		ho_tx_release(path);
		return HO_declined_conntrack;
	}
	full = ho_room_insert_evicting(&pkt->hn->tbl, port, conn, pkt->hash,
				       ho_clock_ms(), &lost);
	/* another CPU has seen the same SYN, and answers it */
	if (lost) {
		ho_tx_release(path);
		return leave_unanswered(pkt);
	}
	/* no cookie has room for the mark */
	if (full != HO_FULL_NOT && conn->ct_mark) {
		ho_tx_release(path);
		return HO_declined_conntrack;
	}
	use_up(pkt, path);
	if (full != HO_FULL_NOT)
		conn->req.ecn_ok &= ho_cookie_tells_all(&conn->req);
	path->ts_off = ho_tx_ts_off_of(conn, pkt->hash, &key);
	if (full != HO_FULL_NOT) {
		ho_stateless_answer(pkt, syn->lsk, port, conn, path, full,
				    now_ns);
		return HO_TAKE;
	}
	trace_ho_taken(pkt->hn->net, &pkt->key, 0);
	ho_stat_inc(pkt->hn, HO_STAT_syn_taken);
	if (pkt->seg.opts.seen & HO_OPT_TFO_REQ)
		NET_INC_STATS(pkt->hn->net, LINUX_MIB_TCPFASTOPENCOOKIEREQD);
	ho_synack_send(pkt->hn, syn->lsk, conn, path, now_ns);
	return HO_TAKE;
}

static enum ho_verdict decline(const struct ho_pkt *pkt, enum ho_decline why)
{
	trace_ho_declined(pkt->hn->net, &pkt->key, why);
	ho_stat_inc(pkt->hn, ho_stat_decline(why));
	return HO_PASS;
}

enum ho_decline ho_syn_admit(struct ho_pkt *pkt, struct ho_syn *syn)
{
	struct ho_listener *lsn = &syn->lsn;
	u32 used, max;

	syn->lsk = ho_rx_listener(pkt);
	if (!syn->lsk)
		return HO_declined_no_listener;
	if (!ho_rx_parse_options(pkt))
		return HO_declined_auth;
	ho_listener_read(syn->lsk, &pkt->key, &pkt->ifs, pkt->skb, lsn);
	lsn->synq_full = synq_level(pkt, syn->lsk, &used, &max) ==
			 HO_PRESSURE_HIGH && used;
	memset(&syn->conn, 0, sizeof(syn->conn));
	syn->path.dst = NULL;
	syn->path.ct = NULL;
	return ho_admit_listener(lsn, &pkt->key, &pkt->seg, pkt->ttl);
}

enum ho_decline ho_syn_take(const struct ho_pkt *pkt, struct ho_syn *syn)
{
	struct ho_port *port;
	enum ho_decline why;

	why = admit_port(pkt, syn->lsk, &port);
	if (why == HO_TAKE)
		return take_syn(pkt, syn, port);
	ho_tx_release(&syn->path);
	return why;
}

enum ho_verdict ho_syn_rx(struct ho_pkt *pkt)
{
	struct ho_port *port;
	enum ho_decline why;
	struct ho_syn syn;

	why = admit_packet(pkt);
	if (why == HO_TAKE)
		why = ho_syn_admit(pkt, &syn);
	if (why == HO_TAKE)
		why = admit_port(pkt, syn.lsk, &port);
	if (why == HO_declined_budget)
		return ho_rx_drop(pkt, ho_stat_decline(why),
				  SKB_DROP_REASON_IP_INHDR);
	if (why != HO_TAKE)
		return decline(pkt, why);

	/* last, because the stack would run them again on a SYN that it gets */
	if (!ho_listener_allows(syn.lsk, pkt->skb, pkt->family, pkt->thoff))
		return ho_rx_drop(pkt, HO_STAT_syn_filtered,
				  SKB_DROP_REASON_SOCKET_FILTER);
	why = take_syn(pkt, &syn, port);
	return why == HO_TAKE ? HO_CONSUMED : decline(pkt, why);
}
