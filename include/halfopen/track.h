/* SPDX-License-Identifier: GPL-2.0 */
/* Half-open connections and connection tracking. */
#ifndef _HALFOPEN_TRACK_H
#define _HALFOPEN_TRACK_H

#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <halfopen/admit.h>
#include <halfopen/types.h>

struct ho_net;
struct ho_pkt;
struct nf_conntrack;
struct nf_hook_state;
struct sk_buff;

/**
 * struct ho_track - connection tracking in one namespace
 * @work: begins and ends what is needed for tracked connections
 * @lock: of the fields below, but for @seen_s
 * @stopped: the namespace goes
 * @held: the functions below are held
 * @hooked: the hook before connection tracking is there; read without lock,
 *	what it says about @in and @confirm holds for an RCU section
 * @counted: rules count connections; read without lock
 * @seen_s: when a SYN was tracked, s of the monotonic clock
 * @in: nf_conntrack_in()
 * @confirm: __nf_conntrack_confirm()
 */
struct ho_track {
	struct delayed_work work;
	struct mutex lock;	/* of what follows */
	bool stopped;
	bool held;
	bool hooked;
	bool counted;
	u32 seen_s;
	unsigned int (*in)(struct sk_buff *skb,
			   const struct nf_hook_state *state);
	int (*confirm)(struct sk_buff *skb);
};

/**
 * ho_track_net_init() - nothing is tracked yet
 * @hn: the namespace
 *
 * Context: process.
 */
void ho_track_net_init(struct ho_net *hn);

/**
 * ho_track_net_stop() - no hook and no timer uses connection tracking any more
 * @hn: the namespace
 *
 * True after the next grace period.
 *
 * Context: process, may sleep.
 */
void ho_track_net_stop(struct ho_net *hn);

/**
 * ho_track_net_exit() - let go of connection tracking
 * @hn: the namespace, stopped a grace period ago
 *
 * Context: process, may sleep.
 */
void ho_track_net_exit(struct ho_net *hn);

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
 *
 * Context: softirq, RCU read side.
 * Return: a reference, or NULL.
 */
struct nf_conntrack *ho_track_make(struct ho_net *hn,
				   const struct ho_conn *conn);

/**
 * ho_track_give() - send a packet as an answer within a tracked connection
 * @skb: the packet
 * @ct: used up; NULL does nothing
 *
 * Context: any.
 */
void ho_track_give(struct sk_buff *skb, struct nf_conntrack *ct);

/**
 * ho_track_rx() - a packet on its way to connection tracking
 * @hn: the namespace
 * @skb: TCP, data at the network header
 * @state: of the hook
 *
 * If it belongs to a tracked half-open connection it passes the firewall as
 * part of one. If it completes that connection, connection tracking is shown
 * the SYN and the SYN-ACK before.
 *
 * Context: PRE_ROUTING hook, softirq, RCU read side.
 */
void ho_track_rx(struct ho_net *hn, struct sk_buff *skb,
		 const struct nf_hook_state *state);

/**
 * ho_track_judge() - take its entry from a packet that is to be invalid
 * @skb: a packet that has passed connection tracking
 *
 * Context: PRE_ROUTING hook, RCU read side.
 */
void ho_track_judge(struct sk_buff *skb);

/**
 * ho_track_icmp() - an ICMP error on its way to connection tracking
 * @hn: the namespace
 * @skb: ICMP or ICMPv6, data at the network header
 * @state: of the hook
 *
 * If it quotes a tracked half-open connection it passes the firewall as related
 * to it, until ho_track_icmp_done().
 *
 * Context: PRE_ROUTING hook, softirq, RCU read side.
 */
void ho_track_icmp(struct ho_net *hn, struct sk_buff *skb,
		   const struct nf_hook_state *state);

/**
 * ho_track_icmp_done() - take from an ICMP error what ho_track_icmp() gave it
 * @skb: ICMP or ICMPv6 that has passed the firewall
 *
 * An error proves nothing: its connection must not become known by it.
 *
 * Context: LOCAL_IN hook, RCU read side.
 */
void ho_track_icmp_done(struct sk_buff *skb);

#endif /* _HALFOPEN_TRACK_H */
