/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* What programs read from halfopen in binary. */
#ifndef _UAPI_HALFOPEN_H
#define _UAPI_HALFOPEN_H

#include <linux/types.h>

/* What was agreed, and what became of it: struct halfopen_conn.flags. */
enum halfopen_conn_flags {
	HALFOPEN_WSCALE	= 1 << 0,
	HALFOPEN_TS	= 1 << 1,
	HALFOPEN_SACK	= 1 << 2,
	HALFOPEN_ECN	= 1 << 3,
	HALFOPEN_ACKED	= 1 << 4,	/* complete, accept queue full */
};

/**
 * struct halfopen_conn - one record of /proc/net/halfopen_dump
 * @size: of this record; the next one begins there. Fields are only ever added,
 *	at the end
 * @flags: enum halfopen_conn_flags
 * @laddr: local address; IPv4 as ::ffff:a.b.c.d
 * @raddr: the client's, same form
 * @lport: local port, network byte order
 * @rport: the client's
 * @iif: interface of a link-local or VRF connection, else 0
 * @timer_ms: until the SYN-ACK is sent again or the connection dropped
 * @age_ms: since the first SYN-ACK; wraps after 71 minutes
 * @mss: the client's MSS, bytes
 * @win: the window that the SYN-ACK announced
 * @snd_wscale: the client's window shift
 * @rcv_wscale: ours
 * @timeouts: of the SYN-ACK so far
 * @retrans: SYN-ACKs beyond the first; stops at 15
 */
struct halfopen_conn {
	__u16 size;
	__u16 flags;
	__u8 laddr[16];
	__u8 raddr[16];
	__be16 lport;
	__be16 rport;
	__u32 iif;
	__u32 timer_ms;
	__u32 age_ms;
	__u16 mss;
	__u16 win;
	__u8 snd_wscale;
	__u8 rcv_wscale;
	__u8 timeouts;
	__u8 retrans;
};

#endif /* _UAPI_HALFOPEN_H */
