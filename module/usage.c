// SPDX-License-Identifier: GPL-2.0
/*
 * Who uses how much.
 *
 * /proc/net/halfopen_ports, a line for each local port that a SYN was ever
 * counted at:
 *
 *   PORT entries:N syns:N rate:N pressure:0|1 cookies:0|1 pressure_ms:N
 *
 * /proc/net/halfopen_limits, a line for each limit: NAME USED LIMIT.
 *
 * /proc/net/halfopen_status, how it goes: NAME VALUE.
 */
#include <halfopen/usage.h>

#include <linux/math64.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include <halfopen/net.h>
#include <halfopen/timer.h>

/* How long it has been so. */
static u32 lasting_ms(bool on, u32 since_ms, u32 now_ms)
{
	return on ? now_ms - since_ms : 0;
}

static int ho_ports_show(struct seq_file *seq, void *v)
{
	struct ho_net *hn = ho_net(seq_file_single_net(seq));
	u32 nr, now_ms = ho_clock_ms();
	struct ho_port *port;

	for (nr = 0; (port = ho_port_next(&hn->tbl.ports, &nr)); nr++) {
		u32 syns = ho_port_syns(port);
		bool pressure = READ_ONCE(port->pressure);

		if (!syns)
			continue;
		seq_printf(seq, "%u entries:%u syns:%u rate:%u pressure:%u cookies:%u pressure_ms:%u\n",
			   nr, ho_budget_count(&port->entries), syns,
			   READ_ONCE(port->rate), pressure,
			   ho_port_believes(port, now_ms),
			   lasting_ms(pressure, READ_ONCE(port->since_ms),
				      now_ms));
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

static int ho_status_show(struct seq_file *seq, void *v)
{
	struct ho_net *hn = ho_net(seq_file_single_net(seq));
	const struct ho_watch *watch = &hn->tbl.watch;
	bool pressure = READ_ONCE(watch->pressure);

	seq_printf(seq, "mode %u\n", READ_ONCE(hn->mode));
	seq_printf(seq, "mode_s %llu\n",
		   div_u64(ktime_get_boottime_ns() -
			   READ_ONCE(hn->mode_since_ns), NSEC_PER_SEC));
	seq_printf(seq, "pressure %u\n", pressure);
	seq_printf(seq, "pressure_ms %u\n",
		   lasting_ms(pressure, READ_ONCE(watch->since_ms),
			      ho_clock_ms()));
	return 0;
}

static const struct {
	const char *name;
	int (*show)(struct seq_file *seq, void *v);
} ho_usage_files[] = {
	{ "halfopen_ports", ho_ports_show },
	{ "halfopen_limits", ho_limits_show },
	{ "halfopen_status", ho_status_show },
};

static void remove_files(struct ho_net *hn, size_t nr)
{
	while (nr--)
		remove_proc_entry(ho_usage_files[nr].name, hn->net->proc_net);
}

int ho_usage_net_init(struct ho_net *hn)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ho_usage_files); i++) {
		if (!proc_create_net_single(ho_usage_files[i].name, 0444,
					    hn->net->proc_net,
					    ho_usage_files[i].show, NULL)) {
			remove_files(hn, i);
			return -ENOMEM;
		}
	}
	return 0;
}

void ho_usage_net_exit(struct ho_net *hn)
{
	remove_files(hn, ARRAY_SIZE(ho_usage_files));
}
