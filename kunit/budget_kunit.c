// SPDX-License-Identifier: GPL-2.0
/* The cap on entries or bytes: hard, exact, and the count beside it. */
#include <kunit/test.h>

#include <linux/bottom_half.h>

#include <halfopen/budget.h>
#include <halfopen/limits.h>

#include "faults.h"
#include "fixtures.h"

static int budget_test_init(struct kunit *test)
{
	struct ho_budget *budget;

	budget = kunit_kzalloc(test, sizeof(*budget), GFP_KERNEL);
	if (!budget)
		return -ENOMEM;
	test->priv = budget;
	return ho_budget_alloc(budget, HO_CREDIT_BATCH);
}

static void budget_test_exit(struct kunit *test)
{
	if (test->priv)
		ho_budget_free(test->priv);
}

static bool reserve_n(struct ho_budget *budget, u32 n, u32 max)
{
	bool ok;

	local_bh_disable();
	ok = ho_budget_reserve(budget, n, max);
	local_bh_enable();
	return ok;
}

static bool reserve(struct ho_budget *budget, u32 max)
{
	return reserve_n(budget, 1, max);
}

static void release_n(struct ho_budget *budget, u32 n)
{
	local_bh_disable();
	ho_budget_release(budget, n);
	local_bh_enable();
}

static void release(struct ho_budget *budget)
{
	release_n(budget, 1);
}

/* Reserve until refused, at most @limit times. */
static u32 fill(struct ho_budget *budget, u32 max, u32 limit)
{
	u32 n = 0;

	while (n < limit && reserve(budget, max))
		n++;
	return n;
}

static void begins_empty(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ho_budget_count(test->priv), 0);
	KUNIT_EXPECT_EQ(test, ho_budget_upper(test->priv), 0);
}

struct cap_case {
	const char *name;
	u32 max;
};

static const struct cap_case caps[] = {
	{ "of_0", 0 },
	{ "of_1", 1 },
	{ "of_2", 2 },
	{ "of_a_batch_less_one", HO_CREDIT_BATCH - 1 },
	{ "of_a_batch", HO_CREDIT_BATCH },
	{ "of_a_batch_and_one", HO_CREDIT_BATCH + 1 },
	{ "of_1000", 1000 },
	{ "of_the_default", HO_BACKLOG_DEF },
	{ "of_the_most", HO_BACKLOG_MAX },
};

KUNIT_ARRAY_PARAM_DESC(caps, caps, name);

static void cap_is_reached_exactly(struct kunit *test)
{
	const struct cap_case *cap = test->param_value;
	struct ho_budget *budget = test->priv;

	KUNIT_EXPECT_EQ(test, fill(budget, cap->max, U32_MAX), cap->max);
	KUNIT_EXPECT_EQ(test, ho_budget_count(budget), cap->max);
	KUNIT_EXPECT_FALSE(test, reserve(budget, cap->max));
}

static void what_is_given_back_is_there_again(struct kunit *test)
{
	const struct cap_case *cap = test->param_value;
	struct ho_budget *budget = test->priv;
	u32 n;

	fill(budget, cap->max, U32_MAX);
	for (n = 0; n < cap->max; n++)
		release(budget);
	KUNIT_EXPECT_EQ(test, ho_budget_count(budget), 0);
	KUNIT_EXPECT_EQ(test, fill(budget, cap->max, U32_MAX), cap->max);
}

static void lowered_cap_counts_at_once(struct kunit *test)
{
	struct ho_budget *budget = test->priv;
	u32 n;

	KUNIT_ASSERT_EQ(test, fill(budget, 1000, 500), 500);
	KUNIT_EXPECT_FALSE(test, reserve(budget, 500));
	KUNIT_EXPECT_FALSE(test, reserve(budget, 100));
	for (n = 500; n > 100; n--) {
		KUNIT_ASSERT_FALSE_MSG(test, reserve(budget, 100), "%u", n);
		release(budget);
	}
	KUNIT_EXPECT_FALSE(test, reserve(budget, 100));
	release(budget);
	KUNIT_EXPECT_TRUE(test, reserve(budget, 100));
	KUNIT_EXPECT_EQ(test, ho_budget_count(budget), 100);
}

static void raised_cap_counts_at_once(struct kunit *test)
{
	struct ho_budget *budget = test->priv;

	KUNIT_ASSERT_EQ(test, fill(budget, 10, U32_MAX), 10);
	KUNIT_EXPECT_EQ(test, fill(budget, 1000, U32_MAX), 990);
}

static void estimate_is_never_too_low(struct kunit *test)
{
	struct ho_budget *budget = test->priv;
	u32 room = HO_CREDIT_BATCH * num_possible_cpus(), n;

	for (n = 1; n <= 2000; n++) {
		KUNIT_ASSERT_TRUE(test, reserve(budget, HO_BACKLOG_DEF));
		KUNIT_ASSERT_GE(test, ho_budget_upper(budget), n);
		KUNIT_ASSERT_LE(test, ho_budget_upper(budget), n + room);
	}
	while (n-- > 1) {
		KUNIT_ASSERT_GE(test, ho_budget_upper(budget), n);
		KUNIT_ASSERT_LE(test, ho_budget_upper(budget), n + room);
		release(budget);
	}
}

/* What it is too high by is a part of the cap, so that percents mean much. */
static void estimate_is_near_under_a_cap(struct kunit *test)
{
	const struct cap_case *cap = test->param_value;
	struct ho_budget *budget = test->priv;
	u32 n, off = 0;

	for (n = 1; n <= cap->max; n++) {
		KUNIT_ASSERT_TRUE(test, reserve(budget, cap->max));
		off = max(off, ho_budget_upper(budget) - n);
	}
	while (n-- > 1) {
		off = max(off, ho_budget_upper(budget) - n);
		release(budget);
	}
	off = max(off, ho_budget_upper(budget));
	KUNIT_EXPECT_LE(test, off, cap->max / 4);
}

/* One CPU, so that the simplest counter there is has to agree. */
static void random_walk_keeps_the_count(struct kunit *test)
{
	struct rnd_state rnd = fix_random(5);
	struct ho_budget *budget = test->priv;
	u32 count = 0, max = 100, n;

	for (n = 0; n < 1000 * 1000; n++) {
		u32 move = fix_below(&rnd, 1000);

		if (move == 0) {
			max = fix_below(&rnd, 300);
		} else if (move < 520) {
			bool ok = reserve(budget, max);

			KUNIT_ASSERT_EQ_MSG(test, ok, count < max,
					    "step %u: %u of %u", n, count, max);
			count += ok;
		} else if (count) {
			release(budget);
			count--;
		}
		if (ho_budget_count(budget) != count)
			KUNIT_FAIL_AND_ABORT(test, "step %u: %u, not %u", n,
					     ho_budget_count(budget), count);
	}
}

/* Another CPU's advance is room, too: one that is idle must not lock it up. */
static void advance_of_another_cpu_is_taken_back(struct kunit *test)
{
	struct ho_budget *budget = test->priv;
	int cpu;

	for_each_possible_cpu(cpu) {
		atomic_add(HO_CREDIT_BATCH, &budget->used);
		atomic_add(HO_CREDIT_BATCH, per_cpu_ptr(budget->credit, cpu));
	}
	KUNIT_EXPECT_EQ(test, ho_budget_count(budget), 0);
	KUNIT_EXPECT_EQ(test, fill(budget, 10, U32_MAX), 10);
	KUNIT_EXPECT_EQ(test, ho_budget_count(budget), 10);
}

/* Bytes come in lumps: what fits is taken, and not a byte more. */
struct lump_case {
	const char *name;
	u32 bytes, max;
};

static const struct lump_case lumps[] = {
	{ "of_an_ipv4_entry", 64, 100 * 64 },
	{ "of_an_ipv6_entry", 96, 100 * 96 + 95 },
	{ "of_a_page", 4096, 16 << 20 },
	{ "larger_than_a_batch", HO_CREDIT_BYTES + 1, 100 * 1000 },
	{ "as_large_as_the_cap", 1000, 1000 },
	{ "larger_than_the_cap", 1001, 1000 },
	{ "larger_than_no_cap_at_all", 1, 0 },
	{ "under_the_largest_cap", 64 << 20, INT_MAX },
};

KUNIT_ARRAY_PARAM_DESC(lumps, lumps, name);

static void as_many_fit_as_there_is_room_for(struct kunit *test)
{
	const struct lump_case *c = test->param_value;
	struct ho_budget *budget = test->priv;
	u32 n = 0, i;

	budget->batch = HO_CREDIT_BYTES;
	while (n <= c->max / c->bytes && reserve_n(budget, c->bytes, c->max))
		n++;
	KUNIT_EXPECT_EQ(test, n, c->max / c->bytes);
	KUNIT_EXPECT_EQ(test, ho_budget_count(budget), n * c->bytes);
	/* a smaller one may still find what is left, to the last byte */
	KUNIT_EXPECT_TRUE(test, reserve_n(budget, c->max % c->bytes, c->max));
	KUNIT_EXPECT_FALSE(test, reserve_n(budget, 1, c->max));
	KUNIT_EXPECT_EQ(test, ho_budget_count(budget), c->max);

	release_n(budget, c->max % c->bytes);
	for (i = 0; i < n; i++)
		release_n(budget, c->bytes);
	KUNIT_EXPECT_EQ(test, ho_budget_count(budget), 0);
}

static void random_walk_of_lumps_keeps_the_count(struct kunit *test)
{
	static const u32 sizes[] = { 64, 96, 4096, 1, 10000 };
	enum { MAX = 100 * 1000 };
	struct rnd_state rnd = fix_random(8);
	struct ho_budget *budget = test->priv;
	u32 held[ARRAY_SIZE(sizes)] = {}, count = 0, step;

	budget->batch = HO_CREDIT_BYTES;
	for (step = 0; step < 200 * 1000; step++) {
		u32 i = fix_below(&rnd, ARRAY_SIZE(sizes)), n = sizes[i];

		if (fix_below(&rnd, 100) < 52) {
			bool ok = reserve_n(budget, n, MAX);

			KUNIT_ASSERT_EQ_MSG(test, ok, count + n <= MAX,
					    "step %u: %u and %u", step, count,
					    n);
			held[i] += ok;
			count += ok ? n : 0;
		} else if (held[i]) {
			release_n(budget, n);
			held[i]--;
			count -= n;
		}
		KUNIT_ASSERT_EQ(test, ho_budget_count(budget), count);
	}
}

static void without_memory_there_is_no_budget(struct kunit *test)
{
	struct ho_budget other;

	fix_fail_nth = 1;
	KUNIT_EXPECT_EQ(test, ho_budget_alloc(&other, HO_CREDIT_BATCH),
			-ENOMEM);
	KUNIT_EXPECT_FALSE(test, fix_was_spared());
}

static struct kunit_case budget_test_cases[] = {
	KUNIT_CASE(begins_empty),
	KUNIT_CASE_PARAM(cap_is_reached_exactly, caps_gen_params),
	KUNIT_CASE_PARAM(what_is_given_back_is_there_again, caps_gen_params),
	KUNIT_CASE(lowered_cap_counts_at_once),
	KUNIT_CASE(raised_cap_counts_at_once),
	KUNIT_CASE(estimate_is_never_too_low),
	KUNIT_CASE_PARAM(estimate_is_near_under_a_cap, caps_gen_params),
	KUNIT_CASE_SLOW(random_walk_keeps_the_count),
	KUNIT_CASE(advance_of_another_cpu_is_taken_back),
	KUNIT_CASE_PARAM(as_many_fit_as_there_is_room_for, lumps_gen_params),
	KUNIT_CASE_SLOW(random_walk_of_lumps_keeps_the_count),
	KUNIT_CASE(without_memory_there_is_no_budget),
	{}
};

static struct kunit_suite budget_suite = {
	.name = "halfopen_budget",
	.init = budget_test_init,
	.exit = budget_test_exit,
	.test_cases = budget_test_cases,
};

kunit_test_suite(budget_suite);
