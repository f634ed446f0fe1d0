// SPDX-License-Identifier: GPL-2.0
/* What an administrator should do: a sentence for each thing amiss. */
#include "advice.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "knobs.h"
#include "util.h"

enum {
	FEW_ENTRIES		= 64,	/* too few to be worth a word */
	BIG_SOURCE_PCT		= 20,	/* of the table: worth blocking */
	FULL_PCT		= 95,	/* of a cap on memory */
	DECLINED_PCT		= 10,	/* of all SYNs */
	WAITING_PORTS_MAX	= 3,
};

static void (*say_it)(const char *sentence);
static unsigned int said;

__printf(1, 2)
static void say(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	said++;
	say_it(text);
}

static void about_sources(const struct sources *sources)
{
	struct source top;
	char text[64];

	if (sources->total < FEW_ENTRIES || !sources_top(sources, &top, 1))
		return;
	if (percent(top.entries, sources->total) >= BIG_SOURCE_PCT)
		say("%s holds %u of %llu entries: block it in front of this host, or lower max_source_backlog (%llu)",
		    source_text(sources, &top, text), top.entries,
		    sources->total, knob_value("max_source_backlog"));
	else
		say("the entries come from %zu source prefixes, %u %% at most from one: spoofed, so blocking addresses does not help; clients connect all the same",
		    sources->nr, percent(top.entries, sources->total));
}

static void about_limits(const struct snap *snap)
{
	struct snap_limit backlog = snap_limit(snap, "backlog");
	__u64 port_max = knob_value("max_port_backlog");
	size_t i;

	if (backlog.limit && backlog.used >= backlog.limit)
		say("the table is full: excess is answered by cookie; max_backlog may be raised, an entry takes 64 bytes (IPv6: 96)");
	for (i = 0; i < snap->nr_ports && i < WAITING_PORTS_MAX; i++)
		if (port_max && snap->ports[i].entries >= port_max)
			say("port %u holds all of max_port_backlog (%llu): excess is answered by cookie, other ports keep their room",
			    snap->ports[i].port, port_max);
}

static void about_memory(const struct snap *snap, const char *name,
			 const char *knob)
{
	struct snap_limit memory = snap_limit(snap, name);
	__u64 more = memory.limit * 2;

	if (!memory.limit || percent(memory.used, memory.limit) < FULL_PCT)
		return;
	if (more > INT_MAX)
		more = INT_MAX;
	say("%llu of %llu bytes are used: 'halfopenctl set %s=%llu' gives more",
	    memory.used, memory.limit, knob, more);
}

static void about_waiting(const __u32 *acked)
{
	unsigned int port, ports = 0;

	for (port = 0; port < 65536 && ports < WAITING_PORTS_MAX; port++) {
		if (!acked[port])
			continue;
		ports++;
		say("%u connections to port %u are complete and wait: its program accepts too slowly, or the backlog of its listen() is small",
		    acked[port], port);
	}
}

/* Not those that nobody can help, or wants to. */
static bool is_harmless(int nr)
{
	return nr == COUNTER_declined_mode || nr == COUNTER_declined_auto ||
	       nr == COUNTER_declined_no_listener ||
	       nr == COUNTER_declined_socket;
}

static void about_declined(const struct snap *snap)
{
	__u64 taken = snap->count[COUNTER_syn_taken] +
			 snap->count[COUNTER_cookie_sent];
	__u64 declined = 0;
	int nr, most = -1;

	for (nr = COUNTER_FIRST_DECLINE; nr < COUNTER_FIRST_OVERLOAD; nr++) {
		if (is_harmless(nr))
			continue;
		declined += snap->count[nr];
		if (most < 0 || snap->count[nr] > snap->count[most])
			most = nr;
	}
	if (declined < FEW_ENTRIES ||
	    percent(declined, declined + taken) < DECLINED_PCT)
		return;
	say("%u %% of all SYNs so far went the native way, most of them for %s: %s",
	    percent(declined, declined + taken), counters[most].name,
	    counters[most].meaning);
}

void advise(const struct snap *snap, const struct sources *sources,
	    const __u32 *acked, void (*how)(const char *sentence))
{
	say_it = how;
	said = 0;
	if (!snap->mode)
		say("new SYNs go the native way: 'halfopenctl set mode=1' turns halfopen on");
	if (snap->count[COUNTER_verify_diff])
		say("%llu SYN-ACKs differed from the stack's own: a bug, please report it with the kernel log",
		    snap->count[COUNTER_verify_diff]);
	if (snap->pressure || snap_ports_under_pressure(snap))
		about_sources(sources);
	about_limits(snap);
	about_memory(snap, "memory_bytes", "max_memory_bytes");
	about_memory(snap, "host_memory_bytes", "host_memory_bytes");
	about_waiting(acked);
	about_declined(snap);
	if (!said)
		say("nothing to do");
}
