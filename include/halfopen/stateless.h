/* SPDX-License-Identifier: GPL-2.0 */
/* Connections without an entry: the ISN remembers them. */
#ifndef _HALFOPEN_STATELESS_H
#define _HALFOPEN_STATELESS_H

#include <halfopen/room.h>
#include <halfopen/rx.h>

struct ho_path;

/**
 * ho_stateless_answer() - answer a SYN without an entry
 * @pkt: the SYN
 * @lsk: the listener
 * @port: its port
 * @conn: the connection
 * @path: the way back; used up
 * @full: which limit refused the entry
 * @now_ns: monotonic clock
 *
 * Context: softirq, RCU read side, no locks.
 */
void ho_stateless_answer(const struct ho_pkt *pkt, const struct sock *lsk,
			 struct ho_port *port, const struct ho_conn *conn,
			 struct ho_path *path, enum ho_full full, u64 now_ns);

/**
 * ho_stateless_expects() - may an ACK without an entry carry a cookie?
 * @pkt: the packet
 *
 * Only where cookies were given lately, or where other hosts of a cluster may
 * have given them.
 *
 * Context: softirq.
 * Return: true if it is worth a look.
 */
bool ho_stateless_expects(const struct ho_pkt *pkt);

/**
 * ho_stateless_read() - the connection that an ACK's cookie stands for
 * @pkt: the ACK, its options parsed
 * @conn: filled with what the cookie says
 *
 * Context: softirq.
 * Return: true if there is a valid cookie.
 */
bool ho_stateless_read(const struct ho_pkt *pkt, struct ho_conn *conn);

/**
 * ho_stateless_recall() - what its SYN-ACK offered, worked out again
 * @pkt: the ACK
 * @lsk: the listener
 * @conn: read; completed
 *
 * Context: softirq, RCU read side.
 * Return: true unless the listener or the route would not have it so now.
 */
bool ho_stateless_recall(const struct ho_pkt *pkt, const struct sock *lsk,
			 struct ho_conn *conn);

/**
 * ho_stateless_rx() - hand a connection over if this ACK carries a cookie
 * @pkt: the packet, expected
 *
 * Context: softirq, RCU read side.
 * Return: the verdict.
 */
enum ho_verdict ho_stateless_rx(struct ho_pkt *pkt);

#endif /* _HALFOPEN_STATELESS_H */
