// SPDX-License-Identifier: GPL-2.0
/* Objects of one size: with a reserve nothing is allocated, nothing is lost. */
#include <kunit/test.h>

#include <linux/bottom_half.h>
#include <linux/slab.h>

#include <halfopen/pool.h>

#include "faults.h"
#include "fixtures.h"

enum {
	SIZE	= 64,
	KEEP	= 500,
	HAND	= 64,		/* what a CPU has at hand at most */
};

struct state {
	struct ho_pool pool;
	bool made;
};

static int pool_test_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct state), GFP_KERNEL);
	return test->priv ? 0 : -ENOMEM;
}

static void pool_test_exit(struct kunit *test)
{
	struct state *state = test->priv;

	fix_fail_nth = 0;
	if (state && state->made)
		ho_pool_exit(&state->pool);
}

static struct ho_pool *make_pool(struct kunit *test, u32 keep)
{
	struct state *state = test->priv;

	KUNIT_ASSERT_EQ(test, ho_pool_init(&state->pool, "halfopen_test", SIZE,
					   0, keep), 0);
	state->made = true;
	return &state->pool;
}

static void *get(struct ho_pool *pool)
{
	void *obj;

	local_bh_disable();
	obj = ho_pool_get(pool);
	local_bh_enable();
	/* all of it is ours */
	if (obj)
		memset(obj, 0x5a, SIZE);
	return obj;
}

static void put(struct ho_pool *pool, void *obj)
{
	local_bh_disable();
	ho_pool_put(pool, obj);
	local_bh_enable();
}

static u32 kept(struct ho_pool *pool)
{
	u32 nr = pool->depot.nr;
	int cpu;

	for_each_possible_cpu(cpu)
		nr += per_cpu_ptr(pool->hand, cpu)->nr;
	return nr;
}

static void **make_objects(struct kunit *test, u32 nr)
{
	void **obj = kunit_kcalloc(test, nr, sizeof(*obj), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	return obj;
}

struct keep_case {
	const char *name;
	u32 keep;
};

static const struct keep_case keeps[] = {
	{ "without_a_reserve", 0 },
	{ "with_a_reserve_of_1", 1 },
	{ "with_a_reserve_of_less_than_a_batch", 20 },
	{ "with_a_reserve_of_a_batch", 32 },
	{ "with_a_reserve", KEEP },
};

KUNIT_ARRAY_PARAM_DESC(keeps, keeps, name);

static void objects_are_different(struct kunit *test)
{
	enum { NR = 2000 };
	const struct keep_case *c = test->param_value;
	struct ho_pool *pool = make_pool(test, c->keep);
	void **obj = make_objects(test, NR);
	u32 n, round;

	for (round = 0; round < 3; round++) {
		for (n = 0; n < NR; n++) {
			obj[n] = get(pool);
			KUNIT_ASSERT_NOT_NULL(test, obj[n]);
			*(u32 *)obj[n] = n;
		}
		for (n = 0; n < NR; n++)
			KUNIT_ASSERT_EQ(test, *(u32 *)obj[n], n);
		for (n = 0; n < NR; n++)
			put(pool, obj[n]);
	}
}

static void reserve_is_there_from_the_beginning(struct kunit *test)
{
	const struct keep_case *c = test->param_value;
	struct ho_pool *pool = make_pool(test, c->keep);
	void **obj = make_objects(test, KEEP);
	u32 n;

	KUNIT_EXPECT_EQ(test, kept(pool), c->keep);
	fix_fail_nth = 1;
	for (n = 0; n < c->keep; n++) {
		obj[n] = get(pool);
		KUNIT_ASSERT_NOT_NULL(test, obj[n]);
	}
	/* then the slab is asked, and has none */
	KUNIT_EXPECT_EQ(test, fix_fail_nth, 1);
	KUNIT_EXPECT_NULL(test, get(pool));
	KUNIT_EXPECT_FALSE(test, fix_was_spared());
	while (n--)
		put(pool, obj[n]);
	KUNIT_EXPECT_EQ(test, kept(pool), c->keep);
}

/* A flood that fits, and goes, and comes again: the slab never sees it. */
static void reserve_comes_back(struct kunit *test)
{
	struct ho_pool *pool = make_pool(test, KEEP);
	void **obj = make_objects(test, KEEP);
	u32 n, round;

	fix_fail_nth = 1;
	for (round = 0; round < 20; round++) {
		for (n = 0; n < KEEP; n++) {
			obj[n] = get(pool);
			KUNIT_ASSERT_NOT_NULL(test, obj[n]);
		}
		KUNIT_EXPECT_EQ(test, kept(pool), 0);
		for (n = 0; n < KEEP; n++)
			put(pool, obj[n]);
		KUNIT_EXPECT_EQ(test, kept(pool), KEEP);
	}
	KUNIT_EXPECT_TRUE(test, fix_was_spared());
}

/* A larger flood allocates, but what it needed is not kept for ever. */
static void excess_goes_back_to_the_slab(struct kunit *test)
{
	enum { NR = 10 * KEEP };
	struct ho_pool *pool = make_pool(test, KEEP);
	void **obj = make_objects(test, NR);
	u32 n;

	for (n = 0; n < NR; n++) {
		obj[n] = get(pool);
		KUNIT_ASSERT_NOT_NULL(test, obj[n]);
	}
	for (n = 0; n < NR; n++)
		put(pool, obj[n]);
	KUNIT_EXPECT_GE(test, kept(pool), KEEP);
	KUNIT_EXPECT_LE(test, kept(pool),
			KEEP + HAND * (num_possible_cpus() + 1));
}

static void without_a_reserve_nothing_is_kept(struct kunit *test)
{
	enum { NR = 1000 };
	struct ho_pool *pool = make_pool(test, 0);
	void **obj = make_objects(test, NR);
	u32 n;

	for (n = 0; n < NR; n++)
		obj[n] = get(pool);
	for (n = 0; n < NR; n++) {
		KUNIT_ASSERT_NOT_NULL(test, obj[n]);
		put(pool, obj[n]);
		KUNIT_ASSERT_EQ(test, kept(pool), 0);
	}
}

static void random_walk_loses_nothing(struct kunit *test)
{
	enum { NR = 2 * KEEP, STEPS = 200 * 1000 };
	struct ho_pool *pool = make_pool(test, KEEP);
	void **obj = make_objects(test, NR);
	struct rnd_state rnd = fix_random(12);
	u32 step, n;

	for (step = 0; step < STEPS; step++) {
		/* the tide goes between none and all */
		bool flood = step / 5000 % 2;

		n = fix_below(&rnd, NR);
		if (obj[n] && (!flood || fix_below(&rnd, 4) == 0)) {
			KUNIT_ASSERT_EQ(test, *(u32 *)obj[n], n);
			put(pool, obj[n]);
			obj[n] = NULL;
		} else if (!obj[n] && (flood || fix_below(&rnd, 4) == 0)) {
			obj[n] = get(pool);
			KUNIT_ASSERT_NOT_NULL(test, obj[n]);
			*(u32 *)obj[n] = n;
		}
	}
	for (n = 0; n < NR; n++)
		if (obj[n])
			put(pool, obj[n]);
	KUNIT_EXPECT_GE(test, kept(pool), KEEP);
}

static void failed_init_leaves_nothing(struct kunit *test)
{
	struct state *state = test->priv;
	unsigned int nth;
	int err;

	for (nth = 1; nth < 100; nth++) {
		fix_fail_nth = nth;
		err = ho_pool_init(&state->pool, "halfopen_test", SIZE, 0, 10);
		if (fix_was_spared())
			break;
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	}
	/* its lists, its cache, each of its objects */
	KUNIT_EXPECT_EQ(test, nth, 13);
	KUNIT_ASSERT_EQ(test, err, 0);
	state->made = true;
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE_PARAM(objects_are_different, keeps_gen_params),
	KUNIT_CASE_PARAM(reserve_is_there_from_the_beginning,
			 keeps_gen_params),
	KUNIT_CASE(reserve_comes_back),
	KUNIT_CASE(excess_goes_back_to_the_slab),
	KUNIT_CASE(without_a_reserve_nothing_is_kept),
	KUNIT_CASE(random_walk_loses_nothing),
	KUNIT_CASE(failed_init_leaves_nothing),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "halfopen_pool",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);
