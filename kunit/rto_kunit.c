// SPDX-License-Identifier: GPL-2.0
/* Backoff, lifetime, deadlines that wrap, the rate limit of answers. */
#include <kunit/test.h>

#include <halfopen/rto.h>

#include "fixtures.h"

enum {
	CLOCK23		= 1 << 23,	/* deadlines have 23 bits */
	OOW_STEP_MS	= 32,		/* a stamp's unit */
	OOW_ROUND_MS	= 256 * OOW_STEP_MS,
	OOW_LONGEST_MS	= 128 * OOW_STEP_MS,
};

/* Doubling one step at a time: nothing in it can overflow. */
static u32 doubled(u32 init_ms, u32 max_ms, unsigned int n)
{
	u64 wait = min(init_ms, max_ms);

	while (n-- && wait < max_ms)
		wait = min_t(u64, wait * 2, max_ms);
	return wait;
}

static const u32 waits_ms[] = {
	HO_RTO_MIN_MS, HO_RTO_MIN_MS + 1, 250, 333, HO_RTO_INIT_MS - 1,
	HO_RTO_INIT_MS, HO_RTO_INIT_MS + 1, 3000, 7777, 59999, 60000,
	HO_RTO_MAX_MS - 1, HO_RTO_MAX_MS,
};

static void backoff_doubles_up_to_the_cap(struct kunit *test)
{
	unsigned int i, m, n;

	for (i = 0; i < ARRAY_SIZE(waits_ms); i++)
		for (m = 0; m < ARRAY_SIZE(waits_ms); m++)
			for (n = 0; n < HO_LEVELS; n++)
				KUNIT_EXPECT_EQ_MSG(test,
						    ho_rto_ms(waits_ms[i],
							      waits_ms[m], n),
						    doubled(waits_ms[i],
							    waits_ms[m], n),
						    "%u ms, cap %u ms, n %u",
						    waits_ms[i], waits_ms[m],
						    n);
}

static void backoff_bears_any_count(struct kunit *test)
{
	static const unsigned int n[] = { 31, 32, 33, 63, 64, 255, UINT_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(n); i++)
		KUNIT_EXPECT_EQ(test,
				ho_rto_ms(HO_RTO_INIT_MS, HO_RTO_MAX_MS, n[i]),
				HO_RTO_MAX_MS);
	KUNIT_EXPECT_EQ(test, ho_rto_ms(U32_MAX, U32_MAX, UINT_MAX), U32_MAX);
}

static void default_lifetime_is_63_s(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test,
			ho_rto_lifetime_ms(HO_RTO_INIT_MS, HO_RTO_MAX_MS,
					   HO_RETRIES_DEF), 63 * 1000);
}

static void lifetime_is_the_sum_of_all_waits(struct kunit *test)
{
	unsigned int i, m, n;

	for (i = 0; i < ARRAY_SIZE(waits_ms); i++) {
		for (m = 0; m < ARRAY_SIZE(waits_ms); m++) {
			u64 sum = 0;

			for (n = 0; n <= HO_RETRIES_MAX; n++) {
				sum += doubled(waits_ms[i], waits_ms[m], n);
				KUNIT_EXPECT_EQ(test,
						ho_rto_lifetime_ms(waits_ms[i],
								   waits_ms[m],
								   n), sum);
			}
		}
	}
	KUNIT_EXPECT_EQ(test,
			ho_rto_lifetime_ms(HO_RTO_MAX_MS, HO_RTO_MAX_MS,
					   HO_RETRIES_MAX),
			HO_LEVELS * HO_RTO_MAX_MS);
}

/* A sign bit of a 23-bit clock has room for the longest wait. */
static void longest_wait_fits_the_clock(struct kunit *test)
{
	KUNIT_EXPECT_LT(test, (u32)HO_RTO_MAX_MS, CLOCK23 / 2);
}

struct clock_case {
	const char *name;
	u32 now_ms;
};

static const struct clock_case clocks[] = {
	{ "at_zero", 0 },
	{ "in_the_middle", 123456789 },
	{ "before_23_bits_wrap", CLOCK23 - 1 },
	{ "before_23_bits_wrap_again", 2 * CLOCK23 - HO_RTO_MAX_MS },
	{ "at_the_sign_of_23_bits", CLOCK23 / 2 },
	{ "at_the_sign_of_32_bits", 1U << 31 },
	{ "before_32_bits_wrap", U32_MAX },
	{ "long_before_32_bits_wrap", U32_MAX - HO_RTO_MAX_MS + 1 },
};

KUNIT_ARRAY_PARAM_DESC(clocks, clocks, name);

/* Every wait there is, from a moment before to a moment after. */
static void deadline_is_reached_at_its_moment(struct kunit *test)
{
	const struct clock_case *clock = test->param_value;
	u32 wait;

	for (wait = 1; wait <= HO_RTO_MAX_MS; wait++) {
		u32 due = clock->now_ms + wait;
		u32 deadline = due % CLOCK23;

		if (ho_rto_reached(deadline, clock->now_ms) ||
		    ho_rto_reached(deadline, due - 1) ||
		    !ho_rto_reached(deadline, due) ||
		    !ho_rto_reached(deadline, due + HO_RTO_MAX_MS)) {
			KUNIT_FAIL(test, "wait %u", wait);
			return;
		}
	}
}

static void time_left_leads_to_the_deadline(struct kunit *test)
{
	const struct clock_case *clock = test->param_value;
	u32 wait;

	for (wait = 0; wait <= HO_RTO_MAX_MS; wait++) {
		u32 deadline = (clock->now_ms + wait) % CLOCK23;
		u32 left = ho_rto_left_ms(deadline, clock->now_ms);

		if (left != wait) {
			KUNIT_FAIL(test, "wait %u, left %u", wait, left);
			return;
		}
	}
}

static void nothing_is_left_of_a_missed_deadline(struct kunit *test)
{
	const struct clock_case *clock = test->param_value;
	u32 late;

	for (late = 0; late <= HO_RTO_MAX_MS; late += 7) {
		u32 deadline = (clock->now_ms - late) % CLOCK23;

		KUNIT_EXPECT_EQ(test,
				ho_rto_left_ms(deadline, clock->now_ms), 0);
	}
}

struct decide_case {
	const char *name;
	bool hold;
	enum ho_rto_action before_the_last;
};

static const struct decide_case decisions[] = {
	{ "resends", false, HO_RTO_RESEND },
	{ "holds", true, HO_RTO_HOLD },
};

KUNIT_ARRAY_PARAM_DESC(decisions, decisions, name);

static void as_many_as_retries(struct kunit *test)
{
	const struct decide_case *c = test->param_value;
	unsigned int retries, timeouts;

	for (retries = 0; retries <= HO_RETRIES_MAX; retries++)
		for (timeouts = 0; timeouts <= HO_RETRIES_MAX; timeouts++)
			KUNIT_EXPECT_EQ_MSG(test,
					    ho_rto_decide(timeouts, retries,
							  c->hold),
					    timeouts < retries ?
					    c->before_the_last : HO_RTO_EXPIRE,
					    "timeout %u of %u", timeouts,
					    retries);
}

static void first_answer_is_always_allowed(struct kunit *test)
{
	u32 now_ms;

	for (now_ms = 0; now_ms < 2 * OOW_ROUND_MS; now_ms++) {
		struct ho_req req = {};

		KUNIT_ASSERT_TRUE_MSG(test, ho_oow_allow(&req, now_ms, 500),
				      "at %u ms", now_ms);
	}
}

static const u32 limits_ms[] = {
	1, 31, 32, 33, 100, 500, 1000, 4000, OOW_LONGEST_MS,
};

/*
 * From every moment of a stamp's round: not too late, and too soon by no more
 * than the step that it costs that 0 means never.
 */
static void second_answer_waits_for_the_limit(struct kunit *test)
{
	u32 start, i, d;

	for (i = 0; i < ARRAY_SIZE(limits_ms); i++) {
		u32 late = round_up(limits_ms[i], OOW_STEP_MS) + OOW_STEP_MS;
		u32 soon = late - min(late, 2 * OOW_STEP_MS);

		for (start = 0; start < OOW_ROUND_MS; start += 13) {
			for (d = 0; d <= late; d += max(late / 50, 1)) {
				struct ho_req req = {};
				bool allowed;

				ho_oow_allow(&req, start, limits_ms[i]);
				allowed = ho_oow_allow(&req, start + d,
						       limits_ms[i]);
				if (d < soon && allowed)
					KUNIT_FAIL_AND_ABORT(test,
							     "%u ms after %u allowed, limit %u",
							     d, start,
							     limits_ms[i]);
				if (d >= late && !allowed)
					KUNIT_FAIL_AND_ABORT(test,
							     "%u ms after %u refused, limit %u",
							     d, start,
							     limits_ms[i]);
			}
		}
	}
}

static void refused_answer_does_not_move_the_limit(struct kunit *test)
{
	u32 start = 12345 * OOW_STEP_MS, now_ms;
	struct ho_req req = {};

	KUNIT_ASSERT_TRUE(test, ho_oow_allow(&req, start, 500));
	for (now_ms = start + 1; now_ms < start + 7 * OOW_STEP_MS; now_ms++)
		KUNIT_ASSERT_FALSE(test, ho_oow_allow(&req, now_ms, 500));
	KUNIT_EXPECT_TRUE(test, ho_oow_allow(&req, start + 512 + OOW_STEP_MS,
					     500));
}

/* A minute of a segment a millisecond, over the wrap of the clock. */
static void stream_is_answered_at_the_limit(struct kunit *test)
{
	enum { SPAN_MS = 60 * 1000, LIMIT_MS = 512 };
	u32 start = U32_MAX - SPAN_MS / 2, n, sent = 0;
	struct ho_req req = {};

	for (n = 0; n < SPAN_MS; n++)
		sent += ho_oow_allow(&req, start + n, LIMIT_MS);
	KUNIT_EXPECT_GE(test, sent, SPAN_MS / (LIMIT_MS + OOW_STEP_MS));
	KUNIT_EXPECT_LE(test, sent, SPAN_MS / LIMIT_MS + 1);
}

static void stamp_is_forgotten_when_it_limits_nothing(struct kunit *test)
{
	u32 start, ms;

	for (start = 0; start < OOW_ROUND_MS; start += 11) {
		struct ho_req req = {};

		ho_oow_allow(&req, start, 500);
		for (ms = 0; ms < OOW_LONGEST_MS - OOW_STEP_MS; ms += 29) {
			ho_oow_age(&req, start + ms);
			KUNIT_ASSERT_NE(test, req.oow + 0, 0);
		}
		ho_oow_age(&req, start + OOW_LONGEST_MS + OOW_STEP_MS);
		KUNIT_ASSERT_EQ(test, req.oow + 0, 0);
	}
}

static void limit_of_zero_is_no_limit(struct kunit *test)
{
	struct ho_req req = {};
	u32 now_ms;

	for (now_ms = 0; now_ms < OOW_ROUND_MS; now_ms += 3)
		KUNIT_ASSERT_TRUE(test, ho_oow_allow(&req, now_ms, 0));
}

static void limits_past_the_longest_count_as_that(struct kunit *test)
{
	static const u32 huge[] = { OOW_LONGEST_MS + 1, 60 * 1000, S32_MAX,
				    U32_MAX - OOW_STEP_MS, U32_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(huge); i++) {
		u32 start = 100 * OOW_STEP_MS;
		struct ho_req req = {};

		KUNIT_EXPECT_TRUE(test, ho_oow_allow(&req, start, huge[i]));
		KUNIT_EXPECT_FALSE_MSG(test,
				       ho_oow_allow(&req, start +
						    OOW_LONGEST_MS - 1,
						    huge[i]),
				       "limit %u", huge[i]);
		KUNIT_EXPECT_TRUE(test,
				  ho_oow_allow(&req, start + OOW_LONGEST_MS +
					       OOW_STEP_MS, huge[i]));
	}
}

static struct kunit_case rto_cases[] = {
	KUNIT_CASE(backoff_doubles_up_to_the_cap),
	KUNIT_CASE(backoff_bears_any_count),
	KUNIT_CASE(default_lifetime_is_63_s),
	KUNIT_CASE(lifetime_is_the_sum_of_all_waits),
	KUNIT_CASE(longest_wait_fits_the_clock),
	KUNIT_CASE_PARAM(deadline_is_reached_at_its_moment, clocks_gen_params),
	KUNIT_CASE_PARAM(time_left_leads_to_the_deadline, clocks_gen_params),
	KUNIT_CASE_PARAM(nothing_is_left_of_a_missed_deadline,
			 clocks_gen_params),
	KUNIT_CASE_PARAM(as_many_as_retries, decisions_gen_params),
	KUNIT_CASE(first_answer_is_always_allowed),
	KUNIT_CASE(second_answer_waits_for_the_limit),
	KUNIT_CASE(refused_answer_does_not_move_the_limit),
	KUNIT_CASE(stream_is_answered_at_the_limit),
	KUNIT_CASE(stamp_is_forgotten_when_it_limits_nothing),
	KUNIT_CASE(limit_of_zero_is_no_limit),
	KUNIT_CASE(limits_past_the_longest_count_as_that),
	{}
};

static struct kunit_suite rto_suite = {
	.name = "halfopen_rto",
	.test_cases = rto_cases,
};

kunit_test_suite(rto_suite);
