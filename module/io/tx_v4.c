// SPDX-License-Identifier: GPL-2.0
/* IPv4: route, checksum, header, output. */
#include <halfopen/tx.h>

#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip_fib.h>
#include <net/nexthop.h>
#include <net/route.h>
#include <net/tcp.h>

#include <halfopen/compat.h>
#include <halfopen/direct.h>
#include <halfopen/policy.h>

static void set_checksum(struct sk_buff *nskb, __be32 saddr, __be32 daddr)
{
	struct tcphdr *th = tcp_hdr(nskb);

	th->check = ~tcp_v4_check(nskb->len, saddr, daddr, 0);
	nskb->ip_summed = CHECKSUM_PARTIAL;
	nskb->csum_start = skb_transport_header(nskb) - nskb->head;
	nskb->csum_offset = offsetof(struct tcphdr, check);
}

/* Nothing but the FIB has a say in the route. */
static bool is_plain(struct net *net, const struct sock *lsk,
		     const struct flowi4 *fl4)
{
	if (ho_policy_rules(net, NFPROTO_IPV4) ||
	    ho_policy_net(net, XFRM_POLICY_OUT) ||
	    ho_policy_sock(lsk, XFRM_POLICY_OUT))
		return false;
	return !fl4->flowi4_oif && !ip_sock_rt_tos(lsk) &&
	       fl4->flowi4_scope == RT_SCOPE_UNIVERSE &&
	       !ipv4_is_loopback(fl4->saddr) &&
	       /* and broadcast */
	       (fl4->daddr & htonl(0xe0000000)) != htonl(0xe0000000);
}

/* One next hop, without exceptions. */
static const struct fib_nh_common *next_hop(const struct fib_result *res)
{
	if (res->type != RTN_UNICAST || fib_info_num_path(res->fi) != 1 ||
	    (!res->prefixlen && res->table->tb_num_default > 1) ||
	    rcu_access_pointer(res->nhc->nhc_exceptions))
		return NULL;
	return res->nhc;
}

/*
 * The route that ip_route_output_flow() would come to, where it is a matter of
 * the FIB alone and the next hop has it at hand; else NULL.  Our address was
 * looked up as a local one a moment ago, when the packet came.  Takes half of
 * 840 instructions.
 */
static struct rtable *route_at_hand(struct net *net, const struct sock *lsk,
				    struct flowi4 *fl4)
{
	const struct fib_nh_common *nhc;
	struct fib_result res;
	struct rtable *rt;

	if (!is_plain(net, lsk, fl4) || fib_lookup(net, fl4, &res, 0))
		return NULL;
	nhc = next_hop(&res);
	if (!nhc || !nhc->nhc_pcpu_rth_output)
		return NULL;
	rt = rcu_dereference(*raw_cpu_ptr(nhc->nhc_pcpu_rth_output));
	if (!rt || rt->dst.obsolete != DST_OBSOLETE_FORCE_CHK ||
	    rt->rt_genid != rt_genid_ipv4(net))
		return NULL;
	dst_hold(&rt->dst);
	return rt;
}

int ho_tx_v4_route(struct net *net, const struct sock *lsk,
		   const struct ho_conn *conn, const struct sk_buff *skb,
		   struct ho_path *path)
{
	struct flowi4 *fl4 = &path->fl.u.ip4;
	struct rtable *rt;

	flowi4_init_output(fl4, conn->oif, conn->mark,
			   ip_sock_rt_tos(lsk), ip_sock_rt_scope(lsk),
			   lsk->sk_protocol, inet_sk_flowi_flags(lsk),
			   conn->key.raddr.s6_addr32[3],
			   conn->key.laddr.s6_addr32[3], conn->key.rport,
			   conn->key.lport, lsk->sk_uid);
	ho_classify_flow(lsk, flowi4_to_flowi_common(fl4));
	rt = skb ? route_at_hand(net, lsk, fl4) : NULL;
	if (!rt)
		rt = ip_route_output_flow(net, fl4, lsk);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	path->dst = &rt->dst;
	return 0;
}

/* DF and ID 0: what halfopen sends is never long enough for a fragment. */
static void push_header(struct sk_buff *nskb, __be32 saddr, __be32 daddr,
			u8 tos, u8 ttl)
{
	struct iphdr *iph = skb_push(nskb, sizeof(*iph));

	skb_reset_network_header(nskb);
	*iph = (struct iphdr) {
		.version = 4,
		.ihl = sizeof(*iph) / 4,
		.tos = tos,
		.frag_off = htons(IP_DF),
		.ttl = ttl,
		.protocol = IPPROTO_TCP,
		.saddr = saddr,
		.daddr = daddr,
	};
}

/* As ip_build_and_send_pkt(), which modules cannot call since 7.x. */
int ho_tx_v4_synack(struct net *net, const struct sock *lsk,
		    const struct ho_conn *conn, struct ho_path *path,
		    struct sk_buff *nskb)
{
	__be32 saddr = conn->key.laddr.s6_addr32[3];
	__be32 daddr = conn->key.raddr.s6_addr32[3];
	u8 tos = READ_ONCE(inet_sk(lsk)->tos);
	int ttl = READ_ONCE(inet_sk(lsk)->uc_ttl);
	struct neighbour *neigh;

	if (READ_ONCE(net->ipv4.sysctl_tcp_reflect_tos))
		tos = (conn->req.tos & ~INET_ECN_MASK) | (tos & INET_ECN_MASK);

	set_checksum(nskb, saddr, daddr);
	push_header(nskb, saddr, daddr, tos,
		    ttl < 0 ? ip4_dst_hoplimit(path->dst) : ttl);
	nskb->priority = READ_ONCE(lsk->sk_priority);
	if (!nskb->mark)
		nskb->mark = READ_ONCE(lsk->sk_mark);
	neigh = ho_direct_neigh_v4(net, path->dst, daddr, nskb->len);
	if (!neigh)
		return ip_local_out(net, nskb->sk, nskb);
	ip_hdr(nskb)->tot_len = htons(nskb->len);
	ip_send_check(ip_hdr(nskb));
	nskb->protocol = htons(ETH_P_IP);
	ho_count_out_v4(net, nskb->len);
	return ho_direct_send(neigh, nskb);
}

/*
 * As ip_send_unicast_reply() with the stack's control socket, but for no
 * socket.
 */
int ho_tx_v4_reply(struct net *net, const struct sock *lsk, u32 oif,
		   struct sk_buff *skb, struct sk_buff *nskb)
{
	const struct iphdr *iph = ip_hdr(skb);
	u32 mark = IP4_REPLY_MARK(net, skb->mark);
	struct flowi4 fl4;
	struct rtable *rt;

	mark = mark ? mark : READ_ONCE(lsk->sk_mark);
	if (!oif && netif_index_is_l3_master(net, skb->skb_iif))
		oif = skb->skb_iif;
	flowi4_init_output(&fl4, oif, mark, RT_TOS(iph->tos),
			   RT_SCOPE_UNIVERSE, IPPROTO_TCP,
			   inet_sk_flowi_flags(lsk), iph->saddr, iph->daddr,
			   tcp_hdr(nskb)->dest, tcp_hdr(nskb)->source,
			   lsk->sk_uid);
	security_skb_classify_flow(skb, flowi4_to_flowi_common(&fl4));
	/* the control socket borrows the listener's policy for a RST */
	rt = ip_route_output_flow(net, &fl4, tcp_hdr(nskb)->rst ? lsk : NULL);
	if (IS_ERR(rt)) {
		kfree_skb(nskb);
		return PTR_ERR(rt);
	}
	skb_dst_set(nskb, &rt->dst);
	nskb->mark = mark;
	nskb->priority = READ_ONCE(lsk->sk_priority);
	set_checksum(nskb, fl4.saddr, fl4.daddr);
	push_header(nskb, fl4.saddr, fl4.daddr, iph->tos & ~INET_ECN_MASK,
		    ip4_dst_hoplimit(&rt->dst));
	return ip_local_out(net, NULL, nskb);
}
