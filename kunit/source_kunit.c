// SPDX-License-Identifier: GPL-2.0
/* What a source prefix may hold, and how much it may be sent in vain. */
#include <kunit/test.h>

#include <linux/bottom_half.h>
#include <linux/slab.h>
#include <linux/time64.h>

#include <halfopen/source.h>

#include "faults.h"
#include "fixtures.h"
#include "source_fixture.h"

enum {
	WIDTH		= HO_BUCKETS_DEF / HO_BUCKETS_PER_CELL,
	NO_LIMIT	= HO_BACKLOG_MAX,
	SECOND_US	= USEC_PER_SEC,
};

struct state {
	struct ho_memory mem;
	struct ho_sources src;
	bool host_made, mem_made, src_made;
};

static int source_test_init(struct kunit *test)
{
	struct state *state = kunit_kzalloc(test, sizeof(*state), GFP_KERNEL);

	if (!state)
		return -ENOMEM;
	test->priv = state;
	ho_host_memory.max_bytes = HO_HOST_MEMORY_DEF;
	state->mem.max_bytes = HO_MEMORY_DEF;
	state->host_made = !ho_memory_init();
	state->mem_made = state->host_made && !ho_memory_net_init(&state->mem);
	return state->mem_made ? 0 : -ENOMEM;
}

static void source_test_exit(struct kunit *test)
{
	struct state *state = test->priv;

	if (!state)
		return;
	fix_fail_nth = 0;
	if (state->src_made)
		ho_sources_exit(&state->src);
	if (state->mem_made) {
		KUNIT_EXPECT_EQ(test, ho_budget_count(&state->mem.used), 0);
		ho_memory_net_exit(&state->mem);
	}
	if (state->host_made)
		ho_memory_exit();
}

static struct ho_sources *make_sources(struct kunit *test, unsigned int v4,
				       unsigned int v6)
{
	struct state *state = test->priv;
	struct ho_sources *src = &state->src;

	src->cfg = (struct ho_prefixes) { .v4 = v4, .v6 = v6 };
	KUNIT_ASSERT_EQ(test, ho_sources_init(src, WIDTH, &state->mem), 0);
	state->src_made = true;
	/* whose cells are shared is the same in every run */
	src->secret = FIX_HSECRET;
	return src;
}

static struct ho_sources *make_default(struct kunit *test)
{
	return make_sources(test, HO_PREFIX_V4_DEF, HO_PREFIX_V6_DEF);
}

static int reserve_gen(struct ho_sources *src, const struct ho_key *key,
		       u32 max, unsigned int *gen)
{
	struct ho_source who;
	int err;

	local_bh_disable();
	who = ho_source_of(src, key);
	*gen = who.gen;
	err = ho_source_reserve(&who, max);
	local_bh_enable();
	return err;
}

static int reserve(struct ho_sources *src, struct ho_key key, u32 max)
{
	unsigned int gen;

	return reserve_gen(src, &key, max, &gen);
}

static void release_gen(struct ho_sources *src, struct ho_key key,
			unsigned int gen)
{
	struct ho_source who;

	local_bh_disable();
	who = ho_source_of_gen(src, &key, gen);
	ho_source_release(&who);
	local_bh_enable();
}

static void release(struct ho_sources *src, struct ho_key key)
{
	release_gen(src, key, src->gen);
}

static bool send(struct ho_sources *src, struct ho_key key, u32 rate,
		 u32 now_us)
{
	struct ho_source who;
	bool ok;

	local_bh_disable();
	who = ho_source_of(src, &key);
	ok = ho_source_send(&who, rate, now_us);
	local_bh_enable();
	return ok;
}

static void answered(struct ho_sources *src, struct ho_key key, u32 rate,
		     unsigned int synacks)
{
	struct ho_source who;

	local_bh_disable();
	who = ho_source_of(src, &key);
	ho_source_answered(&who, rate, synacks);
	local_bh_enable();
}

static bool nobody_holds(const struct ho_sources *src)
{
	return !fix_somebody_holds(src, 0) && !fix_somebody_holds(src, 1);
}

/* The n-th prefix of default length; of either family. */
static struct ho_key v4_prefix(u32 n)
{
	struct ho_key key = fix_key_v4(0);

	key.raddr.s6_addr32[3] = cpu_to_be32(0x0a000001 + (n << 8));
	return key;
}

static struct ho_key v6_prefix(u32 n)
{
	struct ho_key key = fix_key_v6(0);

	key.raddr.s6_addr32[1] = cpu_to_be32(n);
	return key;
}

struct family {
	const char *name;
	struct ho_key (*make)(u32 n);
};

static const struct family families[] = {
	{ "v4", v4_prefix },
	{ "v6", v6_prefix },
};

KUNIT_ARRAY_PARAM_DESC(families, families, name);

/* --- what it holds -------------------------------------------------------- */

struct limit_case {
	const char *name;
	u32 max;
};

static const struct limit_case limits[] = {
	{ "of_0", 0 },
	{ "of_1", 1 },
	{ "of_2", 2 },
	{ "of_1000", 1000 },
	{ "of_the_default", HO_SOURCE_BACKLOG_DEF },
};

KUNIT_ARRAY_PARAM_DESC(limits, limits, name);

static void limit_is_reached_exactly(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	const struct limit_case *c = test->param_value;
	unsigned int i;
	u32 n;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		struct ho_key key = families[i].make(1);

		for (n = 0; n < c->max; n++)
			KUNIT_ASSERT_EQ(test, reserve(src, key, c->max), 0);
		KUNIT_EXPECT_EQ(test, reserve(src, key, c->max), -EDQUOT);
		KUNIT_EXPECT_EQ(test, reserve(src, key, c->max), -EDQUOT);
		while (n--)
			release(src, key);
		KUNIT_EXPECT_TRUE(test, nobody_holds(src));
	}
}

static void who_leaves_makes_room_for_one(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	const struct limit_case *c = test->param_value;
	struct ho_key key = v4_prefix(1);
	u32 n, round;

	for (n = 0; n < c->max; n++)
		KUNIT_ASSERT_EQ(test, reserve(src, key, c->max), 0);
	for (round = 0; c->max && round < 10; round++) {
		release(src, key);
		KUNIT_EXPECT_EQ(test, reserve(src, key, c->max), 0);
		KUNIT_EXPECT_EQ(test, reserve(src, key, c->max), -EDQUOT);
	}
	while (n--)
		release(src, key);
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

static void limit_may_change_at_any_time(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	struct ho_key key = v4_prefix(1);
	u32 n;

	for (n = 0; n < 10; n++)
		KUNIT_ASSERT_EQ(test, reserve(src, key, 10), 0);
	KUNIT_EXPECT_EQ(test, reserve(src, key, 5), -EDQUOT);
	KUNIT_EXPECT_EQ(test, reserve(src, key, 11), 0);
	for (n = 11; n > 5; n--) {
		KUNIT_EXPECT_EQ(test, reserve(src, key, 5), -EDQUOT);
		release(src, key);
	}
	KUNIT_EXPECT_EQ(test, reserve(src, key, 5), -EDQUOT);
	release(src, key);
	KUNIT_EXPECT_EQ(test, reserve(src, key, 5), 0);
}

/* Everybody may have as many beside one who has all that he may have. */
static void hog_takes_nothing_from_others(struct kunit *test)
{
	enum { MAX = 64, OTHERS = 200 };
	struct ho_sources *src = make_default(test);
	const struct family *family = test->param_value;
	u32 n, i;

	for (i = 0; i < MAX; i++)
		KUNIT_ASSERT_EQ(test, reserve(src, family->make(0), MAX), 0);
	for (n = 1; n <= OTHERS; n++) {
		for (i = 0; i < MAX; i++)
			KUNIT_ASSERT_EQ_MSG(test,
					    reserve(src, family->make(n), MAX),
					    0, "prefix %u, entry %u", n, i);
		KUNIT_ASSERT_EQ(test, reserve(src, family->make(n), MAX),
				-EDQUOT);
		KUNIT_ASSERT_EQ(test, reserve(src, family->make(0), MAX),
				-EDQUOT);
	}
	for (n = 0; n <= OTHERS; n++)
		for (i = 0; i < MAX; i++)
			release(src, family->make(n));
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

/* A table full of sources that come once: none meets another's limit. */
static void crowd_of_strangers_finds_room(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	u32 n;

	for (n = 0; n < HO_BACKLOG_DEF; n++)
		KUNIT_ASSERT_EQ(test, reserve(src, v6_prefix(n),
					      HO_SOURCE_BACKLOG_DEF), 0);
	for (n = 0; n < HO_BACKLOG_DEF; n++)
		release(src, v6_prefix(n));
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

struct prefix_case {
	const char *name;
	unsigned int v4, v6;
	bool is_v4;
};

static const struct prefix_case prefixes[] = {
	{ "v4_of_0", 0, 64, true },
	{ "v4_of_1", 1, 64, true },
	{ "v4_of_8", 8, 64, true },
	{ "v4_of_24", 24, 64, true },
	{ "v4_of_31", 31, 64, true },
	{ "v4_of_32", 32, 64, true },
	{ "v6_of_0", 24, 0, false },
	{ "v6_of_1", 24, 1, false },
	{ "v6_of_31", 24, 31, false },
	{ "v6_of_32", 24, 32, false },
	{ "v6_of_33", 24, 33, false },
	{ "v6_of_64", 24, 64, false },
	{ "v6_of_65", 24, 65, false },
	{ "v6_of_127", 24, 127, false },
	{ "v6_of_128", 24, 128, false },
};

KUNIT_ARRAY_PARAM_DESC(prefixes, prefixes, name);

/* Bit by bit: what is inside tells sources apart, what is behind does not. */
static void prefix(struct kunit *test)
{
	const struct prefix_case *c = test->param_value;
	struct ho_sources *src = make_sources(test, c->v4, c->v6);
	unsigned int len = c->is_v4 ? c->v4 : c->v6;
	unsigned int first = c->is_v4 ? 96 : 0, bit;
	struct ho_key key = c->is_v4 ? v4_prefix(1) : v6_prefix(1);

	KUNIT_ASSERT_EQ(test, reserve(src, key, 1), 0);
	for (bit = 0; first + bit < 128; bit++) {
		struct ho_key other = key;
		int err;

		other.raddr.s6_addr[(first + bit) / 8] ^= 0x80 >> bit % 8;
		err = reserve(src, other, 1);
		KUNIT_EXPECT_EQ_MSG(test, err, bit < len ? 0 : -EDQUOT,
				    "bit %u", bit);
		if (!err)
			release(src, other);
	}
	release(src, key);
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

static void only_the_remote_address_and_the_interface_count(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	struct ho_key key = v6_prefix(1), other = key;

	KUNIT_ASSERT_EQ(test, reserve(src, key, 1), 0);
	other.rport = cpu_to_be16(9);
	other.lport = cpu_to_be16(10);
	other.laddr.s6_addr[0] ^= 1;
	KUNIT_EXPECT_EQ(test, reserve(src, other, 1), -EDQUOT);
	/* the same address behind another interface is somebody else */
	other.iif = 4;
	KUNIT_EXPECT_EQ(test, reserve(src, other, 1), 0);
	release(src, other);
	release(src, key);
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

static void families_are_apart_even_without_a_prefix(struct kunit *test)
{
	struct ho_sources *src = make_sources(test, 0, 0);

	KUNIT_EXPECT_EQ(test, reserve(src, v4_prefix(1), 1), 0);
	KUNIT_EXPECT_EQ(test, reserve(src, v6_prefix(1), 1), 0);
	KUNIT_EXPECT_EQ(test, reserve(src, v4_prefix(2), 1), -EDQUOT);
	KUNIT_EXPECT_EQ(test, reserve(src, v6_prefix(2), 1), -EDQUOT);
}

static void random_walk_keeps_the_count(struct kunit *test)
{
	enum { PREFIXES = 50, MAX = 20, STEPS = 300 * 1000 };
	struct ho_sources *src = make_default(test);
	struct rnd_state rnd = fix_random(10);
	u32 held[PREFIXES] = {}, step, n;

	for (step = 0; step < STEPS; step++) {
		n = fix_below(&rnd, PREFIXES);
		if (fix_below(&rnd, 100) < 55) {
			int err = reserve(src, v4_prefix(n), MAX);

			KUNIT_ASSERT_EQ(test, err,
					held[n] < MAX ? 0 : -EDQUOT);
			held[n] += !err;
		} else if (held[n]) {
			release(src, v4_prefix(n));
			held[n]--;
		}
	}
	for (n = 0; n < PREFIXES; n++)
		while (held[n]--)
			release(src, v4_prefix(n));
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

/* --- prefix lengths that change ------------------------------------------- */

static int configure(struct ho_sources *src, unsigned int v4, unsigned int v6)
{
	src->cfg = (struct ho_prefixes) { .v4 = v4, .v6 = v6 };
	return ho_sources_configure(src);
}

static void same_length_is_no_change(struct kunit *test)
{
	struct ho_sources *src = make_sources(test, 24, 64);

	KUNIT_EXPECT_EQ(test, configure(src, 24, 64), 0);
	KUNIT_EXPECT_EQ(test, src->gen, 0);
}

/* Two addresses of one /24. */
static struct ho_key neighbour(u32 n)
{
	struct ho_key key = v4_prefix(1);

	key.raddr.s6_addr[15] += n;
	return key;
}

static void new_length_counts_at_once(struct kunit *test)
{
	struct ho_sources *src = make_sources(test, 24, 64);

	KUNIT_ASSERT_EQ(test, configure(src, 32, 64), 0);
	KUNIT_EXPECT_EQ(test, reserve(src, neighbour(0), 1), 0);
	KUNIT_EXPECT_EQ(test, reserve(src, neighbour(1), 1), 0);
	KUNIT_EXPECT_EQ(test, reserve(src, neighbour(1), 1), -EDQUOT);
	release(src, neighbour(0));
	release(src, neighbour(1));
	KUNIT_ASSERT_EQ(test, configure(src, 0, 64), 0);
	KUNIT_EXPECT_EQ(test, reserve(src, v4_prefix(7), 1), 0);
	KUNIT_EXPECT_EQ(test, reserve(src, v4_prefix(8), 1), -EDQUOT);
	release(src, v4_prefix(7));
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

static void old_entries_leave_where_they_were_counted(struct kunit *test)
{
	struct ho_sources *src = make_sources(test, 24, 64);
	struct ho_key key = neighbour(0);
	unsigned int old, new;

	KUNIT_ASSERT_EQ(test, reserve_gen(src, &key, 1, &old), 0);
	KUNIT_ASSERT_EQ(test, configure(src, 32, 64), 0);
	KUNIT_ASSERT_EQ(test, reserve_gen(src, &key, 1, &new), 0);
	KUNIT_EXPECT_NE(test, old, new);
	/* the other one's place is not taken by who leaves now */
	release_gen(src, key, old);
	KUNIT_EXPECT_FALSE(test, fix_somebody_holds(src, old));
	KUNIT_EXPECT_EQ(test, reserve(src, key, 1), -EDQUOT);
	release_gen(src, key, new);
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

static void third_length_waits_for_the_first_to_go(struct kunit *test)
{
	struct ho_sources *src = make_sources(test, 24, 64);
	struct ho_key key = v6_prefix(1);
	unsigned int gen;

	KUNIT_ASSERT_EQ(test, reserve_gen(src, &key, 1, &gen), 0);
	KUNIT_ASSERT_EQ(test, configure(src, 24, 56), 0);
	KUNIT_EXPECT_EQ(test, configure(src, 24, 48), -EBUSY);
	KUNIT_EXPECT_EQ(test, configure(src, 16, 56), -EBUSY);
	/* nothing has changed */
	KUNIT_EXPECT_EQ(test, configure(src, 24, 56), 0);
	KUNIT_EXPECT_EQ(test, src->gen, !gen);
	release_gen(src, key, gen);
	KUNIT_EXPECT_EQ(test, configure(src, 24, 48), 0);
	KUNIT_EXPECT_EQ(test, src->gen, gen);
}

/* Whatever the order, at the end no cell has anything left. */
static void random_walk_over_lengths_leaves_nothing(struct kunit *test)
{
	enum { ENTRIES = 500, STEPS = 20 * 1000 };
	struct ho_sources *src = make_sources(test, 24, 64);
	struct rnd_state rnd = fix_random(11);
	s8 *gen = kunit_kcalloc(test, ENTRIES, sizeof(*gen), GFP_KERNEL);
	u32 step, n, changes = 0;

	KUNIT_ASSERT_NOT_NULL(test, gen);
	memset(gen, -1, ENTRIES);
	for (step = 0; step < STEPS; step++) {
		struct ho_key key;
		unsigned int got;

		if (fix_below(&rnd, 200) == 0) {
			unsigned int was = src->gen;

			configure(src, fix_below(&rnd, 33),
				  fix_below(&rnd, 129));
			changes += src->gen != was;
		}
		/* those of an old generation come to their end some day */
		n = fix_below(&rnd, step % 2000 < 1000 ? ENTRIES : 20);
		key = n % 2 ? v4_prefix(n) : v6_prefix(n);
		if (gen[n] >= 0) {
			release_gen(src, key, gen[n]);
			gen[n] = -1;
		} else if (step % 2000 < 1000) {
			KUNIT_ASSERT_EQ(test, reserve_gen(src, &key, NO_LIMIT,
							  &got), 0);
			gen[n] = got;
		}
		if (step % 2000 == 1999)
			for (n = 0; n < ENTRIES; n++) {
				key = n % 2 ? v4_prefix(n) : v6_prefix(n);
				if (gen[n] < 0)
					continue;
				release_gen(src, key, gen[n]);
				gen[n] = -1;
			}
	}
	KUNIT_EXPECT_GE(test, changes, STEPS / 2000);
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

/* --- SYN-ACKs ------------------------------------------------------------- */

struct rate_case {
	const char *name;
	u32 rate;
};

static const struct rate_case rates[] = {
	{ "of_1_a_second", 1 },
	{ "of_3_a_second", 3 },
	{ "of_10_a_second", 10 },
	{ "of_the_default", HO_SOURCE_RATE_DEF },
	{ "of_100000_a_second", 100 * 1000 },
};

KUNIT_ARRAY_PARAM_DESC(rates, rates, name);

static u32 cost_us(u32 rate)
{
	return DIV_ROUND_UP(SECOND_US, rate);
}

static u32 burst_of(u32 rate)
{
	return HO_SYNACK_BURST_S * SECOND_US / cost_us(rate);
}

/* Until refused. */
static u32 send_all(struct ho_sources *src, struct ho_key key, u32 rate,
		    u32 now_us)
{
	u32 n = 0;

	while (send(src, key, rate, now_us))
		n++;
	return n;
}

static void burst_is_four_seconds(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	const struct rate_case *c = test->param_value;
	u32 now = 1000 * SECOND_US;

	KUNIT_EXPECT_EQ(test, send_all(src, v4_prefix(1), c->rate, now),
			burst_of(c->rate));
	KUNIT_EXPECT_EQ(test, send_all(src, v6_prefix(1), c->rate, now),
			burst_of(c->rate));
	KUNIT_EXPECT_FALSE(test, send(src, v4_prefix(1), c->rate, now));
}

static void budget_fills_at_the_rate(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	const struct rate_case *c = test->param_value;
	u32 cost = cost_us(c->rate), now = 1000 * SECOND_US, i;
	/* a burst is not a whole number of them at every rate */
	u32 wait = cost - HO_SYNACK_BURST_S * SECOND_US % cost;
	struct ho_key key = v4_prefix(1);

	send_all(src, key, c->rate, now);
	for (i = 0; i < 3; i++, wait = cost) {
		KUNIT_EXPECT_FALSE(test, send(src, key, c->rate,
					      now + wait - 1));
		now += wait;
		KUNIT_EXPECT_EQ(test, send_all(src, key, c->rate, now), 1);
	}
	now += 3 * cost;
	KUNIT_EXPECT_EQ(test, send_all(src, key, c->rate, now), 3);
	/* and after a long time to a burst, not more */
	now += 1000 * SECOND_US;
	KUNIT_EXPECT_EQ(test, send_all(src, key, c->rate, now),
			burst_of(c->rate));
}

/* Who knocks all the time is sent the rate and once the burst. */
static void budget_holds_over_time(struct kunit *test)
{
	enum { SPAN_S = 20, STEP_US = 1000 };
	struct ho_sources *src = make_default(test);
	u32 rate = 500, sent = 0, us;

	for (us = 0; us < SPAN_S * SECOND_US; us += STEP_US)
		sent += send(src, v4_prefix(1), rate, SECOND_US + us);
	KUNIT_EXPECT_GE(test, sent, rate * (SPAN_S + HO_SYNACK_BURST_S) - 1);
	KUNIT_EXPECT_LE(test, sent, rate * (SPAN_S + HO_SYNACK_BURST_S));
}

static void flood_costs_others_nothing(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	u32 now = 1000 * SECOND_US, n;

	send_all(src, v4_prefix(0), 100, now);
	for (n = 1; n < 300; n++) {
		KUNIT_ASSERT_EQ(test, send_all(src, v4_prefix(n), 1, now),
				burst_of(1));
		KUNIT_ASSERT_FALSE(test, send(src, v4_prefix(0), 100, now));
	}
}

static void answer_gives_back_what_was_sent(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	const struct rate_case *c = test->param_value;
	struct ho_key key = v4_prefix(1);
	u32 now = 1000 * SECOND_US;

	send_all(src, key, c->rate, now);
	answered(src, key, c->rate, 1);
	KUNIT_EXPECT_EQ(test, send_all(src, key, c->rate, now), 1);
	answered(src, key, c->rate, 3);
	KUNIT_EXPECT_EQ(test, send_all(src, key, c->rate, now), 3);
	answered(src, v4_prefix(2), c->rate, 3);
	KUNIT_EXPECT_FALSE(test, send(src, key, c->rate, now));
	answered(src, key, c->rate, burst_of(c->rate));
	KUNIT_EXPECT_EQ(test, send_all(src, key, c->rate, now),
			burst_of(c->rate));
}

/* A proxy with a thousand clients behind it that all answer. */
static void source_that_answers_has_no_limit(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	u32 now = 1000 * SECOND_US, n;

	for (n = 0; n < 100 * 1000; n++) {
		KUNIT_ASSERT_TRUE(test, send(src, v4_prefix(1), 10, now));
		answered(src, v4_prefix(1), 10, 1);
	}
}

static void answers_cannot_be_saved_up(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	u32 now = 1000 * SECOND_US;

	/* of an earlier time, or of another prefix length */
	answered(src, v4_prefix(1), 10, 32);
	answered(src, v4_prefix(1), 10, 32);
	KUNIT_EXPECT_EQ(test, send_all(src, v4_prefix(1), 10, now),
			burst_of(10));
}

struct clock_case {
	const char *name;
	u32 now_us;
};

static const struct clock_case clocks[] = {
	{ "at_0", 0 },
	{ "at_1", 1 },
	{ "at_10_s", 10 * SECOND_US },
	{ "at_the_sign", 1U << 31 },
	{ "6_s_before_the_wrap", 0U - 6 * SECOND_US },
	{ "4900_ms_before_the_wrap", 0U - 4900 * 1000 },
};

KUNIT_ARRAY_PARAM_DESC(clocks, clocks, name);

static void stranger_has_a_whole_burst(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	const struct clock_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, send_all(src, v4_prefix(1), 10, c->now_us),
			burst_of(10));
}

static void budget_bears_the_wrap_of_the_clock(struct kunit *test)
{
	const struct clock_case *c = test->param_value;
	struct ho_sources *src = make_default(test);
	struct ho_key key = v4_prefix(1);
	u32 start = c->now_us - 20 * SECOND_US, us, sent;

	sent = send_all(src, key, 10, start);
	for (us = 0; us < 40 * SECOND_US; us += 1000)
		sent += send(src, key, 10, start + us);
	KUNIT_EXPECT_LE(test, sent, burst_of(10) + 400);
	KUNIT_EXPECT_GE(test, sent, burst_of(10) + 398);
}

static void forget_all(struct ho_sources *src, u32 until_us)
{
	u32 i, j;

	for (i = 0; i < HO_SOURCE_ROWS * src->width / CHUNK_CELLS; i++)
		for (j = 0; src->chunks[0][i] && j < CHUNK_CELLS; j++)
			atomic_set(&src->chunks[0][i][j].until_us, until_us);
}

/*
 * A cell cannot tell 0 s from 71 minutes, one round of the clock.  Who was
 * quiet for so long, or never came, may find a part of his burst gone, but he
 * is not refused for longer than clocks of CPUs may differ.
 */
static void who_comes_after_a_round_of_the_clock_is_answered(struct kunit *test)
{
	enum { REFUSED_MAX_MS = 20 };
	struct ho_sources *src = make_default(test);
	static const u32 last[] = { 0, 1, 1U << 31, 0U - SECOND_US };
	u32 i, ms, refused;

	send(src, v4_prefix(1), HO_SOURCE_RATE_DEF, 0);
	for (i = 0; i < ARRAY_SIZE(last); i++) {
		refused = 0;
		for (ms = 0; ms < 8000; ms++) {
			u32 now = last[i] - 6 * SECOND_US + 1000 * ms;

			forget_all(src, last[i]);
			refused += !send(src, v4_prefix(1),
					 HO_SOURCE_RATE_DEF, now);
		}
		KUNIT_EXPECT_LE_MSG(test, refused, REFUSED_MAX_MS,
				    "ms, last seen at %u us", last[i]);
	}
}

static void without_a_rate_there_is_no_limit(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	u32 n;

	for (n = 0; n < 10000; n++)
		KUNIT_ASSERT_TRUE(test, send(src, v4_prefix(1), 0, 0));
	answered(src, v4_prefix(1), 0, 1);
	/* nor anything remembered */
	KUNIT_EXPECT_EQ(test, send_all(src, v4_prefix(1), 1, 0), burst_of(1));
}

/* --- memory --------------------------------------------------------------- */

struct width_case {
	const char *name;
	u32 width, want;
};

static const struct width_case widths[] = {
	{ "of_0_is_a_page", 0, CHUNK_CELLS },
	{ "of_a_page", CHUNK_CELLS, CHUNK_CELLS },
	{ "is_rounded_up", CHUNK_CELLS + 1, 2 * CHUNK_CELLS },
	{ "of_the_most_there_are", HO_BUCKETS_MAX / HO_BUCKETS_PER_CELL,
	  HO_BUCKETS_MAX / HO_BUCKETS_PER_CELL },
};

KUNIT_ARRAY_PARAM_DESC(widths, widths, name);

static void width(struct kunit *test)
{
	const struct width_case *c = test->param_value;
	struct state *state = test->priv;
	struct ho_sources *src = &state->src;
	u32 n;

	src->cfg = (struct ho_prefixes) { .v4 = 32, .v6 = 128 };
	KUNIT_ASSERT_EQ(test, ho_sources_init(src, c->width, &state->mem), 0);
	state->src_made = true;
	KUNIT_EXPECT_EQ(test, src->width, c->want);
	for (n = 0; n < 1000; n++)
		KUNIT_ASSERT_EQ(test, reserve(src, fix_key_v6(n), NO_LIMIT), 0);
	for (n = 0; n < 1000; n++)
		release(src, fix_key_v6(n));
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

static void cells_are_charged_when_first_used(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	struct state *state = test->priv;

	KUNIT_EXPECT_EQ(test, ho_budget_count(&state->mem.used), 0);
	KUNIT_ASSERT_EQ(test, reserve(src, v4_prefix(1), 1), 0);
	/* a chunk of either row */
	KUNIT_EXPECT_EQ(test, ho_budget_count(&state->mem.used), 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, reserve(src, v4_prefix(1), 2), 0);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&state->mem.used), 2 * PAGE_SIZE);
	/* it has room for what he is sent */
	KUNIT_EXPECT_TRUE(test, send(src, v4_prefix(1), 1, 0));
	KUNIT_EXPECT_EQ(test, ho_budget_count(&state->mem.used), 2 * PAGE_SIZE);
}

/* What cannot be counted is not let in; what cannot be limited is sent. */
static void without_memory_nobody_is_counted(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	struct state *state = test->priv;

	state->mem.max_bytes = 2 * PAGE_SIZE - 1;
	KUNIT_EXPECT_EQ(test, reserve(src, v4_prefix(1), 1), -ENOMEM);
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
	KUNIT_EXPECT_TRUE(test, send(src, v4_prefix(1), 1, 0));
	answered(src, v4_prefix(1), 1, 1);
	state->mem.max_bytes = HO_MEMORY_DEF;
	KUNIT_EXPECT_EQ(test, reserve(src, v4_prefix(1), 1), 0);
	KUNIT_EXPECT_EQ(test, reserve(src, v4_prefix(1), 1), -EDQUOT);
	release(src, v4_prefix(1));
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

static void failed_allocation_leaves_nothing(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	struct state *state = test->priv;
	unsigned int nth;

	/* the chunk of either row; the first one stays where it was made */
	for (nth = 1; nth <= 2; nth++) {
		fix_fail_nth = nth;
		KUNIT_EXPECT_EQ(test, reserve(src, v4_prefix(1), 1), -ENOMEM);
		KUNIT_EXPECT_FALSE(test, fix_was_spared());
		KUNIT_EXPECT_TRUE(test, nobody_holds(src));
		KUNIT_EXPECT_EQ(test, ho_budget_count(&state->mem.used),
				(nth - 1) * PAGE_SIZE);
	}
	fix_fail_nth = 2;
	KUNIT_EXPECT_EQ(test, reserve(src, v4_prefix(1), 1), 0);
	KUNIT_EXPECT_TRUE(test, fix_was_spared());
	release(src, v4_prefix(1));
	KUNIT_EXPECT_TRUE(test, nobody_holds(src));
}

static void failed_init_leaves_nothing(struct kunit *test)
{
	struct state *state = test->priv;
	unsigned int nth;
	int err;

	for (nth = 1; nth < 10; nth++) {
		fix_fail_nth = nth;
		err = ho_sources_init(&state->src, WIDTH, &state->mem);
		if (fix_was_spared())
			break;
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	}
	KUNIT_EXPECT_EQ(test, nth, 3);
	KUNIT_ASSERT_EQ(test, err, 0);
	state->src_made = true;
}

static void reserve_of_cells_is_enough(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	u32 n;

	KUNIT_ASSERT_EQ(test, ho_sources_prealloc(src), 0);
	fix_fail_nth = 1;
	for (n = 0; n < 10000; n++) {
		KUNIT_ASSERT_EQ(test, reserve(src, v6_prefix(n), NO_LIMIT), 0);
		KUNIT_ASSERT_TRUE(test, send(src, v6_prefix(n), 1000, 0));
	}
	KUNIT_EXPECT_TRUE(test, fix_was_spared());
}

static void reserve_of_cells_knows_the_cap(struct kunit *test)
{
	struct ho_sources *src = make_default(test);
	struct state *state = test->priv;

	state->mem.max_bytes = 5 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, ho_sources_prealloc(src), -ENOMEM);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&state->mem.used), 5 * PAGE_SIZE);
}

static struct kunit_case source_cases[] = {
	KUNIT_CASE_PARAM(limit_is_reached_exactly, limits_gen_params),
	KUNIT_CASE_PARAM(who_leaves_makes_room_for_one, limits_gen_params),
	KUNIT_CASE(limit_may_change_at_any_time),
	KUNIT_CASE_PARAM(hog_takes_nothing_from_others, families_gen_params),
	KUNIT_CASE(crowd_of_strangers_finds_room),
	KUNIT_CASE_PARAM(prefix, prefixes_gen_params),
	KUNIT_CASE(only_the_remote_address_and_the_interface_count),
	KUNIT_CASE(families_are_apart_even_without_a_prefix),
	KUNIT_CASE_SLOW(random_walk_keeps_the_count),
	KUNIT_CASE(same_length_is_no_change),
	KUNIT_CASE(new_length_counts_at_once),
	KUNIT_CASE(old_entries_leave_where_they_were_counted),
	KUNIT_CASE(third_length_waits_for_the_first_to_go),
	KUNIT_CASE_SLOW(random_walk_over_lengths_leaves_nothing),
	KUNIT_CASE_PARAM(burst_is_four_seconds, rates_gen_params),
	KUNIT_CASE_PARAM(budget_fills_at_the_rate, rates_gen_params),
	KUNIT_CASE(budget_holds_over_time),
	KUNIT_CASE(flood_costs_others_nothing),
	KUNIT_CASE_PARAM(answer_gives_back_what_was_sent, rates_gen_params),
	KUNIT_CASE(source_that_answers_has_no_limit),
	KUNIT_CASE(answers_cannot_be_saved_up),
	KUNIT_CASE_PARAM(stranger_has_a_whole_burst, clocks_gen_params),
	KUNIT_CASE_PARAM(budget_bears_the_wrap_of_the_clock,
			 clocks_gen_params),
	KUNIT_CASE(who_comes_after_a_round_of_the_clock_is_answered),
	KUNIT_CASE(without_a_rate_there_is_no_limit),
	KUNIT_CASE_PARAM(width, widths_gen_params),
	KUNIT_CASE(cells_are_charged_when_first_used),
	KUNIT_CASE(without_memory_nobody_is_counted),
	KUNIT_CASE(failed_allocation_leaves_nothing),
	KUNIT_CASE(failed_init_leaves_nothing),
	KUNIT_CASE(reserve_of_cells_is_enough),
	KUNIT_CASE(reserve_of_cells_knows_the_cap),
	{}
};

static struct kunit_suite source_suite = {
	.name = "halfopen_source",
	.init = source_test_init,
	.exit = source_test_exit,
	.test_cases = source_cases,
};

kunit_test_suite(source_suite);
