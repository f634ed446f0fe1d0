/* SPDX-License-Identifier: GPL-2.0 */
/* Rates and pressure, looked at once a second. */
#ifndef _HALFOPEN_WATCH_H
#define _HALFOPEN_WATCH_H

#include <linux/workqueue.h>

#include <halfopen/pressure.h>
#include <halfopen/types.h>

struct ho_port;
struct ho_table;

/**
 * struct ho_watch - the watch over a table
 * @work: runs once a second while there is something to see
 * @armed: it will run
 * @last_ms: ms clock when it last did
 * @pressure: the whole table is under pressure
 * @since_ms: ms clock when that began
 */
struct ho_watch {
	struct delayed_work work;
	bool armed;
	u32 last_ms;
	bool pressure;
	u32 since_ms;
};

/**
 * struct ho_watch_event - pressure began or ended
 * @lport: where; 0 = the whole table
 * @begins: began, or ended
 * @used: half-open connections: ours, or in the listener's queue where it was
 *	its own that filled up
 * @max: their limit
 * @rate: SYNs a second
 * @lasted_ms: how long it lasted, if it ended
 */
struct ho_watch_event {
	__be16 lport;
	bool begins;
	u32 used;
	u32 max;
	u32 rate;
	u32 lasted_ms;
};

/**
 * ho_watch_init() - prepare the watch
 * @tbl: the table
 *
 * Context: process.
 */
void ho_watch_init(struct ho_table *tbl);

/**
 * ho_watch_exit() - end it
 * @tbl: the table; nobody kicks it any more
 *
 * Context: process, may sleep.
 */
void ho_watch_exit(struct ho_table *tbl);

/**
 * ho_watch_kick() - there is something to see
 * @tbl: the table
 *
 * Context: any, cheap.
 */
void ho_watch_kick(struct ho_table *tbl);

/**
 * ho_watch_begin() - the listener's own queue is filling up
 * @tbl: the table
 * @lport: its port
 * @port: the same
 * @used: requests in that queue
 * @max: its limit; pressure is over when fewer are half-open here than fit
 *	there by the low watermark
 * @now_ms: ms clock
 *
 * Context: softirq.
 */
void ho_watch_begin(struct ho_table *tbl, __be16 lport, struct ho_port *port,
		    u32 used, u32 max, u32 now_ms);

/**
 * ho_watch_run() - look at everything once
 * @tbl: the table
 * @now_ms: ms clock
 *
 * Context: process or BH disabled, one caller at a time.
 * Return: true if it is worth looking again.
 */
bool ho_watch_run(struct ho_table *tbl, u32 now_ms);

#endif /* _HALFOPEN_WATCH_H */
