// SPDX-License-Identifier: GPL-2.0
/*
 * Is a checksum right, as the stack will find further up?
 *
 * It looks when skb->data is at the transport header, we when it is at the IP
 * header.  nf_checksum() is made for that, but for three cases: it believes a
 * sum that the device is to complete wherever that begins; a sum over the whole
 * packet, which it takes from the device, holds only while the IP header is as
 * it came: the stack writes into options; and where the device has none, it
 * takes a longer way to the same one.
 */
#include <halfopen/checksum.h>

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>

bool ho_checksum_sum_ok(const struct sk_buff *skb, unsigned int off,
			unsigned int len, u8 proto, u8 family)
{
	__wsum sum = skb_is_nonlinear(skb) ?
		     skb_checksum(skb, off, len, 0) :
		     csum_partial(skb->data + off, len, 0);

	if (family == NFPROTO_IPV6)
		return !csum_ipv6_magic(&ipv6_hdr(skb)->saddr,
					&ipv6_hdr(skb)->daddr, len, proto, sum);
	if (proto == IPPROTO_ICMP)
		return !csum_fold(sum);
	return !csum_tcpudp_magic(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, len,
				  proto, sum);
}

static bool sum_is_right(const struct sk_buff *skb, unsigned int off, u8 proto,
			 u8 family)
{
	return ho_checksum_sum_ok(skb, off, skb->len - off, proto, family);
}

bool ho_checksum_ok(struct sk_buff *skb, unsigned int off, u8 proto, u8 family)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		return skb_checksum_start_offset(skb) >= (int)off ||
		       sum_is_right(skb, off, proto, family);
	if (skb->ip_summed == CHECKSUM_NONE ||
	    (family == NFPROTO_IPV4 && ip_hdrlen(skb) != sizeof(struct iphdr)))
		return skb_csum_unnecessary(skb) ||
		       sum_is_right(skb, off, proto, family);
	return !nf_checksum(skb, NF_INET_LOCAL_IN, off, proto, family);
}
