// SPDX-License-Identifier: GPL-2.0
/* Watermarks: exact, with hysteresis, and what they cost a SYN-ACK. */
#include <kunit/test.h>

#include <linux/limits.h>

#include <halfopen/limits.h>
#include <halfopen/pressure.h>

struct mark_case {
	const char *name;
	u32 max, low_pct, high_pct;
	u32 low, high;		/* the first count of either level */
};

enum { NEVER = U32_MAX };

static const struct mark_case marks[] = {
	{ "of_a_hundred", 100, 50, 75, 51, 76 },
	{ "of_the_default", HO_BACKLOG_DEF, HO_LOW_PCT_DEF, HO_HIGH_PCT_DEF,
	  HO_BACKLOG_DEF / 2 + 1, HO_BACKLOG_DEF / 4 * 3 + 1 },
	{ "of_the_most", HO_BACKLOG_MAX, 50, 75, HO_BACKLOG_MAX / 2 + 1,
	  HO_BACKLOG_MAX / 4 * 3 + 1 },
	{ "of_1", 1, 50, 75, 1, 1 },
	{ "of_3_are_rounded", 3, 50, 75, 2, 3 },
	{ "of_1_percent", 1000, 1, 99, 11, 991 },
	{ "that_meet", 1000, 60, 60, 601, 601 },
	{ "that_cannot_be_passed", 1000, 100, 100, 1001, 1001 },
	{ "of_0_percent", 1000, 0, 0, 1, 1 },
	{ "of_more_than_32_bits_of_percent", U32_MAX, 50, 75, 2147483648U,
	  3221225472U },
	{ "of_nothing", 0, 50, 75, 0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(marks, marks, name);

static void watermarks(struct kunit *test)
{
	const struct mark_case *c = test->param_value;
	const struct ho_watermarks pct = { c->low_pct, c->high_pct };

	if (c->low)
		KUNIT_EXPECT_EQ(test, ho_pressure_level(c->low - 1, c->max,
							&pct),
				HO_PRESSURE_NONE);
	if (c->low < c->high) {
		KUNIT_EXPECT_EQ(test, ho_pressure_level(c->low, c->max, &pct),
				HO_PRESSURE_LOW);
		KUNIT_EXPECT_EQ(test, ho_pressure_level(c->high - 1, c->max,
							&pct),
				HO_PRESSURE_LOW);
	}
	KUNIT_EXPECT_EQ(test, ho_pressure_level(c->high, c->max, &pct),
			HO_PRESSURE_HIGH);
	KUNIT_EXPECT_EQ(test, ho_pressure_level(U32_MAX, c->max, &pct),
			HO_PRESSURE_HIGH);
}

static void level_never_falls_while_entries_come(struct kunit *test)
{
	const struct ho_watermarks pct = { HO_LOW_PCT_DEF, HO_HIGH_PCT_DEF };
	enum ho_pressure last = HO_PRESSURE_NONE, next;
	u32 used, steps = 0;

	for (used = 0; used <= HO_BACKLOG_DEF; used++) {
		next = ho_pressure_level(used, HO_BACKLOG_DEF, &pct);
		KUNIT_ASSERT_GE(test, next, last);
		steps += next != last;
		last = next;
	}
	KUNIT_EXPECT_EQ(test, steps, 2);
}

struct next_case {
	const char *name;
	bool on;
	enum ho_pressure level;
	bool want;
};

static const struct next_case nexts[] = {
	{ "stays_off_when_quiet", false, HO_PRESSURE_NONE, false },
	{ "does_not_begin_above_the_low_mark", false, HO_PRESSURE_LOW, false },
	{ "begins_above_the_high_mark", false, HO_PRESSURE_HIGH, true },
	{ "goes_on_above_the_high_mark", true, HO_PRESSURE_HIGH, true },
	{ "goes_on_above_the_low_mark", true, HO_PRESSURE_LOW, true },
	{ "ends_below_the_low_mark", true, HO_PRESSURE_NONE, false },
};

KUNIT_ARRAY_PARAM_DESC(nexts, nexts, name);

static void pressure(struct kunit *test)
{
	const struct next_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, ho_pressure_next(c->on, c->level), c->want);
}

/* Around one mark there is no flutter: two changes for a flood, not more. */
static void flood_that_swells_and_ebbs_is_one(struct kunit *test)
{
	const struct ho_watermarks pct = { 50, 75 };
	u32 n, used, changes = 0;
	bool on = false, next;

	for (n = 0; n < 2000; n++) {
		/* up to 1000 and down again, trembling by 100 */
		used = (n < 1000 ? n : 2000 - n) + (n % 2 ? 50 : -50);
		next = ho_pressure_next(on, ho_pressure_level(max_t(s32, used,
								    0),
							      1000, &pct));
		changes += next != on;
		on = next;
	}
	KUNIT_EXPECT_EQ(test, changes, 2);
}

struct synack_case {
	const char *name;
	enum ho_pressure level;
	u32 retrans;
};

static const struct synack_case synacks[] = {
	{ "without_limit_when_quiet", HO_PRESSURE_NONE, NEVER },
	{ "twice_above_the_low_mark", HO_PRESSURE_LOW, 2 },
	{ "never_above_the_high_mark", HO_PRESSURE_HIGH, 0 },
};

KUNIT_ARRAY_PARAM_DESC(synacks, synacks, name);

static void synack_is_repeated(struct kunit *test)
{
	const struct synack_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, ho_pressure_retrans_max(c->level), c->retrans);
}

static struct kunit_case pressure_cases[] = {
	KUNIT_CASE_PARAM(watermarks, marks_gen_params),
	KUNIT_CASE(level_never_falls_while_entries_come),
	KUNIT_CASE_PARAM(pressure, nexts_gen_params),
	KUNIT_CASE(flood_that_swells_and_ebbs_is_one),
	KUNIT_CASE_PARAM(synack_is_repeated, synacks_gen_params),
	{}
};

static struct kunit_suite pressure_suite = {
	.name = "halfopen_pressure",
	.test_cases = pressure_cases,
};

kunit_test_suite(pressure_suite);
