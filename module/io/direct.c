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
#include <net/arp.h>
#include <net/ip.h>
#include <net/l3mdev.h>
#include <net/route.h>

#include <halfopen/compat.h>
#include <halfopen/handover.h>

/* Nobody, or AppArmor, which asks for a label that answers have not. */
static bool is_unheard(const struct nf_hook_entries *hooks)
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
static bool is_unhooked(const struct net *net)
{
	const struct netns_nf *nf = &net->nf;
	const struct nf_hook_entries *post;
	const struct nf_hook_entries *out;

	out = rcu_dereference(nf->hooks_ipv4[NF_INET_LOCAL_OUT]);
	post = rcu_dereference(nf->hooks_ipv4[NF_INET_POST_ROUTING]);
	return out && out->num_hook_entries == 1 && is_unheard(post) &&
	       !ho_handover_is_under_way();
}

static bool is_plain(const struct dst_entry *dst, unsigned int len)
{
	return dst->output == ip_output && !dst->lwtstate && !dst_xfrm(dst) &&
	       !netif_is_l3_master(dst->dev) && !netif_is_l3_slave(dst->dev) &&
	       len <= dst_mtu(dst);
}

struct neighbour *ho_direct_neigh_v4(const struct net *net,
				     const struct dst_entry *dst, __be32 daddr,
				     unsigned int len)
{
	const struct rtable *rt = container_of(dst, struct rtable, dst);
	struct neighbour *neigh;
	__be32 hop = daddr;

	if (!is_unhooked(net) || !is_plain(dst, len) ||
	    rt->rt_gw_family == AF_INET6)
		return NULL;
	if (rt->rt_gw_family == AF_INET)
		hop = rt->rt_gw4;
	neigh = __ipv4_neigh_lookup_noref(dst->dev, (__force u32)hop);
	return neigh && READ_ONCE(neigh->nud_state) & NUD_CONNECTED ? neigh :
								      NULL;
}

int ho_direct_send_v4(struct net *net, struct neighbour *neigh,
		      struct sk_buff *skb)
{
	ip_hdr(skb)->tot_len = htons(skb->len);
	ip_send_check(ip_hdr(skb));
	skb->protocol = htons(ETH_P_IP);
	skb->dev = skb_dst(skb)->dev;
	ho_count_out_v4(net, skb->len);
	return neigh_output(neigh, skb, false);
}
