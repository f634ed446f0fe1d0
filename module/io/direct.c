// SPDX-License-Identifier: GPL-2.0
/*
 * Straight to the neighbour.
 *
 * Between a finished packet and its device the stack asks rules, programs,
 * policies and the neighbour's state.  Where it can be seen at once that none
 * of them would change anything, an answer takes the last step alone.  What a
 * device does itself (tc, taps, queues) comes after that, and sees it.
 */
#include <halfopen/direct.h>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/arp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/l3mdev.h>
#include <net/ndisc.h>
#include <net/route.h>

#include <halfopen/handover.h>

static_assert((int)NF_IP_PRI_SELINUX_FIRST == (int)NF_IP6_PRI_SELINUX_FIRST);

/* Nobody, or AppArmor, which asks for a label that answers have not. */
static inline bool is_unheard(const struct nf_hook_entries *hooks)
{
	const struct nf_hook_ops *ops;

	if (!hooks)
		return true;
	if (hooks->num_hook_entries > 1)
		return false;
	ops = READ_ONCE(nf_hook_entries_get_hook_ops(hooks)[0]);
	return ops->priority == NF_IP_PRI_SELINUX_FIRST &&
	       ops->hook_ops_type == NF_HOOK_OP_UNDEFINED;
}

/* Nobody but halfopen in LOCAL_OUT, and that waits for nothing. */
static inline bool is_unhooked(struct nf_hook_entries __rcu *const *hooks)
{
	const struct nf_hook_entries *out, *post;

	out = rcu_dereference(hooks[NF_INET_LOCAL_OUT]);
	post = rcu_dereference(hooks[NF_INET_POST_ROUTING]);
	return out && out->num_hook_entries == 1 && is_unheard(post) &&
	       !ho_handover_is_under_way();
}

static inline bool is_plain(const struct dst_entry *dst, unsigned int len)
{
	return !dst->lwtstate && !dst_xfrm(dst) &&
	       !netif_is_l3_master(dst->dev) && !netif_is_l3_slave(dst->dev) &&
	       len <= dst_mtu(dst);
}

static inline struct neighbour *if_resolved(struct neighbour *neigh)
{
	return neigh && READ_ONCE(neigh->nud_state) & NUD_CONNECTED ? neigh :
								      NULL;
}

struct neighbour *ho_direct_neigh_v4(const struct net *net,
				     const struct dst_entry *dst, __be32 daddr,
				     unsigned int len)
{
	const struct rtable *rt = container_of(dst, struct rtable, dst);
	__be32 hop = daddr;

	if (dst->output != ip_output || !is_unhooked(net->nf.hooks_ipv4) ||
	    !is_plain(dst, len) || rt->rt_gw_family == AF_INET6)
		return NULL;
	if (rt->rt_gw_family == AF_INET)
		hop = rt->rt_gw4;
	return if_resolved(__ipv4_neigh_lookup_noref(dst->dev,
						     (__force u32)hop));
}

struct neighbour *ho_direct_neigh_v6(const struct net *net,
				     const struct dst_entry *dst,
				     const struct in6_addr *daddr,
				     unsigned int len)
{
	struct rt6_info *rt = container_of(dst, struct rt6_info, dst);
	const struct inet6_dev *idev = rt->rt6i_idev;

	if (dst->output != ip6_output || !is_unhooked(net->nf.hooks_ipv6) ||
	    !is_plain(dst, len) || !idev || READ_ONCE(idev->cnf.disable_ipv6))
		return NULL;
	return if_resolved(__ipv6_neigh_lookup_noref(dst->dev,
						     rt6_nexthop(rt, daddr)));
}

int ho_direct_send(struct neighbour *neigh, struct sk_buff *skb)
{
	skb->dev = skb_dst(skb)->dev;
	return neigh_output(neigh, skb, false);
}
