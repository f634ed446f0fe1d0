/* SPDX-License-Identifier: GPL-2.0 */
/* A half-open connection: the segments that come for it. */
#ifndef _HALFOPEN_SYNRECV_H
#define _HALFOPEN_SYNRECV_H

#include <halfopen/fsm.h>
#include <halfopen/rx.h>

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
