/* SPDX-License-Identifier: GPL-2.0 */
/* What half-open connections are known by to connection tracking. */
#ifndef _HALFOPEN_TRACK_H
#define _HALFOPEN_TRACK_H

#include <net/netfilter/nf_conntrack.h>

#include <halfopen/admit.h>
#include <halfopen/types.h>

struct ho_net;
struct ho_pkt;
struct nf_conntrack;
struct sk_buff;

/**
 * ho_track_admit() - may a SYN be taken from connection tracking?
 * @pkt: the SYN
 *
 * Context: softirq, RCU read side.
 * Return: HO_TAKE, or why not.
 */
enum ho_decline ho_track_admit(const struct ho_pkt *pkt);

/**
 * ho_track_note() - remember that a SYN was tracked
 * @pkt: the SYN, admitted
 * @conn: its connection: tracked and ct_mark are set
 *
 * Context: softirq, RCU read side.
 */
void ho_track_note(const struct ho_pkt *pkt, struct ho_conn *conn);

/**
 * ho_track_take() - what a SYN-ACK is known by to connection tracking
 * @skb: the SYN that it answers; loses it
 *
 * Context: softirq.
 * Return: a reference, or NULL if the stack finds out for itself.
 */
struct nf_conntrack *ho_track_take(struct sk_buff *skb);

/**
 * ho_track_make() - the same where there is no SYN
 * @hn: the namespace
 * @conn: the connection, tracked
 * @tmpl: what rules chose for a segment of it, or NULL
 *
 * Context: softirq, RCU read side.
 * Return: a reference, or NULL.
 */
struct nf_conntrack *ho_track_make(struct ho_net *hn,
				   const struct ho_conn *conn,
				   struct nf_conn *tmpl);

/**
 * ho_track_unconfirmed() - what connection tracking does not know yet
 * @skb: a packet
 * @ctinfo: filled
 *
 * Context: any.
 * Return: its entry if that is not confirmed, else NULL.
 */
struct nf_conn *ho_track_unconfirmed(const struct sk_buff *skb,
				     enum ip_conntrack_info *ctinfo);

/**
 * ho_track_show() - show connection tracking a packet
 * @hn: the namespace, hooked
 * @skb: the packet, data at the network header
 * @hook: where it is said to be
 * @tmpl: what rules of the raw table chose for the segment that we have (zone,
 *	helper), or NULL
 *
 * Context: softirq, RCU read side.
 * Return: true if it has an entry now.
 */
bool ho_track_show(struct ho_net *hn, struct sk_buff *skb, unsigned int hook,
		   struct nf_conn *tmpl);

/**
 * ho_track_show_syn() - show it the SYN of a connection, made again
 * @hn: the namespace
 * @conn: the connection
 * @tmpl: as for ho_track_show()
 *
 * Context: softirq, RCU read side.
 * Return: the SYN, with an entry that is new or was there already; or NULL.
 */
struct sk_buff *ho_track_show_syn(struct ho_net *hn,
				  const struct ho_conn *conn,
				  struct nf_conn *tmpl);

/**
 * ho_track_give() - send a packet as an answer within a tracked connection
 * @skb: the packet
 * @ct: used up; NULL does nothing
 *
 * Context: any.
 */
void ho_track_give(struct sk_buff *skb, struct nf_conntrack *ct);

#endif /* _HALFOPEN_TRACK_H */
