/* SPDX-License-Identifier: GPL-2.0 */
/* Which SYNs are taken and which go the native way; who has to leave early. */
#ifndef _HALFOPEN_ADMIT_H
#define _HALFOPEN_ADMIT_H

#include <halfopen/counters.h>
#include <halfopen/types.h>

#define HO_DECLINE_ENUM(name, text) HO_##name,
enum ho_decline {
	HO_TAKE,		/* not declined */
	HO_DECLINES(HO_DECLINE_ENUM)
};

#undef HO_DECLINE_ENUM

/*
 * What a SYN needs that a listener may want from the stack (struct
 * ho_listener).
 */
enum ho_traits {
	HO_TRAIT_AUTH		= 1 << 0,	/* has MD5 or AO keys */
	HO_TRAIT_MPTCP		= 1 << 1,
	HO_TRAIT_SMC		= 1 << 2,
	HO_TRAIT_FASTOPEN	= 1 << 3,	/* takes data in SYNs */
	HO_TRAIT_BPF		= 1 << 4,	/* sockops programs run */
	HO_TRAIT_SAVE_SYN	= 1 << 5,
	HO_TRAIT_IPV6_OPTIONS	= 1 << 6,	/* RECVPKTINFO, ... */
};

/**
 * struct ho_listener - what admission has to know of a listening socket
 * @traits: HO_TRAIT_*
 * @min_ttl: IP_MINTTL or IPV6_MINHOPCOUNT
 * @oif: interface that replies are bound to, 0 = any
 * @acceptq_full: the accept queue has no room
 */
struct ho_listener {
	u32 traits;
	u32 oif;
	u8 min_ttl;
	bool acceptq_full;
};

/**
 * ho_admit_listener() - may halfopen answer this SYN for this listener?
 * @lsn: the listener
 * @key: the connection
 * @seg: the SYN
 * @ttl: TTL or hop limit of the packet
 *
 * In doubt the native way (design: "stepping aside").
 *
 * Context: any.
 * Return: HO_TAKE, or the reason why not.
 */
enum ho_decline ho_admit_listener(const struct ho_listener *lsn,
				  const struct ho_key *key,
				  const struct ho_seg *seg, u8 ttl);

/**
 * ho_admit_retries() - retransmissions that an entry gets in a table this full
 * @entries: entries in the table
 * @young: those that had no timeout yet
 * @max_entries: the cap
 * @retries: retransmissions when the table is quiet
 *
 * Half of the room is kept for young entries: when more is in use and the old
 * ones clog it, they get fewer chances, but two at least. RFC 4987 3.4; cf.
 * reqsk_timer_handler().
 *
 * Context: any.
 * Return: retransmissions allowed, at most @retries.
 */
unsigned int ho_admit_retries(u32 entries, u32 young, u32 max_entries,
			      unsigned int retries);

#endif /* _HALFOPEN_ADMIT_H */
