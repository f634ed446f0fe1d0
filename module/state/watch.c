// SPDX-License-Identifier: GPL-2.0
/*
 * Rates and pressure, looked at once a second.
 *
 * Packets only count; whether a port or the table is under pressure is found
 * out here, with hysteresis, and told upwards once when it begins and once when
 * it ends.  Only where listeners look after their own queues (mode auto) a
 * packet may find that pressure begins, because such a queue fills in no time.
 *
 * The watch runs while there are entries, pressure or new SYNs, and sleeps
 * otherwise; the next SYN wakes it.
 */
#include <halfopen/watch.h>

#include <linux/jiffies.h>
#include <linux/minmax.h>

#include <halfopen/room.h>
#include <halfopen/rto.h>
#include <halfopen/timer.h>

static u32 rate_of(u32 syns, u32 dt_ms)
{
	return (u64)syns * 1000 / max(dt_ms, 1U);
}

static void tell(struct ho_table *tbl, __be16 lport, u32 used, u32 max,
		 u32 rate, bool begins, u32 lasted_ms)
{
	const struct ho_watch_event event = {
		.lport = lport,
		.begins = begins,
		.used = used,
		.max = max,
		.rate = rate,
		.lasted_ms = begins ? 0 : lasted_ms,
	};

	tbl->ops->pressure(tbl, &event);
}

/*
 * Where it was the listener's queue that filled up, it takes a lifetime until
 * there are as many entries here as there would be in that queue.
 */
static bool is_too_soon(const struct ho_table *tbl, const struct ho_port *port,
			u32 now_ms)
{
	u32 lifetime_ms;

	lifetime_ms = ho_rto_lifetime_ms(READ_ONCE(tbl->cfg.rto_init_ms),
					 READ_ONCE(tbl->cfg.rto_max_ms),
					 READ_ONCE(tbl->cfg.retries));
	return now_ms - READ_ONCE(port->since_ms) < lifetime_ms;
}

/* Returns whether something goes on there; adds to @total. */
static bool look_at_port(struct ho_table *tbl, u16 nr, struct ho_port *port,
			 u32 dt_ms, u32 now_ms, u32 *total)
{
	u32 syns = ho_port_syns(port), seen = port->syns_seen;
	u32 used = ho_budget_count(&port->entries);
	u32 max = ho_room_port_max(tbl);
	/* pairs with cmpxchg() in ho_watch_begin() */
	bool on = smp_load_acquire(&port->pressure), next;
	u32 listener_max = on ? READ_ONCE(port->listener_max) : 0;
	u32 since_ms;

	*total += syns - seen;
	if (syns == seen && !used && !on && !port->rate)
		return false;
	WRITE_ONCE(port->syns_seen, syns);
	WRITE_ONCE(port->rate, rate_of(syns - seen, dt_ms));
	if (listener_max)
		max = min(max, listener_max);
	next = max && ho_pressure_next(on,
				       ho_pressure_level(used, max,
							 &tbl->cfg.marks));
	if (next == on || (listener_max && is_too_soon(tbl, port, now_ms)))
		return true;
	since_ms = next ? now_ms : READ_ONCE(port->since_ms);
	WRITE_ONCE(port->since_ms, since_ms);
	WRITE_ONCE(port->listener_max, 0);
	/* after both: who finds it false may set them anew */
	smp_store_release(&port->pressure, next);
	tell(tbl, cpu_to_be16(nr), used, max, port->rate, next,
	     now_ms - since_ms);
	return true;
}

static bool look_at_table(struct ho_table *tbl, u32 syns, u32 dt_ms, u32 now_ms)
{
	struct ho_watch *watch = &tbl->watch;
	u32 used = ho_budget_count(&tbl->entries);
	u32 max = READ_ONCE(tbl->cfg.max_entries);
	enum ho_pressure level;
	bool next;

	level = max(ho_pressure_level(used, max, &tbl->cfg.marks),
		    ho_room_memory_pressure(tbl));
	/* a table of no entries is stateless by choice, not under pressure */
	next = max && ho_pressure_next(watch->pressure, level);
	if (next != watch->pressure) {
		if (next)
			watch->since_ms = now_ms;
		watch->pressure = next;
		tell(tbl, 0, used, max, rate_of(syns, dt_ms), next,
		     now_ms - watch->since_ms);
	}
	return used || next;
}

bool ho_watch_run(struct ho_table *tbl, u32 now_ms)
{
	u32 dt_ms = now_ms - tbl->watch.last_ms;
	struct ho_port *port;
	bool more = false;
	u32 nr, syns = 0;

	for (nr = 0; (port = ho_port_next(&tbl->ports, &nr)); nr++)
		more |= look_at_port(tbl, nr, port, dt_ms, now_ms, &syns);
	more |= look_at_table(tbl, syns, dt_ms, now_ms);
	WRITE_ONCE(tbl->watch.last_ms, now_ms);
	return more;
}

void ho_watch_begin(struct ho_table *tbl, __be16 lport, struct ho_port *port,
		    u32 used, u32 max, u32 now_ms)
{
	u32 dt_ms = now_ms - READ_ONCE(tbl->watch.last_ms);
	u32 rate;

	WRITE_ONCE(port->listener_max, max);
	WRITE_ONCE(port->since_ms, now_ms);
	/* one of all CPUs that see it; a full barrier, the watch sees both */
	if (cmpxchg(&port->pressure, false, true))
		return;
	rate = dt_ms < HO_WATCH_MS / 4 ? READ_ONCE(port->rate) :
		rate_of(ho_port_syns(port) - READ_ONCE(port->syns_seen), dt_ms);
	tell(tbl, lport, used, max, rate, true, 0);
}

static void watch_fn(struct work_struct *work)
{
	struct ho_table *tbl = container_of(to_delayed_work(work),
					    struct ho_table, watch.work);

	/* before looking: who comes later kicks again */
	WRITE_ONCE(tbl->watch.armed, false);
	if (ho_watch_run(tbl, ho_clock_ms()))
		ho_watch_kick(tbl);
}

void ho_watch_kick(struct ho_table *tbl)
{
	if (READ_ONCE(tbl->watch.armed))
		return;
	WRITE_ONCE(tbl->watch.armed, true);
	schedule_delayed_work(&tbl->watch.work,
			      msecs_to_jiffies(HO_WATCH_MS));
}

void ho_watch_init(struct ho_table *tbl)
{
	tbl->watch.armed = false;
	tbl->watch.pressure = false;
	tbl->watch.last_ms = ho_clock_ms();
	INIT_DELAYED_WORK(&tbl->watch.work, watch_fn);
}

void ho_watch_exit(struct ho_table *tbl)
{
	/* it may kick itself once more while it is cancelled */
	WRITE_ONCE(tbl->watch.armed, true);
	cancel_delayed_work_sync(&tbl->watch.work);
}
