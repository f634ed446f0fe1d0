// SPDX-License-Identifier: GPL-2.0
/* What a SYN-ACK offers: options, ECN, window, by which way. */
#include <halfopen/offer.h>

#include <linux/netfilter.h>
#include <net/inet_ecn.h>
#include <net/tcp.h>

#include <halfopen/compat.h>
#include <halfopen/opts.h>
#include <halfopen/sysctl.h>
#include <halfopen/win.h>

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
			 const struct ho_path *path, struct ho_req *req)
{
	const struct dst_entry *dst = path->dst;
	const struct netns_ipv4 *ipv4 = &pkt->hn->net->ipv4;
	u32 clamp = READ_ONCE(tcp_sk(lsk)->window_clamp);
	const struct ho_win_cfg cfg = {
		.space = tcp_full_space(lsk),
		.clamp = clamp ? clamp : dst_metric(dst, RTAX_WINDOW),
		.init_rcv_wnd = dst_metric(dst, RTAX_INITRWND),
		.mss = path->mss - (req->tstamp_ok ? HO_OPTS_TS_LEN : 0),
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

enum ho_offer ho_offer_path(const struct ho_pkt *pkt, const struct sock *lsk,
			    u32 oif, struct ho_conn *conn,
			    struct ho_path *path)
{
	struct net *net = pkt->hn->net;

	conn->key = pkt->key;
	conn->oif = oif;
	conn->mark = READ_ONCE(lsk->sk_mark);
	if (!conn->mark && READ_ONCE(net->ipv4.sysctl_tcp_fwmark_accept))
		conn->mark = pkt->skb->mark;
	if (ho_tx_route(pkt->hn, lsk, conn, pkt->hash, pkt->skb, path) < 0)
		return HO_OFFER_NO_ROUTE;
	if (!ho_dst_usec_ts(path->dst))
		return HO_OFFER_WAY;
	ho_tx_release(path);
	return HO_OFFER_USEC_TS;
}

void ho_offer_rest(const struct ho_pkt *pkt, const struct sock *lsk,
		   const struct ho_path *path, struct ho_req *req)
{
	req->ts_rand = req->tstamp_ok && ho_sysctl_timestamps(pkt->hn) == 1;
	req->tos = pkt->seg.tos;
	req->win = select_window(pkt, lsk, path, req);
}

void ho_offer_answer(const struct ho_pkt *pkt, const struct sock *lsk,
		     const struct ho_path *path, struct ho_req *req)
{
	negotiate(pkt, lsk, req);
	req->rcv_isn = pkt->seg.seq;
	req->ecn_ok = ecn_ok(pkt, lsk, path->dst);
	ho_offer_rest(pkt, lsk, path, req);
}
