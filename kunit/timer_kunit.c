// SPDX-License-Identifier: GPL-2.0
/*
 * Retransmission timers: with a clock of the test's own over the whole range
 * of settings and every wrap, then with the kernel's timers.
 */
#include <kunit/test.h>

#include <linux/delay.h>

#include "table_fixture.h"

enum {
	CLOCK23 = 1 << 23,		/* deadlines have 23 bits */
};

/* Work off all that is due; the number of events it made. */
static u32 run_at(struct ho_table *tbl, u32 now_ms)
{
	struct fix_state *state = fix_state(tbl);
	u32 before = state->nr_events;
	int i;

	state->now_ms = now_ms;
	rcu_read_lock();
	local_bh_disable();
	for (i = 0; i < HO_SHARDS; i++)
		while (ho_timer_run(&tbl->shards[i], now_ms))
			;
	local_bh_enable();
	rcu_read_unlock();
	return state->nr_events - before;
}

static const struct fix_event *last_event(struct ho_table *tbl)
{
	return &fix_state(tbl)->events[fix_state(tbl)->nr_events - 1];
}

static u32 queued(struct ho_table *tbl)
{
	u32 level, i, sum = 0;

	for (i = 0; i < HO_SHARDS; i++)
		for (level = 0; level < HO_LEVELS; level++)
			sum += tbl->shards[i].len[level];
	return sum;
}

/* Doubling one step at a time, as in the RFC. */
static u32 wait_after(const struct ho_table_cfg *cfg, unsigned int timeouts)
{
	u32 wait = min(cfg->rto_init_ms, cfg->rto_max_ms);

	while (timeouts--)
		wait = min(2 * wait, cfg->rto_max_ms);
	return wait;
}

/* --- one entry ------------------------------------------------------------ */

struct schedule_case {
	const char *name;
	u32 init_ms, max_ms;
	unsigned int retries;
};

static const struct schedule_case schedules[] = {
	{ "by_default", HO_RTO_INIT_MS, HO_RTO_MAX_MS, HO_RETRIES_DEF },
	{ "without_retries", HO_RTO_INIT_MS, HO_RTO_MAX_MS, 0 },
	{ "with_one_retry", HO_RTO_INIT_MS, HO_RTO_MAX_MS, 1 },
	{ "at_its_shortest", HO_RTO_MIN_MS, HO_RTO_MIN_MS, HO_RETRIES_MAX },
	{ "at_its_longest", HO_RTO_MAX_MS, HO_RTO_MAX_MS, HO_RETRIES_MAX },
	{ "from_shortest_to_longest", HO_RTO_MIN_MS, HO_RTO_MAX_MS,
	  HO_RETRIES_MAX },
	{ "with_a_cap_between_two_steps", 1000, 5000, 7 },
	{ "with_a_cap_below_the_first_wait", 5000, 1000, 4 },
	{ "with_odd_numbers", 333, 77777, HO_RETRIES_MAX },
};

KUNIT_ARRAY_PARAM_DESC(schedules, schedules, name);

static const u32 clock_starts[] = {
	0, 1, CLOCK23 / 2 - 500, CLOCK23 - 1, CLOCK23 - 50000,
	(1U << 31) - 1500, U32_MAX - 50000, U32_MAX - 1, U32_MAX,
};

static void follow_schedule(struct kunit *test, struct ho_table *tbl, u32 now)
{
	struct ho_key key = fix_key_v4(1);
	unsigned int timeouts;
	struct ho_conn conn;

	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 1, now), 0);
	for (timeouts = 0; timeouts <= tbl->cfg.retries; timeouts++) {
		bool last = timeouts == tbl->cfg.retries;

		KUNIT_ASSERT_EQ(test, run_at(tbl, now), 0);
		now += wait_after(&tbl->cfg, timeouts);
		KUNIT_ASSERT_TRUE(test, fix_find(tbl, &key, &conn));
		KUNIT_ASSERT_EQ(test, conn.req.timeouts + 0, timeouts);
		KUNIT_ASSERT_EQ(test, conn.req.retrans + 0, timeouts);
		KUNIT_ASSERT_EQ(test, conn.req.deadline_ms + 0, now % CLOCK23);
		KUNIT_ASSERT_EQ(test, run_at(tbl, now - 1), 0);
		KUNIT_ASSERT_EQ(test, run_at(tbl, now), 1);
		KUNIT_ASSERT_EQ(test, last_event(tbl)->expired, last);
		if (last)
			break;
		KUNIT_ASSERT_EQ(test, last_event(tbl)->isn, 1);
		KUNIT_ASSERT_EQ(test, last_event(tbl)->timeouts, timeouts);
	}
	KUNIT_EXPECT_FALSE(test, fix_find(tbl, &key, &conn));
	KUNIT_EXPECT_EQ(test, queued(tbl), 0);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->entries), 0);
}

static void entry_is_answered_to_schedule(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	const struct schedule_case *c = test->param_value;
	unsigned int i;

	tbl->cfg.rto_init_ms = c->init_ms;
	tbl->cfg.rto_max_ms = c->max_ms;
	tbl->cfg.retries = c->retries;
	for (i = 0; i < ARRAY_SIZE(clock_starts); i++)
		follow_schedule(test, tbl, clock_starts[i]);
}

/* 1 + 2 + 4 + 8 + 16 + 32 */
static void default_schedule_ends_at_63_s(struct kunit *test)
{
	static const u32 want_s[] = { 1, 3, 7, 15, 31, 63 };
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	struct fix_state *state = fix_state(tbl);
	u32 start = U32_MAX - 10000, ms, i;

	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 1, start), 0);
	for (ms = 0; ms <= 64 * MSEC_PER_SEC; ms++)
		run_at(tbl, start + ms);
	KUNIT_ASSERT_EQ(test, state->nr_events, ARRAY_SIZE(want_s));
	for (i = 0; i < ARRAY_SIZE(want_s); i++)
		KUNIT_EXPECT_EQ(test, state->events[i].at_ms - start,
				want_s[i] * MSEC_PER_SEC);
}

struct listener_case {
	const char *name;
	unsigned int retries;
	u32 resends;
};

static const struct listener_case listeners[] = {
	{ "fewer_than_the_default", 1, 1 },
	{ "more_than_the_default", HO_RETRIES_DEF + 2, HO_RETRIES_DEF + 2 },
	{ "the_most_there_are", HO_RETRIES_MAX, HO_RETRIES_MAX },
	{ "more_than_there_are", 127, HO_RETRIES_MAX },
	{ "absurd", UINT_MAX, HO_RETRIES_MAX },
};

KUNIT_ARRAY_PARAM_DESC(listeners, listeners, name);

static void listener_wants(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	const struct listener_case *c = test->param_value;
	u32 now = 0, events = 0;

	fix_state(tbl)->retries = c->retries;
	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 1, now), 0);
	while (queued(tbl) && events <= HO_LEVELS) {
		now += HO_RTO_MAX_MS;
		events += run_at(tbl, now);
	}
	KUNIT_EXPECT_EQ(test, events, c->resends + 1);
	KUNIT_EXPECT_TRUE(test, last_event(tbl)->expired);
}

static void timeout_counts_up_to_what_fits(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	struct ho_conn conn = fix_conn(fix_key_v6(1)), got;

	conn.req.retrans = HO_RETRANS_MAX - 1;
	conn.req.oow = 9;
	KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), 0);
	run_at(tbl, 1000);
	KUNIT_ASSERT_TRUE(test, fix_find(tbl, &conn.key, &got));
	KUNIT_EXPECT_EQ(test, got.req.retrans + 0, HO_RETRANS_MAX);
	KUNIT_EXPECT_EQ(test, got.req.oow + 0, 9);
	run_at(tbl, 3000);
	KUNIT_ASSERT_TRUE(test, fix_find(tbl, &conn.key, &got));
	KUNIT_EXPECT_EQ(test, got.req.retrans + 0, HO_RETRANS_MAX);
	KUNIT_EXPECT_EQ(test, got.req.timeouts + 0, 2);
	run_at(tbl, 7000);
	KUNIT_ASSERT_TRUE(test, fix_find(tbl, &conn.key, &got));
	KUNIT_EXPECT_EQ(test, got.req.oow + 0, 0);
}

/* --- many ----------------------------------------------------------------- */

/* @count clients of one shard. */
static u32 insert_in_shard(struct ho_table *tbl, u32 shard, u32 count,
			   u32 now_ms)
{
	u32 n, made = 0;

	for (n = 0; made < count; n++) {
		struct ho_key key = fix_key_v4(n);

		if (ho_table_hash(tbl, &key) % HO_SHARDS == shard)
			made += fix_insert_nth(tbl, n, now_ms) ? 0 : 1;
	}
	return n;
}

static bool in_order(const struct fix_state *state)
{
	u32 i;

	for (i = 1; i < state->nr_events; i++)
		if (state->events[i].isn <= state->events[i - 1].isn)
			return false;
	return true;
}

static void tick_does_a_bounded_part_of_a_wave(struct kunit *test)
{
	enum { WAVE = 5 * HO_TIMER_BUDGET + 7 };
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	struct fix_state *state = fix_state(tbl);
	u32 before, ticks = 0;
	bool more = true;

	insert_in_shard(tbl, 3, WAVE, 0);
	for (; more; ticks++) {
		before = state->nr_events;
		rcu_read_lock();
		local_bh_disable();
		more = ho_timer_run(&tbl->shards[3], HO_RTO_INIT_MS);
		local_bh_enable();
		rcu_read_unlock();
		KUNIT_ASSERT_LE(test, state->nr_events - before,
				(u32)HO_TIMER_BUDGET);
	}
	KUNIT_EXPECT_EQ(test, state->nr_events, WAVE);
	KUNIT_EXPECT_EQ(test, ticks, WAVE / HO_TIMER_BUDGET + 1);
	KUNIT_EXPECT_TRUE(test, in_order(state));
}

static void first_in_is_first_out(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	struct fix_state *state = fix_state(tbl);
	u32 start = CLOCK23 - 20, n;

	/* one a millisecond, and the clock wraps between them */
	for (n = 0; n < 100; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, start + n), 0);
	for (n = 0; n < 100; n++) {
		KUNIT_ASSERT_EQ(test, run_at(tbl, start + n + HO_RTO_INIT_MS),
				1);
		KUNIT_ASSERT_EQ(test, last_event(tbl)->isn, n);
	}
	KUNIT_EXPECT_TRUE(test, in_order(state));
}

static void levels_are_independent(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	u32 n;

	for (n = 0; n < 50; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 1000), 50);
	/* level 1 is due at 3000, those that come now before it */
	for (n = 50; n < 100; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 1500), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 2499), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 2500), 50);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 2999), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 3000), 50);
}

static void removed_entry_is_not_answered(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	u32 n;

	for (n = 0; n < 100; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
	for (n = 0; n < 100; n += 2)
		KUNIT_ASSERT_TRUE(test, fix_remove_nth(tbl, n));
	KUNIT_EXPECT_EQ(test, queued(tbl), 50);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 1000), 50);
	for (n = 0; n < 50; n++)
		KUNIT_EXPECT_EQ(test, fix_state(tbl)->events[n].isn % 2, 1);
}

/* --- between collecting an entry and its turn ----------------------------- */

static void remove_this(struct ho_table *tbl, const struct ho_key *key)
{
	fix_remove(tbl, key);
}

static void remove_all(struct ho_table *tbl, const struct ho_key *key)
{
	u32 n;

	for (n = 0; n < 20; n++)
		fix_remove_nth(tbl, n);
}

/* A client that was reset and came back at once: same key, other entry. */
static void replace_this(struct ho_table *tbl, const struct ho_key *key)
{
	struct ho_conn conn = fix_conn(*key);

	fix_remove(tbl, key);
	fix_insert(tbl, &conn, fix_state(tbl)->now_ms);
}

/* A repeated SYN starts the wait anew (P-16). */
static void rearm_this(struct ho_table *tbl, const struct ho_key *key)
{
	u64 hash = ho_table_hash(tbl, key);
	struct ho_bucket *bkt = ho_table_lock(tbl, hash);
	struct ho_entry *ent = ho_table_find_locked(bkt, key);

	ho_timer_cancel_locked(tbl, ent, hash);
	ho_timer_arm_locked(tbl, ent, hash, fix_state(tbl)->now_ms);
	ho_table_unlock(bkt);
}

struct race_case {
	const char *name;
	void (*in_retries)(struct ho_table *tbl, const struct ho_key *key);
	u32 left;
};

static const struct race_case races[] = {
	{ "it_goes", remove_this, 0 },
	{ "all_of_the_batch_go", remove_all, 0 },
	{ "another_takes_its_place", replace_this, 20 },
	{ "its_wait_starts_anew", rearm_this, 20 },
};

KUNIT_ARRAY_PARAM_DESC(races, races, name);

static void due_entry_is_left_alone_when(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	const struct race_case *c = test->param_value;
	u32 n;

	for (n = 0; n < 20; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
	fix_state(tbl)->in_retries = c->in_retries;
	KUNIT_EXPECT_EQ(test, run_at(tbl, HO_RTO_INIT_MS), 0);
	fix_state(tbl)->in_retries = NULL;
	KUNIT_EXPECT_EQ(test, queued(tbl), c->left);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->entries), c->left);
	/* those that are left keep their own time */
	KUNIT_EXPECT_EQ(test, run_at(tbl, 2 * HO_RTO_INIT_MS - 1), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 2 * HO_RTO_INIT_MS), c->left);
	if (c->left)
		KUNIT_EXPECT_EQ(test, last_event(tbl)->timeouts, 0);
}

/* --- settings that change ------------------------------------------------- */

static void shorter_waits_apply_at_once(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	struct fix_state *state = fix_state(tbl);
	u32 start = U32_MAX - 100, n;

	tbl->cfg.rto_init_ms = 60000;
	for (n = 0; n < 100; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, start + n), 0);
	tbl->cfg.rto_init_ms = 200;
	ho_timer_clamp(tbl, start + 100);
	/* a later one is not overtaken, nor waits for those before it */
	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 100, start + 150), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, start + 299), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, start + 300), 100);
	KUNIT_EXPECT_EQ(test, run_at(tbl, start + 350), 1);
	KUNIT_EXPECT_EQ(test, last_event(tbl)->isn, 100);
	KUNIT_EXPECT_EQ(test, state->nr_events, 101);
}

static void clamping_leaves_what_is_due_sooner(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);

	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 1, 0), 0);
	ho_timer_clamp(tbl, 900);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 999), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 1000), 1);
}

static void longer_waits_count_from_the_next_timeout(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);

	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 1, 0), 0);
	tbl->cfg.rto_init_ms = 5000;
	ho_timer_clamp(tbl, 500);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 1000), 1);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 10999), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 11000), 1);
}

static void fewer_retries_count_at_the_next_timeout(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);

	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 1000), 1);
	KUNIT_EXPECT_FALSE(test, last_event(tbl)->expired);
	tbl->cfg.retries = 0;
	KUNIT_EXPECT_EQ(test, run_at(tbl, 3000), 1);
	KUNIT_EXPECT_TRUE(test, last_event(tbl)->expired);
}

struct pressure_case {
	const char *name;
	u32 max_entries;
	u32 gone_at_s;
};

enum { PRESSURE_ENTRIES = 800 };

/* All old after 1 s: 2 retries leave time until 1 + 2 + 4 s. */
static const struct pressure_case pressures[] = {
	{ "quiet_table", 2 * PRESSURE_ENTRIES + HO_CREDIT_BATCH, 63 },
	{ "table_more_than_half_full", 2 * PRESSURE_ENTRIES - 2, 7 },
	{ "full_table", PRESSURE_ENTRIES, 7 },
};

KUNIT_ARRAY_PARAM_DESC(pressures, pressures, name);

static void old_entries_leave_a(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	const struct pressure_case *c = test->param_value;
	u32 n, s;

	tbl->cfg.max_entries = c->max_entries;
	for (n = 0; n < PRESSURE_ENTRIES; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
	for (s = 1; s <= 64 && queued(tbl) == PRESSURE_ENTRIES; s++)
		run_at(tbl, s * MSEC_PER_SEC);
	KUNIT_EXPECT_EQ(test, s - 1, c->gone_at_s);
}

/* As many young ones as old: room turns over, the old ones may stay. */
static void old_entries_stay_beside_young_ones(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	u32 n, events;

	tbl->cfg.max_entries = PRESSURE_ENTRIES;
	for (n = 0; n < PRESSURE_ENTRIES / 2; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
	run_at(tbl, 1000);
	run_at(tbl, 3000);
	for (; n < PRESSURE_ENTRIES; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 6500), 0);
	events = run_at(tbl, 7000);
	KUNIT_EXPECT_EQ(test, events, PRESSURE_ENTRIES / 2);
	KUNIT_EXPECT_EQ(test, queued(tbl), PRESSURE_ENTRIES);
}

/* --- SYN-ACKs that are held back ------------------------------------------ */

/* So small a table that an entry is pressure, by these marks. */
static struct ho_table *make_small(struct kunit *test, unsigned int low_pct,
				   unsigned int high_pct)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);

	tbl->cfg.max_entries = 10;
	tbl->cfg.max_port_entries = 10;
	tbl->cfg.marks = (struct ho_watermarks) { low_pct, high_pct };
	return tbl;
}

enum { HOLD_ENTRIES = 300 };

/* The whole life of those that are there: how many of each happened. */
struct life {
	u32 resent, pressure, source, other, expired;
};

static struct life live_on(struct ho_table *tbl, u32 from_s, u32 to_s)
{
	struct fix_state *state = fix_state(tbl);
	struct life life = {};
	u32 s, i;

	state->nr_events = 0;
	for (s = from_s; s <= to_s; s++)
		run_at(tbl, s * MSEC_PER_SEC);
	for (i = 0; i < min_t(u32, state->nr_events, FIX_EVENTS_MAX); i++) {
		const struct fix_event *e = &state->events[i];

		if (e->expired)
			life.expired++;
		else if (!e->held)
			life.resent++;
		else if (e->why == HO_HOLD_PRESSURE)
			life.pressure++;
		else if (e->why == HO_HOLD_SOURCE)
			life.source++;
		else
			life.other++;
	}
	return life;
}

struct hold_case {
	const char *name;
	u32 max_entries, max_port;
	struct ho_watermarks marks;
	u32 resends;
};

/* 30 percent of 1000 are there; no old entry has to leave for that. */
static const struct hold_case holds[] = {
	{ "quiet_is_repeated_five_times", 1000, 1000, { 50, 75 }, 5 },
	{ "above_the_low_mark_makes_three_in_all", 1000, 5000, { 10, 90 },
	  HO_SYNACKS_LOW_MAX - 1 },
	{ "above_the_high_mark_makes_one_in_all", 1000, 5000, { 10, 20 },
	  HO_SYNACKS_HIGH_MAX - 1 },
	{ "above_the_low_mark_of_a_port_makes_three", 5000, 1000, { 10, 90 },
	  HO_SYNACKS_LOW_MAX - 1 },
	{ "above_the_high_mark_of_a_port_makes_one", 5000, 1000, { 10, 20 },
	  HO_SYNACKS_HIGH_MAX - 1 },
};

KUNIT_ARRAY_PARAM_DESC(holds, holds, name);

static void table_that_is(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	const struct hold_case *c = test->param_value;
	struct life life;
	u32 n;

	tbl->cfg.max_entries = c->max_entries;
	tbl->cfg.max_port_entries = c->max_port;
	tbl->cfg.marks = c->marks;
	for (n = 0; n < HOLD_ENTRIES; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
	/* none leaves before its time, so it is as full until the end */
	life = live_on(tbl, 1, 62);
	KUNIT_EXPECT_EQ(test, life.resent, c->resends * HOLD_ENTRIES);
	KUNIT_EXPECT_EQ(test, life.pressure,
			(HO_RETRIES_DEF - c->resends) * HOLD_ENTRIES);
	KUNIT_EXPECT_EQ(test, life.source + life.other + life.expired, 0);
	life = live_on(tbl, 63, 63);
	KUNIT_EXPECT_EQ(test, life.expired, HOLD_ENTRIES);
	KUNIT_EXPECT_EQ(test, queued(tbl), 0);
}

/* What the client's own SYNs caused counts as well. */
static void repeated_syn_uses_up_its_synacks(struct kunit *test)
{
	struct ho_table *tbl = make_small(test, 1, 99);
	struct ho_conn conn;
	struct life life;
	u32 retrans;

	for (retrans = 0; retrans < 4; retrans++) {
		conn = fix_conn(fix_key_v6(retrans));
		conn.req.retrans = retrans;
		KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), 0);
	}
	/* two more of the first, one more of the second */
	life = live_on(tbl, 1, 62);
	KUNIT_EXPECT_EQ(test, life.resent, 2 + 1);
	KUNIT_EXPECT_EQ(test, life.pressure, 3 + 4 + 5 + 5);
}

static void held_entry_is_answered_once_pressure_is_over(struct kunit *test)
{
	struct ho_table *tbl = make_small(test, 1, 2);
	struct ho_key key = fix_key_v4(1);
	struct ho_conn conn;

	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 1, 0), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 1000), 1);
	KUNIT_EXPECT_TRUE(test, last_event(tbl)->held);
	KUNIT_ASSERT_TRUE(test, fix_find(tbl, &key, &conn));
	/* it waits longer all the same, and nobody says it was sent */
	KUNIT_EXPECT_EQ(test, conn.req.timeouts + 0, 1);
	KUNIT_EXPECT_EQ(test, conn.req.retrans + 0, 0);
	tbl->cfg.marks = (struct ho_watermarks) { 100, 100 };
	KUNIT_EXPECT_EQ(test, run_at(tbl, 2999), 0);
	KUNIT_EXPECT_EQ(test, run_at(tbl, 3000), 1);
	KUNIT_EXPECT_FALSE(test, last_event(tbl)->held);
	KUNIT_EXPECT_EQ(test, last_event(tbl)->timeouts, 1);
}

static void held_entry_expires_in_time(struct kunit *test)
{
	static const u32 want_s[] = { 1, 3, 7, 15, 31, 63 };
	struct ho_table *tbl = make_small(test, 1, 2);
	struct fix_state *state = fix_state(tbl);
	u32 i;

	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 1, 0), 0);
	live_on(tbl, 1, 64);
	KUNIT_ASSERT_EQ(test, state->nr_events, ARRAY_SIZE(want_s));
	for (i = 0; i < ARRAY_SIZE(want_s); i++) {
		KUNIT_EXPECT_EQ(test, state->events[i].at_ms,
				want_s[i] * MSEC_PER_SEC);
		KUNIT_EXPECT_EQ(test, state->events[i].held,
				i + 1 < ARRAY_SIZE(want_s));
	}
}

/* The budget of a prefix at one a second, all of it. */
enum { BURST = HO_SYNACK_BURST_S };

static u32 budget_left(struct ho_table *tbl, u32 n)
{
	struct ho_key key = fix_key_v4(n);
	struct ho_source who;
	u32 left = 0;

	local_bh_disable();
	who = ho_source_of(&tbl->sources, &key);
	while (left <= BURST && ho_source_send(&who, 1, ho_clock_us()))
		left++;
	local_bh_enable();
	return left;
}

/* The 20 entries of one /24 have four SYN-ACKs between them. */
static void source_over_its_budget_is_sent_nothing(struct kunit *test)
{
	enum { NR = 20, ELSEWHERE = 1 << 16 };
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	struct life life;
	u32 n;

	tbl->cfg.source_rate = 1;
	for (n = 0; n < NR; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, ELSEWHERE, 0), 0);
	life = live_on(tbl, 1, 1);
	KUNIT_EXPECT_EQ(test, life.resent, BURST + 1);
	KUNIT_EXPECT_EQ(test, life.source, NR - BURST);
	KUNIT_EXPECT_EQ(test, life.pressure + life.other + life.expired, 0);
	KUNIT_EXPECT_EQ(test, budget_left(tbl, 0), 0);
	KUNIT_EXPECT_EQ(test, budget_left(tbl, ELSEWHERE), BURST - 1);
	/* they expire like all others */
	life = live_on(tbl, 2, 64);
	KUNIT_EXPECT_EQ(test, life.expired, NR + 1);
}

struct free_case {
	const char *name;
	u32 max_entries;
	unsigned int retries;
	bool acked;
};

static const struct free_case frees[] = {
	{ "that_is_held_for_pressure", 1, 5, false },
	{ "that_expires", 1000, 0, false },
	{ "that_is_complete", 1000, 5, true },
};

KUNIT_ARRAY_PARAM_DESC(frees, frees, name);

static void source_pays_nothing_for_an_entry(struct kunit *test)
{
	const struct free_case *c = test->param_value;
	struct ho_table *tbl = make_small(test, 50, 75);
	struct ho_conn conn = fix_conn(fix_key_v4(1));
	struct life life;

	tbl->cfg.max_entries = c->max_entries;
	tbl->cfg.max_port_entries = c->max_entries;
	tbl->cfg.source_rate = 1;
	tbl->cfg.retries = c->retries;
	conn.req.acked = c->acked;
	KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), 0);
	life = live_on(tbl, 1, 1);
	KUNIT_EXPECT_EQ(test, life.resent, 0);
	KUNIT_EXPECT_EQ(test, budget_left(tbl, 1), BURST);
}

/* The client has our SYN-ACK: he needs room, not another one. */
static void complete_entry_is_not_answered_again(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	struct ho_conn conn = fix_conn(fix_key_v6(1)), got;
	struct life life;

	conn.req.acked = 1;
	KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), 0);
	life = live_on(tbl, 1, 62);
	KUNIT_EXPECT_EQ(test, life.other, HO_RETRIES_DEF);
	KUNIT_EXPECT_EQ(test, life.resent + life.pressure + life.source, 0);
	KUNIT_ASSERT_TRUE(test, fix_find(tbl, &conn.key, &got));
	KUNIT_EXPECT_EQ(test, got.req.retrans + 0, 0);
	life = live_on(tbl, 63, 63);
	KUNIT_EXPECT_EQ(test, life.expired, 1);
}

/* --- a model -------------------------------------------------------------- */

struct model {
	bool in;
	u32 due_ms;
	unsigned int timeouts;
};

enum { MODEL_KEYS = 300 };

static void model_toggle(struct kunit *test, struct ho_table *tbl,
			 struct model *m, u32 n, u32 now)
{
	if (m[n].in) {
		KUNIT_ASSERT_TRUE(test, fix_remove_nth(tbl, n));
	} else {
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, now), 0);
		m[n].due_ms = now + wait_after(&tbl->cfg, 0);
		m[n].timeouts = 0;
	}
	m[n].in = !m[n].in;
}

static void model_run(struct ho_table *tbl, struct model *m, u32 now,
		      u32 *resends, u32 *expired)
{
	u32 n;

	*resends = *expired = 0;
	for (n = 0; n < MODEL_KEYS; n++) {
		if (!m[n].in || (s32)(now - m[n].due_ms) < 0)
			continue;
		if (m[n].timeouts >= tbl->cfg.retries) {
			m[n].in = false;
			++*expired;
		} else {
			m[n].due_ms = now + wait_after(&tbl->cfg,
						       ++m[n].timeouts);
			++*resends;
		}
	}
}

static void random_walk_keeps_the_time(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	struct fix_state *state = fix_state(tbl);
	struct rnd_state rnd = fix_random(7);
	u32 now = U32_MAX - 1000000, step, i;
	struct model *m;

	m = kunit_kcalloc(test, MODEL_KEYS, sizeof(*m), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m);
	for (step = 0; step < 10000; step++) {
		u32 resends, expired;

		for (i = fix_below(&rnd, 3); i; i--)
			model_toggle(test, tbl, m, fix_below(&rnd, MODEL_KEYS),
				     now);
		now += fix_below(&rnd, 500);
		model_run(tbl, m, now, &resends, &expired);
		state->nr_events = 0;
		run_at(tbl, now);
		KUNIT_ASSERT_EQ_MSG(test, state->nr_events, resends + expired,
				    "step %u", step);
		for (i = 0; i < state->nr_events; i++) {
			const struct fix_event *e = &state->events[i];

			expired -= e->expired;
			if (!e->expired)
				KUNIT_ASSERT_EQ(test, e->timeouts + 1,
						m[e->isn].timeouts);
		}
		KUNIT_ASSERT_EQ(test, expired, 0);
		KUNIT_ASSERT_EQ(test, queued(tbl),
				ho_budget_count(&tbl->entries));
		if (step % 256 == 0)
			rcu_barrier();
	}
}

/* --- the kernel's timers -------------------------------------------------- */

enum {
	/* a timer fires in the tick after its time; then two more to be sure */
	LATE_MS = 3 * (MSEC_PER_SEC / HZ),
};

static void expect_live_schedule(struct kunit *test, struct ho_table *tbl,
				 u32 start, const u32 *want_s, u32 count)
{
	struct fix_state *state = fix_state(tbl);
	u32 i;

	KUNIT_ASSERT_EQ(test, state->nr_events, count);
	for (i = 0; i < count; i++) {
		u32 at = state->events[i].at_ms - start;

		KUNIT_EXPECT_GE(test, at, want_s[i] * MSEC_PER_SEC);
		KUNIT_EXPECT_LE(test, at, want_s[i] * MSEC_PER_SEC +
					  (i + 1) * LATE_MS);
	}
	KUNIT_EXPECT_TRUE(test, state->events[count - 1].expired);
	for (i = 0; i < HO_SHARDS; i++)
		KUNIT_EXPECT_FALSE(test,
				   timer_pending(&tbl->shards[i].timer));
}

/* First of the live ones: it needs the first five minutes of the kernel. */
static void live_timer_bears_the_wrap_of_jiffies(struct kunit *test)
{
	static const u32 want_s[] = { 1, 3, 7, 15 };
	struct ho_table *tbl = fix_live_table(test, HO_BUCKETS_MIN);
	s32 left = -(u32)jiffies;
	u32 start;

	if (left < 5 * HZ)
		kunit_skip(test, "jiffies have wrapped");
	msleep(jiffies_to_msecs(left - 4 * HZ));
	tbl->cfg.retries = ARRAY_SIZE(want_s) - 1;
	start = ho_clock_ms();
	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 1, start), 0);
	msleep(20 * MSEC_PER_SEC);
	KUNIT_EXPECT_LT(test, (u32)jiffies, 60 * HZ);
	expect_live_schedule(test, tbl, start, want_s, ARRAY_SIZE(want_s));
}

static void live_timer_keeps_the_schedule(struct kunit *test)
{
	static const u32 want_s[] = { 1, 3, 7, 15, 31, 63 };
	struct ho_table *tbl = fix_live_table(test, HO_BUCKETS_MIN);
	u32 start = ho_clock_ms();

	KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 1, start), 0);
	msleep(70 * MSEC_PER_SEC);
	expect_live_schedule(test, tbl, start, want_s, ARRAY_SIZE(want_s));
}

/* The timer is set for a late entry; an early one has to lower it. */
static void live_timer_is_lowered_for_a_shorter_wait(struct kunit *test)
{
	struct ho_table *tbl = fix_live_table(test, HO_BUCKETS_MIN);
	u32 start = ho_clock_ms(), n;

	tbl->cfg.rto_init_ms = HO_RTO_MAX_MS;
	insert_in_shard(tbl, 0, 1, start);
	tbl->cfg.rto_init_ms = 200;
	/* at another level, so that no FIFO is out of order */
	for (n = 1000; queued(tbl) < 2; n++) {
		struct ho_conn conn = fix_conn(fix_key_v4(n));

		conn.req.timeouts = 1;
		if (ho_table_hash(tbl, &conn.key) % HO_SHARDS == 0)
			KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, start), 0);
	}
	msleep(400 + LATE_MS);
	KUNIT_EXPECT_EQ(test, fix_state(tbl)->nr_events, 1);
}

static void live_timer_wakes_up_after_idling(struct kunit *test)
{
	struct ho_table *tbl = fix_live_table(test, HO_BUCKETS_MIN);
	u32 n;

	tbl->cfg.retries = 0;
	for (n = 1; n <= 3; n++) {
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, 1, ho_clock_ms()), 0);
		msleep(5 * HO_RTO_INIT_MS);
		KUNIT_ASSERT_EQ(test, fix_state(tbl)->nr_events, n);
	}
}

static void live_timer_works_off_a_wave(struct kunit *test)
{
	enum { WAVE = 4 * HO_TIMER_BUDGET };
	struct ho_table *tbl = fix_live_table(test, HO_BUCKETS_DEF);

	insert_in_shard(tbl, 5, WAVE, ho_clock_ms());
	msleep(HO_RTO_INIT_MS + 10 * LATE_MS);
	KUNIT_EXPECT_EQ(test, fix_state(tbl)->nr_events, WAVE);
}

static void live_table_goes_with_all_its_entries(struct kunit *test)
{
	struct ho_table *tbl = fix_live_table(test, HO_BUCKETS_DEF);
	u32 n;

	for (n = 0; n < 1000; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, ho_clock_ms()), 0);
	msleep(HO_RTO_INIT_MS / 2);
	KUNIT_EXPECT_EQ(test, queued(tbl), 1000);
}

static struct kunit_case timer_test_cases[] = {
	KUNIT_CASE(live_timer_bears_the_wrap_of_jiffies),
	KUNIT_CASE_PARAM(entry_is_answered_to_schedule, schedules_gen_params),
	KUNIT_CASE(default_schedule_ends_at_63_s),
	KUNIT_CASE_PARAM(listener_wants, listeners_gen_params),
	KUNIT_CASE(timeout_counts_up_to_what_fits),
	KUNIT_CASE(tick_does_a_bounded_part_of_a_wave),
	KUNIT_CASE(first_in_is_first_out),
	KUNIT_CASE(levels_are_independent),
	KUNIT_CASE(removed_entry_is_not_answered),
	KUNIT_CASE_PARAM(due_entry_is_left_alone_when, races_gen_params),
	KUNIT_CASE(shorter_waits_apply_at_once),
	KUNIT_CASE(clamping_leaves_what_is_due_sooner),
	KUNIT_CASE(longer_waits_count_from_the_next_timeout),
	KUNIT_CASE(fewer_retries_count_at_the_next_timeout),
	KUNIT_CASE_PARAM(old_entries_leave_a, pressures_gen_params),
	KUNIT_CASE(old_entries_stay_beside_young_ones),
	KUNIT_CASE_PARAM(table_that_is, holds_gen_params),
	KUNIT_CASE(repeated_syn_uses_up_its_synacks),
	KUNIT_CASE(held_entry_is_answered_once_pressure_is_over),
	KUNIT_CASE(held_entry_expires_in_time),
	KUNIT_CASE(source_over_its_budget_is_sent_nothing),
	KUNIT_CASE_PARAM(source_pays_nothing_for_an_entry, frees_gen_params),
	KUNIT_CASE(complete_entry_is_not_answered_again),
	KUNIT_CASE_SLOW(random_walk_keeps_the_time),
	KUNIT_CASE(live_timer_keeps_the_schedule),
	KUNIT_CASE(live_timer_is_lowered_for_a_shorter_wait),
	KUNIT_CASE(live_timer_wakes_up_after_idling),
	KUNIT_CASE(live_timer_works_off_a_wave),
	KUNIT_CASE(live_table_goes_with_all_its_entries),
	{}
};

static struct kunit_suite timer_suite = {
	.name = "halfopen_timer",
	.init = fix_table_init,
	.exit = fix_table_exit,
	.test_cases = timer_test_cases,
};

kunit_test_suite(timer_suite);
