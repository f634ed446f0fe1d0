/* SPDX-License-Identifier: GPL-2.0 */
/* A SYN without an entry. */
#ifndef _HALFOPEN_SYN_H
#define _HALFOPEN_SYN_H

#include <halfopen/admit.h>
#include <halfopen/rx.h>
#include <halfopen/tx.h>

/**
 * struct ho_syn - what is found out about a SYN
 * @lsk: who is to answer it
 * @lsn: what admission has to know of that listener
 * @conn: the connection that it asks for
 * @path: the way back; its dst is NULL while that is not known
 */
struct ho_syn {
	struct sock *lsk;
	struct ho_listener lsn;
	struct ho_conn conn;
	struct ho_path path;
};

/**
 * ho_syn_admit() - find the listener of a SYN and ask what it wants
 * @pkt: the packet; its options are parsed
 * @syn: filled, but for the connection and the way back
 *
 * Nothing is counted or changed.
 *
 * Context: softirq, RCU read side.
 * Return: HO_TAKE, or the reason why not; HO_declined_budget: to be dropped.
 */
enum ho_decline ho_syn_admit(struct ho_pkt *pkt, struct ho_syn *syn);

/**
 * ho_syn_take() - answer a SYN that was admitted
 * @pkt: the packet; used up if it is taken
 * @syn: ho_offer_path() has filled conn and path; what path refers to is used
 *	up
 *
 * Context: softirq, RCU read side.
 * Return: HO_TAKE, or the reason why not.
 */
enum ho_decline ho_syn_take(const struct ho_pkt *pkt, struct ho_syn *syn);

/**
 * ho_syn_rx() - answer a new SYN, or decline it
 * @pkt: the packet; a SYN without ACK, RST and FIN that has no entry
 *
 * Context: softirq, RCU read side.
 * Return: HO_PASS with a counter that says why, or what became of it.
 */
enum ho_verdict ho_syn_rx(struct ho_pkt *pkt);

#endif /* _HALFOPEN_SYN_H */
