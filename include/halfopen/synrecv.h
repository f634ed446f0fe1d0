/* SPDX-License-Identifier: GPL-2.0 */
/* A half-open connection: its segments and its SYN-ACKs. */
#ifndef _HALFOPEN_SYNRECV_H
#define _HALFOPEN_SYNRECV_H

#include <halfopen/fsm.h>
#include <halfopen/rx.h>

struct ho_path;

/**
 * ho_synrecv_rx() - let a segment act on its entry
 * @pkt: the packet; there was an entry of its key
 * @gone: set if there is none any more; then nothing was done
 *
 * Context: softirq, RCU read side.
 * Return: the verdict.
 */
enum ho_verdict ho_synrecv_rx(struct ho_pkt *pkt, bool *gone);

/**
 * ho_synrecv_classify() - what a segment means to a half-open connection
 * @pkt: the packet, its options parsed
 * @req: the connection's protocol state
 *
 * Context: bucket lock held.
 * Return: the event.
 */
enum ho_event ho_synrecv_classify(const struct ho_pkt *pkt,
				  const struct ho_req *req);

/**
 * ho_synrecv_may_send() - may this SYN be answered?
 * @pkt: the SYN
 *
 * Context: softirq.
 * Return: false if its source prefix leaves too many SYN-ACKs unanswered; else
 * one more is charged to it.
 */
bool ho_synrecv_may_send(const struct ho_pkt *pkt);

/**
 * ho_synrecv_answered() - the client is there: give his source's budget back
 * @pkt: the segment that proves it
 * @synacks: how many SYN-ACKs he was sent
 *
 * Context: softirq.
 */
void ho_synrecv_answered(const struct ho_pkt *pkt, unsigned int synacks);

/**
 * ho_synrecv_send() - send and count a SYN-ACK
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
bool ho_synrecv_send(struct ho_net *hn, const struct sock *lsk,
		     const struct ho_conn *conn, struct ho_path *path,
		     u64 now_ns);

/**
 * ho_synrecv_resend() - send the SYN-ACK of an entry again
 * @hn: the namespace
 * @lsk: the listener
 * @conn: the connection
 *
 * Context: softirq, RCU read side, no locks.
 */
void ho_synrecv_resend(struct ho_net *hn, const struct sock *lsk,
		       const struct ho_conn *conn);

/**
 * ho_synrecv_wait() - the connection is complete, the accept queue is full
 * @pkt: the segment
 * @conn: the connection; its entry is marked as acked
 * @lsk: the listener
 *
 * Context: softirq, RCU read side, no locks.
 * Return: true if the packet is used up; false if there is no room to wait,
 * then the entry goes on as if no ACK had come.
 */
bool ho_synrecv_wait(const struct ho_pkt *pkt, const struct ho_conn *conn,
		     struct sock *lsk);

#endif /* _HALFOPEN_SYNRECV_H */
