/* SPDX-License-Identifier: GPL-2.0 */
/* Is a checksum right, as the stack will find further up? */
#ifndef _HALFOPEN_CHECKSUM_H
#define _HALFOPEN_CHECKSUM_H

#include <linux/types.h>

struct sk_buff;

/**
 * ho_checksum_ok() - is the checksum of a packet right?
 * @skb: skb->data at the IP header
 * @off: of the transport header, bytes
 * @proto: IPPROTO_TCP, IPPROTO_ICMP or IPPROTO_ICMPV6
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Context: netfilter hook of PRE_ROUTING or LOCAL_IN.
 * Return: what skb_checksum_init() and its kin would find in tcp_v4_rcv(),
 * tcp_v6_rcv(), icmp_rcv() and icmpv6_rcv().
 */
bool ho_checksum_ok(struct sk_buff *skb, unsigned int off, u8 proto, u8 family);

/**
 * ho_checksum_sum_ok() - is it right by what is in the packet alone?
 * @skb: skb->data at the IP header
 * @off: of the transport header, bytes
 * @len: of transport header and payload, bytes
 * @proto: as for ho_checksum_ok()
 * @family: as for ho_checksum_ok()
 *
 * Context: any.
 * Return: true if it is, whatever the device found.
 */
bool ho_checksum_sum_ok(const struct sk_buff *skb, unsigned int off,
			unsigned int len, u8 proto, u8 family);

#endif /* _HALFOPEN_CHECKSUM_H */
