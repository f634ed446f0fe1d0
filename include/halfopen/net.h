/* SPDX-License-Identifier: GPL-2.0 */
/* halfopen in one network namespace. */
#ifndef _HALFOPEN_NET_H
#define _HALFOPEN_NET_H

#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include <halfopen/fastpath.h>
#include <halfopen/keyring.h>
#include <halfopen/standby.h>
#include <halfopen/stats.h>
#include <halfopen/table.h>
#include <halfopen/track_hold.h>
#include <halfopen/wait.h>

struct ho_fast_cpu;

enum ho_mode {
	HO_MODE_OFF	= 0,	/* new SYNs go the native way, entries finish */
	HO_MODE_ON	= 1,
	HO_MODE_AUTO	= 2,	/* SYNs of ports under pressure are taken */
};

/**
 * struct ho_net - halfopen in one network namespace
 * @tbl: the SYN_RECV table
 * @net: the namespace
 * @keys: of ISNs and timestamp offsets
 * @wait: connections that are complete and wait
 * @track: connection tracking
 * @standby: whether it has its hooks
 * @fastpath: devices that answer SYNs themselves
 * @fast_cpu: what that remembers
 * @stats: counters
 * @mode: enum ho_mode
 * @mode_since_ns: boot-time clock when it was last set, ns
 * @verify_synack: compare each SYN-ACK with the stack's own at the handover
 * @ctl: net.halfopen
 * @ctl_table: its knobs
 */
struct ho_net {
	struct ho_table tbl;
	struct net *net;
	struct ho_keyring keys;
	struct ho_wait wait;
	struct ho_track track;
	struct ho_standby standby;
	struct ho_fastpath fastpath;
	struct ho_fast_cpu __percpu *fast_cpu;
	struct ho_stats __percpu *stats;
	unsigned int mode;
	u64 mode_since_ns;
	unsigned int verify_synack;
	struct ctl_table_header *ctl;
	struct ctl_table *ctl_table;
};

extern unsigned int ho_net_id;

/**
 * ho_net() - halfopen's part of a namespace
 * @net: the namespace
 *
 * Context: any.
 * Return: never NULL while a hook of halfopen runs in @net.
 */
static inline struct ho_net *ho_net(const struct net *net)
{
	return net_generic(net, ho_net_id);
}

/**
 * ho_net_of() - the namespace of a table
 * @tbl: the table
 *
 * Context: any.
 * Return: its namespace.
 */
static inline struct ho_net *ho_net_of(struct ho_table *tbl)
{
	return container_of(tbl, struct ho_net, tbl);
}

/**
 * ho_net_init() - start in every namespace, now and to come
 * @buckets: hash chains a table
 * @prealloc: allocate those of the initial namespace now
 *
 * Context: process, may sleep.
 * Return: 0 or -errno.
 */
int ho_net_init(unsigned int buckets, bool prealloc);

/**
 * ho_net_exit() - stop in every namespace
 *
 * Context: process, may sleep.
 */
void ho_net_exit(void);

#endif /* _HALFOPEN_NET_H */
