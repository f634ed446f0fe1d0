/* SPDX-License-Identifier: GPL-2.0 */
/* Packets on their way in, just before and after connection tracking. */
#ifndef _HALFOPEN_TRACK_RX_H
#define _HALFOPEN_TRACK_RX_H

struct ho_net;
struct nf_hook_state;
struct sk_buff;

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

#endif /* _HALFOPEN_TRACK_RX_H */
