// SPDX-License-Identifier: GPL-2.0
/* The first two segments of a connection, made again from what is kept. */
#include <halfopen/replay.h>

#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include <halfopen/key.h>
#include <halfopen/opts.h>
#include <halfopen/recycle.h>

/* No room for what comes before the network header: nobody sends them. */
enum {
	MAX_LEN = sizeof(struct ipv6hdr) + sizeof(struct tcphdr) +
		  HO_OPTS_LEN_MAX,
};

static struct sk_buff *make_packet(struct sk_buff *spare)
{
	struct sk_buff *skb = spare;

	if (!spare || !ho_recycle(spare, MAX_LEN)) {
		consume_skb(spare);
		skb = alloc_skb(MAX_LEN, GFP_ATOMIC | __GFP_NOWARN);
		if (!skb)
			return NULL;
		skb_reserve(skb, MAX_LEN);
	}
	skb->ip_summed = CHECKSUM_UNNECESSARY;
	return skb;
}

static struct tcphdr *push_tcp(struct sk_buff *skb, unsigned int opts_len)
{
	unsigned int len = sizeof(struct tcphdr) + opts_len;
	struct tcphdr *th = skb_push(skb, len);

	memset(th, 0, sizeof(*th));
	th->doff = len / 4;
	skb_reset_transport_header(skb);
	return th;
}

static void push_v4(struct sk_buff *skb, __be32 saddr, __be32 daddr, u8 tos)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	*iph = (struct iphdr) {
		.version = 4,
		.ihl = sizeof(*iph) / 4,
		.tos = tos,
		.tot_len = htons(skb->len),
		.ttl = IPDEFTTL,
		.protocol = IPPROTO_TCP,
		.saddr = saddr,
		.daddr = daddr,
	};
	skb->protocol = htons(ETH_P_IP);
}

static void push_v6(struct sk_buff *skb, const struct in6_addr *saddr,
		    const struct in6_addr *daddr, u8 tclass)
{
	struct ipv6hdr *hdr = skb_push(skb, sizeof(*hdr));

	*hdr = (struct ipv6hdr) {
		.nexthdr = IPPROTO_TCP,
		.payload_len = htons(skb->len - sizeof(*hdr)),
		.hop_limit = IPDEFTTL,
		.saddr = *saddr,
		.daddr = *daddr,
	};
	ip6_flow_hdr(hdr, tclass, 0);
	skb->protocol = htons(ETH_P_IPV6);
}

static void push_ip(struct sk_buff *skb, const struct in6_addr *saddr,
		    const struct in6_addr *daddr, bool v4, u8 tos)
{
	if (v4)
		push_v4(skb, saddr->s6_addr32[3], daddr->s6_addr32[3], tos);
	else
		push_v6(skb, saddr, daddr, tos);
	skb_reset_network_header(skb);
	skb_reset_mac_header(skb);
}

struct sk_buff *ho_replay_syn(const struct ho_conn *conn, struct sk_buff *spare)
{
	const struct ho_req *req = &conn->req;
	struct sk_buff *skb = make_packet(spare);
	struct tcphdr *th;

	if (!skb)
		return NULL;
	th = push_tcp(skb, ho_opts_syn_len(req));
	th->source = conn->key.rport;
	th->dest = conn->key.lport;
	th->seq = htonl(req->rcv_isn);
	th->syn = 1;
	th->ece = req->ecn_ok;
	th->cwr = req->ecn_ok;
	/* RFC 8311 4.3: else a SYN with ECN marks offers no ECN */
	th->res1 = req->ecn_ok && !INET_ECN_is_not_ect(req->tos);
	/* the largest that it can have been */
	th->window = htons(HO_WIN_UNSCALED_MAX);
	ho_opts_emit_syn((u8 *)(th + 1), req);
	push_ip(skb, &conn->key.raddr, &conn->key.laddr,
		ho_key_is_v4(&conn->key), req->tos);
	return skb;
}

struct sk_buff *ho_replay_synack(const struct ho_conn *conn)
{
	const struct ho_req *req = &conn->req;
	struct sk_buff *skb = make_packet(NULL);
	struct tcphdr *th;

	if (!skb)
		return NULL;
	th = push_tcp(skb, ho_opts_synack_len(req));
	th->source = conn->key.lport;
	th->dest = conn->key.rport;
	th->seq = htonl(req->snt_isn);
	th->ack_seq = htonl(req->rcv_isn + 1);
	th->syn = 1;
	th->ack = 1;
	th->ece = req->ecn_ok;
	th->window = htons(req->win);
	ho_opts_emit_synack((u8 *)(th + 1), req, req->mss, 0);
	push_ip(skb, &conn->key.laddr, &conn->key.raddr,
		ho_key_is_v4(&conn->key), 0);
	return skb;
}
