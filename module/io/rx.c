// SPDX-License-Identifier: GPL-2.0
/*
 * Packets in: from skb to segment, and who has to do with it.
 *
 *   parse -> key -> table -> synrecv.c (an entry exists), syn.c (a new SYN)
 *         or stateless.c (an ACK that may carry a cookie) -> one verdict
 *
 * Any other segment without an entry is the stack's.
 */
#include <halfopen/rx.h>

#include <linux/netfilter.h>
#include <net/addrconf.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include <halfopen/checksum.h>
#include <halfopen/compat.h>
#include <halfopen/key.h>
#include <halfopen/net.h>
#include <halfopen/opts.h>
#include <halfopen/stateless.h>
#include <halfopen/syn.h>
#include <halfopen/synrecv.h>

/* Addresses, interfaces, TTL and TOS. */
static void parse_v4(struct ho_pkt *pkt)
{
	const struct iphdr *iph = ip_hdr(pkt->skb);

	ho_key_set_v4(&pkt->key, iph->saddr, iph->daddr);
	pkt->thoff = ip_hdrlen(pkt->skb);
	pkt->ttl = iph->ttl;
	pkt->seg.tos = iph->tos;
	pkt->seg.ip_options = pkt->thoff != sizeof(*iph);
	pkt->ifs.dif = inet_iif(pkt->skb);
	pkt->ifs.sdif = inet_sdif(pkt->skb);
	pkt->key.iif = ho_ifs_in_key(&pkt->ifs, false);
}

static void parse_v6(struct ho_pkt *pkt)
{
	const struct ipv6hdr *hdr = ipv6_hdr(pkt->skb);
	u8 proto = hdr->nexthdr;
	__be16 frag_off = 0;
	bool scoped = ipv6_addr_type(&hdr->saddr) & IPV6_ADDR_LINKLOCAL;

	pkt->key.raddr = hdr->saddr;
	pkt->key.laddr = hdr->daddr;
	pkt->thoff = sizeof(*hdr);
	if (proto != IPPROTO_TCP)
		/* a hook has done so before: it is there */
		pkt->thoff = ipv6_skip_exthdr(pkt->skb, pkt->thoff, &proto,
					      &frag_off);
	pkt->fragment = frag_off;
	pkt->seg.ip_options = pkt->thoff != sizeof(*hdr);
	pkt->ttl = hdr->hop_limit;
	pkt->seg.tos = ipv6_get_dsfield(hdr);
	pkt->ifs.dif = inet6_iif(pkt->skb);
	pkt->ifs.sdif = inet6_sdif(pkt->skb);
	pkt->key.iif = ho_ifs_in_key(&pkt->ifs, scoped);
}

void ho_rx_read_tcp(struct ho_pkt *pkt, unsigned int len)
{
	const struct tcphdr *th = ho_rx_tcp_header(pkt);
	struct ho_seg *seg = &pkt->seg;

	pkt->key.rport = th->source;
	pkt->key.lport = th->dest;
	seg->seq = ntohl(th->seq);
	seg->ack = ntohl(th->ack_seq);
	seg->flags = tcp_flag_byte(th);
	/* newer kernels call one of them AE */
	seg->reserved = ((const u8 *)th)[12] & 0xf;
	seg->data_len = len - pkt->thoff - pkt->doff;
	seg->end_seq = seg->seq + th->syn + th->fin + seg->data_len;
}

bool ho_rx_parse(struct ho_pkt *pkt)
{
	struct sk_buff *skb = pkt->skb;

	if (pkt->family == NFPROTO_IPV4)
		parse_v4(pkt);
	else
		parse_v6(pkt);

	/* with all options that there can be, once and for all */
	if (skb->len < pkt->thoff + sizeof(struct tcphdr) ||
	    !pskb_may_pull(skb, min_t(u32, skb->len, pkt->thoff +
						HO_TCP_HEADER_MAX)))
		return false;
	pkt->doff = ho_rx_tcp_header(pkt)->doff * 4;
	/* options may be in the next one */
	if (pkt->fragment)
		pkt->doff = min(pkt->doff, skb->len - pkt->thoff);
	if (pkt->doff < sizeof(struct tcphdr) ||
	    skb->len < pkt->thoff + pkt->doff)
		return false;

	ho_rx_read_tcp(pkt, skb->len);
	return true;
}

bool ho_rx_parse_options(struct ho_pkt *pkt)
{
	const struct tcphdr *th = ho_rx_tcp_header(pkt);
	struct ho_opts *opts = &pkt->seg.opts;
	enum ho_auth auth = HO_AUTH_NONE;

	ho_opts_parse(opts, (const u8 *)(th + 1), pkt->doff - sizeof(*th),
		      th->syn);
	/* of a fragment the rest is not here yet */
	if (!pkt->fragment && HO_AUTH_OPTION_MIN != 0 &&
	    (opts->malformed || opts->seen & (HO_OPT_MD5 | HO_OPT_AO)))
		auth = ho_opts_auth((const u8 *)(th + 1),
				    pkt->doff - sizeof(*th),
				    HO_AUTH_OPTION_MIN);
	pkt->ao = auth == HO_AUTH_AO;
	return auth != HO_AUTH_BAD;
}

bool ho_rx_checksum_ok(const struct ho_pkt *pkt)
{
	return pkt->fragment || ho_checksum_ok(pkt->skb, pkt->thoff,
					       IPPROTO_TCP, pkt->family);
}

bool ho_rx_has_socket(const struct ho_pkt *pkt)
{
	struct sock *sk = ho_socket_get(pkt->hn->net, &pkt->key, &pkt->ifs);

	if (!sk)
		return false;
	sock_gen_put(sk);
	return true;
}

void ho_rx_count_delivered(const struct ho_pkt *pkt)
{
	const struct dst_entry *dst = skb_dst(pkt->skb);
	struct net *net = pkt->hn->net;

	if (pkt->family == NFPROTO_IPV4)
		IP_INC_STATS(net, IPSTATS_MIB_INDELIVERS);
	else
		/* at the device there is no route yet */
		IP6_INC_STATS(net, dst ? ip6_dst_idev(dst) :
				   __in6_dev_get(pkt->skb->dev),
			      IPSTATS_MIB_INDELIVERS);
	TCP_INC_STATS(net, TCP_MIB_INSEGS);
}

enum ho_verdict ho_rx_consume(const struct ho_pkt *pkt)
{
	ho_rx_count_delivered(pkt);
	consume_skb(pkt->skb);
	return HO_CONSUMED;
}

enum ho_verdict ho_rx_drop(const struct ho_pkt *pkt, enum ho_stat why,
			   enum skb_drop_reason reason)
{
	ho_stat_inc(pkt->hn, why);
	ho_rx_count_delivered(pkt);
	kfree_skb_reason(pkt->skb, reason);
	return HO_CONSUMED;
}

struct sock *ho_rx_listener(const struct ho_pkt *pkt)
{
	struct sock *lsk;

	if (ho_rx_is_assigned(pkt))
		return skb_sk_is_prefetched(pkt->skb) ? NULL : pkt->skb->sk;
	/*
	 * SO_REUSEPORT programs read from the TCP header on, see
	 * inet_lookup_skb()
	 */
	__skb_pull(pkt->skb, pkt->thoff);
	lsk = ho_listener_find(pkt->hn->net, &pkt->key, &pkt->ifs, pkt->skb,
			       pkt->doff);
	__skb_push(pkt->skb, pkt->thoff);
	return lsk;
}

static bool is_new_syn(const struct ho_seg *seg)
{
	return (seg->flags & (HO_TCP_SYN | HO_TCP_ACK | HO_TCP_RST |
			      HO_TCP_FIN)) == HO_TCP_SYN;
}

enum ho_verdict ho_rx_tcp(struct ho_net *hn, struct sk_buff *skb,
			  const struct nf_hook_state *state)
{
	struct ho_pkt pkt = {
		.hn = hn,
		.skb = skb,
		.family = state->pf,
		.okfn = state->okfn,
	};
	enum ho_verdict verdict;
	bool gone = false;
	bool syn, cookie;

	if (!ho_rx_parse(&pkt)) {
		ho_stat_inc(hn, HO_STAT_declined_malformed);
		return HO_PASS;
	}
	syn = is_new_syn(&pkt.seg);
	/* sent to all on the link: the stack drops it */
	if (skb->pkt_type != PACKET_HOST)
		return syn ? ho_syn_rx(&pkt) : HO_PASS;
	cookie = !syn && ho_stateless_expects(&pkt);
	if (!syn && !cookie && !ho_budget_upper(&hn->tbl.entries))
		return HO_PASS;

	pkt.hash = ho_table_hash(&hn->tbl, &pkt.key);
	if (ho_table_find_rcu(&hn->tbl, &pkt.key, pkt.hash)) {
		verdict = ho_synrecv_rx(&pkt, &gone);
		if (!gone)
			return verdict;
	}
	if (syn)
		return ho_syn_rx(&pkt);
	return cookie ? ho_stateless_rx(&pkt) : HO_PASS;
}

void ho_rx_settle(struct ho_net *hn, struct sk_buff *skb, u8 family)
{
	struct ho_pkt pkt = { .hn = hn, .skb = skb, .family = family };
	struct ho_bucket *bkt;

	if (!ho_rx_parse(&pkt))
		return;
	pkt.hash = ho_table_hash(&hn->tbl, &pkt.key);
	bkt = ho_table_lock(&hn->tbl, pkt.hash);
	if (bkt)
		ho_table_unlock(bkt);
}
