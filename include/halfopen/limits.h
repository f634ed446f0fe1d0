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
	HO_LIFETIME_MAX_S	= HO_LEVELS * HO_RTO_MAX_MS / 1000,
	HO_RETRANS_MAX		= 15,		/* ho_req.retrans saturates */

	/*
	 * Under pressure old entries go first, but never below this: P-40, RFC
	 * 4987 3.4
	 */
	HO_RETRIES_PRESSURE_MIN	= 2,
	HO_PRESSURE_MIN_ENTRIES	= 8,

	/* Table */
	HO_BACKLOG_DEF		= 65536,	/* entries: 4 MB (IPv6: 6) */
	HO_BACKLOG_MAX		= 1 << 22,	/* entries: 256 MB of IPv4 */
	HO_BUCKETS_DEF		= 32768,	/* one a pair of entries */
	HO_BUCKETS_MIN		= 1 << 8,	/* one chunk */
	HO_BUCKETS_MAX		= 1 << 22,
	HO_CHUNK_BUCKETS	= 1 << 8,	/* of 16 bytes: a page */
	HO_IIF_MAX		= (1 << 29) - 1, /* fits ho_entry.iif */
	HO_CHAIN_MAX		= 128,		/* bounds one softirq walk */
	HO_SHARDS		= 16,		/* a table; bounds contention */
	HO_TIMER_BUDGET		= 64,		/* entries a shard and tick */
	HO_EVICT_SCAN		= 8,		/* entries a level */
	HO_EVICT_SHARDS		= 4,		/* that are looked at */

	/* Limits beside the table's */
	HO_PORT_BACKLOG_DEF	= 49152,	/* 3/4: leaves some to others */
	HO_SOURCE_BACKLOG_DEF	= 4096,		/* 1/16 */
	HO_SOURCE_RATE_DEF	= 2000,		/* SYN-ACKs a second */
	HO_SOURCE_RATE_MAX	= 1000 * 1000,	/* one a us */
	HO_SYNACK_BURST_S	= 4,		/* seconds of that rate */
	HO_PREFIX_V4_DEF	= 24,
	HO_PREFIX_V6_DEF	= 64,
	HO_SOURCE_ROWS		= 2,		/* cells that count a prefix */
	HO_BUCKETS_PER_CELL	= 2,		/* of a row of sources */
	HO_PORT_CHUNKS		= 1 << 8,
	HO_CHUNK_PORTS		= (1 << 16) / HO_PORT_CHUNKS,
	HO_MEMORY_DEF		= 16 << 20,	/* bytes a namespace */
	HO_HOST_MEMORY_DEF	= 256 << 20,	/* bytes */
	HO_CREDIT_BATCH		= 32,		/* entries a CPU holds ahead */
	HO_CREDIT_BYTES		= 32 * 64,	/* the same in bytes */

	/* Pressure */
	HO_WATCH_MS		= 1000,		/* between two looks */
	HO_LOW_PCT_DEF		= 50,
	HO_HIGH_PCT_DEF		= 75,
	HO_SYNACKS_LOW_MAX	= 3,		/* a SYN, above the low mark */
	HO_SYNACKS_HIGH_MAX	= 1,		/* a SYN, above the high mark */

	/* Complete, but the accept queue is full */
	HO_WAIT_MAX		= 8192,		/* connections a namespace */
	HO_WAIT_BYTES_MAX	= 32 << 10,	/* a connection: IW10 fits */
	HO_WAIT_LOOK_MS		= 4,		/* a tick or more */
	HO_WAIT_TRIES		= 128,		/* a look; bounds one softirq */
	HO_WAIT_TRY_MS		= 200,		/* each, at least so often */
	HO_WAIT_FULL_MAX	= 32,		/* listeners known full */

	/* The hooks of a namespace in mode 0 */
	HO_STANDBY_S		= 5,		/* are they still needed? */

	/* Connection tracking */
	HO_TRACK_LOOK_S		= 10,		/* whether it is still needed */

	/* Cookies */
	HO_COOKIE_PERIOD_S	= 60,		/* a key; the last one counts */
	HO_COOKIE_AGE_MAX_MS	= 2 * HO_COOKIE_PERIOD_S * 1000,
	HO_COOKIE_SKEW_MS	= 1 << 16,	/* of clocks in a cluster */
	HO_COOKIE_SLACK_MS	= 1000,		/* of clocks of CPUs */
	HO_COOKIE_KEYS		= 4,		/* two secrets, two periods */
	HO_KEY_TEXT_MAX		= 2 * 32 + 8,	/* two keys, space around */

	/* TCP */
	HO_TCP_HEADER_MAX	= 60,		/* bytes: 15 words */
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
