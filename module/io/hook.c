// SPDX-License-Identifier: GPL-2.0
/*
 * The netfilter hooks of a namespace.
 *
 * LOCAL_IN, after every filter rule and well before conntrack confirms (INT_MAX
 * for IPv4, INT_MAX - 1 for IPv6): firewall rules see a SYN first and keep
 * their say, and a SYN that is taken leaves nothing in conntrack.
 *
 * PRE_ROUTING, just before and after connection tracking, where that is in use:
 * what it has to know of half-open connections (track.c).
 *
 * LOCAL_OUT, before all others: nobody else sees the SYN-ACK that the stack
 * makes during a handover, because the one that the client got left long ago.
 *
 * Segments of established connections carry their socket already (early demux):
 * two loads and two branches.
 */
#include <halfopen/hook.h>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp_states.h>

#include <halfopen/handover.h>
#include <halfopen/icmp.h>
#include <halfopen/net.h>
#include <halfopen/rx.h>
#include <halfopen/track_rx.h>

enum {
	PRI_IN		= INT_MAX - 16,
	PRI_OUT		= INT_MIN,
	PRI_TRACK	= NF_IP_PRI_CONNTRACK - 1,
	PRI_TRACKED	= NF_IP_PRI_CONNTRACK + 1,
};

static_assert((int)NF_IP_PRI_CONNTRACK == (int)NF_IP6_PRI_CONNTRACK);

static unsigned int verdict_to_nf(enum ho_verdict verdict)
{
	switch (verdict) {
	case HO_PASS:
		return NF_ACCEPT;
	case HO_DROP:
		return NF_DROP;
	case HO_CONSUMED:
		return NF_STOLEN;
	}
	return NF_ACCEPT;
}

/* Early demux has found its socket. */
static bool is_established(const struct sk_buff *skb)
{
	return skb->sk && skb->sk->sk_state == TCP_ESTABLISHED;
}

/* A socket that it found, so no half-open connection is meant. */
static bool has_socket(const struct sk_buff *skb)
{
	/* a listener: chosen by TPROXY or by a program */
	const u32 ours = TCPF_NEW_SYN_RECV | TCPF_LISTEN;

	return skb->sk && !((1 << skb->sk->sk_state) & ours);
}

/*
 * What is behind an authentication header is left to the stack: it comes again,
 * once it is verified.
 */
static u8 proto_v6(struct sk_buff *skb)
{
	u8 proto = ipv6_hdr(skb)->nexthdr;
	unsigned int off = 0;
	__be16 frag_off;

	if (likely(!ipv6_ext_hdr(proto)))
		return proto;
	if (ipv6_find_hdr(skb, &off, NEXTHDR_AUTH, NULL, NULL) >= 0 ||
	    ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), &proto,
			     &frag_off) < 0)
		return IPPROTO_NONE;
	return proto;
}

static u8 proto_of(struct sk_buff *skb, u8 pf)
{
	return pf == NFPROTO_IPV4 ? ip_hdr(skb)->protocol : proto_v6(skb);
}

static bool is_icmp(u8 proto, u8 pf)
{
	return proto == (pf == NFPROTO_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/*
 * Out of line and with the arguments of ho_hook_in(), used or not: that needs
 * neither a stack frame nor another register, which is a third of what an
 * established segment pays.
 */
static noinline __noclone unsigned int
hook_in_slow(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	enum ho_verdict verdict = HO_PASS;
	struct ho_net *hn;
	u8 proto;

	if (has_socket(skb))
		return NF_ACCEPT;
	hn = ho_net(state->net);
	proto = proto_of(skb, state->pf);
	/* nfqueue comes from a process */
	local_bh_disable();
	if (skb->sk && skb->sk->sk_state == TCP_NEW_SYN_RECV)
		ho_rx_settle(hn, skb, state->pf);
	else if (proto == IPPROTO_TCP)
		verdict = ho_rx_tcp(hn, skb, state);
	else if (is_icmp(proto, state->pf))
		ho_icmp_rx(hn, skb, state->pf);
	local_bh_enable();
	return verdict_to_nf(verdict);
}

static unsigned int ho_hook_in(void *priv, struct sk_buff *skb,
			       const struct nf_hook_state *state)
{
	if (likely(is_established(skb)))
		return NF_ACCEPT;
	return hook_in_slow(priv, skb, state);
}

static unsigned int ho_hook_out(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	if (likely(!ho_handover_is_under_way()))
		return NF_ACCEPT;
	return ho_handover_capture(skb) ? NF_STOLEN : NF_ACCEPT;
}

static const struct nf_hook_ops ho_hooks[] = {
	{
		.hook		= ho_hook_in,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= PRI_IN,
	},
	{
		.hook		= ho_hook_in,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_IN,
		.priority	= PRI_IN,
	},
	{
		.hook		= ho_hook_out,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_LOCAL_OUT,
		.priority	= PRI_OUT,
	},
	{
		.hook		= ho_hook_out,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_LOCAL_OUT,
		.priority	= PRI_OUT,
	},
};

static unsigned int ho_hook_track(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	u8 proto = proto_of(skb, state->pf);

	local_bh_disable();
	if (proto == IPPROTO_TCP)
		ho_track_rx(ho_net(state->net), skb, state);
	else if (is_icmp(proto, state->pf))
		ho_track_icmp(ho_net(state->net), skb, state);
	local_bh_enable();
	return NF_ACCEPT;
}

static unsigned int ho_hook_tracked(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	ho_track_judge(skb);
	return NF_ACCEPT;
}

static const struct nf_hook_ops ho_hooks_track[] = {
	{
		.hook		= ho_hook_tracked,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= PRI_TRACKED,
	},
	{
		.hook		= ho_hook_tracked,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= PRI_TRACKED,
	},
	{
		.hook		= ho_hook_track,
		.pf		= NFPROTO_IPV4,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= PRI_TRACK,
	},
	{
		.hook		= ho_hook_track,
		.pf		= NFPROTO_IPV6,
		.hooknum	= NF_INET_PRE_ROUTING,
		.priority	= PRI_TRACK,
	},
};

int ho_hook_net_init(struct net *net)
{
	return nf_register_net_hooks(net, ho_hooks, ARRAY_SIZE(ho_hooks));
}

void ho_hook_net_exit(struct net *net)
{
	nf_unregister_net_hooks(net, ho_hooks, ARRAY_SIZE(ho_hooks));
}

int ho_hook_track_init(struct net *net)
{
	return nf_register_net_hooks(net, ho_hooks_track,
				     ARRAY_SIZE(ho_hooks_track));
}

void ho_hook_track_exit(struct net *net)
{
	nf_unregister_net_hooks(net, ho_hooks_track,
				ARRAY_SIZE(ho_hooks_track));
}
