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
#include <net/inet_ecn.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/tcp.h>

#include <halfopen/compat.h>
#include <halfopen/opts.h>
#include <halfopen/rx.h>
#include <halfopen/synrecv.h>
#include <halfopen/sysctl.h>
#include <halfopen/timer.h>
#include <halfopen/tx.h>
#include <halfopen/win.h>

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

/* What to do with TIME_WAIT, SYN_SENT and the like is the stack's business. */
static bool has_socket(const struct ho_pkt *pkt)
{
	struct sock *sk = ho_socket_get(pkt->hn->net, &pkt->key, &pkt->ifs);

	if (!sk)
		return false;
	sock_gen_put(sk);
	return true;
}

static bool is_tracked(const struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;

	return nf_ct_get(skb, &ctinfo);
}

/* What the packet alone can say, cheapest first. */
static enum ho_decline admit_packet(const struct ho_pkt *pkt)
{
	if (!ho_sysctl_on(pkt->hn))
		return HO_declined_mode;
	if (!is_unicast(pkt))
		return HO_declined_unicast;
	if (pkt->family == NFPROTO_IPV4 && pkt->thoff != sizeof(struct iphdr))
		return HO_declined_ip_options;
	if (is_tracked(pkt->skb))
		return HO_declined_conntrack;
	if (!ho_rx_checksum_ok(pkt))
		return HO_declined_checksum;
	if (has_socket(pkt))
		return HO_declined_socket;
	return HO_TAKE;
}

static void negotiate(const struct ho_pkt *pkt, const struct sock *lsk,
		      struct ho_req *req)
{
	const struct netns_ipv4 *ipv4 = &pkt->hn->net->ipv4;
	const struct ho_opts_cfg cfg = {
		.timestamps = ho_sysctl_timestamps(pkt->hn),
		.window_scaling = READ_ONCE(ipv4->sysctl_tcp_window_scaling),
		.sack = READ_ONCE(ipv4->sysctl_tcp_sack),
		.user_mss = READ_ONCE(tcp_sk(lsk)->rx_opt.user_mss),
		.mss_default = pkt->family == NFPROTO_IPV4 ? HO_MSS_DEF_V4 :
							     HO_MSS_DEF_V6,
	};

	ho_opts_negotiate(req, &pkt->seg.opts, &cfg);
	req->ts_rand = req->tstamp_ok && cfg.timestamps == 1;
}

/* RFC 3168 6.1.1, RFC 8311 4.3; cf. tcp_ecn_create_request(). */
static bool ecn_ok(const struct ho_pkt *pkt, const struct sock *lsk,
		   const struct dst_entry *dst)
{
	const struct ho_seg *seg = &pkt->seg;
	u32 route = dst_feature(dst, DST_FEATURE_ECN_MASK);
	bool wanted;

	if (!(seg->flags & HO_TCP_ECE) || !(seg->flags & HO_TCP_CWR))
		return false;
	if (tcp_ca_needs_ecn(lsk) || route & DST_FEATURE_ECN_CA)
		return true;
	wanted = READ_ONCE(pkt->hn->net->ipv4.sysctl_tcp_ecn) || route;
	return wanted && (INET_ECN_is_not_ect(seg->tos) || seg->reserved);
}

static u16 select_window(const struct ho_pkt *pkt, const struct sock *lsk,
			 const struct dst_entry *dst, struct ho_req *req)
{
	const struct netns_ipv4 *ipv4 = &pkt->hn->net->ipv4;
	u32 clamp = READ_ONCE(tcp_sk(lsk)->window_clamp);
	const struct ho_win_cfg cfg = {
		.space = tcp_full_space(lsk),
		.clamp = clamp ? clamp : dst_metric(dst, RTAX_WINDOW),
		.init_rcv_wnd = dst_metric(dst, RTAX_INITRWND),
		.mss = ho_tx_mss(lsk, dst) -
		       (req->tstamp_ok ? HO_OPTS_TS_LEN : 0),
		.rmem_max = max_t(u32, READ_ONCE(ipv4->sysctl_tcp_rmem[2]),
				  READ_ONCE(sysctl_rmem_max)),
		.rcvbuf_locked = lsk->sk_userlocks & SOCK_RCVBUF_LOCK,
		.signed_windows =
			READ_ONCE(ipv4->sysctl_tcp_workaround_signed_windows),
		.wscale_ok = req->wscale_ok,
	};
	u8 wscale;
	u16 win = ho_win_select(&cfg, &wscale);

	req->rcv_wscale = wscale;
	return win;
}

/* The connection that this SYN asks for, and the way back. */
static enum ho_decline prepare(const struct ho_pkt *pkt, const struct sock *lsk,
			       struct ho_conn *conn, struct ho_path *path,
			       u64 now_ns)
{
	const struct net *net = pkt->hn->net;
	struct ho_req *req = &conn->req;

	memset(conn, 0, sizeof(*conn));
	conn->key = pkt->key;
	if (READ_ONCE(net->ipv4.sysctl_tcp_fwmark_accept))
		conn->mark = pkt->skb->mark;
	if (ho_tx_route(pkt->hn->net, lsk, conn, path) < 0)
		return HO_declined_no_route;
	if (ho_dst_usec_ts(path->dst)) {
		dst_release(path->dst);
		return HO_declined_no_route;
	}
	negotiate(pkt, lsk, req);
	req->rcv_isn = pkt->seg.seq;
	req->snt_isn = ho_tx_isn(&pkt->key);
	req->snt_us = (u32)div_u64(now_ns, NSEC_PER_USEC);
	req->tos = pkt->seg.tos;
	req->ecn_ok = ecn_ok(pkt, lsk, path->dst);
	req->win = select_window(pkt, lsk, path->dst, req);
	return HO_TAKE;
}

/* Another CPU may have seen the same SYN: the loser must not answer it. */
static enum ho_decline insert(const struct ho_pkt *pkt,
			      const struct ho_conn *conn, bool *lost)
{
	struct ho_table *tbl = &pkt->hn->tbl;
	enum ho_decline why = HO_TAKE;
	struct ho_bucket *bkt;
	struct ho_entry *ent;

	if (!ho_budget_reserve(&tbl->budget, ho_sysctl_max_entries(pkt->hn)))
		return HO_declined_table_full;
	ent = ho_entry_alloc(conn);
	if (!ent) {
		why = HO_declined_memory;
		goto err_release;
	}
	bkt = ho_table_lock_new(tbl, pkt->hash);
	if (!bkt) {
		why = HO_declined_memory;
		goto err_free;
	}
	*lost = ho_table_find_locked(bkt, &pkt->key);
	if (!*lost && ho_table_insert_locked(tbl, bkt, ent, pkt->hash,
					     ho_clock_ms()) < 0)
		why = HO_declined_chain;
	ho_table_unlock(bkt);
	if (!*lost && why == HO_TAKE)
		return HO_TAKE;

err_free:
	ho_entry_free(ent);
err_release:
	ho_budget_release(&tbl->budget);
	return why;
}

/* HO_TAKE: consumed. */
static enum ho_decline take_syn(const struct ho_pkt *pkt, struct sock *lsk)
{
	u64 now_ns = ktime_get_ns();
	enum ho_decline why;
	struct ho_path path;
	struct ho_conn conn;
	bool lost = false;

	why = prepare(pkt, lsk, &conn, &path, now_ns);
	if (why != HO_TAKE)
		return why;
	why = insert(pkt, &conn, &lost);
	if (why != HO_TAKE || lost) {
		dst_release(path.dst);
		return why;
	}
	ho_stat_inc(pkt->hn, HO_STAT_syn_taken);
	ho_synrecv_send(pkt->hn, lsk, &conn, &path, now_ns);
	return HO_TAKE;
}

static enum ho_verdict decline(const struct ho_pkt *pkt, enum ho_decline why)
{
	ho_stat_inc(pkt->hn, ho_stat_decline(why));
	return HO_PASS;
}

enum ho_verdict ho_syn_rx(struct ho_pkt *pkt)
{
	struct ho_listener lsn;
	enum ho_decline why;
	struct sock *lsk;

	why = admit_packet(pkt);
	if (why != HO_TAKE)
		return decline(pkt, why);
	lsk = ho_rx_listener(pkt);
	if (!lsk)
		return decline(pkt, HO_declined_no_listener);
	ho_rx_parse_options(pkt);
	ho_listener_read(lsk, &pkt->key, pkt->skb, &lsn);
	why = ho_admit_listener(&lsn, &pkt->key, &pkt->seg, pkt->ttl);
	if (why != HO_TAKE)
		return decline(pkt, why);

	/* last, because the stack would run them again on a SYN that it gets */
	if (!ho_listener_allows(lsk, pkt->skb, pkt->family, pkt->thoff))
		return ho_rx_drop(pkt, HO_STAT_syn_filtered);
	why = take_syn(pkt, lsk);
	if (why != HO_TAKE)
		return decline(pkt, why);
	return ho_rx_consume(pkt);
}
