// SPDX-License-Identifier: GPL-2.0
/* When pressure begins and ends, and who is told; rates; the live watch. */
#include <kunit/test.h>

#include <linux/delay.h>

#include "table_fixture.h"

enum {
	PORT		= 80,
	MAX		= 100,
	LOW		= MAX / 2,	/* the last count that is not low */
	HIGH		= MAX / 4 * 3,	/* and not high */
	NO_LIMIT	= HO_BACKLOG_MAX,
	START_MS	= U32_MAX - 5500,	/* the clock wraps on the way */
};

static struct ho_port *port_of(struct ho_table *tbl)
{
	return fix_port(tbl, cpu_to_be16(PORT));
}

static struct ho_table *make_table(struct kunit *test, u32 max, u32 port_max)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);

	tbl->cfg.max_entries = max;
	tbl->cfg.max_port_entries = port_max;
	tbl->cfg.marks = (struct ho_watermarks) { 50, 75 };
	tbl->watch.last_ms = START_MS;
	KUNIT_ASSERT_NOT_NULL(test, port_of(tbl));
	return tbl;
}

/* Entries come or go until there are @want. */
static void set_entries(struct kunit *test, struct ho_table *tbl, u32 want)
{
	u32 have = ho_budget_count(&tbl->entries);

	while (have < want)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, have++, 0), 0);
	while (have > want)
		KUNIT_ASSERT_TRUE(test, fix_remove_nth(tbl, --have));
}

static u32 tells(struct ho_table *tbl)
{
	return fix_state(tbl)->nr_tells;
}

static struct ho_watch_event last_tell(struct ho_table *tbl)
{
	return fix_state(tbl)->tells[tells(tbl) - 1];
}

static void count_syns(struct ho_table *tbl, u32 nr)
{
	struct ho_port *port = port_of(tbl);

	while (nr--)
		ho_port_count_syn(port);
}

/* --- pressure ------------------------------------------------------------- */

struct place_case {
	const char *name;
	u32 max, port_max;
	u16 lport;
};

static const struct place_case places[] = {
	{ "in_the_table", MAX, NO_LIMIT, 0 },
	{ "at_a_port", NO_LIMIT, MAX, PORT },
};

KUNIT_ARRAY_PARAM_DESC(places, places, name);

/* The port shares the limit of a table that is smaller: then both are told. */
static u32 told_each_time(const struct place_case *c)
{
	return c->max < c->port_max ? 2 : 1;
}

static void expect_last(struct kunit *test, struct ho_table *tbl,
			const struct place_case *c, bool begins, u32 used,
			u32 lasted_ms)
{
	struct ho_watch_event got = last_tell(tbl);

	KUNIT_EXPECT_EQ(test, be16_to_cpu(got.lport), c->lport);
	KUNIT_EXPECT_EQ(test, got.begins, begins);
	KUNIT_EXPECT_EQ(test, got.used, used);
	KUNIT_EXPECT_EQ(test, got.max, MAX);
	KUNIT_EXPECT_EQ(test, got.lasted_ms, lasted_ms);
}

static void pressure_begins_and_ends(struct kunit *test)
{
	const struct place_case *c = test->param_value;
	struct ho_table *tbl = make_table(test, c->max, c->port_max);
	u32 now = START_MS, each = told_each_time(c);

	set_entries(test, tbl, HIGH);
	ho_watch_run(tbl, now += HO_WATCH_MS);
	KUNIT_ASSERT_EQ(test, tells(tbl), 0);
	set_entries(test, tbl, HIGH + 1);
	ho_watch_run(tbl, now += HO_WATCH_MS);
	KUNIT_ASSERT_EQ(test, tells(tbl), each);
	expect_last(test, tbl, c, true, HIGH + 1, 0);
	/* once, however long it lasts */
	set_entries(test, tbl, MAX);
	ho_watch_run(tbl, now += HO_WATCH_MS);
	set_entries(test, tbl, LOW + 1);
	ho_watch_run(tbl, now += HO_WATCH_MS);
	KUNIT_ASSERT_EQ(test, tells(tbl), each);
	set_entries(test, tbl, LOW);
	ho_watch_run(tbl, now += HO_WATCH_MS);
	KUNIT_ASSERT_EQ(test, tells(tbl), 2 * each);
	expect_last(test, tbl, c, false, LOW, 3 * HO_WATCH_MS);
	ho_watch_run(tbl, now += HO_WATCH_MS);
	KUNIT_EXPECT_EQ(test, tells(tbl), 2 * each);
	/* and the next one is told anew */
	set_entries(test, tbl, MAX);
	ho_watch_run(tbl, now += HO_WATCH_MS);
	KUNIT_ASSERT_EQ(test, tells(tbl), 3 * each);
	expect_last(test, tbl, c, true, MAX, 0);
}

static void flags_say_where_it_is(struct kunit *test)
{
	const struct place_case *c = test->param_value;
	struct ho_table *tbl = make_table(test, c->max, c->port_max);
	struct ho_port *port = port_of(tbl);
	struct ho_port *other = fix_port(tbl, cpu_to_be16(PORT + 1));

	set_entries(test, tbl, MAX);
	ho_watch_run(tbl, START_MS + HO_WATCH_MS);
	KUNIT_EXPECT_TRUE(test, port->pressure);
	KUNIT_EXPECT_FALSE(test, other->pressure);
	KUNIT_EXPECT_EQ(test, tbl->watch.pressure, !c->lport);
	set_entries(test, tbl, 0);
	ho_watch_run(tbl, START_MS + 2 * HO_WATCH_MS);
	KUNIT_EXPECT_FALSE(test, port->pressure);
	KUNIT_EXPECT_FALSE(test, tbl->watch.pressure);
}

static void memory_that_runs_out_is_pressure(struct kunit *test)
{
	struct ho_table *tbl = make_table(test, NO_LIMIT, NO_LIMIT);
	u32 used;

	set_entries(test, tbl, MAX);
	used = ho_budget_upper(&tbl->mem.used);
	tbl->mem.max_bytes = used * 2;
	ho_watch_run(tbl, START_MS + HO_WATCH_MS);
	KUNIT_EXPECT_EQ(test, tells(tbl), 0);
	tbl->mem.max_bytes = used + 1;
	ho_watch_run(tbl, START_MS + 2 * HO_WATCH_MS);
	KUNIT_ASSERT_EQ(test, tells(tbl), 1);
	KUNIT_EXPECT_TRUE(test, last_tell(tbl).begins);
	KUNIT_EXPECT_EQ(test, last_tell(tbl).lport, 0);
	tbl->mem.max_bytes = used * 2;
	ho_watch_run(tbl, START_MS + 3 * HO_WATCH_MS);
	KUNIT_EXPECT_EQ(test, tells(tbl), 2);
	KUNIT_EXPECT_FALSE(test, last_tell(tbl).begins);
}

struct zero_case {
	const char *name;
	u32 max, port_max;
};

static const struct zero_case zeros[] = {
	{ "in_the_table", 0, NO_LIMIT },
	{ "at_a_port", NO_LIMIT, 0 },
};

KUNIT_ARRAY_PARAM_DESC(zeros, zeros, name);

/* Who wants cookies only has them: that is no event, and it does not last. */
static void no_room_by_choice_is_no_pressure(struct kunit *test)
{
	const struct zero_case *c = test->param_value;
	struct ho_table *tbl = make_table(test, c->max, c->port_max);
	u32 n, now = START_MS;

	for (n = 0; n < 3; n++) {
		count_syns(tbl, 100);
		ho_watch_run(tbl, now += HO_WATCH_MS);
	}
	KUNIT_EXPECT_EQ(test, tells(tbl), 0);
	KUNIT_EXPECT_FALSE(test, port_of(tbl)->pressure);
	ho_watch_run(tbl, now += HO_WATCH_MS);
	KUNIT_EXPECT_FALSE(test, ho_watch_run(tbl, now + HO_WATCH_MS));
}

/* --- queues of listeners -------------------------------------------------- */

enum {
	QUEUE		= 20,
	LIFETIME_MS	= 63000,	/* by default */
};

static void queue_that_fills_up_is_pressure(struct kunit *test)
{
	struct ho_table *tbl = make_table(test, NO_LIMIT, NO_LIMIT);
	struct ho_port *port = port_of(tbl);
	struct ho_watch_event got;

	count_syns(tbl, 50);
	ho_watch_begin(tbl, cpu_to_be16(PORT), port, QUEUE - 1, QUEUE,
		       START_MS + HO_WATCH_MS / 2);
	KUNIT_ASSERT_EQ(test, tells(tbl), 1);
	got = last_tell(tbl);
	KUNIT_EXPECT_EQ(test, got.lport, cpu_to_be16(PORT));
	KUNIT_EXPECT_TRUE(test, got.begins);
	KUNIT_EXPECT_EQ(test, got.used, QUEUE - 1);
	KUNIT_EXPECT_EQ(test, got.max, QUEUE);
	KUNIT_EXPECT_EQ(test, got.rate, 100);
	KUNIT_EXPECT_TRUE(test, port->pressure);
	/* every SYN until the next look sees the same */
	ho_watch_begin(tbl, cpu_to_be16(PORT), port, QUEUE, QUEUE, START_MS);
	KUNIT_EXPECT_EQ(test, tells(tbl), 1);
}

/*
 * It is over when what is here would fit there below the low mark; but not
 * before a lifetime has passed, as it starts with nothing here.
 */
static void queue_is_relieved_when_it_would_be_half_empty(struct kunit *test)
{
	struct ho_table *tbl = make_table(test, NO_LIMIT, NO_LIMIT);
	struct ho_port *port = port_of(tbl);
	struct ho_watch_event got;
	u32 now = START_MS;

	ho_watch_begin(tbl, cpu_to_be16(PORT), port, QUEUE, QUEUE, now);
	while (now != START_MS + LIFETIME_MS - HO_WATCH_MS)
		ho_watch_run(tbl, now += HO_WATCH_MS);
	set_entries(test, tbl, QUEUE / 2 + 1);
	ho_watch_run(tbl, now += HO_WATCH_MS);
	KUNIT_EXPECT_EQ(test, tells(tbl), 1);
	KUNIT_EXPECT_TRUE(test, port->pressure);
	set_entries(test, tbl, QUEUE / 2);
	ho_watch_run(tbl, now += HO_WATCH_MS);
	KUNIT_ASSERT_EQ(test, tells(tbl), 2);
	got = last_tell(tbl);
	KUNIT_EXPECT_FALSE(test, got.begins);
	KUNIT_EXPECT_EQ(test, got.used, QUEUE / 2);
	KUNIT_EXPECT_EQ(test, got.max, QUEUE);
	KUNIT_EXPECT_EQ(test, got.lasted_ms, LIFETIME_MS + HO_WATCH_MS);
	KUNIT_EXPECT_FALSE(test, port->pressure);
	/* from now on the port's own limit counts again */
	set_entries(test, tbl, 10 * QUEUE);
	ho_watch_run(tbl, now += HO_WATCH_MS);
	KUNIT_EXPECT_EQ(test, tells(tbl), 2);
}

/* Just after a look there is nothing to make a rate of. */
static void rate_of_a_moment_is_the_last_one(struct kunit *test)
{
	struct ho_table *tbl = make_table(test, NO_LIMIT, NO_LIMIT);
	struct ho_port *port = port_of(tbl);

	count_syns(tbl, 300);
	ho_watch_run(tbl, START_MS + HO_WATCH_MS);
	count_syns(tbl, 1);
	ho_watch_begin(tbl, cpu_to_be16(PORT), port, QUEUE, QUEUE,
		       START_MS + HO_WATCH_MS + 1);
	KUNIT_ASSERT_EQ(test, tells(tbl), 1);
	KUNIT_EXPECT_EQ(test, last_tell(tbl).rate, 300);
}

/* --- rates ---------------------------------------------------------------- */

struct rate_case {
	const char *name;
	u32 syns, dt_ms, want;
};

static const struct rate_case rates[] = {
	{ "of_nothing", 0, 1000, 0 },
	{ "in_a_second", 500, 1000, 500 },
	{ "in_half_a_second", 500, 500, 1000 },
	{ "in_a_late_look", 500, 4000, 125 },
	{ "rounded_down", 1, 1001, 0 },
	{ "in_no_time", 7, 0, 7000 },
};

KUNIT_ARRAY_PARAM_DESC(rates, rates, name);

static void rate_of_syns(struct kunit *test)
{
	struct ho_table *tbl = make_table(test, NO_LIMIT, NO_LIMIT);
	const struct rate_case *c = test->param_value;
	struct ho_port *port = port_of(tbl);

	/* a count that wraps */
	this_cpu_write(port->cpu->syns, U32_MAX - 3);
	port->syns_seen = ho_port_syns(port);
	count_syns(tbl, c->syns);
	ho_watch_run(tbl, START_MS + c->dt_ms);
	KUNIT_EXPECT_EQ(test, port->rate, c->want);
	/* what was counted is counted once */
	ho_watch_run(tbl, START_MS + c->dt_ms + HO_WATCH_MS);
	KUNIT_EXPECT_EQ(test, port->rate, 0);
}

static void table_is_told_the_rate_of_all_ports(struct kunit *test)
{
	struct ho_table *tbl = make_table(test, MAX, NO_LIMIT);
	struct ho_port *other = fix_port(tbl, cpu_to_be16(60000));
	u32 n;

	KUNIT_ASSERT_NOT_NULL(test, other);
	set_entries(test, tbl, MAX);
	count_syns(tbl, 300);
	for (n = 0; n < 200; n++)
		ho_port_count_syn(other);
	ho_watch_run(tbl, START_MS + HO_WATCH_MS);
	KUNIT_ASSERT_EQ(test, tells(tbl), 2);
	KUNIT_EXPECT_EQ(test, fix_state(tbl)->tells[0].rate, 300);
	KUNIT_EXPECT_EQ(test, fix_state(tbl)->tells[1].rate, 500);
}

/* --- when it is worth looking --------------------------------------------- */

static void watch_sleeps_when_nothing_goes_on(struct kunit *test)
{
	struct ho_table *tbl = make_table(test, NO_LIMIT, NO_LIMIT);
	u32 now = START_MS;

	KUNIT_EXPECT_FALSE(test, ho_watch_run(tbl, now += HO_WATCH_MS));
	count_syns(tbl, 1000);
	KUNIT_EXPECT_TRUE(test, ho_watch_run(tbl, now += HO_WATCH_MS));
	/* once more, so that the rate is not what it was */
	KUNIT_EXPECT_TRUE(test, ho_watch_run(tbl, now += HO_WATCH_MS));
	KUNIT_EXPECT_EQ(test, port_of(tbl)->rate, 0);
	KUNIT_EXPECT_FALSE(test, ho_watch_run(tbl, now += HO_WATCH_MS));
	set_entries(test, tbl, 1);
	KUNIT_EXPECT_TRUE(test, ho_watch_run(tbl, now += HO_WATCH_MS));
	KUNIT_EXPECT_TRUE(test, ho_watch_run(tbl, now += HO_WATCH_MS));
	set_entries(test, tbl, 0);
	KUNIT_EXPECT_FALSE(test, ho_watch_run(tbl, now += HO_WATCH_MS));
}

static void table_without_ports_sleeps(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);

	KUNIT_EXPECT_FALSE(test, ho_watch_run(tbl, 0));
}

/* --- live ----------------------------------------------------------------- */

static void live_watch_looks_once_a_second(struct kunit *test)
{
	struct ho_table *tbl = make_table(test, MAX, NO_LIMIT);
	u32 n;

	set_entries(test, tbl, MAX);
	tbl->watch.last_ms = ho_clock_ms();
	count_syns(tbl, 1000);
	for (n = 0; n < 1000; n++)
		ho_watch_kick(tbl);
	msleep(HO_WATCH_MS / 2);
	KUNIT_EXPECT_EQ(test, tells(tbl), 0);
	msleep(HO_WATCH_MS);
	KUNIT_EXPECT_EQ(test, tells(tbl), 2);
	KUNIT_EXPECT_GE(test, port_of(tbl)->rate, 900);
	KUNIT_EXPECT_LE(test, port_of(tbl)->rate, 1000);
	/* by itself, as long as somebody is there */
	msleep(10 * HO_WATCH_MS);
	KUNIT_EXPECT_TRUE(test, tbl->watch.armed);
	set_entries(test, tbl, 0);
	msleep(2 * HO_WATCH_MS);
	KUNIT_EXPECT_EQ(test, tells(tbl), 4);
	msleep(2 * HO_WATCH_MS);
	KUNIT_EXPECT_FALSE(test, tbl->watch.armed);
	/* and anew when somebody comes */
	set_entries(test, tbl, MAX);
	ho_watch_kick(tbl);
	msleep(2 * HO_WATCH_MS);
	KUNIT_EXPECT_EQ(test, tells(tbl), 6);
}

static void live_watch_goes_with_its_table(struct kunit *test)
{
	struct ho_table *tbl = make_table(test, MAX, NO_LIMIT);

	set_entries(test, tbl, MAX);
	ho_watch_kick(tbl);
	ho_table_stop(tbl);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&tbl->watch.work));
	msleep(2 * HO_WATCH_MS);
	KUNIT_EXPECT_EQ(test, tells(tbl), 0);
}

static struct kunit_case watch_cases[] = {
	KUNIT_CASE_PARAM(pressure_begins_and_ends, places_gen_params),
	KUNIT_CASE_PARAM(flags_say_where_it_is, places_gen_params),
	KUNIT_CASE(memory_that_runs_out_is_pressure),
	KUNIT_CASE_PARAM(no_room_by_choice_is_no_pressure, zeros_gen_params),
	KUNIT_CASE(queue_that_fills_up_is_pressure),
	KUNIT_CASE(queue_is_relieved_when_it_would_be_half_empty),
	KUNIT_CASE(rate_of_a_moment_is_the_last_one),
	KUNIT_CASE_PARAM(rate_of_syns, rates_gen_params),
	KUNIT_CASE(table_is_told_the_rate_of_all_ports),
	KUNIT_CASE(watch_sleeps_when_nothing_goes_on),
	KUNIT_CASE(table_without_ports_sleeps),
	KUNIT_CASE(live_watch_looks_once_a_second),
	KUNIT_CASE(live_watch_goes_with_its_table),
	{}
};

static struct kunit_suite watch_suite = {
	.name = "halfopen_watch",
	.init = fix_table_init,
	.exit = fix_table_exit,
	.test_cases = watch_cases,
};

kunit_test_suite(watch_suite);
