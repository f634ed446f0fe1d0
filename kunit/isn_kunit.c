// SPDX-License-Identifier: GPL-2.0
/* Sequence numbers and timestamp offsets that nobody else can guess. */
#include <kunit/test.h>

#include <halfopen/isn.h>

#include "fixtures.h"

enum {
	TICK_NS = 64,		/* RFC 9293 3.4.1 asks for a steady clock */
};

static u32 isn_at(struct ho_key key, u64 now_ns)
{
	return ho_isn(&key, &FIX_SECRET, now_ns);
}

static void grows_by_one_each_64_ns(struct kunit *test)
{
	struct ho_key key = fix_key_v4(1);
	u32 first = isn_at(key, 0);

	KUNIT_EXPECT_EQ(test, isn_at(key, TICK_NS - 1), first);
	KUNIT_EXPECT_EQ(test, isn_at(key, TICK_NS), first + 1);
	KUNIT_EXPECT_EQ(test, isn_at(key, 1000 * TICK_NS), first + 1000);
}

/* 2^32 ticks of 64 ns: longer than two MSL (RFC 9293 3.4.3). */
static void comes_round_after_274_s_and_not_earlier(struct kunit *test)
{
	struct ho_key key = fix_key_v4(1);
	u64 round = (u64)TICK_NS << 32;

	KUNIT_EXPECT_EQ(test, isn_at(key, round), isn_at(key, 0));
	KUNIT_EXPECT_NE(test, isn_at(key, round / 2), isn_at(key, 0));
	KUNIT_EXPECT_GT(test, round / NSEC_PER_SEC, 2 * 120);
}

static void is_never_zero(struct kunit *test)
{
	u32 n;

	for (n = 0; n < 1000; n++) {
		struct ho_key key = fix_key_v6(n);
		/* the moment at which hash and clock would add up to 0 */
		u32 ticks = -isn_at(key, 0);
		u64 now_ns = (u64)ticks * TICK_NS;

		KUNIT_EXPECT_EQ(test, isn_at(key, now_ns), 1);
		KUNIT_EXPECT_EQ(test, isn_at(key, now_ns - TICK_NS), U32_MAX);
		KUNIT_EXPECT_EQ(test, isn_at(key, now_ns + TICK_NS), 1);
	}
}

struct isn_change {
	const char *name;
	size_t at;
};

static const struct isn_change changes[] = {
	{ "remote_address", offsetof(struct ho_key, raddr.s6_addr[15]) },
	{ "local_address", offsetof(struct ho_key, laddr.s6_addr[15]) },
	{ "remote_port", offsetof(struct ho_key, rport) },
	{ "local_port", offsetof(struct ho_key, lport) },
	{ "interface", offsetof(struct ho_key, iif) },
};

KUNIT_ARRAY_PARAM_DESC(changes, changes, name);

static void depends_on(struct kunit *test)
{
	const struct isn_change *change = test->param_value;
	struct ho_key v4 = fix_key_v4(1), v6 = fix_key_v6(1);
	struct ho_key other4 = v4, other6 = v6;

	((u8 *)&other4)[change->at] ^= 1;
	((u8 *)&other6)[change->at] ^= 1;
	KUNIT_EXPECT_NE(test, isn_at(v4, 0), isn_at(other4, 0));
	KUNIT_EXPECT_NE(test, isn_at(v6, 0), isn_at(other6, 0));
	KUNIT_EXPECT_NE(test, ho_isn_ts_off(&v4, &FIX_SECRET),
			ho_isn_ts_off(&other4, &FIX_SECRET));
	KUNIT_EXPECT_NE(test, ho_isn_ts_off(&v6, &FIX_SECRET),
			ho_isn_ts_off(&other6, &FIX_SECRET));
}

static void depends_on_the_secret(struct kunit *test)
{
	siphash_key_t other = { { 1, 2 } };
	struct ho_key key = fix_key_v4(1);

	KUNIT_EXPECT_NE(test, ho_isn(&key, &FIX_SECRET, 0),
			ho_isn(&key, &other, 0));
	KUNIT_EXPECT_NE(test, ho_isn_ts_off(&key, &FIX_SECRET),
			ho_isn_ts_off(&key, &other));
}

/* Who sees the ISN must not learn the offset from it, nor the other way. */
static void offset_is_not_the_isn(struct kunit *test)
{
	u32 n, equal = 0;

	for (n = 0; n < 1000; n++) {
		struct ho_key key = fix_key_v4(n);

		equal += ho_isn(&key, &FIX_SECRET, 0) ==
			 ho_isn_ts_off(&key, &FIX_SECRET);
	}
	KUNIT_EXPECT_LE(test, equal, 1);
}

static struct kunit_case isn_cases[] = {
	KUNIT_CASE(grows_by_one_each_64_ns),
	KUNIT_CASE(comes_round_after_274_s_and_not_earlier),
	KUNIT_CASE(is_never_zero),
	KUNIT_CASE_PARAM(depends_on, changes_gen_params),
	KUNIT_CASE(depends_on_the_secret),
	KUNIT_CASE(offset_is_not_the_isn),
	{}
};

static struct kunit_suite isn_suite = {
	.name = "halfopen_isn",
	.test_cases = isn_cases,
};

kunit_test_suite(isn_suite);
