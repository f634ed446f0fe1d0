/* SPDX-License-Identifier: GPL-2.0 */
/* Straight to the neighbour. */
#ifndef _HALFOPEN_DIRECT_H
#define _HALFOPEN_DIRECT_H

#include <linux/types.h>

struct dst_entry;
struct in6_addr;
struct neighbour;
struct net;
struct sk_buff;

/**
 * ho_direct_neigh_v4() - the next hop, if nobody has a say on the way to it
 * @net: the namespace
 * @dst: the route
 * @daddr: whom the packet is for
 * @len: of the packet with its IP header, bytes
 *
 * Context: softirq, RCU read side; true for that long.
 * Return: the neighbour, resolved; NULL if ip_local_out() has to do it.
 */
struct neighbour *ho_direct_neigh_v4(const struct net *net,
				     const struct dst_entry *dst, __be32 daddr,
				     unsigned int len);

/**
 * ho_direct_neigh_v6() - the same for a packet without extension headers
 * @net: the namespace
 * @dst: the route
 * @daddr: whom the packet is for
 * @len: of the packet with its IPv6 header, bytes
 *
 * Context: softirq, RCU read side; true for that long.
 * Return: the neighbour, resolved; NULL if ip6_xmit() has to do it.
 */
struct neighbour *ho_direct_neigh_v6(const struct net *net,
				     const struct dst_entry *dst,
				     const struct in6_addr *daddr,
				     unsigned int len);

/**
 * ho_direct_send() - the last step of ip_output() and ip6_output()
 * @neigh: of ho_direct_neigh_v4() or ho_direct_neigh_v6()
 * @skb: the packet, finished and counted, from no socket, its route set; used
 *	up
 *
 * Context: softirq, RCU read side.
 * Return: as ip_local_out().
 */
int ho_direct_send(struct neighbour *neigh, struct sk_buff *skb);

#endif /* _HALFOPEN_DIRECT_H */
