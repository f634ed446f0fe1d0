/* SPDX-License-Identifier: GPL-2.0 */
/* A packet that came becomes one that goes. */
#ifndef _HALFOPEN_RECYCLE_H
#define _HALFOPEN_RECYCLE_H

#include <linux/types.h>

struct sk_buff;

/**
 * ho_recycle() - empty a received packet to be filled again
 * @skb: the packet; unchanged if it cannot be used
 * @room: bytes that are to be in front of its end
 *
 * Not one that others share or see, packet sockets for instance. On success it
 * is as alloc_skb() and skb_reserve() would have made it, with @room as
 * headroom.
 *
 * Context: softirq.
 * Return: true on success.
 */
bool ho_recycle(struct sk_buff *skb, unsigned int room);

#endif /* _HALFOPEN_RECYCLE_H */
