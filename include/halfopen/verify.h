/* SPDX-License-Identifier: GPL-2.0 */
/* Comparing halfopen's SYN-ACK with the stack's. */
#ifndef _HALFOPEN_VERIFY_H
#define _HALFOPEN_VERIFY_H

#include <linux/types.h>

struct sk_buff;

/**
 * ho_verify_synack() - are two SYN-ACKs of one connection the same?
 * @theirs: the stack's, data at the network header
 * @ours: halfopen's
 *
 * Everything counts: addresses, TOS, DF, ID, TTL, flow label, ports, numbers,
 * window, every option and their order, mark, priority, device. Except the
 * value of the timestamp and the checksums, which follow from it. On a
 * difference the first one is logged, rate-limited.
 *
 * Context: softirq.
 * Return: true if so.
 */
bool ho_verify_synack(const struct sk_buff *theirs, const struct sk_buff *ours);

#endif /* _HALFOPEN_VERIFY_H */
