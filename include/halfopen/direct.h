/* SPDX-License-Identifier: GPL-2.0 */
/* Straight to the neighbour. */
#ifndef _HALFOPEN_DIRECT_H
#define _HALFOPEN_DIRECT_H

#include <linux/types.h>

struct dst_entry;
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
 * ho_direct_send_v4() - as ip_local_out() where nothing is hooked
 * @net: the namespace
 * @neigh: of ho_direct_neigh_v4()
 * @skb: the packet, from no socket, its route set; used up
 *
 * Context: softirq, RCU read side.
 * Return: as ip_local_out().
 */
int ho_direct_send_v4(struct net *net, struct neighbour *neigh,
		      struct sk_buff *skb);

#endif /* _HALFOPEN_DIRECT_H */
