/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors that quote a SYN-ACK. */
#ifndef _HALFOPEN_ICMP_H
#define _HALFOPEN_ICMP_H

#include <halfopen/types.h>

struct ho_net;
struct net;
struct sk_buff;

/**
 * struct ho_icmp - an ICMP error in a hook
 * @off: of the ICMP header, bytes
 * @key: the connection that it quotes
 * @seq: the quoted sequence number
 * @fatal: ends a half-open connection
 */
struct ho_icmp {
	unsigned int off;
	struct ho_key key;
	u32 seq;
	bool fatal;
};

/**
 * ho_icmp_parse() - what an ICMP error quotes
 * @net: the namespace
 * @skb: ICMP or ICMPv6, data at the network header
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @err: filled
 *
 * Context: softirq.
 * Return: true if it is an error about TCP, and one that the stack would look
 * for a socket for.
 */
bool ho_icmp_parse(const struct net *net, const struct sk_buff *skb, u8 family,
		   struct ho_icmp *err);

/**
 * ho_icmp_rx() - let an ICMP or ICMPv6 error act on the entry it quotes
 * @hn: the namespace
 * @skb: the ICMP packet, data at the network header
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * As tcp_v4_err() and tcp_v6_err() with tcp_req_err(): an error that would end
 * a native half-open connection ends ours if it quotes our ISN exactly. The
 * packet itself always goes on to the stack.
 *
 * Context: softirq, RCU read side.
 */
void ho_icmp_rx(struct ho_net *hn, struct sk_buff *skb, u8 family);

#endif /* _HALFOPEN_ICMP_H */
