/* SPDX-License-Identifier: GPL-2.0 */
/* One look at all that /proc/net says, but for the entries. */
#ifndef SNAP_H
#define SNAP_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "counter.h"

enum {
	SNAP_LIMITS_MAX	= 16,
};

struct snap_port {
	__u32 port;
	__u32 entries;
	__u32 syns;
	__u32 rate;		/* SYNs a second */
	bool pressure;
	bool cookies;
	__u32 pressure_ms;
};

struct snap_limit {
	char name[32];
	__u64 used;
	__u64 limit;
};

struct snap {
	__u64 at_ms;
	__u64 count[COUNTER_MAX];
	struct snap_port *ports;	/* those with most entries first */
	size_t nr_ports;
	struct snap_limit limits[SNAP_LIMITS_MAX];
	size_t nr_limits;
	unsigned int mode;
	__u64 mode_s;
	bool pressure;
	__u32 pressure_ms;
};

/* What was there before is freed; begin with zeros. */
void snap_take(struct snap *snap);
/* Zeros if there is no such limit. */
struct snap_limit snap_limit(const struct snap *snap, const char *name);
size_t snap_ports_under_pressure(const struct snap *snap);
__u32 snap_longest_pressure_ms(const struct snap *snap);
__u64 snap_declined(const struct snap *snap);
/* "on", "off", "auto" */
const char *snap_mode(const struct snap *snap);

/* Of the module that is loaded; "" if it has none. */
const char *module_version(void);
/* "73 s", "01:02:03", "3 d 01:02:03" into TEXT, 32 bytes; returns it. */
char *duration_text(__u64 seconds, char *text);
/* Local time of that many seconds ago. */
char *since_text(__u64 seconds, char *text);
unsigned int percent(__u64 used, __u64 limit);

/* The same objects in every command's JSON. */
void snap_json_ports(const struct snap *snap, size_t rows);

#endif
