/* SPDX-License-Identifier: GPL-2.0 */
/* What halfopen sends: SYN-ACKs, ACKs and RSTs. */
#ifndef _HALFOPEN_TX_H
#define _HALFOPEN_TX_H

#include <net/flow.h>

#include <halfopen/types.h>

struct dst_entry;
struct ho_cookie_key;
struct ho_net;
struct net;
struct nf_conntrack;
struct sk_buff;
struct sock;

/**
 * struct ho_path - the way back to a client
 * @dst: route; a reference
 * @ct: what connection tracking knows the answer by; a reference, or NULL if it
 *	finds out for itself
 * @mss: what the SYN-ACK announces, bytes (RFC 9293 3.7.1, TCP_MAXSEG)
 * @ts_off: ho_tx_ts_off() of the connection; set before anything is sent
 * @txhash: chooses among queues and among paths, and is the flow label
 * @skb: the packet that is answered, to make the answer of it; NULL if it is
 *	still needed
 * @fl: the flow that @dst was looked up for
 */
struct ho_path {
	struct dst_entry *dst;
	struct nf_conntrack *ct;
	u16 mss;
	u32 ts_off;
	u32 txhash;
	struct sk_buff *skb;
	struct flowi fl;
};

/**
 * struct ho_reply - a segment that answers another
 * @seq: sequence number
 * @ack: acknowledgment number, sent if @flags has ACK
 * @win: window field
 * @flags: HO_TCP_*
 * @timestamps: with a timestamp option
 * @tsval: its value
 * @tsecr: its echo
 * @oif: interface to leave by, 0 = the route's
 * @txhash: source of the flow label and of multipath choice, 0 = none
 */
struct ho_reply {
	u32 seq;
	u32 ack;
	u16 win;
	u8 flags;
	bool timestamps;
	u32 tsval;
	u32 tsecr;
	u32 oif;
	u32 txhash;
};

/**
 * ho_tx_init() - set the clock of timestamps
 *
 * Context: process.
 */
void ho_tx_init(void);

/**
 * ho_tx_clock_ms() - the clock of timestamps
 * @now_ns: monotonic clock
 *
 * The stack's, ahead by what makes it the time of day when the module was
 * loaded: hosts of a cluster agree on it to some seconds, and it never jumps.
 *
 * Context: any.
 * Return: ms, wraps with 32 bits.
 */
u32 ho_tx_clock_ms(u64 now_ns);

/**
 * ho_tx_ts_off() - timestamp offset of a connection
 * @hn: the namespace
 * @conn: the connection
 * @hash: ho_table_hash() of its key
 *
 * Context: any.
 * Return: what to add to the stack's clock, 0 without random offsets.
 */
u32 ho_tx_ts_off(struct ho_net *hn, const struct ho_conn *conn, u64 hash);

/**
 * ho_tx_ts_off_of() - the same, with the key at hand
 * @conn: the connection
 * @hash: ho_table_hash() of its key
 * @key: ho_keyring_current()
 *
 * Context: any.
 * Return: as ho_tx_ts_off().
 */
u32 ho_tx_ts_off_of(const struct ho_conn *conn, u64 hash,
		    const struct ho_cookie_key *key);

/**
 * ho_tx_follow_clock() - go on from the timestamps that a client has seen
 * @hn: the namespace
 * @conn: the connection; ts_shift is set if the key changed since its SYN-ACK
 * @hash: ho_table_hash() of its key
 * @opts: of its ACK
 *
 * Context: any.
 */
void ho_tx_follow_clock(struct ho_net *hn, struct ho_conn *conn, u64 hash,
			const struct ho_opts *opts);

/**
 * ho_tx_hash() - transmit hash of a connection (cf. tcp_request_sock.txhash)
 * @lsk: the listener; SO_TXREHASH makes retransmissions try other paths
 * @conn: the connection
 * @hash: ho_table_hash() of its key
 *
 * Context: any.
 * Return: never 0.
 */
u32 ho_tx_hash(const struct sock *lsk, const struct ho_conn *conn, u64 hash);

/**
 * ho_tx_route() - look up the way back
 * @hn: the namespace
 * @lsk: the listener, whose TOS, mark and binding take part
 * @conn: the connection
 * @hash: ho_table_hash() of its key
 * @skb: the packet that is answered, which shows that our address is one, or
 *	NULL
 * @path: filled; on success the caller owns what it refers to; ct and skb are
 *	NULL
 *
 * Follows inet_csk_route_req() and inet6_csk_route_req().
 *
 * Context: softirq, RCU read side.
 * Return: 0 or -errno.
 */
int ho_tx_route(struct ho_net *hn, const struct sock *lsk,
		const struct ho_conn *conn, u64 hash,
		const struct sk_buff *skb, struct ho_path *path);

/**
 * ho_tx_no_route() - count that there was no way back
 * @net: the namespace
 * @conn: the connection
 *
 * For those whom the stack does not get: it would count them itself. IPv6
 * counts where it looks.
 *
 * Context: any.
 */
void ho_tx_no_route(struct net *net, const struct ho_conn *conn);

/**
 * ho_tx_release() - give a way back up
 * @path: what ho_tx_route() filled
 *
 * Context: any.
 */
void ho_tx_release(struct ho_path *path);

/**
 * ho_tx_synack() - send a SYN-ACK
 * @hn: the namespace
 * @lsk: the listener
 * @conn: the connection
 * @path: the way back; used up
 * @now_ns: monotonic clock
 *
 * Built and sent as tcp_make_synack() and the families' send_synack() would.
 *
 * Context: softirq, RCU read side, no locks but those of the handover.
 * Return: 0 or -errno.
 */
int ho_tx_synack(struct ho_net *hn, const struct sock *lsk,
		 const struct ho_conn *conn, struct ho_path *path, u64 now_ns);

/**
 * ho_tx_ack() - answer a segment with the ACK of a half-open connection
 * @hn: the namespace
 * @lsk: the listener
 * @conn: the connection
 * @skb: the segment, data at the network header
 *
 * RFC 9293 3.10.7.4 first check and RFC 5961 3.2; cf. tcp_v4_reqsk_send_ack().
 *
 * Context: softirq, RCU read side, no locks.
 */
void ho_tx_ack(struct ho_net *hn, const struct sock *lsk,
	       const struct ho_conn *conn, struct sk_buff *skb);

/**
 * ho_tx_reset() - answer a segment with a RST
 * @hn: the namespace
 * @lsk: the listener
 * @conn: the connection
 * @skb: the segment, not a RST, data at the network header
 * @seg: the segment, parsed
 *
 * RFC 9293 3.10.7.1; cf. tcp_v4_send_reset().
 *
 * Context: softirq, RCU read side, no locks.
 */
void ho_tx_reset(struct ho_net *hn, const struct sock *lsk,
		 const struct ho_conn *conn, struct sk_buff *skb,
		 const struct ho_seg *seg);

/* What the families do differently: route, checksum, network header, output. */

/**
 * ho_tx_v4_route() - ho_tx_route() for IPv4
 * @net: the namespace
 * @lsk: the listener
 * @conn: the connection
 * @skb: the packet that is answered, or NULL
 * @path: filled
 *
 * Context: as ho_tx_route().
 * Return: 0 or -errno.
 */
int ho_tx_v4_route(struct net *net, const struct sock *lsk,
		   const struct ho_conn *conn, const struct sk_buff *skb,
		   struct ho_path *path);

/**
 * ho_tx_v6_route() - ho_tx_route() for IPv6
 * @net: the namespace
 * @lsk: the listener
 * @conn: the connection
 * @path: filled
 *
 * Context: as ho_tx_route().
 * Return: 0 or -errno.
 */
int ho_tx_v6_route(struct net *net, const struct sock *lsk,
		   const struct ho_conn *conn, struct ho_path *path);

/**
 * ho_tx_v4_synack() - send a SYN-ACK over IPv4
 * @net: the namespace
 * @lsk: the listener
 * @conn: the connection
 * @path: the way back
 * @nskb: TCP header and options, route attached; used up
 *
 * Context: as ho_tx_synack().
 * Return: as ip_local_out().
 */
int ho_tx_v4_synack(struct net *net, const struct sock *lsk,
		    const struct ho_conn *conn, struct ho_path *path,
		    struct sk_buff *nskb);

/**
 * ho_tx_v6_synack() - send a SYN-ACK over IPv6
 * @net: the namespace
 * @lsk: the listener
 * @conn: the connection
 * @path: the way back
 * @nskb: TCP header and options, route attached; used up
 *
 * Context: as ho_tx_synack().
 * Return: as ip6_xmit().
 */
int ho_tx_v6_synack(struct net *net, const struct sock *lsk,
		    const struct ho_conn *conn, struct ho_path *path,
		    struct sk_buff *nskb);

/**
 * ho_tx_v4_reply() - send an answer to an IPv4 segment
 * @net: the namespace
 * @lsk: the listener
 * @oif: interface to leave by, 0 = the route's
 * @skb: the segment, data at the network header
 * @nskb: TCP header and options of the answer; used up
 *
 * Follows ip_send_unicast_reply().
 *
 * Context: as ho_tx_ack().
 * Return: as ip_local_out().
 */
int ho_tx_v4_reply(struct net *net, const struct sock *lsk, u32 oif,
		   struct sk_buff *skb, struct sk_buff *nskb);

/**
 * ho_tx_v6_reply() - send an answer to an IPv6 segment
 * @net: the namespace
 * @lsk: the listener
 * @oif: interface to leave by, 0 = the route's
 * @skb: the segment, data at the network header
 * @nskb: TCP header and options of the answer; used up
 *
 * Follows tcp_v6_send_response().
 *
 * Context: as ho_tx_ack().
 * Return: as ip6_xmit().
 */
int ho_tx_v6_reply(struct net *net, const struct sock *lsk, u32 oif,
		   struct sk_buff *skb, struct sk_buff *nskb);

#endif /* _HALFOPEN_TX_H */
