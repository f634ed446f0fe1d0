/* SPDX-License-Identifier: GPL-2.0 */
/* Which SYNs are taken and which go the native way; who has to leave early. */
#ifndef _HALFOPEN_ADMIT_H
#define _HALFOPEN_ADMIT_H

#include <halfopen/counters.h>
#include <halfopen/types.h>

#define HO_DECLINE_ENUM(name, ...) HO_##name,
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
	HO_TRAIT_AUTH		= 1 << 0,	/* MD5 or AO key for the peer */
	HO_TRAIT_MPTCP		= 1 << 1,
	HO_TRAIT_SMC		= 1 << 2,
	HO_TRAIT_FASTOPEN	= 1 << 3,	/* takes data in SYNs */
	HO_TRAIT_BPF		= 1 << 4,	/* sockops programs run */
	HO_TRAIT_SAVE_SYN	= 1 << 5,
	HO_TRAIT_FLOWLABEL	= 1 << 6,	/* reflects IPv6 flow labels */
};

/**
 * struct ho_listener - what admission has to know of a listening socket
 * @traits: HO_TRAIT_*
 * @min_ttl: IP_MINTTL or IPV6_MINHOPCOUNT
 * @oif: interface that replies are bound to, 0 = any
 * @dif: interface that the SYN came in by, or its VRF
 * @acceptq_full: the accept queue has no room
 * @synq_full: its own queue of half-open connections has as good as none
 */
struct ho_listener {
	u32 traits;
	u32 oif;
	u32 dif;
	u8 min_ttl;
	bool acceptq_full;
	bool synq_full;
};

/**
 * ho_admit_listener() - may halfopen answer this SYN for this listener?
 * @lsn: the listener
 * @key: the connection
 * @seg: the SYN
 * @ttl: TTL or hop limit of the packet
 *
 * What a listener wants beyond halfopen goes the native way, but an attacker
 * must not be able to choose that: when the listener's own queue is full, a SYN
 * is answered without Fast Open, MPTCP, SMC and the like, as the RFCs allow. IP
 * options allow no such answer, so the SYN is dropped then. A signed SYN always
 * goes: the stack checks the signature before it spends anything.
 *
 * Context: any.
 * Return: HO_TAKE, or the reason why not; HO_declined_budget: to be dropped.
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
