// SPDX-License-Identifier: GPL-2.0
/*
 * Per-CPU counters of a namespace, /proc/net/stat/halfopen for what happens to
 * SYNs that are taken and /proc/net/stat/halfopen_declined for why others are
 * not.
 *
 * The files have the form that lnstat(8), node_exporter and netdata read: a
 * line of names, then a line a CPU in hexadecimal.  The first column is a
 * gauge, the same in every line.
 */
#include <halfopen/stats.h>

#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include <halfopen/net.h>

#define HO_STAT_NAME(name, text) #name,
static const char * const ho_stat_names[HO_STAT_MAX] = {
	HO_COUNTERS(HO_STAT_NAME)
	HO_DECLINES(HO_STAT_NAME)
};

#undef HO_STAT_NAME

enum {
	LNSTAT_FIELDS_MAX = 32,		/* lnstat(8) skips files with more */
};

static void show(struct seq_file *seq, enum ho_stat first, enum ho_stat end)
{
	struct ho_net *hn = ho_net(seq_file_single_net(seq));
	u32 entries = ho_budget_count(&hn->tbl.budget);
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

static int ho_stats_show(struct seq_file *seq, void *v)
{
	BUILD_BUG_ON(1 + HO_STAT_FIRST_DECLINE > LNSTAT_FIELDS_MAX);

	show(seq, 0, HO_STAT_FIRST_DECLINE);
	return 0;
}

static int ho_stats_show_declined(struct seq_file *seq, void *v)
{
	BUILD_BUG_ON(1 + HO_STAT_MAX - HO_STAT_FIRST_DECLINE >
		     LNSTAT_FIELDS_MAX);

	show(seq, HO_STAT_FIRST_DECLINE, HO_STAT_MAX);
	return 0;
}

int ho_stats_net_init(struct ho_net *hn)
{
	struct proc_dir_entry *dir = hn->net->proc_net_stat;

	hn->stats = alloc_percpu(struct ho_stats);
	if (!hn->stats)
		return -ENOMEM;
	if (!proc_create_net_single("halfopen", 0444, dir, ho_stats_show, NULL))
		goto err_free;
	if (!proc_create_net_single("halfopen_declined", 0444, dir,
				    ho_stats_show_declined, NULL))
		goto err_remove;
	return 0;

err_remove:
	remove_proc_entry("halfopen", dir);
err_free:
	free_percpu(hn->stats);
	return -ENOMEM;
}

void ho_stats_net_exit(struct ho_net *hn)
{
	remove_proc_entry("halfopen_declined", hn->net->proc_net_stat);
	remove_proc_entry("halfopen", hn->net->proc_net_stat);
	free_percpu(hn->stats);
}
