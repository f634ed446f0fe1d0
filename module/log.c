// SPDX-License-Identifier: GPL-2.0
/* The kernel's log: who, how much, what is done, where to look. */
#include <halfopen/log.h>

#include <linux/net.h>
#include <linux/printk.h>

#include <halfopen/net.h>

/* "port 80", "all ports"; a namespace by its number, as lsns(8) has it. */
static void name_place(const struct ho_net *hn, __be16 lport, char *text,
		       size_t size)
{
	char port[16] = "all ports";

	if (lport)
		snprintf(port, sizeof(port), "port %u", ntohs(lport));
	if (net_eq(hn->net, &init_net))
		snprintf(text, size, "%s", port);
	else
		snprintf(text, size, "%s of netns %u", port, hn->net->ns.inum);
}

void ho_log_pressure(const struct ho_net *hn,
		     const struct ho_watch_event *event)
{
	char place[48];

	if (!net_ratelimit())
		return;
	name_place(hn, event->lport, place, sizeof(place));
	if (event->begins)
		pr_notice("halfopen: %s: SYN pressure begins, %u of %u half-open, %u SYN/s: fewer SYN-ACKs are repeated, excess is answered without state; see /proc/net/halfopen_ports\n",
			  place, event->used, event->max, event->rate);
	else
		pr_notice("halfopen: %s: SYN pressure is over after %u s, %u of %u half-open, %u SYN/s\n",
			  place, event->lasted_ms / 1000, event->used,
			  event->max, event->rate);
}
