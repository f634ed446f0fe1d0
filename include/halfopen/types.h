/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The nouns of the pure core: keys, segments, options, requests. No skb, no
 * sock, no lock.
 */
#ifndef _HALFOPEN_TYPES_H
#define _HALFOPEN_TYPES_H

#include <linux/build_bug.h>
#include <linux/in6.h>
#include <linux/types.h>

#include <halfopen/limits.h>

/* TCP flags as in byte 13 of the header (RFC 9293 3.1). */
enum ho_tcp_flags {
	HO_TCP_FIN = 0x01,
	HO_TCP_SYN = 0x02,
	HO_TCP_RST = 0x04,
	HO_TCP_PSH = 0x08,
	HO_TCP_ACK = 0x10,
	HO_TCP_URG = 0x20,
	HO_TCP_ECE = 0x40,
	HO_TCP_CWR = 0x80,
};

/**
 * struct ho_key - who talks to whom
 * @raddr: remote (client) address; IPv4 as ::ffff:a.b.c.d
 * @laddr: local address, same form
 * @rport: remote port
 * @lport: local port
 * @iif: interface index where it takes part in the identity (VRF master,
 *	link-local scope), else 0
 */
struct ho_key {
	struct in6_addr raddr;
	struct in6_addr laddr;
	__be16 rport;
	__be16 lport;
	u32 iif;
};

/* Which options a segment carried (struct ho_opts.seen). */
enum ho_opt_bits {
	HO_OPT_MSS	= 1 << 0,
	HO_OPT_WSCALE	= 1 << 1,
	HO_OPT_TS	= 1 << 2,
	HO_OPT_SACK	= 1 << 3,
	HO_OPT_MD5	= 1 << 4,	/* RFC 2385 */
	HO_OPT_AO	= 1 << 5,	/* RFC 5925 */
	HO_OPT_MPTCP	= 1 << 6,	/* RFC 8684 */
	HO_OPT_FASTOPEN	= 1 << 7,	/* RFC 7413, either form */
	HO_OPT_SMC	= 1 << 8,	/* RFC 7609 */
	HO_OPT_TFO_REQ	= 1 << 9,	/* Fast Open that asks for a cookie */
};

/**
 * struct ho_opts - the TCP options of one segment
 * @seen: HO_OPT_* bits
 * @mss: bytes, nonzero where HO_OPT_MSS is set
 * @wscale: shift, at most HO_WSCALE_MAX
 * @malformed: what follows an impossible length was not looked at
 * @tsval: timestamp value
 * @tsecr: timestamp echo reply
 */
struct ho_opts {
	u16 seen;
	u16 mss;
	u8 wscale;
	bool malformed;
	u32 tsval;
	u32 tsecr;
};

/**
 * struct ho_seg - one TCP segment, in host byte order
 * @seq: first sequence number
 * @end_seq: one past the last, SYN and FIN counted
 * @ack: acknowledgment number
 * @data_len: bytes of payload
 * @flags: HO_TCP_*
 * @reserved: the four reserved bits, nonzero where any is set
 * @tos: TOS or traffic class, ECN bits included
 * @ip_options: the packet has IPv4 options or IPv6 extension headers
 * @opts: its options
 */
struct ho_seg {
	u32 seq;
	u32 end_seq;
	u32 ack;
	u32 data_len;
	u8 flags;
	u8 reserved;
	u8 tos;
	bool ip_options;
	struct ho_opts opts;
};

/**
 * struct ho_req - protocol state of one half-open connection
 * @rcv_isn: the client's ISN
 * @snt_isn: ours, never 0
 * @ts_recent: TSval of the SYN, 0 without timestamps
 * @snt_us: when the first SYN-ACK left, low 32 bits of the monotonic clock in
 *	us
 * @deadline_ms: when the retransmission timer fires, low 23 bits of the ms
 *	clock (protected by the shard lock, all else by the bucket lock; shares
 *	its word only with what never changes)
 * @source_gen: how its source prefix was counted, see ho_source_reserve()
 * @tos: TOS or traffic class of the SYN
 * @mss: the client's MSS, bytes
 * @win: the window that the SYN-ACK announced
 * @snd_wscale: the client's window shift
 * @rcv_wscale: ours
 * @wscale_ok: both sides scale
 * @tstamp_ok: timestamps agreed
 * @ts_rand: our TSval has a per-connection offset
 * @sack_ok: SACK agreed
 * @ecn_ok: ECN agreed
 * @acked: a valid final ACK came but could not be used yet
 * @tracked: connection tracking is to know of it once the client has proven
 *	himself
 * @timeouts: retransmission timeouts so far; the FIFO level of the entry
 * @retrans: SYN-ACKs sent beyond the first, saturating
 * @oow: when an out-of-window answer was last sent, see ho_oow_allow(); 0 =
 *	never
 * @wide: stored as struct ho_entry_wide
 */
struct ho_req {
	u32 rcv_isn;
	u32 snt_isn;
	u32 ts_recent;
	u32 snt_us;
	u32 deadline_ms : 23,
	    source_gen : 1,
	    tos : 8;
	u16 mss;
	u16 win;
	u32 snd_wscale : 4,
	    rcv_wscale : 4,
	    wscale_ok : 1,
	    tstamp_ok : 1,
	    ts_rand : 1,
	    sack_ok : 1,
	    ecn_ok : 1,
	    acked : 1,
	    tracked : 1,
	    timeouts : 4,
	    retrans : 4,
	    oow : 8,
	    wide : 1;
};

static_assert(sizeof(struct ho_req) == 28);

struct ho_source_cell;

/**
 * struct ho_source - a source prefix
 * @cell: where it counts, in each row; the last one is NULL if there was no
 *	memory for them
 * @gen: by which generation of prefix lengths
 */
struct ho_source {
	struct ho_source_cell *cell[HO_SOURCE_ROWS];
	unsigned int gen;
};

/**
 * struct ho_conn - one half-open connection, unpacked
 * @key: its identity
 * @oif: interface that replies are bound to, 0 = any
 * @mark: routing mark: the listener's, or the SYN's under tcp_fwmark_accept
 * @ct_mark: what firewall rules marked the connection with, 0 = nothing; the
 *	same as @mark where both are set
 * @ts_shift: what its timestamps are ahead of ho_tx_ts_off(), where they began
 *	under another key or on another host
 * @waited_us: how long its ACK waited for room in the accept queue
 * @untimed: nobody knows when its SYN-ACK left
 * @source: ho_source_of() it; only where it is about to enter the table
 * @req: its protocol state
 */
struct ho_conn {
	struct ho_key key;
	u32 oif;
	u32 mark;
	u32 ct_mark;
	u32 ts_shift;
	u32 waited_us;
	bool untimed;
	struct ho_source source;
	struct ho_req req;
};

#endif /* _HALFOPEN_TYPES_H */
