// SPDX-License-Identifier: GPL-2.0
/*
 * net.halfopen.*: knobs of a namespace.
 *
 * Everybody reads a knob once per packet with READ_ONCE(), so a new value
 * counts from the next packet on.  Out of bounds or not a number is EINVAL and
 * changes nothing.
 */
#include <halfopen/sysctl.h>

#include <linux/slab.h>

#include <halfopen/compat.h>
#include <halfopen/rto.h>
#include <halfopen/timer.h>

static unsigned int ho_zero;
static unsigned int ho_one = 1;
static unsigned int ho_backlog_max = HO_BACKLOG_MAX;
static unsigned int ho_retries_max = HO_RETRIES_MAX;
static unsigned int ho_rto_min = HO_RTO_MIN_MS;
static unsigned int ho_rto_max = HO_RTO_MAX_MS;

/*
 * A wait in ms, extra1 = namespace. Shorter waits hold for who waits already.
 */
static int ho_sysctl_wait(HO_CTL_TABLE *ctl, int write, void *buffer,
			  size_t *lenp, loff_t *ppos)
{
	struct ho_net *hn = ctl->extra1;
	struct ctl_table bounded = *ctl;
	int err;

	bounded.extra1 = &ho_rto_min;
	bounded.extra2 = &ho_rto_max;
	err = proc_douintvec_minmax(&bounded, write, buffer, lenp, ppos);
	if (!err && write)
		ho_timer_clamp(&hn->tbl, ho_clock_ms());
	return err;
}

/* Read-only, follows from the others, extra1 = namespace. */
static int ho_sysctl_lifetime(HO_CTL_TABLE *ctl, int write, void *buffer,
			      size_t *lenp, loff_t *ppos)
{
	const struct ho_net *hn = ctl->extra1;
	const struct ho_table_cfg *cfg = &hn->tbl.cfg;
	struct ctl_table computed = *ctl;
	unsigned int ms;

	ms = ho_rto_lifetime_ms(READ_ONCE(cfg->rto_init_ms),
				READ_ONCE(cfg->rto_max_ms),
				READ_ONCE(cfg->retries));
	computed.data = &ms;
	computed.extra1 = NULL;
	return proc_douintvec(&computed, write, buffer, lenp, ppos);
}

enum ho_knobs {
	KNOB_MODE,
	KNOB_MAX_BACKLOG,
	KNOB_RETRIES,
	KNOB_TIMEOUT,
	KNOB_TIMEOUT_MAX,
	KNOB_LIFETIME,
	KNOB_VERIFY,
	KNOB_END,
};

static const struct ctl_table ho_knobs[KNOB_END + 1] = {
	[KNOB_MODE] = {
		.procname	= "mode",
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra1		= &ho_zero,
		.extra2		= &ho_one,
	},
	[KNOB_MAX_BACKLOG] = {
		.procname	= "max_backlog",
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra1		= &ho_zero,
		.extra2		= &ho_backlog_max,
	},
	[KNOB_RETRIES] = {
		.procname	= "synack_retries",
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra1		= &ho_zero,
		.extra2		= &ho_retries_max,
	},
	[KNOB_TIMEOUT] = {
		.procname	= "synack_timeout_ms",
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= ho_sysctl_wait,
	},
	[KNOB_TIMEOUT_MAX] = {
		.procname	= "synack_timeout_max_ms",
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= ho_sysctl_wait,
	},
	[KNOB_LIFETIME] = {
		.procname	= "lifetime_ms",
		.maxlen		= sizeof(unsigned int),
		.mode		= 0444,
		.proc_handler	= ho_sysctl_lifetime,
	},
	[KNOB_VERIFY] = {
		.procname	= "verify_synack",
		.maxlen		= sizeof(unsigned int),
		.mode		= 0644,
		.proc_handler	= proc_douintvec_minmax,
		.extra1		= &ho_zero,
		.extra2		= &ho_one,
	},
};

static void set_defaults(struct ho_net *hn)
{
	hn->mode = HO_MODE_ON;
	hn->verify_synack = 0;
	hn->tbl.cfg = (struct ho_table_cfg) {
		.max_entries	= HO_BACKLOG_DEF,
		.rto_init_ms	= HO_RTO_INIT_MS,
		.rto_max_ms	= HO_RTO_MAX_MS,
		.retries	= HO_RETRIES_DEF,
	};
}

int ho_sysctl_net_init(struct ho_net *hn)
{
	struct ctl_table *table;

	set_defaults(hn);
	/* with the empty last entry that old kernels want */
	table = kmemdup(ho_knobs, sizeof(ho_knobs), GFP_KERNEL);
	if (!table)
		return -ENOMEM;

	table[KNOB_MODE].data = &hn->mode;
	table[KNOB_MAX_BACKLOG].data = &hn->tbl.cfg.max_entries;
	table[KNOB_RETRIES].data = &hn->tbl.cfg.retries;
	table[KNOB_TIMEOUT].data = &hn->tbl.cfg.rto_init_ms;
	table[KNOB_TIMEOUT].extra1 = hn;
	table[KNOB_TIMEOUT_MAX].data = &hn->tbl.cfg.rto_max_ms;
	table[KNOB_TIMEOUT_MAX].extra1 = hn;
	table[KNOB_LIFETIME].extra1 = hn;
	table[KNOB_VERIFY].data = &hn->verify_synack;

	hn->ctl = ho_register_net_sysctl(hn->net, "net/halfopen", table,
					 KNOB_END);
	if (!hn->ctl) {
		kfree(table);
		return -ENOMEM;
	}
	hn->ctl_table = table;
	return 0;
}

void ho_sysctl_net_exit(struct ho_net *hn)
{
	unregister_net_sysctl_table(hn->ctl);
	kfree(hn->ctl_table);
}
