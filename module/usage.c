// SPDX-License-Identifier: GPL-2.0
/*
 * Who uses how much.
 *
 * /proc/net/halfopen_ports, a line for each local port that a SYN was ever
 * counted at:
 *
 *   PORT entries:N syns:N rate:N pressure:0|1 cookies:0|1
 *
 * /proc/net/halfopen_limits, a line for each limit: NAME USED LIMIT.
 */
#include <halfopen/usage.h>

#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include <halfopen/net.h>
#include <halfopen/timer.h>

static int ho_ports_show(struct seq_file *seq, void *v)
{
	struct ho_net *hn = ho_net(seq_file_single_net(seq));
	u32 nr, now_ms = ho_clock_ms();
	struct ho_port *port;

	for (nr = 0; (port = ho_port_next(&hn->tbl.ports, &nr)); nr++) {
		u32 syns = ho_port_syns(port);

		if (!syns)
			continue;
		seq_printf(seq, "%u entries:%u syns:%u rate:%u pressure:%u cookies:%u\n",
			   nr, ho_budget_count(&port->entries), syns,
			   READ_ONCE(port->rate), READ_ONCE(port->pressure),
			   ho_port_believes(port, now_ms));
	}
	return 0;
}

static int ho_limits_show(struct seq_file *seq, void *v)
{
	struct ho_net *hn = ho_net(seq_file_single_net(seq));
	struct ho_table *tbl = &hn->tbl;

	seq_printf(seq, "backlog %u %u\n", ho_budget_count(&tbl->entries),
		   READ_ONCE(tbl->cfg.max_entries));
	seq_printf(seq, "waiting %u %u\n", ho_wait_count(hn), HO_WAIT_MAX);
	seq_printf(seq, "memory_bytes %u %u\n",
		   ho_budget_count(&tbl->mem.used),
		   READ_ONCE(tbl->mem.max_bytes));
	seq_printf(seq, "host_memory_bytes %u %u\n",
		   ho_budget_count(&ho_host_memory.used),
		   READ_ONCE(ho_host_memory.max_bytes));
	return 0;
}

int ho_usage_net_init(struct ho_net *hn)
{
	struct proc_dir_entry *dir = hn->net->proc_net;

	if (!proc_create_net_single("halfopen_ports", 0444, dir, ho_ports_show,
				    NULL))
		return -ENOMEM;
	if (proc_create_net_single("halfopen_limits", 0444, dir,
				   ho_limits_show, NULL))
		return 0;
	remove_proc_entry("halfopen_ports", dir);
	return -ENOMEM;
}

void ho_usage_net_exit(struct ho_net *hn)
{
	remove_proc_entry("halfopen_limits", hn->net->proc_net);
	remove_proc_entry("halfopen_ports", hn->net->proc_net);
}
