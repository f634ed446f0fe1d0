/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table whose clock is the test's: its kernel timers are shut down, so that
 * nothing happens but through ho_timer_run() with a time that the test names.
 */
#ifndef _HALFOPEN_KUNIT_TABLE_FIXTURE_H
#define _HALFOPEN_KUNIT_TABLE_FIXTURE_H

#include <kunit/test.h>

#include <linux/bottom_half.h>

#include <halfopen/room.h>
#include <halfopen/timer.h>

#include "faults.h"
#include "fixtures.h"

/* What the timer asked for, in order. */
struct fix_event {
	u32 at_ms;
	u32 isn;
	u32 timeouts;
	bool expired;
	bool held;
	enum ho_hold why;
};

enum {
	FIX_EVENTS_MAX	= 1 << 13,
	FIX_TELLS_MAX	= 1 << 6,
};

struct fix_state {
	struct ho_table tbl;
	u32 now_ms;		/* of the events, unless live */
	bool live;		/* the kernel's timers and clock */
	unsigned int retries;	/* of the listener, if not 0 */
	void (*in_retries)(struct ho_table *tbl, const struct ho_key *key);
	u32 nr_events;
	struct fix_event events[FIX_EVENTS_MAX];
	u32 nr_evicted;
	u32 nr_tells;		/* of pressure */
	struct ho_watch_event tells[FIX_TELLS_MAX];
	bool memory_made;
	bool entries_made;
	bool table_made;
};

static inline struct fix_state *fix_state(struct ho_table *tbl)
{
	return container_of(tbl, struct fix_state, tbl);
}

static inline void fix_note(struct ho_table *tbl, struct fix_event event)
{
	struct fix_state *state = fix_state(tbl);

	event.at_ms = state->live ? ho_clock_ms() : state->now_ms;
	if (state->nr_events < FIX_EVENTS_MAX)
		state->events[state->nr_events] = event;
	state->nr_events++;
}

static inline unsigned int fix_retries(struct ho_table *tbl,
				       const struct ho_conn *conn,
				       unsigned int dflt, void **ctx)
{
	struct fix_state *state = fix_state(tbl);

	*ctx = state;
	if (state->in_retries)
		state->in_retries(tbl, &conn->key);
	return state->retries ?: dflt;
}

static inline void fix_resend(struct ho_table *tbl, const struct ho_conn *conn,
			      void *ctx)
{
	fix_note(tbl, (struct fix_event) {
		/* a ctx that got lost on the way shows as an event of nobody */
		.isn = ctx == fix_state(tbl) ? conn->req.rcv_isn : U32_MAX,
		.timeouts = conn->req.timeouts,
	});
}

static inline void fix_held(struct ho_table *tbl, enum ho_hold why)
{
	fix_note(tbl, (struct fix_event) { .held = true, .why = why });
}

static inline void fix_expired(struct ho_table *tbl, const struct ho_conn *conn)
{
	fix_note(tbl, (struct fix_event) { .expired = true });
}

static inline void fix_evicted(struct ho_table *tbl, const struct ho_conn *conn)
{
	fix_state(tbl)->nr_evicted++;
}

static inline void fix_pressure(struct ho_table *tbl,
				const struct ho_watch_event *event)
{
	struct fix_state *state = fix_state(tbl);

	if (state->nr_tells < FIX_TELLS_MAX)
		state->tells[state->nr_tells] = *event;
	state->nr_tells++;
}

static const struct ho_table_ops fix_ops = {
	.retries = fix_retries,
	.resend = fix_resend,
	.held = fix_held,
	.expired = fix_expired,
	.evicted = fix_evicted,
	.pressure = fix_pressure,
};

static inline int fix_table_init(struct kunit *test)
{
	struct fix_state *state;

	state = kvzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return -ENOMEM;
	test->priv = state;
	ho_host_memory.max_bytes = HO_HOST_MEMORY_DEF;
	state->memory_made = !ho_memory_init();
	state->entries_made = state->memory_made && !ho_entry_init(0);
	return state->entries_made ? 0 : -ENOMEM;
}

/* Whatever a test did, nothing is left of it. */
static inline void fix_table_exit(struct kunit *test)
{
	struct fix_state *state = test->priv;

	if (!state)
		return;
	fix_fail_nth = 0;
	if (state->table_made) {
		ho_table_stop(&state->tbl);
		ho_table_exit(&state->tbl);
	}
	if (state->entries_made)
		ho_entry_exit();
	if (state->memory_made) {
		KUNIT_EXPECT_EQ(test, ho_budget_count(&ho_host_memory.used), 0);
		ho_memory_exit();
	}
	kvfree(state);
}

/* Nothing is limited but by the size of the table; a test sets its own. */
static inline void fix_defaults(struct ho_table *tbl)
{
	tbl->mem.max_bytes = HO_HOST_MEMORY_DEF;
	tbl->sources.cfg = (struct ho_prefixes) {
		.v4 = HO_PREFIX_V4_DEF,
		.v6 = HO_PREFIX_V6_DEF,
	};
	tbl->cfg = (struct ho_table_cfg) {
		.max_entries = HO_BACKLOG_DEF,
		.max_port_entries = HO_BACKLOG_MAX,
		.max_source_entries = HO_BACKLOG_MAX,
		.marks = { .low_pct = 100, .high_pct = 100 },
		.rto_init_ms = HO_RTO_INIT_MS,
		.rto_max_ms = HO_RTO_MAX_MS,
		.retries = HO_RETRIES_DEF,
	};
}

/* One table a test. */
static inline struct ho_table *fix_live_table(struct kunit *test, u32 buckets)
{
	struct fix_state *state = test->priv;
	struct ho_table *tbl = &state->tbl;

	fix_defaults(tbl);
	KUNIT_ASSERT_EQ(test, ho_table_init(tbl, buckets, &fix_ops), 0);
	state->table_made = true;
	state->live = true;
	return tbl;
}

static inline struct ho_table *fix_table(struct kunit *test, u32 buckets)
{
	struct ho_table *tbl = fix_live_table(test, buckets);
	int i;

	fix_state(tbl)->live = false;
	/* a timer once shut down cannot be armed again */
	for (i = 0; i < HO_SHARDS; i++)
		timer_shutdown_sync(&tbl->shards[i].timer);
	return tbl;
}

/* NULL without memory, as in everything below. */
static inline struct ho_port *fix_port(struct ho_table *tbl, __be16 lport)
{
	struct ho_port *port;

	local_bh_disable();
	port = ho_port_make(&tbl->ports, lport, &tbl->mem);
	local_bh_enable();
	return port;
}

/* An entry that is in no chain yet. */
static inline struct ho_entry *fix_enter(struct ho_table *tbl,
					 const struct ho_conn *conn,
					 enum ho_full *full)
{
	struct ho_port *port = fix_port(tbl, conn->key.lport);
	struct ho_conn copy = *conn;
	struct ho_entry *ent;

	*full = HO_FULL_MEMORY;
	if (!port)
		return NULL;
	local_bh_disable();
	copy.source = ho_source_of(&tbl->sources, &copy.key);
	ent = ho_room_enter(tbl, port, &copy, full);
	local_bh_enable();
	return ent;
}

static inline void fix_cancel(struct ho_table *tbl, struct ho_entry *ent)
{
	local_bh_disable();
	ho_room_cancel(tbl, ent);
	local_bh_enable();
}

/* As a SYN does; 0 (HO_FULL_NOT) if there was room. */
static inline enum ho_full fix_insert(struct ho_table *tbl,
				      const struct ho_conn *conn, u32 now_ms)
{
	struct ho_port *port = fix_port(tbl, conn->key.lport);
	struct ho_conn copy = *conn;
	enum ho_full full;
	bool lost;

	if (!port)
		return HO_FULL_MEMORY;
	local_bh_disable();
	copy.source = ho_source_of(&tbl->sources, &copy.key);
	full = ho_room_insert(tbl, port, &copy,
			      ho_table_hash(tbl, &conn->key), now_ms, &lost);
	local_bh_enable();
	return full;
}

/* The n-th client; n is its ISN, so that it can be told. */
static inline enum ho_full fix_insert_nth(struct ho_table *tbl, u32 n,
					  u32 now_ms)
{
	struct ho_conn conn = fix_conn(fix_key_v4(n));

	conn.req.rcv_isn = n;
	return fix_insert(tbl, &conn, now_ms);
}

static inline bool fix_remove(struct ho_table *tbl, const struct ho_key *key)
{
	u64 hash = ho_table_hash(tbl, key);
	struct ho_bucket *bkt = ho_table_lock(tbl, hash);
	struct ho_entry *ent;

	if (!bkt)
		return false;
	ent = ho_table_find_locked(bkt, key);
	if (ent)
		ho_table_remove_locked(tbl, bkt, ent, hash);
	ho_table_unlock(bkt);
	return ent;
}

static inline bool fix_remove_nth(struct ho_table *tbl, u32 n)
{
	struct ho_key key = fix_key_v4(n);

	return fix_remove(tbl, &key);
}

static inline bool fix_find(struct ho_table *tbl, const struct ho_key *key,
			    struct ho_conn *conn)
{
	struct ho_bucket *bkt;
	struct ho_entry *ent;
	u64 hash = ho_table_hash(tbl, key);

	bkt = ho_table_lock(tbl, hash);
	if (!bkt)
		return false;
	ent = ho_table_find_locked(bkt, key);
	if (ent)
		ho_entry_conn(ent, conn);
	ho_table_unlock(bkt);
	return ent;
}

#endif /* _HALFOPEN_KUNIT_TABLE_FIXTURE_H */
