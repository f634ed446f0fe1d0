// SPDX-License-Identifier: GPL-2.0
/* IPv6: route, checksum, header, output. */
#include <halfopen/tx.h>

#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include <halfopen/compat.h>
#include <halfopen/direct.h>
#include <halfopen/listener.h>

static void set_checksum(struct sk_buff *nskb, const struct in6_addr *saddr,
			 const struct in6_addr *daddr)
{
	nskb->ip_summed = CHECKSUM_PARTIAL;
	__tcp_v6_send_check(nskb, saddr, daddr);
}

int ho_tx_v6_route(struct net *net, const struct sock *lsk,
		   const struct ho_conn *conn, struct ho_path *path)
{
	struct flowi6 *fl6 = &path->fl.u.ip6;
	struct in6_addr final, *final_p;
	struct dst_entry *dst;

	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = IPPROTO_TCP;
	fl6->daddr = conn->key.raddr;
	fl6->saddr = conn->key.laddr;
	fl6->flowi6_oif = conn->oif;
	fl6->flowi6_mark = conn->mark;
	fl6->fl6_dport = conn->key.rport;
	fl6->fl6_sport = conn->key.lport;
	fl6->flowi6_uid = lsk->sk_uid;
	ho_classify_flow(lsk, flowi6_to_flowi_common(fl6));

	/* a routing header of the listener has another first hop */
	final_p = fl6_update_dst(fl6, rcu_dereference(ho_listener_v6(lsk)->opt),
				 &final);
	dst = ip6_dst_lookup_flow(net, lsk, fl6, final_p);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	path->dst = dst;
	return 0;
}

/* As ip6_xmit() does. */
static void push_header(struct net *net, const struct sock *lsk,
			struct flowi6 *fl6, struct dst_entry *dst, u8 tclass,
			struct sk_buff *nskb)
{
	__be32 label = ip6_make_flowlabel(net, nskb, fl6->flowlabel,
					  ho_labels_flows(net, lsk), fl6);
	int hops = ho_listener_v6(lsk)->hop_limit;
	unsigned int len = nskb->len;
	struct ipv6hdr *hdr;

	hdr = skb_push(nskb, sizeof(*hdr));
	skb_reset_network_header(nskb);
	ip6_flow_hdr(hdr, tclass, label);
	hdr->payload_len = htons(len);
	hdr->nexthdr = IPPROTO_TCP;
	hdr->hop_limit = hops < 0 ? ip6_dst_hoplimit(dst) : hops;
	hdr->saddr = fl6->saddr;
	hdr->daddr = fl6->daddr;
}

int ho_tx_v6_synack(struct net *net, const struct sock *lsk,
		    const struct ho_conn *conn, struct ho_path *path,
		    struct sk_buff *nskb)
{
	struct ipv6_txoptions *opt = rcu_dereference(ho_listener_v6(lsk)->opt);
	u32 priority = READ_ONCE(lsk->sk_priority);
	struct flowi6 *fl6 = &path->fl.u.ip6;
	int tclass = ho_listener_v6(lsk)->tclass;
	struct neighbour *neigh = NULL;

	if (READ_ONCE(net->ipv4.sysctl_tcp_reflect_tos))
		tclass = (conn->req.tos & ~INET_ECN_MASK) |
			 (tclass & INET_ECN_MASK);

	set_checksum(nskb, &conn->key.laddr, &conn->key.raddr);
	fl6->daddr = conn->key.raddr;
	if (!opt)
		neigh = ho_direct_neigh_v6(net, path->dst, &fl6->daddr,
					   sizeof(struct ipv6hdr) + nskb->len);
	if (!neigh)
		return ip6_xmit(lsk, nskb, fl6, nskb->mark, opt, tclass,
				priority);
	push_header(net, lsk, fl6, path->dst, tclass, nskb);
	nskb->priority = priority;
	nskb->protocol = htons(ETH_P_IPV6);
	ho_count_out_v6(net, ip6_dst_idev(path->dst), nskb->len);
	return ho_direct_send(neigh, nskb);
}

static void reply_flow(struct net *net, const struct sock *lsk, u32 oif,
		       struct sk_buff *skb, const struct sk_buff *nskb,
		       struct flowi6 *fl6)
{
	const struct ipv6hdr *hdr = ipv6_hdr(skb);
	u32 mark = IP6_REPLY_MARK(net, skb->mark);

	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = IPPROTO_TCP;
	fl6->daddr = hdr->saddr;
	fl6->saddr = hdr->daddr;
	if (!oif && rt6_need_strict(&fl6->daddr))
		oif = inet6_iif(skb);
	else if (!oif && netif_index_is_l3_master(net, skb->skb_iif))
		oif = skb->skb_iif;
	fl6->flowi6_oif = oif;
	fl6->flowi6_mark = mark ? mark : READ_ONCE(lsk->sk_mark);
	fl6->fl6_dport = tcp_hdr(nskb)->dest;
	fl6->fl6_sport = tcp_hdr(nskb)->source;
	fl6->flowi6_uid = lsk->sk_uid;
	security_skb_classify_flow(skb, flowi6_to_flowi_common(fl6));
}

int ho_tx_v6_reply(struct net *net, const struct sock *lsk, u32 oif,
		   struct sk_buff *skb, struct sk_buff *nskb)
{
	u8 tclass = ipv6_get_dsfield(ipv6_hdr(skb)) & ~INET_ECN_MASK;
	struct dst_entry *dst;
	struct flowi6 fl6;

	reply_flow(net, lsk, oif, skb, nskb, &fl6);
	dst = ip6_dst_lookup_flow(net, lsk, &fl6, NULL);
	if (IS_ERR(dst)) {
		kfree_skb(nskb);
		return PTR_ERR(dst);
	}
	skb_dst_set(nskb, dst);
	set_checksum(nskb, &fl6.saddr, &fl6.daddr);
	/*
	 * the control socket: the listener's hop limit is for its connections
	 */
	ip6_xmit(net->ipv6.tcp_sk, nskb, &fl6, fl6.flowi6_mark, NULL, tclass,
		 READ_ONCE(lsk->sk_priority));
	return 0;
}
