/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every protocol constant, bound and default of halfopen, with unit and reason.
 */
#ifndef _HALFOPEN_LIMITS_H
#define _HALFOPEN_LIMITS_H

#include <linux/types.h>

enum ho_limits {
	/* SYN-ACK retransmission */
	HO_RTO_INIT_MS		= 1000,		/* RFC 6298 2.1 */
	HO_RTO_MAX_MS		= 120 * 1000,	/* TCP_RTO_MAX, RFC 6298 2.4 */
	HO_RTO_MIN_MS		= 100,		/* less is a flood of our own */
	HO_RETRIES_DEF		= 5,		/* 1+2+4+8+16+32 = 63 s */
	HO_RETRIES_MAX		= 15,		/* fits ho_req.timeouts */
	HO_LEVELS		= HO_RETRIES_MAX + 1,
	HO_RETRANS_MAX		= 31,		/* ho_req.retrans saturates */

	/*
	 * Under pressure old entries go first, but never below this: P-40, RFC
	 * 4987 3.4
	 */
	HO_RETRIES_PRESSURE_MIN	= 2,
	HO_PRESSURE_MIN_ENTRIES	= 8,

	/* Table */
	HO_BACKLOG_DEF		= 65536,	/* entries: 4 MB (IPv6: 6) */
	HO_BACKLOG_MAX		= 1 << 22,	/* entries: 256 MB of IPv4 */
	HO_BUCKETS_DEF		= 65536,	/* one a default entry */
	HO_BUCKETS_MIN		= 1 << 8,	/* one chunk */
	HO_BUCKETS_MAX		= 1 << 22,
	HO_CHUNK_BUCKETS	= 1 << 8,	/* of 16 bytes: a page */
	HO_CHAIN_MAX		= 128,		/* bounds one softirq walk */
	HO_SHARDS		= 16,		/* a table; bounds contention */
	HO_TIMER_BUDGET		= 64,		/* entries a shard and tick */
	HO_CREDIT_BATCH		= 32,		/* entries a CPU holds ahead */

	/* TCP */
	HO_WSCALE_MAX		= 14,		/* RFC 7323 2.3 */
	HO_MSS_DEF_V4		= 536,		/* RFC 9293 3.7.1 MUST-15 */
	HO_MSS_DEF_V6		= 1220,		/* 1280 - 40 - 20 */
	HO_OPTS_LEN_MAX		= 40,		/* doff is 4 bits: 60 - 20 */
	HO_PAWS_MSL_MS		= 60 * 1000,	/* TCP_PAWS_MSL */
	HO_WIN_UNSCALED_MAX	= 65535,	/* a SYN-ACK's, RFC 7323 2.2 */
	HO_WIN_SIGNED_MAX	= 32767,	/* for peers of bad signs */
	HO_WIN_SHIFT_BASE	= 15,		/* 64 KB need no scale */
};

#endif /* _HALFOPEN_LIMITS_H */
