// SPDX-License-Identifier: GPL-2.0
/*
 * Per-CPU counters of a namespace under /proc/net/stat/: halfopen for what
 * happens to SYNs that are taken, halfopen_declined for why others are not,
 * halfopen_overload for what limits and pressure did, halfopen_fastpath for
 * SYNs at the devices of net.halfopen.fastpath.
 *
 * The files have the form that lnstat(8), node_exporter and netdata read: a
 * line of names, then a line a CPU in hexadecimal.  The first column is a
 * gauge, the same in every line.
 */
#include <halfopen/stats.h>

#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include <halfopen/net.h>

#define HO_STAT_NAME(name, ...) #name,
static const char * const ho_stat_names[HO_STAT_MAX] = {
	HO_COUNTERS(HO_STAT_NAME)
	HO_DECLINES(HO_STAT_NAME)
	HO_OVERLOADS(HO_STAT_NAME)
	HO_FASTS(HO_STAT_NAME)
};

#undef HO_STAT_NAME

enum {
	LNSTAT_FIELDS_MAX = 32,		/* lnstat(8) skips files with more */
};

static void show(struct seq_file *seq, enum ho_stat first, enum ho_stat end)
{
	struct ho_net *hn = ho_net(seq_file_single_net(seq));
	u32 entries = ho_budget_count(&hn->tbl.entries);
	int cpu, i;

	seq_puts(seq, "entries");
	for (i = first; i < end; i++)
		seq_printf(seq, " %s", ho_stat_names[i]);
	seq_putc(seq, '\n');

	for_each_possible_cpu(cpu) {
		const struct ho_stats *stats = per_cpu_ptr(hn->stats, cpu);

		seq_printf(seq, "%08x", entries);
		for (i = first; i < end; i++)
			seq_printf(seq, " %08lx", READ_ONCE(stats->count[i]));
		seq_putc(seq, '\n');
	}
}

/**
 * struct ho_stats_file - one of the files
 * @name: below /proc/net/stat
 * @first: first counter
 * @end: one past the last
 */
struct ho_stats_file {
	const char *name;
	enum ho_stat first;
	enum ho_stat end;
};

static const struct ho_stats_file ho_stats_files[] = {
	{ "halfopen", 0, HO_STAT_FIRST_DECLINE },
	{ "halfopen_declined", HO_STAT_FIRST_DECLINE, HO_STAT_FIRST_OVERLOAD },
	{ "halfopen_overload", HO_STAT_FIRST_OVERLOAD, HO_STAT_FIRST_FAST },
	{ "halfopen_fastpath", HO_STAT_FIRST_FAST, HO_STAT_MAX },
};

static int ho_stats_show(struct seq_file *seq, void *v)
{
	const struct ho_stats_file *file = pde_data(file_inode(seq->file));

	BUILD_BUG_ON(1 + HO_STAT_FIRST_DECLINE > LNSTAT_FIELDS_MAX);
	BUILD_BUG_ON(1 + HO_STAT_FIRST_OVERLOAD - HO_STAT_FIRST_DECLINE >
		     LNSTAT_FIELDS_MAX);
	BUILD_BUG_ON(1 + HO_STAT_FIRST_FAST - HO_STAT_FIRST_OVERLOAD >
		     LNSTAT_FIELDS_MAX);
	BUILD_BUG_ON(1 + HO_STAT_MAX - HO_STAT_FIRST_FAST > LNSTAT_FIELDS_MAX);

	show(seq, file->first, file->end);
	return 0;
}

static void remove_files(struct ho_net *hn, unsigned int nr)
{
	while (nr--)
		remove_proc_entry(ho_stats_files[nr].name,
				  hn->net->proc_net_stat);
}

int ho_stats_net_init(struct ho_net *hn)
{
	unsigned int i;

	hn->stats = alloc_percpu(struct ho_stats);
	if (!hn->stats)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(ho_stats_files); i++)
		if (!proc_create_net_single(ho_stats_files[i].name, 0444,
					    hn->net->proc_net_stat,
					    ho_stats_show,
					    (void *)&ho_stats_files[i]))
			goto err_remove;
	return 0;

err_remove:
	remove_files(hn, i);
	free_percpu(hn->stats);
	return -ENOMEM;
}

void ho_stats_net_exit(struct ho_net *hn)
{
	remove_files(hn, ARRAY_SIZE(ho_stats_files));
	free_percpu(hn->stats);
}
