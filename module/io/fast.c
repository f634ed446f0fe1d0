// SPDX-License-Identifier: GPL-2.0
/*
 * SYNs at a device, before the IP stack sees them.
 *
 * The buffer of the SYN becomes the SYN-ACK and goes back by the device that it
 * came from.  What the stack would have done on the SYN's way to the listener
 * is done here, or there is a reason why it would have changed nothing; in
 * doubt the packet goes on untouched and takes the default path, and a counter
 * says why.  From the listener on it is the code of the default path.
 *
 * What is left out, and why this is opt-in: rules of the INPUT chains for the
 * SYN.  The final ACK meets them all, with the state of a connection that
 * nobody tracks: where packets are tracked, nothing is answered here.
 */
#include <halfopen/fast.h>

#include <linux/bpf-cgroup.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/security.h>
#include <net/addrconf.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>
#include <net/xfrm.h>
/* cannot be included without */
#if IS_ENABLED(CONFIG_IP_VS)
#include <net/ip_vs.h>
#endif

#include <halfopen/checksum.h>
#include <halfopen/fast_way.h>
#include <halfopen/key.h>
#include <halfopen/net.h>
#include <halfopen/policy.h>
#include <halfopen/rx.h>
#include <halfopen/syn.h>
#include <halfopen/sysctl.h>

enum {
	HEAD_MIN = sizeof(struct iphdr) + sizeof(struct tcphdr),
	PULL_MAX = 128,		/* IPv6, TCP and all its options have 100 */
};

/* --- is it a SYN? --- */

/* Headers that are in pages: the stack would copy them, in several steps. */
static void pull_headers(struct sk_buff *skb)
{
	if (likely(skb_headlen(skb) >= HEAD_MIN) || skb_shared(skb))
		return;
	pskb_may_pull(skb, min_t(unsigned int, skb->len, PULL_MAX));
}

static unsigned int find_tcp_v4(struct sk_buff *skb)
{
	const struct iphdr *iph;
	struct iphdr buf;

	iph = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	return iph && iph->protocol == IPPROTO_TCP &&
	       !(iph->frag_off & htons(IP_OFFSET)) ? iph->ihl * 4 : 0;
}

static unsigned int find_tcp_v6(struct sk_buff *skb)
{
	const struct ipv6hdr *hdr;
	struct ipv6hdr buf;
	__be16 frag_off;
	int thoff;
	u8 proto;

	hdr = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!hdr)
		return 0;
	proto = hdr->nexthdr;
	if (proto == IPPROTO_TCP)
		return sizeof(*hdr);
	if (!ipv6_ext_hdr(proto))
		return 0;
	thoff = ipv6_skip_exthdr(skb, sizeof(*hdr), &proto, &frag_off);
	return thoff > 0 && proto == IPPROTO_TCP &&
	       !(frag_off & htons(IP6_OFFSET)) ? thoff : 0;
}

/* 0, or where its TCP header is. */
static unsigned int find_syn(struct sk_buff *skb)
{
	const struct tcphdr *th;
	unsigned int thoff = 0;
	struct tcphdr buf;

	pull_headers(skb);
	if (skb->protocol == htons(ETH_P_IP))
		thoff = find_tcp_v4(skb);
	else if (skb->protocol == htons(ETH_P_IPV6))
		thoff = find_tcp_v6(skb);
	if (!thoff)
		return 0;
	th = skb_header_pointer(skb, thoff, sizeof(buf), &buf);
	return th && th->syn && !th->ack && !th->rst && !th->fin ? thoff : 0;
}

/* --- each returns HO_STAT_fast_taken, or the reason why not --- */

static enum ho_stat admit_frame(struct sk_buff *skb)
{
	const struct net_device *dev = skb->dev;

	if (skb->pkt_type != PACKET_HOST)
		return HO_STAT_fast_host;
	if (dev->flags & IFF_LOOPBACK || netif_is_l3_master(dev) ||
	    netif_is_l3_slave(dev) || rcu_access_pointer(dev->rx_handler))
		return HO_STAT_fast_device;
	if (skb_vlan_tag_present(skb) || skb->encapsulation || skb_dst(skb) ||
	    secpath_exists(skb))
		return HO_STAT_fast_tunnel;
	if (skb_shared(skb) || skb_is_gso(skb) || skb_pfmemalloc(skb) ||
	    skb_is_nonlinear(skb))
		return HO_STAT_fast_buffer;
	if (skb->mark || skb_sk_is_prefetched(skb))
		return HO_STAT_fast_assigned;
	return HO_STAT_fast_taken;
}

/*
 * Any rule before routing may send a packet elsewhere, and connection tracking
 * has to see a connection from its first packet on.  IPVS, once it has had a
 * service, takes packets that have arrived.
 */
static bool is_diverted(const struct net *net, u8 family)
{
#if IS_ENABLED(CONFIG_IP_VS)
	if (net->ipvs && READ_ONCE(net->ipvs->enable))
		return true;
#endif
	return family == NFPROTO_IPV4 ?
	       rcu_access_pointer(net->nf.hooks_ipv4[NF_INET_PRE_ROUTING]) :
	       rcu_access_pointer(net->nf.hooks_ipv6[NF_INET_PRE_ROUTING]);
}

static enum ho_stat admit_namespace(const struct net *net, u8 family)
{
	if (ho_policy_net(net, XFRM_POLICY_IN) ||
	    ho_policy_net(net, XFRM_POLICY_OUT))
		return HO_STAT_fast_ipsec;
	if (is_diverted(net, family))
		return HO_STAT_fast_prerouting;
	if (ho_policy_rules(net, family))
		return HO_STAT_fast_rules;
	return HO_STAT_fast_taken;
}

/* Cf. ip_rcv_core(). */
static enum ho_stat read_v4(struct ho_pkt *pkt, unsigned int *len)
{
	const struct iphdr *iph = ip_hdr(pkt->skb);

	*len = ntohs(iph->tot_len);
	if (iph->version != 4 || iph->ihl < 5 || *len > pkt->skb->len ||
	    *len < pkt->thoff || ip_fast_csum(iph, iph->ihl))
		return HO_STAT_fast_malformed;
	if (ip_is_fragment(iph))
		return HO_STAT_fast_fragment;
	if (iph->ihl != 5)
		return HO_STAT_fast_ip_options;
	ho_key_set_v4(&pkt->key, iph->saddr, iph->daddr);
	pkt->ttl = iph->ttl;
	pkt->seg.tos = iph->tos;
	return HO_STAT_fast_taken;
}

/* Cf. ip6_rcv_core(); a jumbogram has an extension header. */
static enum ho_stat read_v6(struct ho_pkt *pkt, unsigned int *len)
{
	const struct ipv6hdr *hdr = ipv6_hdr(pkt->skb);

	*len = ntohs(hdr->payload_len) + sizeof(*hdr);
	if (hdr->version != 6 || *len > pkt->skb->len)
		return HO_STAT_fast_malformed;
	if (hdr->nexthdr != IPPROTO_TCP) {
		u8 proto = hdr->nexthdr;
		__be16 frag_off = 0;

		ipv6_skip_exthdr(pkt->skb, sizeof(*hdr), &proto, &frag_off);
		return frag_off ? HO_STAT_fast_fragment :
				  HO_STAT_fast_ip_options;
	}
	pkt->key.raddr = hdr->saddr;
	pkt->key.laddr = hdr->daddr;
	pkt->ttl = hdr->hop_limit;
	pkt->seg.tos = ipv6_get_dsfield(hdr);
	return HO_STAT_fast_taken;
}

/* The frame may be longer than the packet. */
static bool checksum_ok(const struct ho_pkt *pkt, unsigned int len)
{
	return skb_csum_unnecessary(pkt->skb) ||
	       ho_checksum_sum_ok(pkt->skb, pkt->thoff, len - pkt->thoff,
				  IPPROTO_TCP, pkt->family);
}

static enum ho_stat admit_headers(struct ho_pkt *pkt)
{
	enum ho_stat why;
	unsigned int len;

	why = pkt->family == NFPROTO_IPV4 ? read_v4(pkt, &len) :
					    read_v6(pkt, &len);
	if (why != HO_STAT_fast_taken)
		return why;
	if (len < pkt->thoff + sizeof(struct tcphdr))
		return HO_STAT_fast_malformed;
	pkt->doff = ho_rx_tcp_header(pkt)->doff * 4;
	if (pkt->doff < sizeof(struct tcphdr) || len < pkt->thoff + pkt->doff)
		return HO_STAT_fast_malformed;
	if (!checksum_ok(pkt, len))
		return HO_STAT_fast_checksum;
	ho_rx_read_tcp(pkt, len);
	if (!ho_fast_addresses_ok(pkt))
		return HO_STAT_fast_address;
	return HO_STAT_fast_taken;
}

static enum ho_stat admit_tuple(struct ho_pkt *pkt)
{
	pkt->hash = ho_table_hash(&pkt->hn->tbl, &pkt->key);
	if (ho_table_find_rcu(&pkt->hn->tbl, &pkt->key, pkt->hash))
		return HO_STAT_fast_known;
	return ho_rx_has_socket(pkt) ? HO_STAT_fast_socket : HO_STAT_fast_taken;
}

/* What a program or a policy has to see, the default path shows it. */
static bool is_unfiltered(struct sock *lsk, struct sk_buff *skb)
{
	if (rcu_access_pointer(lsk->sk_filter) || READ_ONCE(lsk->sk_mark))
		return false;
#ifdef CONFIG_CGROUP_BPF
	if (cgroup_bpf_enabled(CGROUP_INET_INGRESS) &&
	    cgroup_bpf_sock_enabled(lsk, CGROUP_INET_INGRESS))
		return false;
#endif
	return !security_sock_rcv_skb(lsk, skb);
}

static enum ho_stat admit_listener(struct ho_pkt *pkt, struct ho_syn *syn)
{
	if (ho_syn_admit(pkt, syn) != HO_TAKE)
		return HO_STAT_fast_listener;
	if (ho_policy_sock(syn->lsk, XFRM_POLICY_IN) ||
	    ho_policy_sock(syn->lsk, XFRM_POLICY_OUT))
		return HO_STAT_fast_ipsec;
	if (!is_unfiltered(syn->lsk, pkt->skb))
		return HO_STAT_fast_filter;
	return HO_STAT_fast_taken;
}

/* --- taken --- */

/* What the stack would have counted before it looks where a packet goes. */
static void count_in(const struct ho_pkt *pkt, const struct net_device *dev,
		     unsigned int len)
{
	unsigned int ecn = IPSTATS_MIB_NOECTPKTS +
			   (pkt->seg.tos & INET_ECN_MASK);
	struct net *net = pkt->hn->net;
	struct inet6_dev *idev;

	if (pkt->family == NFPROTO_IPV4) {
		IP_UPD_PO_STATS(net, IPSTATS_MIB_IN, len);
		IP_ADD_STATS(net, ecn, 1);
		return;
	}
	idev = __in6_dev_get(dev);
	IP6_UPD_PO_STATS(net, idev, IPSTATS_MIB_IN, len);
	IP6_ADD_STATS(net, idev, ecn, 1);
}

static enum ho_stat take(struct ho_pkt *pkt, struct ho_syn *syn)
{
	const struct net_device *dev = pkt->skb->dev;
	unsigned int len = pkt->skb->len;

	if (!ho_fast_way(pkt, syn))
		return HO_STAT_fast_way;
	/* as the stack does: whose it was does not matter any more */
	skb_orphan(pkt->skb);
	if (ho_syn_take(pkt, syn) != HO_TAKE)
		return HO_STAT_fast_memory;
	count_in(pkt, dev, len);
	return HO_STAT_fast_taken;
}

static enum ho_stat rx_syn(struct ho_pkt *pkt)
{
	struct ho_syn syn;
	enum ho_stat why;

	if (ho_sysctl_mode(pkt->hn) != HO_MODE_ON)
		return HO_STAT_fast_mode;
	why = admit_frame(pkt->skb);
	if (why == HO_STAT_fast_taken)
		why = admit_namespace(pkt->hn->net, pkt->family);
	if (why == HO_STAT_fast_taken)
		why = admit_headers(pkt);
	if (why == HO_STAT_fast_taken)
		why = admit_tuple(pkt);
	if (why == HO_STAT_fast_taken)
		why = admit_listener(pkt, &syn);
	return why == HO_STAT_fast_taken ? take(pkt, &syn) : why;
}

static unsigned int rx(struct ho_net *hn, struct sk_buff *skb,
		       unsigned int thoff)
{
	struct ho_pkt pkt = {
		.hn = hn,
		.skb = skb,
		.family = skb->protocol == htons(ETH_P_IP) ? NFPROTO_IPV4 :
							     NFPROTO_IPV6,
		.thoff = thoff,
		.ifs.dif = skb->dev->ifindex,
	};
	enum ho_stat what = rx_syn(&pkt);

	ho_stat_inc(hn, what);
	return what == HO_STAT_fast_taken ? NF_STOLEN : NF_ACCEPT;
}

unsigned int ho_fast_hook(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	unsigned int thoff = find_syn(skb);

	return thoff ? rx(ho_net(state->net), skb, thoff) : NF_ACCEPT;
}
