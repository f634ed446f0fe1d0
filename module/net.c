// SPDX-License-Identifier: GPL-2.0
/*
 * halfopen in one network namespace: what exists, in which order, and how it
 * ends.
 *
 * Teardown of a namespace, on its deletion and on rmmod alike:
 *  1. pre_exit stops the timer of those who wait, because a handover needs the
 *     hooks, unregisters the hooks, those at devices first, and ends the use of
 *     connection tracking, whose own part of the namespace may go before ours.
 *     Packets in a hook go on until the grace period that the core waits for
 *     between all pre_exit and all exit calls; after it no CPU runs packet code
 *     of this namespace.
 *  2. exit_batch removes sysctls and proc files, which waits for their users.
 *  3. nf_conntrack is let go.  ho_wait_net_exit() frees segments that wait.
 *     ho_table_stop() shuts the timers down and waits for running handlers;
 *     they could not arm themselves again.  Now nobody else knows the table,
 *     but the grace periods of entries that just left it may still be running.
 *  4. They are waited for, once for all namespaces that go together.
 *  5. ho_table_exit() frees what is left, which nobody sees any more.
 */
#include <halfopen/net.h>

#include <net/ip.h>
#include <net/l3mdev.h>

#include <halfopen/fast_way.h>
#include <halfopen/listener.h>
#include <halfopen/log.h>
#include <halfopen/proc.h>
#include <halfopen/synack.h>
#include <halfopen/sysctl.h>
#include <halfopen/trace.h>
#include <halfopen/usage.h>

unsigned int ho_net_id __read_mostly;

static unsigned int ho_buckets __read_mostly;
static bool ho_prealloc __read_mostly;

/* If a connection is bound to an interface, so is its listener, or to none. */
static struct sock *find_listener(struct ho_table *tbl,
				  const struct ho_conn *conn)
{
	struct net *net = ho_net_of(tbl)->net;
	struct ho_ifs ifs = { .dif = conn->oif };
	int vrf = l3mdev_master_ifindex_by_index(net, conn->oif);

	/* a link-local peer in a VRF */
	if (vrf && vrf != conn->oif)
		ifs = (struct ho_ifs) { .dif = vrf, .sdif = conn->oif };
	return ho_listener_find(net, &conn->key, &ifs, NULL, 0);
}

static unsigned int ho_net_retries(struct ho_table *tbl,
				   const struct ho_conn *conn,
				   unsigned int dflt, void **ctx)
{
	struct sock *lsk = find_listener(tbl, conn);

	*ctx = lsk;
	return lsk ? ho_listener_retries(lsk, dflt) : dflt;
}

static void ho_net_resend(struct ho_table *tbl, const struct ho_conn *conn,
			  void *ctx)
{
	NET_INC_STATS(ho_net_of(tbl)->net, LINUX_MIB_TCPTIMEOUTS);
	/* A listener that restarts is back before the next timeout. */
	if (ctx)
		ho_synack_resend(ho_net_of(tbl), ctx, conn);
}

static void ho_net_held(struct ho_table *tbl, enum ho_hold why)
{
	NET_INC_STATS(ho_net_of(tbl)->net, LINUX_MIB_TCPTIMEOUTS);
	if (why == HO_HOLD_PRESSURE)
		ho_stat_inc(ho_net_of(tbl), HO_STAT_resend_pressure);
	else if (why == HO_HOLD_SOURCE)
		ho_stat_inc(ho_net_of(tbl), HO_STAT_resend_budget);
}

static void ho_net_expired(struct ho_table *tbl, const struct ho_conn *conn)
{
	trace_ho_expired(ho_net_of(tbl)->net, &conn->key, conn->req.retrans);
	NET_INC_STATS(ho_net_of(tbl)->net, LINUX_MIB_TCPTIMEOUTS);
	ho_stat_inc(ho_net_of(tbl), HO_STAT_expired);
}

static void ho_net_evicted(struct ho_table *tbl, const struct ho_conn *conn)
{
	trace_ho_evicted(ho_net_of(tbl)->net, &conn->key, conn->req.retrans);
	ho_stat_inc(ho_net_of(tbl), HO_STAT_evicted);
}

static void ho_net_pressure(struct ho_table *tbl,
			    const struct ho_watch_event *event)
{
	ho_log_pressure(ho_net_of(tbl), event);
}

static const struct ho_table_ops ho_net_table_ops = {
	.retries	= ho_net_retries,
	.resend		= ho_net_resend,
	.held		= ho_net_held,
	.expired	= ho_net_expired,
	.evicted	= ho_net_evicted,
	.pressure	= ho_net_pressure,
};

static int __net_init ho_net_start(struct net *net)
{
	struct ho_net *hn = ho_net(net);
	int err;

	hn->net = net;
	ho_keyring_init(&hn->keys);
	ho_wait_net_init(hn);
	ho_track_net_init(hn);
	ho_sysctl_defaults(hn);
	err = ho_table_init(&hn->tbl, ho_buckets, &ho_net_table_ops);
	if (err)
		return err;
	if (ho_prealloc && net_eq(net, &init_net))
		err = ho_table_prealloc(&hn->tbl);
	if (err)
		goto err_table;
	err = ho_stats_net_init(hn);
	if (err)
		goto err_table;
	err = ho_fast_way_net_init(hn);
	if (err)
		goto err_stats;
	err = ho_fastpath_net_init(hn);
	if (err)
		goto err_fast_way;
	err = ho_sysctl_net_init(hn);
	if (err)
		goto err_fastpath;
	err = ho_proc_net_init(hn);
	if (err)
		goto err_sysctl;
	err = ho_usage_net_init(hn);
	if (err)
		goto err_proc;
	err = ho_standby_net_init(hn);
	if (err)
		goto err_usage;
	return 0;

err_usage:
	ho_usage_net_exit(hn);
err_proc:
	ho_proc_net_exit(hn);
err_sysctl:
	ho_sysctl_net_exit(hn);
err_fastpath:
	ho_fastpath_net_stop(hn);
err_fast_way:
	ho_fast_way_net_exit(hn);
err_stats:
	ho_stats_net_exit(hn);
err_table:
	ho_table_stop(&hn->tbl);
	ho_table_exit(&hn->tbl);
	return err;
}

static void __net_exit ho_net_stop_hooks(struct net *net)
{
	ho_wait_net_stop(ho_net(net));
	ho_fastpath_net_stop(ho_net(net));
	ho_standby_net_stop(ho_net(net));
	ho_track_net_stop(ho_net(net));
}

static void __net_exit ho_net_stop(struct list_head *nets)
{
	struct net *net;

	list_for_each_entry(net, nets, exit_list) {
		struct ho_net *hn = ho_net(net);

		ho_usage_net_exit(hn);
		ho_proc_net_exit(hn);
		ho_sysctl_net_exit(hn);
		ho_track_net_exit(hn);
		ho_wait_net_exit(hn);
		ho_table_stop(&hn->tbl);
	}
	/* ho_table_exit() would wait for each of them */
	rcu_barrier();
	list_for_each_entry(net, nets, exit_list) {
		struct ho_net *hn = ho_net(net);

		ho_table_exit(&hn->tbl);
		ho_fast_way_net_exit(hn);
		ho_stats_net_exit(hn);
	}
}

static struct pernet_operations ho_net_ops = {
	.init		= ho_net_start,
	.pre_exit	= ho_net_stop_hooks,
	.exit_batch	= ho_net_stop,
	.id		= &ho_net_id,
	.size		= sizeof(struct ho_net),
};

int ho_net_init(unsigned int buckets, bool prealloc)
{
	ho_buckets = buckets;
	ho_prealloc = prealloc;
	return register_pernet_subsys(&ho_net_ops);
}

void ho_net_exit(void)
{
	unregister_pernet_subsys(&ho_net_ops);
}
