/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A table whose clock is the test's: its kernel timers are shut down, so that
 * nothing happens but through ho_timer_run() with a time that the test names.
 */
#ifndef _HALFOPEN_KUNIT_TABLE_FIXTURE_H
#define _HALFOPEN_KUNIT_TABLE_FIXTURE_H

#include <kunit/test.h>

#include <halfopen/timer.h>

#include "fixtures.h"

/* What the timer asked for, in order. */
struct fix_event {
	u32 at_ms;
	u32 isn;
	u32 timeouts;
	bool expired;
};

enum { FIX_EVENTS_MAX = 1 << 13 };

struct fix_state {
	struct ho_table tbl;
	u32 now_ms;		/* of the events, unless live */
	bool live;		/* the kernel's timers and clock */
	unsigned int retries;	/* of the listener, if not 0 */
	void (*in_retries)(struct ho_table *tbl, const struct ho_key *key);
	u32 nr_events;
	struct fix_event events[FIX_EVENTS_MAX];
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
				       const struct ho_key *key,
				       unsigned int dflt, void **ctx)
{
	struct fix_state *state = fix_state(tbl);

	*ctx = state;
	if (state->in_retries)
		state->in_retries(tbl, key);
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

static inline void fix_expired(struct ho_table *tbl)
{
	fix_note(tbl, (struct fix_event) { .expired = true });
}

static const struct ho_timer_ops fix_ops = {
	.retries = fix_retries,
	.resend = fix_resend,
	.expired = fix_expired,
};

static inline int fix_table_init(struct kunit *test)
{
	struct fix_state *state;

	state = kvzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return -ENOMEM;
	test->priv = state;
	return ho_entry_init();
}

static inline void fix_table_exit(struct kunit *test)
{
	struct fix_state *state = test->priv;

	if (!state)
		return;
	if (state->table_made)
		ho_table_exit(&state->tbl);
	ho_entry_exit();
	kvfree(state);
}

/* One table a test. */
static inline struct ho_table *fix_live_table(struct kunit *test, u32 buckets)
{
	struct fix_state *state = test->priv;
	struct ho_table *tbl = &state->tbl;

	tbl->cfg = (struct ho_table_cfg) {
		.max_entries = HO_BACKLOG_DEF,
		.rto_init_ms = HO_RTO_INIT_MS,
		.rto_max_ms = HO_RTO_MAX_MS,
		.retries = HO_RETRIES_DEF,
	};
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

/* Under a bucket lock or BH disabled. */
static inline struct ho_entry *fix_reserve(struct ho_table *tbl,
					   const struct ho_conn *conn)
{
	struct ho_entry *ent;

	if (!ho_budget_reserve(&tbl->budget, tbl->cfg.max_entries))
		return NULL;
	ent = ho_entry_alloc(conn);
	if (!ent)
		ho_budget_release(&tbl->budget);
	return ent;
}

static inline void fix_unreserve(struct ho_table *tbl, struct ho_entry *ent)
{
	ho_entry_free(ent);
	ho_budget_release(&tbl->budget);
}

static inline int fix_insert(struct ho_table *tbl, const struct ho_conn *conn,
			     u32 now_ms)
{
	u64 hash = ho_table_hash(tbl, &conn->key);
	struct ho_bucket *bkt = ho_table_lock_new(tbl, hash);
	struct ho_entry *ent;
	int err;

	if (!bkt)
		return -ENOMEM;
	ent = fix_reserve(tbl, conn);
	err = ent ? ho_table_insert_locked(tbl, bkt, ent, hash, now_ms) :
		    -EDQUOT;
	if (ent && err)
		fix_unreserve(tbl, ent);
	ho_table_unlock(bkt);
	return err;
}

/* The n-th client; n is its ISN, so that it can be told. */
static inline int fix_insert_nth(struct ho_table *tbl, u32 n, u32 now_ms)
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
