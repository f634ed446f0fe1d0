/* SPDX-License-Identifier: GPL-2.0 */
/* Giving a proven connection to the listener by replaying its SYN. */
#ifndef _HALFOPEN_HANDOVER_H
#define _HALFOPEN_HANDOVER_H

#include <linux/percpu.h>

#include <halfopen/rx.h>

struct sk_buff;
struct sock;

/**
 * ho_handover() - make the stack's own request of a half-open connection
 * @pkt: the segment that completes it
 * @lsk: the listener
 * @conn: the connection
 *
 * On success the stack's lookup finds the request, as if it had answered the
 * SYN itself, and takes the segment from there.
 *
 * Context: softirq, RCU read side, bucket lock of the connection held.
 * Return: true on success; false if the stack refused, then nothing has
 * changed.
 */
bool ho_handover(const struct ho_pkt *pkt, struct sock *lsk,
		 const struct ho_conn *conn);

/**
 * ho_handover_capture() - is this packet the stack's answer to a replayed SYN?
 * @skb: a packet on its way out, data at the network header
 *
 * Context: LOCAL_OUT hook, RCU read side; only if ho_handover_is_under_way().
 * Return: true if it was, and was taken.
 */
bool ho_handover_capture(struct sk_buff *skb);

/**
 * ho_handover_exit() - free what handovers kept for the next one
 *
 * Context: process, at unload; nothing is handed over any more.
 */
void ho_handover_exit(void);

struct ho_replay;
DECLARE_PER_CPU(struct ho_replay *, ho_replay);

/**
 * ho_handover_is_under_way() - may a packet be such an answer?
 *
 * Context: any.
 * Return: true if there is a handover on this CPU.
 */
static inline bool ho_handover_is_under_way(void)
{
	return this_cpu_read(ho_replay);
}

#endif /* _HALFOPEN_HANDOVER_H */
