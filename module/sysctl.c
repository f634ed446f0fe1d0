// SPDX-License-Identifier: GPL-2.0
/*
 * net.halfopen.*: knobs of a namespace.
 *
 * Everybody reads a knob once per packet with READ_ONCE(), so a new value
 * counts from the next packet on.  Out of bounds or not a number is EINVAL and
 * changes nothing.
 */
#include <halfopen/sysctl.h>

#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include <halfopen/compat.h>
#include <halfopen/fastpath.h>
#include <halfopen/rto.h>
#include <halfopen/timer.h>

static unsigned int ho_zero;
static unsigned int ho_one = 1;
static unsigned int ho_hundred = 100;
static unsigned int ho_mode_max = HO_MODE_AUTO;
static unsigned int ho_backlog_max = HO_BACKLOG_MAX;
static unsigned int ho_retries_max = HO_RETRIES_MAX;
static unsigned int ho_rto_min = HO_RTO_MIN_MS;
static unsigned int ho_rto_max = HO_RTO_MAX_MS;
static unsigned int ho_rate_max = HO_SOURCE_RATE_MAX;
static unsigned int ho_prefix_v4_max = 32;
static unsigned int ho_prefix_v6_max = 128;
static unsigned int ho_memory_max = INT_MAX;	/* fits a budget */

/* Of knobs that must agree with each other. */
static DEFINE_MUTEX(ho_sysctl_lock);

/* enum ho_mode, extra1 = namespace. */
static int ho_sysctl_set_mode(HO_CTL_TABLE *ctl, int write, void *buffer,
			      size_t *lenp, loff_t *ppos)
{
	struct ho_net *hn = ctl->extra1;
	struct ctl_table bounded = *ctl;
	unsigned int old = READ_ONCE(hn->mode);
	int err;

	bounded.extra1 = &ho_zero;
	err = proc_douintvec_minmax(&bounded, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	err = ho_standby_follow(hn);
	if (err)
		WRITE_ONCE(hn->mode, old);
	else if (READ_ONCE(hn->mode) != old)
		WRITE_ONCE(hn->mode_since_ns, ktime_get_boottime_ns());
	return err;
}

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

/* A prefix length, extra1 = namespace, extra2 = its most. */
static int ho_sysctl_prefix(HO_CTL_TABLE *ctl, int write, void *buffer,
			    size_t *lenp, loff_t *ppos)
{
	struct ho_net *hn = ctl->extra1;
	struct ho_prefixes *cfg = &hn->tbl.sources.cfg;
	struct ctl_table bounded = *ctl;
	struct ho_prefixes old;
	int err;

	bounded.extra1 = &ho_zero;
	mutex_lock(&ho_sysctl_lock);
	old = *cfg;
	err = proc_douintvec_minmax(&bounded, write, buffer, lenp, ppos);
	if (!err && write)
		err = ho_sources_configure(&hn->tbl.sources);
	if (err)
		*cfg = old;
	mutex_unlock(&ho_sysctl_lock);
	return err;
}

/* 32 hexadecimal digits and what follows them. */
static char *parse_key(char *p, siphash_key_t *key)
{
	u8 bytes[sizeof(*key)];

	if (strlen(p) < 2 * sizeof(bytes) ||
	    hex2bin(bytes, p, sizeof(bytes)) < 0)
		return NULL;
	key->key[0] = get_unaligned_le64(bytes);
	key->key[1] = get_unaligned_le64(bytes + 8);
	memzero_explicit(bytes, sizeof(bytes));
	return p + 2 * sizeof(bytes);
}

/* "auto", or the key of a cluster, or that and its previous one. */
static int set_key(struct ho_net *hn, char *text)
{
	const struct ho_clocks now = ho_clocks_now();
	siphash_key_t key, previous;
	char *end;

	if (!strcmp(text, "auto")) {
		ho_keyring_auto(&hn->keys, &now);
		return 0;
	}
	end = parse_key(text, &key);
	if (!end)
		return -EINVAL;
	if (!*end) {
		ho_keyring_set(&hn->keys, &key, NULL, &now);
		return 0;
	}
	if (!isspace(*end))
		return -EINVAL;
	end = parse_key(skip_spaces(end), &previous);
	if (!end || *end)
		return -EINVAL;
	ho_keyring_set(&hn->keys, &key, &previous, &now);
	return 0;
}

/* Write-only, all at once, extra1 = namespace. */
static int ho_sysctl_key(HO_CTL_TABLE *ctl, int write, void *buffer,
			 size_t *lenp, loff_t *ppos)
{
	char text[HO_KEY_TEXT_MAX + 1];
	int err;

	if (!write)
		return -EPERM;
	if (*ppos || *lenp > HO_KEY_TEXT_MAX)
		return -EINVAL;
	memcpy(text, buffer, *lenp);
	text[*lenp] = '\0';
	err = set_key(ctl->extra1, strim(text));
	memzero_explicit(text, sizeof(text));
	if (!err)
		err = ho_standby_follow(ctl->extra1);
	if (!err)
		*ppos += *lenp;
	return err;
}

/* Names of devices, all at once, extra1 = namespace. */
static int ho_sysctl_fastpath(HO_CTL_TABLE *ctl, int write, void *buffer,
			      size_t *lenp, loff_t *ppos)
{
	struct ho_net *hn = ctl->extra1;
	char text[HO_FASTPATH_TEXT];
	struct ctl_table line = { .data = text, .maxlen = sizeof(text) };
	int err;

	if (!write) {
		ho_fastpath_show(hn, text);
		return proc_dostring(&line, write, buffer, lenp, ppos);
	}
	if (*ppos || *lenp >= sizeof(text))
		return -EINVAL;
	memcpy(text, buffer, *lenp);
	text[*lenp] = '\0';
	err = ho_fastpath_set(hn, text);
	if (!err)
		*ppos += *lenp;
	return err;
}

enum ho_knobs {
	KNOB_MODE,
	KNOB_MAX_BACKLOG,
	KNOB_MAX_PORT,
	KNOB_MAX_SOURCE,
	KNOB_PREFIX_V4,
	KNOB_PREFIX_V6,
	KNOB_SOURCE_RATE,
	KNOB_LOW,
	KNOB_HIGH,
	KNOB_RETRIES,
	KNOB_TIMEOUT,
	KNOB_TIMEOUT_MAX,
	KNOB_LIFETIME,
	KNOB_KEY,
	KNOB_MEMORY,
	KNOB_VERIFY,
	KNOB_FASTPATH,
	KNOB_HOST_MEMORY,	/* last: only the initial namespace has it */
	KNOB_END,
};

#define HO_KNOB(nr, name, min, max)					\
	[nr] = {							\
		.procname	= name,					\
		.maxlen		= sizeof(unsigned int),			\
		.mode		= 0644,					\
		.proc_handler	= proc_douintvec_minmax,		\
		.extra1		= min,					\
		.extra2		= max,					\
	}

#define HO_KNOB_FN(nr, name, perm, fn, max)				\
	[nr] = {							\
		.procname	= name,					\
		.maxlen		= sizeof(unsigned int),			\
		.mode		= perm,					\
		.proc_handler	= fn,					\
		.extra2		= max,					\
	}

static const struct ctl_table ho_knobs[KNOB_END + 1] = {
	HO_KNOB_FN(KNOB_MODE, "mode", 0644, ho_sysctl_set_mode,
		   &ho_mode_max),
	HO_KNOB(KNOB_MAX_BACKLOG, "max_backlog", &ho_zero, &ho_backlog_max),
	HO_KNOB(KNOB_MAX_PORT, "max_port_backlog", &ho_zero, &ho_backlog_max),
	HO_KNOB(KNOB_MAX_SOURCE, "max_source_backlog", &ho_zero,
		&ho_backlog_max),
	HO_KNOB_FN(KNOB_PREFIX_V4, "source_prefix_v4", 0644, ho_sysctl_prefix,
		   &ho_prefix_v4_max),
	HO_KNOB_FN(KNOB_PREFIX_V6, "source_prefix_v6", 0644, ho_sysctl_prefix,
		   &ho_prefix_v6_max),
	HO_KNOB(KNOB_SOURCE_RATE, "source_synack_rate", &ho_zero,
		&ho_rate_max),
	HO_KNOB(KNOB_LOW, "pressure_low_pct", &ho_one, NULL),
	HO_KNOB(KNOB_HIGH, "pressure_high_pct", NULL, &ho_hundred),
	HO_KNOB(KNOB_RETRIES, "synack_retries", &ho_zero, &ho_retries_max),
	HO_KNOB_FN(KNOB_TIMEOUT, "synack_timeout_ms", 0644, ho_sysctl_wait,
		   NULL),
	HO_KNOB_FN(KNOB_TIMEOUT_MAX, "synack_timeout_max_ms", 0644,
		   ho_sysctl_wait, NULL),
	HO_KNOB_FN(KNOB_LIFETIME, "lifetime_ms", 0444, ho_sysctl_lifetime,
		   NULL),
	HO_KNOB_FN(KNOB_KEY, "cookie_key", 0200, ho_sysctl_key, NULL),
	HO_KNOB(KNOB_MEMORY, "max_memory_bytes", &ho_zero, &ho_memory_max),
	HO_KNOB(KNOB_VERIFY, "verify_synack", &ho_zero, &ho_one),
	HO_KNOB_FN(KNOB_FASTPATH, "fastpath", 0644, ho_sysctl_fastpath, NULL),
	HO_KNOB(KNOB_HOST_MEMORY, "host_memory_bytes", &ho_zero,
		&ho_memory_max),
};

#undef HO_KNOB
#undef HO_KNOB_FN

void ho_sysctl_defaults(struct ho_net *hn)
{
	hn->mode = HO_MODE_ON;
	hn->mode_since_ns = ktime_get_boottime_ns();
	hn->verify_synack = 0;
	hn->tbl.mem.max_bytes = HO_MEMORY_DEF;
	hn->tbl.sources.cfg = (struct ho_prefixes) {
		.v4 = HO_PREFIX_V4_DEF,
		.v6 = HO_PREFIX_V6_DEF,
	};
	hn->tbl.cfg = (struct ho_table_cfg) {
		.max_entries		= HO_BACKLOG_DEF,
		.max_port_entries	= HO_PORT_BACKLOG_DEF,
		.max_source_entries	= HO_SOURCE_BACKLOG_DEF,
		.source_rate		= HO_SOURCE_RATE_DEF,
		.marks			= {
			.low_pct	= HO_LOW_PCT_DEF,
			.high_pct	= HO_HIGH_PCT_DEF,
		},
		.rto_init_ms		= HO_RTO_INIT_MS,
		.rto_max_ms		= HO_RTO_MAX_MS,
		.retries		= HO_RETRIES_DEF,
	};
}

static void bind_knobs(struct ho_net *hn, struct ctl_table *table)
{
	struct ho_table_cfg *cfg = &hn->tbl.cfg;

	table[KNOB_MODE].data = &hn->mode;
	table[KNOB_MODE].extra1 = hn;
	table[KNOB_MAX_BACKLOG].data = &cfg->max_entries;
	table[KNOB_MAX_PORT].data = &cfg->max_port_entries;
	table[KNOB_MAX_SOURCE].data = &cfg->max_source_entries;
	table[KNOB_PREFIX_V4].data = &hn->tbl.sources.cfg.v4;
	table[KNOB_PREFIX_V4].extra1 = hn;
	table[KNOB_PREFIX_V6].data = &hn->tbl.sources.cfg.v6;
	table[KNOB_PREFIX_V6].extra1 = hn;
	table[KNOB_SOURCE_RATE].data = &cfg->source_rate;
	/* neither passes the other */
	table[KNOB_LOW].data = &cfg->marks.low_pct;
	table[KNOB_LOW].extra2 = &cfg->marks.high_pct;
	table[KNOB_HIGH].data = &cfg->marks.high_pct;
	table[KNOB_HIGH].extra1 = &cfg->marks.low_pct;
	table[KNOB_RETRIES].data = &cfg->retries;
	table[KNOB_TIMEOUT].data = &cfg->rto_init_ms;
	table[KNOB_TIMEOUT].extra1 = hn;
	table[KNOB_TIMEOUT_MAX].data = &cfg->rto_max_ms;
	table[KNOB_TIMEOUT_MAX].extra1 = hn;
	table[KNOB_LIFETIME].extra1 = hn;
	table[KNOB_KEY].extra1 = hn;
	table[KNOB_MEMORY].data = &hn->tbl.mem.max_bytes;
	table[KNOB_VERIFY].data = &hn->verify_synack;
	table[KNOB_FASTPATH].extra1 = hn;
	table[KNOB_HOST_MEMORY].data = &ho_host_memory.max_bytes;
}

int ho_sysctl_net_init(struct ho_net *hn)
{
	bool initial = net_eq(hn->net, &init_net);
	size_t nr = initial ? KNOB_END : KNOB_HOST_MEMORY;
	struct ctl_table *table;

	/* with the empty last entry that old kernels want */
	table = kmemdup(ho_knobs, sizeof(ho_knobs), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	bind_knobs(hn, table);
	memset(&table[nr], 0, sizeof(*table));

	hn->ctl = ho_register_net_sysctl(hn->net, "net/halfopen", table, nr);
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
