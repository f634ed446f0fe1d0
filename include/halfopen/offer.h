/* SPDX-License-Identifier: GPL-2.0 */
/* What a SYN-ACK offers: options, ECN, window, by which way. */
#ifndef _HALFOPEN_OFFER_H
#define _HALFOPEN_OFFER_H

#include <halfopen/rx.h>
#include <halfopen/tx.h>

enum ho_offer {
	HO_OFFER_WAY,		/* the way back is known */
	HO_OFFER_NO_ROUTE,	/* there is none */
	HO_OFFER_USEC_TS,	/* it wants microsecond timestamps */
};

/**
 * ho_offer_path() - whose connection this is, and the way back
 * @pkt: its SYN or its ACK
 * @lsk: the listener
 * @oif: interface that replies are bound to, 0 = any
 * @conn: key, oif and mark are set
 * @path: filled; on success the caller owns what it refers to
 *
 * Context: softirq, RCU read side.
 * Return: whether there is one.
 */
enum ho_offer ho_offer_path(const struct ho_pkt *pkt, const struct sock *lsk,
			    u32 oif, struct ho_conn *conn,
			    struct ho_path *path);

/**
 * ho_offer_answer() - agree with a SYN
 * @pkt: the SYN, its options parsed
 * @lsk: the listener
 * @path: the way back
 * @req: everything but our ISN and the time is set
 *
 * Context: softirq, RCU read side.
 */
void ho_offer_answer(const struct ho_pkt *pkt, const struct sock *lsk,
		     const struct ho_path *path, struct ho_req *req);

/**
 * ho_offer_rest() - what follows from what was agreed
 * @pkt: a segment of the connection
 * @lsk: the listener
 * @path: the way back
 * @req: options as agreed; offset, TOS, window and our scale are set
 *
 * Context: softirq, RCU read side.
 */
void ho_offer_rest(const struct ho_pkt *pkt, const struct sock *lsk,
		   const struct ho_path *path, struct ho_req *req);

#endif /* _HALFOPEN_OFFER_H */
