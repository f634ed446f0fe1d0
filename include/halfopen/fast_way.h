/* SPDX-License-Identifier: GPL-2.0 */
/* Whether an address is ours, and the way back to a client: cheaply. */
#ifndef _HALFOPEN_FAST_WAY_H
#define _HALFOPEN_FAST_WAY_H

#include <linux/percpu.h>

#include <halfopen/rx.h>
#include <halfopen/syn.h>

enum { HO_FAST_LOCALS = 8 };	/* a power of two */

/**
 * struct ho_fast_local - an IPv4 address
 * @addr: the address
 * @genid: the generation of routes that @local is of
 * @local: packets for it are ours
 */
struct ho_fast_local {
	__be32 addr;
	int genid;
	bool local;
};

/**
 * struct ho_fast_cpu - what one CPU remembers
 * @local: addresses that SYNs were sent to lately
 */
struct ho_fast_cpu {
	struct ho_fast_local local[HO_FAST_LOCALS];
};

/**
 * ho_fast_way_net_init() - start with nothing remembered
 * @hn: the namespace
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_fast_way_net_init(struct ho_net *hn);

/**
 * ho_fast_way_net_exit() - undo ho_fast_way_net_init()
 * @hn: the namespace; no hook runs any more
 *
 * Context: process.
 */
void ho_fast_way_net_exit(struct ho_net *hn);

/**
 * ho_fast_addresses_ok() - is a packet for this host, from a possible source?
 * @pkt: the packet
 *
 * As the input route would say, without VRFs and policy routing. That the
 * source is none of our own addresses ho_fast_way() finds out.
 *
 * Context: softirq, RCU read side.
 * Return: true if so.
 */
bool ho_fast_addresses_ok(const struct ho_pkt *pkt);

/**
 * ho_fast_way() - the way back, if it is the way that the SYN came
 * @pkt: the SYN
 * @syn: who answers it; conn and path are filled, and on success the caller
 *	owns what path refers to
 *
 * Context: softirq, RCU read side.
 * Return: true if there is such a way.
 */
bool ho_fast_way(const struct ho_pkt *pkt, struct ho_syn *syn);

#endif /* _HALFOPEN_FAST_WAY_H */
