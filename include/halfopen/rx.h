/* SPDX-License-Identifier: GPL-2.0 */
/* Packets in: from skb to decision to action. */
#ifndef _HALFOPEN_RX_H
#define _HALFOPEN_RX_H

#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include <halfopen/listener.h>
#include <halfopen/stats.h>
#include <halfopen/types.h>

struct ho_net;
struct nf_hook_state;
struct sk_buff;

/* What a hook does with its packet. */
enum ho_verdict {
	HO_PASS,	/* the stack goes on with it */
	HO_DROP,	/* refused; freed as a drop */
	HO_CONSUMED,	/* done with; freed already */
};

/**
 * struct ho_pkt - a TCP packet in a hook
 * @hn: the namespace
 * @skb: the packet, data at the network header
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @ttl: TTL or hop limit
 * @thoff: length of the network header, bytes
 * @doff: length of the TCP header, bytes
 * @key: who talks to whom
 * @hash: ho_table_hash() of @key
 * @ifs: interfaces for socket lookups
 * @fragment: the first of an IPv6 packet that is not whole yet; the stack
 *	checks the rest
 * @ao: it has a TCP-AO option, and the kernel knows those
 * @okfn: how the packet goes on from the hook
 * @seg: the segment
 */
struct ho_pkt {
	struct ho_net *hn;
	struct sk_buff *skb;
	u8 family;
	u8 ttl;
	bool fragment;
	bool ao;
	unsigned int thoff;
	unsigned int doff;
	struct ho_key key;
	u64 hash;
	struct ho_ifs ifs;
	int (*okfn)(struct net *net, struct sock *sk, struct sk_buff *skb);
	struct ho_seg seg;
};

/**
 * ho_rx_tcp() - take what is halfopen's of the TCP packets for this host
 * @hn: the namespace
 * @skb: the packet, data at the network header, no socket attached
 * @state: of the hook; its family and how the packet goes on
 *
 * Context: softirq, RCU read side.
 * Return: the verdict.
 */
enum ho_verdict ho_rx_tcp(struct ho_net *hn, struct sk_buff *skb,
			  const struct nf_hook_state *state);

/**
 * ho_rx_parse() - fill in what the headers say, but for options
 * @pkt: hn, skb and family are set
 *
 * Context: softirq.
 * Return: false if this is no TCP header.
 */
bool ho_rx_parse(struct ho_pkt *pkt);

/**
 * ho_rx_read_tcp() - fill in what a TCP header says, but for options
 * @pkt: thoff and doff are set, and the header is there
 * @len: of the packet from the network header on, bytes
 *
 * Context: softirq.
 */
void ho_rx_read_tcp(struct ho_pkt *pkt, unsigned int len);

/**
 * ho_rx_settle() - wait until a request socket is as halfopen promised
 * @hn: the namespace
 * @skb: a packet with a request socket attached, data at the network header
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Between hashing a request and correcting it there are some hundred
 * instructions on the CPU that hands over. A segment that found the request
 * meanwhile waits for them.
 *
 * Context: softirq, RCU read side.
 */
void ho_rx_settle(struct ho_net *hn, struct sk_buff *skb, u8 family);

/**
 * ho_rx_parse_options() - read the TCP options of a packet
 * @pkt: its seg.opts is filled
 *
 * Apart from the rest, because most packets need none.
 *
 * Context: softirq.
 * Return: false if the stack drops the segment because of them, as of 6.7 in
 * tcp_inbound_hash().
 */
bool ho_rx_parse_options(struct ho_pkt *pkt);

/**
 * ho_rx_checksum_ok() - is the TCP checksum right?
 * @pkt: the packet; a netfilter hook sees it unverified
 *
 * Context: softirq.
 * Return: true if so.
 */
bool ho_rx_checksum_ok(const struct ho_pkt *pkt);

/**
 * ho_rx_tcp_header() - the TCP header of a packet
 * @pkt: the packet; behind IPv6 extension headers tcp_hdr() is not there yet
 *
 * Context: softirq.
 * Return: the header.
 */
static inline const struct tcphdr *ho_rx_tcp_header(const struct ho_pkt *pkt)
{
	return (const struct tcphdr *)(pkt->skb->data + pkt->thoff);
}

/**
 * ho_rx_is_assigned() - was a listener chosen for a packet before?
 * @pkt: the packet
 *
 * By TPROXY or bpf_sk_assign(): its port may be another, and nobody but the
 * packet knows it.
 *
 * Context: softirq.
 * Return: true if so; it is in skb->sk.
 */
static inline bool ho_rx_is_assigned(const struct ho_pkt *pkt)
{
	return pkt->skb->sk && pkt->skb->sk->sk_state == TCP_LISTEN;
}

/**
 * ho_rx_listener() - the socket that listens for a packet
 * @pkt: the packet
 *
 * Context: softirq, RCU read side.
 * Return: borrowed until the section ends, or NULL.
 */
struct sock *ho_rx_listener(const struct ho_pkt *pkt);

/**
 * ho_rx_has_socket() - has a packet's 4-tuple a socket, listeners aside?
 * @pkt: the packet
 *
 * Context: softirq, RCU read side.
 * Return: true if so.
 */
bool ho_rx_has_socket(const struct ho_pkt *pkt);

/**
 * ho_rx_count_delivered() - count a packet that the stack will not see
 * @pkt: the packet
 *
 * What the stack would have counted between the hook and the listener.
 *
 * Context: softirq.
 */
void ho_rx_count_delivered(const struct ho_pkt *pkt);

/**
 * ho_rx_consume() - be done with a packet
 * @pkt: the packet; freed, and counted as delivered
 *
 * Context: softirq.
 * Return: HO_CONSUMED.
 */
enum ho_verdict ho_rx_consume(const struct ho_pkt *pkt);

/**
 * ho_rx_drop() - refuse a packet where the stack would
 * @pkt: the packet; freed, and counted as delivered
 * @why: counter
 * @reason: what drop monitors are told
 *
 * Context: softirq.
 * Return: HO_CONSUMED.
 */
enum ho_verdict ho_rx_drop(const struct ho_pkt *pkt, enum ho_stat why,
			   enum skb_drop_reason reason);

#endif /* _HALFOPEN_RX_H */
