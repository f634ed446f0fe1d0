/* SPDX-License-Identifier: GPL-2.0 */
/* What is known of each local port. */
#ifndef _HALFOPEN_PORT_H
#define _HALFOPEN_PORT_H

#include <linux/percpu.h>
#include <linux/rcupdate.h>

#include <halfopen/budget.h>
#include <halfopen/limits.h>
#include <halfopen/memory.h>

/**
 * struct ho_port_cpu - what a CPU knows of a port
 * @credit: of ho_port.entries
 * @syns: SYNs for a listener here
 */
struct ho_port_cpu {
	atomic_t credit;
	u32 syns;
};

/**
 * struct ho_port - a local port, of all addresses and both families
 * @entries: half-open connections
 * @cpu: per CPU
 * @cookie_ms: ms clock when a cookie was last given to somebody without an
 *	entry, 0 = never
 * @pressure: under pressure (watch.c, as all below)
 * @since_ms: ms clock when that began
 * @listener_max: the limit of the listener's queue, if it was that which filled
 *	up, else 0
 * @syns_seen: SYNs up to the last look
 * @rate: SYNs a second before it
 */
struct ho_port {
	struct ho_budget entries;
	struct ho_port_cpu __percpu *cpu;
	u32 cookie_ms;
	bool pressure;
	u32 since_ms;
	u32 listener_max;
	u32 syns_seen;
	u32 rate;
};

struct ho_port_chunk;

/**
 * struct ho_ports - the ports of a namespace
 * @chunks: allocated when first needed
 */
struct ho_ports {
	struct ho_port_chunk __rcu *chunks[HO_PORT_CHUNKS];
};

/**
 * ho_ports_exit() - free all ports
 * @ports: the ports; nobody else uses them any more
 * @mem: where they were charged
 *
 * Context: process.
 */
void ho_ports_exit(struct ho_ports *ports, struct ho_memory *mem);

/**
 * ho_port_find() - what is known of a port
 * @ports: the ports
 * @lport: local port
 *
 * Context: any; lives as long as the namespace.
 * Return: the port, or NULL if there never was an entry or a cookie.
 */
struct ho_port *ho_port_find(const struct ho_ports *ports, __be16 lport);

/**
 * ho_port_make() - the same, and begin to know it
 * @ports: the ports
 * @lport: local port
 * @mem: where a chunk of them is charged
 *
 * Context: softirq.
 * Return: the port, or NULL without memory.
 */
struct ho_port *ho_port_make(struct ho_ports *ports, __be16 lport,
			     struct ho_memory *mem);

/**
 * ho_port_next() - the next port that is known
 * @ports: the ports
 * @nr: where to begin; set to its number
 *
 * Context: any.
 * Return: the port, or NULL at the end.
 */
struct ho_port *ho_port_next(const struct ho_ports *ports, u32 *nr);

/**
 * ho_port_syns() - SYNs for listeners at a port
 * @port: the port
 *
 * Context: any; touches every CPU's line, not for the packet path.
 * Return: how many so far; wraps.
 */
u32 ho_port_syns(const struct ho_port *port);

/**
 * ho_port_count_syn() - one more
 * @port: the port
 *
 * Context: any.
 */
static inline void ho_port_count_syn(struct ho_port *port)
{
	this_cpu_inc(port->cpu->syns);
}

/**
 * ho_port_needs_cookies() - note that a cookie may come back here
 * @port: the port
 * @now_ms: ms clock
 *
 * Context: any.
 */
static inline void ho_port_needs_cookies(struct ho_port *port, u32 now_ms)
{
	u32 stamp = now_ms ? now_ms : 1;

	/* pairs with ho_port_believes(); written at most once a ms */
	if (READ_ONCE(port->cookie_ms) != stamp)
		WRITE_ONCE(port->cookie_ms, stamp);
}

/**
 * ho_port_believes() - may an ACK without an entry be one with a cookie?
 * @port: the port, or NULL
 * @now_ms: ms clock
 *
 * Where none was given there is none to come back: so an open port's cookies
 * are no way into another (CVE-2001-0851), and a quiet one pays nothing.
 *
 * Context: any.
 * Return: true if cookies were given here in the last two key periods.
 */
static inline bool ho_port_believes(const struct ho_port *port, u32 now_ms)
{
	u32 cookie_ms = port ? READ_ONCE(port->cookie_ms) : 0;

	/* another CPU's clock may be a moment ahead */
	return cookie_ms && now_ms - cookie_ms + HO_COOKIE_SLACK_MS <=
			    HO_COOKIE_AGE_MAX_MS + HO_COOKIE_SLACK_MS;
}

#endif /* _HALFOPEN_PORT_H */
