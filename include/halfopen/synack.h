/* SPDX-License-Identifier: GPL-2.0 */
/* SYN-ACKs: whether one may be sent, sending it, and what it counts as. */
#ifndef _HALFOPEN_SYNACK_H
#define _HALFOPEN_SYNACK_H

#include <halfopen/types.h>

struct ho_net;
struct ho_path;
struct ho_pkt;
struct ho_source;
struct sock;

/**
 * ho_synack_may_send() - may this SYN be answered?
 * @pkt: the SYN
 * @who: its source prefix
 * @now_ns: monotonic clock
 *
 * Context: softirq.
 * Return: false if its source prefix leaves too many SYN-ACKs unanswered; else
 * one more is charged to it.
 */
bool ho_synack_may_send(const struct ho_pkt *pkt, const struct ho_source *who,
			u64 now_ns);

/**
 * ho_synack_answered() - the client is there: give his source's budget back
 * @pkt: the segment that proves it
 * @synacks: how many SYN-ACKs he was sent
 *
 * Context: softirq.
 */
void ho_synack_answered(const struct ho_pkt *pkt, unsigned int synacks);

/**
 * ho_synack_send() - send and count a SYN-ACK
 * @hn: the namespace
 * @lsk: the listener
 * @conn: the connection
 * @path: the way back; used up
 * @now_ns: monotonic clock
 *
 * Context: softirq, RCU read side, no locks.
 * Return: true if it left. An error costs nothing but time: the entry stays and
 * the timer tries again.
 */
bool ho_synack_send(struct ho_net *hn, const struct sock *lsk,
		    const struct ho_conn *conn, struct ho_path *path,
		    u64 now_ns);

/**
 * ho_synack_resend() - send the SYN-ACK of an entry again
 * @hn: the namespace
 * @lsk: the listener
 * @conn: the connection
 *
 * Context: softirq, RCU read side, no locks.
 */
void ho_synack_resend(struct ho_net *hn, const struct sock *lsk,
		      const struct ho_conn *conn);

#endif /* _HALFOPEN_SYNACK_H */
