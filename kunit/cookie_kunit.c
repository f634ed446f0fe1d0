// SPDX-License-Identifier: GPL-2.0
/* Numbers that nobody else can guess and that bring back what a SYN said. */
#include <kunit/test.h>

#include <linux/slab.h>

#include <halfopen/cookie.h>
#include <halfopen/keyring.h>

#include "fixtures.h"

enum {
	MAC_SHIFT	= 8,		/* 24 bits of it */
	TS_SHIFT	= 18,		/* what the clock has to itself */
	TS_ROUND	= 1 << TS_SHIFT,
	RESIDUAL_MAX	= (1 << 13) - 1,
	MSS_LEAST	= 48,
	SHIFT_NONE	= HO_WSCALE_MAX + 1,
};

#define FIX_TS	((const siphash_key_t){ { 0x1111111122222222ULL, \
					  0x3333333344444444ULL } })

struct family {
	const char *name;
	struct ho_key (*make)(u32 n);
};

static const struct family families[] = {
	{ "v4", fix_key_v4 },
	{ "v6", fix_key_v6 },
};

KUNIT_ARRAY_PARAM_DESC(families, families, name);

static struct ho_req req_of(u16 mss, u8 shift, bool sack)
{
	return (struct ho_req) {
		.rcv_isn = 1000,
		.mss = mss,
		.wscale_ok = shift != SHIFT_NONE,
		.snd_wscale = shift != SHIFT_NONE ? shift : 0,
		.sack_ok = sack,
	};
}

static u32 isn_of(const struct ho_key *key, const struct ho_req *req)
{
	return ho_cookie_isn(key, req, &FIX_SECRET);
}

static bool check(const struct ho_key *key, u32 rcv_isn, u32 isn,
		  struct ho_req *req)
{
	return ho_cookie_check(key, rcv_isn, isn, &FIX_SECRET, req);
}

/* The MSS that an ISN alone brings back; 0 if it brings back nothing. */
static u16 step_of(const struct ho_key *key, u16 mss)
{
	struct ho_req req = req_of(mss, 7, true), got;
	u32 isn = isn_of(key, &req);

	return check(key, req.rcv_isn, isn, &got) ? got.mss : 0;
}

/* --- what the ISN brings back --------------------------------------------- */

struct step_case {
	const char *name;
	struct ho_key (*make)(u32 n);
	u16 mss, step;
};

static const struct step_case steps[] = {
	{ "v4_of_1", fix_key_v4, 1, MSS_LEAST },
	{ "v4_below_the_least", fix_key_v4, MSS_LEAST - 1, MSS_LEAST },
	{ "v4_the_least", fix_key_v4, MSS_LEAST, MSS_LEAST },
	{ "v4_below_the_default", fix_key_v4, 535, MSS_LEAST },
	{ "v4_the_default", fix_key_v4, HO_MSS_DEF_V4, HO_MSS_DEF_V4 },
	{ "v4_behind_pppoe", fix_key_v4, 1452, 1440 },
	{ "v4_on_ethernet", fix_key_v4, 1460, 1460 },
	{ "v4_jumbo", fix_key_v4, 8960, 8960 },
	{ "v4_below_jumbo", fix_key_v4, 8959, 1460 },
	{ "v4_the_most", fix_key_v4, U16_MAX, 8960 },
	{ "v6_of_1", fix_key_v6, 1, MSS_LEAST },
	{ "v6_the_least", fix_key_v6, MSS_LEAST, MSS_LEAST },
	{ "v6_the_default", fix_key_v6, HO_MSS_DEF_V6, HO_MSS_DEF_V6 },
	{ "v6_below_the_default", fix_key_v6, HO_MSS_DEF_V6 - 1, 536 },
	{ "v6_on_ethernet", fix_key_v6, 1440, 1440 },
	{ "v6_jumbo", fix_key_v6, 8940, 8940 },
	{ "v6_the_most", fix_key_v6, U16_MAX, 8940 },
};

KUNIT_ARRAY_PARAM_DESC(steps, steps, name);

static void mss_comes_back_as_a_step(struct kunit *test)
{
	const struct step_case *c = test->param_value;
	struct ho_key key = c->make(1);

	KUNIT_EXPECT_EQ(test, step_of(&key, c->mss), c->step);
}

static void step_is_the_highest_that_the_client_bears(struct kunit *test)
{
	const struct family *family = test->param_value;
	struct ho_key key = family->make(1);
	u32 mss, nr = 0;
	u16 last = 0;

	for (mss = 1; mss <= U16_MAX; mss++) {
		u16 step = step_of(&key, mss);

		if (step != last) {
			nr++;
			/* what is a step comes back exactly */
			KUNIT_ASSERT_EQ(test, step,
					max_t(u32, mss, MSS_LEAST));
		}
		last = step;
	}
	KUNIT_EXPECT_EQ(test, nr, 8);
}

/* Every MSS with every shift, with and without SACK: two million SYNs. */
static void options_come_back(struct kunit *test)
{
	const struct family *family = test->param_value;
	struct ho_key key = family->make(1);
	u32 mss, n;

	for (mss = 1; mss <= U16_MAX; mss++) {
		for (n = 0; n < 2 * (SHIFT_NONE + 1); n++) {
			struct ho_req req = req_of(mss, n / 2, n % 2);
			struct ho_req got = {};
			u32 isn = isn_of(&key, &req);

			if (!check(&key, req.rcv_isn, isn, &got) ||
			    got.mss > max_t(u32, mss, MSS_LEAST) ||
			    got.wscale_ok != req.wscale_ok ||
			    got.snd_wscale != req.snd_wscale ||
			    got.sack_ok != req.sack_ok ||
			    got.rcv_isn != req.rcv_isn || got.snt_isn != isn)
				KUNIT_FAIL_AND_ABORT(test,
						     "MSS %u, shift %u, SACK %u",
						     mss, n / 2, n % 2);
		}
	}
}

static void check_leaves_the_rest_alone(struct kunit *test)
{
	struct ho_req req = req_of(1460, SHIFT_NONE, false), got, want;
	struct ho_key key = fix_key_v4(1);
	u32 isn = isn_of(&key, &req);

	memset(&got, 0xff, sizeof(got));
	KUNIT_ASSERT_TRUE(test, check(&key, req.rcv_isn, isn, &got));
	memset(&want, 0xff, sizeof(want));
	want.rcv_isn = req.rcv_isn;
	want.snt_isn = isn;
	want.mss = req.mss;
	want.wscale_ok = 0;
	want.snd_wscale = 0;
	want.sack_ok = 0;
	KUNIT_EXPECT_MEMEQ(test, &got, &want, sizeof(want));
}

/* --- what is no cookie ---------------------------------------------------- */

struct tuple_case {
	const char *name;
	size_t at;
};

static const struct tuple_case tuple[] = {
	{ "remote_address", offsetof(struct ho_key, raddr.s6_addr[15]) },
	{ "local_address", offsetof(struct ho_key, laddr.s6_addr[15]) },
	{ "remote_port", offsetof(struct ho_key, rport) },
	{ "local_port", offsetof(struct ho_key, lport) },
	{ "interface", offsetof(struct ho_key, iif) },
};

KUNIT_ARRAY_PARAM_DESC(tuple, tuple, name);

/* As a host of a cluster with this secret says. */
static u32 ts_base(const struct ho_key *key, const siphash_key_t *secret)
{
	const struct ho_cookie_key by = { .shared = true, .ts = *secret };

	return ho_keyring_ts_base(&by, key, 0);
}

static u32 ts_off(const struct ho_key *key, const struct ho_req *req,
		  const siphash_key_t *secret)
{
	return ho_cookie_ts_off(key, req, ts_base(key, secret));
}

static bool ts_read(const struct ho_key *key, struct ho_req *req, u32 tsecr,
		    u32 now_ms, s32 *age_ms)
{
	return ho_cookie_ts_read(key, req, tsecr, now_ms,
				 ts_base(key, &FIX_TS), age_ms);
}

static void expect_foreign(struct kunit *test, const struct ho_key *key,
			   const struct ho_key *other)
{
	struct ho_req req = req_of(1460, 7, true), got;
	u32 isn = isn_of(key, &req);

	KUNIT_EXPECT_TRUE(test, check(key, req.rcv_isn, isn, &got));
	KUNIT_EXPECT_FALSE(test, check(other, req.rcv_isn, isn, &got));
	KUNIT_EXPECT_NE(test, isn >> MAC_SHIFT,
			isn_of(other, &req) >> MAC_SHIFT);
	KUNIT_EXPECT_NE(test, ts_off(key, &req, &FIX_TS) % TS_ROUND,
			ts_off(other, &req, &FIX_TS) % TS_ROUND);
}

static void cookie_is_of_no_use_for_another(struct kunit *test)
{
	const struct tuple_case *c = test->param_value;
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		struct ho_key key = families[i].make(1);

		for (bit = 0; bit < 8; bit++) {
			struct ho_key other = key;

			((u8 *)&other)[c->at] ^= 1 << bit;
			expect_foreign(test, &key, &other);
		}
	}
}

static void cookie_is_of_no_use_for_another_syn(struct kunit *test)
{
	struct ho_req req = req_of(1460, 7, true), got;
	struct ho_key v4 = fix_key_v4(1), v6 = fix_key_v6(1);
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		u32 other = req.rcv_isn ^ 1U << bit;

		KUNIT_EXPECT_FALSE_MSG(test,
				       check(&v4, other, isn_of(&v4, &req),
					     &got), "bit %u", bit);
		KUNIT_EXPECT_FALSE_MSG(test,
				       check(&v6, other, isn_of(&v6, &req),
					     &got), "bit %u", bit);
	}
}

static void cookie_is_of_no_use_under_another_key(struct kunit *test)
{
	const struct family *family = test->param_value;
	struct ho_req req = req_of(1460, 7, true), got;
	struct ho_key key = family->make(1);
	u32 isn = isn_of(&key, &req);
	unsigned int bit;

	for (bit = 0; bit < 8 * sizeof(siphash_key_t); bit++) {
		siphash_key_t other = FIX_SECRET;

		((u8 *)&other)[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_FALSE_MSG(test,
				       ho_cookie_check(&key, req.rcv_isn, isn,
						       &other, &got),
				       "bit %u", bit);
	}
}

static void refused_cookie_changes_nothing(struct kunit *test)
{
	struct ho_req req = req_of(1460, 7, true), got, want;
	struct ho_key key = fix_key_v4(1);

	memset(&got, 0x5a, sizeof(got));
	want = got;
	KUNIT_EXPECT_FALSE(test, check(&key, req.rcv_isn,
				       isn_of(&key, &req) ^ 1U << 31, &got));
	KUNIT_EXPECT_MEMEQ(test, &got, &want, sizeof(want));
}

static void each_bit_of_a_cookie_counts(struct kunit *test)
{
	const struct family *family = test->param_value;
	struct ho_key key = family->make(1);
	unsigned int n, bit;
	struct ho_req got;

	for (n = 0; n < 2 * (SHIFT_NONE + 1); n++) {
		struct ho_req req = req_of(1460, n / 2, n % 2);
		u32 isn = isn_of(&key, &req);

		for (bit = 0; bit < 32; bit++)
			KUNIT_EXPECT_FALSE_MSG(test,
					       check(&key, req.rcv_isn,
						     isn ^ 1U << bit, &got),
					       "bit %u", bit);
	}
}

/* Who acknowledges data that we never sent has no cookie. */
static void neighbours_of_a_cookie_are_none(struct kunit *test)
{
	enum { NEAR = 100 * 1000 };
	const struct family *family = test->param_value;
	struct ho_req req = req_of(1460, 7, true), got;
	struct ho_key key = family->make(1);
	u32 isn = isn_of(&key, &req), n;

	for (n = 1; n < NEAR; n++) {
		if (check(&key, req.rcv_isn, isn + n, &got) ||
		    check(&key, req.rcv_isn, isn - n, &got))
			KUNIT_FAIL(test, "%u away", n);
	}
}

/* The chance of 2^-24, with luck: once in 2^24 draws, here not six times. */
enum { LUCK = 6 };

static void random_numbers_are_refused(struct kunit *test)
{
	struct rnd_state rnd = fix_random(13);
	struct ho_key key = fix_key_v4(1);
	u32 n, accepted = 0;
	struct ho_req got;

	for (n = 0; n < 1 << 24; n++)
		accepted += check(&key, 1000, prandom_u32_state(&rnd), &got);
	KUNIT_EXPECT_LT(test, accepted, LUCK);
}

/* Who sends one number for many connections is no better off. */
static void one_number_fits_few_connections(struct kunit *test)
{
	struct ho_req got;
	u32 n, accepted = 0;

	for (n = 0; n < 1 << 22; n++) {
		struct ho_key key = fix_key_v4(n % 1024);

		accepted += check(&key, n, 0x12345678, &got);
	}
	KUNIT_EXPECT_LT(test, accepted, LUCK);
}

/*
 * What a SYN may say has 256 values, so 256 numbers are cookies of a connection
 * at a moment: as many as differ, not more.
 */
static void syns_that_differ_have_other_cookies(struct kunit *test)
{
	enum { JUMBO = 9000, KINDS = 256 };
	const struct family *family = test->param_value;
	struct ho_key key = family->make(1);
	u32 *isn, mss, n, nr = 0, i;

	isn = kunit_kcalloc(test, KINDS, sizeof(*isn), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, isn);
	for (mss = MSS_LEAST; mss < JUMBO; mss++) {
		if (step_of(&key, mss) != mss)
			continue;
		for (n = 0; n < 2 * (SHIFT_NONE + 1); n++, nr++) {
			struct ho_req req = req_of(mss, n / 2, n % 2);

			KUNIT_ASSERT_LT(test, nr, KINDS);
			isn[nr] = isn_of(&key, &req);
			for (i = 0; i < nr; i++)
				KUNIT_ASSERT_NE(test, isn[i], isn[nr]);
		}
	}
	KUNIT_EXPECT_EQ(test, nr, KINDS);
}

/*
 * The client's ISN for which all bits would be 0, found by trying.  It needs
 * its entry: what it gets instead is no cookie.
 */
static void isn_is_never_zero(struct kunit *test)
{
	enum { ZERO_ISN = 2483601910U };
	struct ho_req req = req_of(MSS_LEAST, 0, false), got;
	struct ho_key key = fix_key_v4(1);

	req.rcv_isn = ZERO_ISN;
	KUNIT_EXPECT_EQ(test, isn_of(&key, &req), 1);
	KUNIT_EXPECT_FALSE(test, check(&key, ZERO_ISN, 0, &got));
	KUNIT_EXPECT_FALSE(test, check(&key, ZERO_ISN, 1, &got));
}

struct tell_case {
	const char *name;
	bool ecn_ok, ts_rand;
	bool want;
};

static const struct tell_case tells[] = {
	{ "all_without_ecn", false, false, true },
	{ "all_without_ecn_but_with_timestamps", false, true, true },
	{ "all_with_ecn_in_the_timestamp", true, true, true },
	{ "not_all_with_ecn_alone", true, false, false },
};

KUNIT_ARRAY_PARAM_DESC(tells, tells, name);

static void cookie_tells(struct kunit *test)
{
	const struct tell_case *c = test->param_value;
	struct ho_req req = req_of(1460, 7, true);

	req.ecn_ok = c->ecn_ok;
	req.tstamp_ok = c->ts_rand;
	req.ts_rand = c->ts_rand;
	KUNIT_EXPECT_EQ(test, ho_cookie_tells_all(&req), c->want);
}

/* --- what an observer sees ------------------------------------------------ */

enum {
	SPREAD_ISNS	= 1 << 16,
	SPREAD_CELLS	= 1 << 8,
	/* mean 256, deviation 16: eight deviations away */
	SPREAD_FROM	= 128,
	SPREAD_TO	= 384,
};

/* The same options from all of them: no byte may show that. */
static void every_byte_of_the_isn_is_evenly_spread(struct kunit *test)
{
	const struct family *family = test->param_value;
	u32 (*cell)[SPREAD_CELLS];
	u32 n, i;

	cell = kunit_kcalloc(test, sizeof(u32), sizeof(*cell), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cell);
	for (n = 0; n < SPREAD_ISNS; n++) {
		struct ho_key key = family->make(n);
		struct ho_req req = req_of(1460, 7, true);
		u32 isn = isn_of(&key, &req);

		for (i = 0; i < sizeof(isn); i++)
			cell[i][isn >> 8 * i & U8_MAX]++;
	}
	for (i = 0; i < sizeof(u32); i++) {
		for (n = 0; n < SPREAD_CELLS; n++) {
			KUNIT_EXPECT_GE(test, cell[i][n], SPREAD_FROM);
			KUNIT_EXPECT_LE(test, cell[i][n], SPREAD_TO);
		}
	}
}

/* Who sees an ISN must not learn the next one from it, nor an offset. */
static void isn_tells_nothing_about_others(struct kunit *test)
{
	u32 n, equal = 0, small = 0, last = 0;

	for (n = 0; n < 4096; n++) {
		struct ho_key key = fix_key_v4(n);
		struct ho_req req = req_of(1460, 7, true);
		u32 isn = isn_of(&key, &req);

		equal += isn == ts_off(&key, &req, &FIX_SECRET);
		small += abs((s32)(isn - last)) < 1 << 16;
		last = isn;
	}
	KUNIT_EXPECT_LE(test, equal, 1);
	KUNIT_EXPECT_LE(test, small, 2);
}

/* --- timestamps ----------------------------------------------------------- */

static u16 exact_mss(const struct ho_key *key, u16 mss)
{
	u16 step = step_of(key, mss);

	return clamp_t(u32, mss, step, step + RESIDUAL_MAX);
}

/* What comes back of @req when its SYN-ACK of @then is echoed at @now. */
static bool echo(const struct ho_key *key, const struct ho_req *req, u32 then,
		 u32 now, struct ho_req *got, s32 *age_ms)
{
	u32 tsval = then + ts_off(key, req, &FIX_TS);
	u32 isn = isn_of(key, req);

	memset(got, 0, sizeof(*got));
	return check(key, req->rcv_isn, isn, got) &&
	       ts_read(key, got, tsval, now, age_ms);
}

static void timestamp_has_the_rest(struct kunit *test)
{
	static const u32 starts[] = { 0, 1, TS_ROUND - 1, TS_ROUND, S32_MAX,
				      U32_MAX - 60000, U32_MAX };
	static const u32 ages[] = { 0, 1, 999, 60000, HO_COOKIE_AGE_MAX_MS };
	const struct family *family = test->param_value;
	struct ho_key key = family->make(1);
	u32 mss, n = 0;

	for (mss = 1; mss <= U16_MAX; mss++) {
		u16 want = exact_mss(&key, mss);
		unsigned int ecn;

		for (ecn = 0; ecn < 2; ecn++, n++) {
			u32 then = starts[n % ARRAY_SIZE(starts)];
			u32 age = ages[n % ARRAY_SIZE(ages)];
			struct ho_req req = req_of(mss, 7, true), got;
			s32 age_ms;

			req.ecn_ok = ecn;
			if (!echo(&key, &req, then, then + age, &got,
				  &age_ms) || got.mss != want ||
			    got.ecn_ok != ecn || age_ms != age)
				KUNIT_FAIL_AND_ABORT(test,
						     "MSS %u, ECN %u, at %u for %u ms",
						     mss, ecn, then, age);
		}
	}
}

struct exact_case {
	const char *name;
	struct ho_key (*make)(u32 n);
	u16 mss, want;
};

static const struct exact_case exacts[] = {
	{ "v4_below_the_least", fix_key_v4, 1, MSS_LEAST },
	{ "v4_behind_pppoe", fix_key_v4, 1452, 1452 },
	{ "v4_odd", fix_key_v4, 1337, 1337 },
	{ "v4_below_jumbo", fix_key_v4, 8959, 8959 },
	{ "v4_the_most_it_can_say", fix_key_v4, 8960 + RESIDUAL_MAX,
	  8960 + RESIDUAL_MAX },
	{ "v4_more_than_it_can_say", fix_key_v4, 8961 + RESIDUAL_MAX,
	  8960 + RESIDUAL_MAX },
	{ "v4_the_most", fix_key_v4, U16_MAX, 8960 + RESIDUAL_MAX },
	{ "v6_behind_a_tunnel", fix_key_v6, 1388, 1388 },
	{ "v6_below_jumbo", fix_key_v6, 8939, 8939 },
	{ "v6_the_most", fix_key_v6, U16_MAX, 8940 + RESIDUAL_MAX },
};

KUNIT_ARRAY_PARAM_DESC(exacts, exacts, name);

static void timestamp_makes_mss_exact(struct kunit *test)
{
	const struct exact_case *c = test->param_value;
	struct ho_req req = req_of(c->mss, 7, true), got;
	struct ho_key key = c->make(1);
	s32 age_ms;

	KUNIT_ASSERT_TRUE(test, echo(&key, &req, 5000, 5020, &got, &age_ms));
	KUNIT_EXPECT_EQ(test, got.mss, c->want);
	KUNIT_EXPECT_EQ(test, age_ms, 20);
}

struct age_case {
	const char *name;
	s32 from_ms, to_ms;
	bool ok;
};

/*
 * What is older still is a host whose clock is ahead, or one that said another
 * thing: the data is next to the clock.  Keys are long gone by then.
 */
static const struct age_case ages[] = {
	{ "is_read_for_two_periods", 0, HO_COOKIE_AGE_MAX_MS, true },
	{ "is_read_from_a_clock_ahead", -HO_COOKIE_SKEW_MS, -1, true },
	{ "is_not_read_when_older", HO_COOKIE_AGE_MAX_MS + 1,
	  TS_ROUND - 1 - HO_COOKIE_SKEW_MS, false },
	{ "is_not_read_from_further_ahead",
	  HO_COOKIE_AGE_MAX_MS + 1 - TS_ROUND, -HO_COOKIE_SKEW_MS - 1, false },
};

KUNIT_ARRAY_PARAM_DESC(ages, ages, name);

/* Every millisecond, whatever the clock says, whatever is above it. */
static void echo_of(struct kunit *test)
{
	static const u32 starts[] = { 0, TS_ROUND / 2, S32_MAX, U32_MAX - 5 };
	static const u16 mss[] = { 536, 1460, 1452, 8960 + RESIDUAL_MAX };
	const struct age_case *c = test->param_value;
	struct ho_key key = fix_key_v4(1);
	s32 age, age_ms;
	u32 n = 0;

	for (age = c->from_ms; age <= c->to_ms; age++, n++) {
		struct ho_req req = req_of(mss[n / 4 % 4], 7, true), got;
		u32 then = starts[n % 4];
		bool ok;

		req.ecn_ok = n / 16 % 2;
		age_ms = 0;
		ok = echo(&key, &req, then, then + age, &got, &age_ms);
		if (ok != c->ok || (ok && age_ms != age))
			KUNIT_FAIL_AND_ABORT(test, "%d ms: %d, read %d", age,
					     ok, age_ms);
	}
}

/*
 * Whatever is echoed, it is refused or says what some SYN would have made us
 * say: nobody gets an MSS that its ISN does not stand for.
 */
static void echo_that_is_read_could_be_ours(struct kunit *test)
{
	struct ho_key key = fix_key_v6(1);
	u32 i, data, refused = 0;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		struct ho_req req = req_of(steps[i].step, 7, true);
		u32 off = ts_off(&key, &req, &FIX_TS);

		if (steps[i].make != fix_key_v6)
			continue;
		for (data = 0; data < 1 << (32 - TS_SHIFT); data++) {
			u32 tsval = 5000 + off + (data << TS_SHIFT);
			struct ho_req got = req, want;
			s32 age_ms;

			if (!ts_read(&key, &got, tsval, 5000, &age_ms)) {
				refused++;
				continue;
			}
			want = req_of(got.mss, 7, true);
			want.ecn_ok = got.ecn_ok;
			KUNIT_ASSERT_EQ(test, step_of(&key, got.mss),
					steps[i].step);
			KUNIT_ASSERT_EQ(test, tsval,
					5000 + ts_off(&key, &want, &FIX_TS));
		}
	}
	KUNIT_EXPECT_GT(test, refused, 0);
}

static void refused_echo_changes_nothing(struct kunit *test)
{
	struct ho_req req = req_of(536, 7, true), got = req;
	u32 off = ts_off(&(struct ho_key){}, &req, &FIX_TS);
	s32 age_ms = 77;

	KUNIT_EXPECT_FALSE(test,
			   ts_read(&(struct ho_key){}, &got, off,
				   HO_COOKIE_AGE_MAX_MS + 1, &age_ms));
	KUNIT_EXPECT_MEMEQ(test, &got, &req, sizeof(req));
	KUNIT_EXPECT_EQ(test, age_ms, 77);
}

/*
 * One clock for all connections of a 4-tuple (RFC 7323 5.4), whatever the ISN
 * and the options of the next one are; what an MSS or ECN adds is far above.
 */
static void clock_of_a_tuple_goes_on(struct kunit *test)
{
	const struct family *family = test->param_value;
	struct ho_key key = family->make(1);
	struct ho_req first = req_of(1460, 7, true);
	u32 off = ts_off(&key, &first, &FIX_TS), n;

	for (n = 0; n < 2 * (SHIFT_NONE + 1); n++) {
		struct ho_req next = req_of(1460, n / 2, n % 2);

		next.rcv_isn = n * 12345;
		KUNIT_ASSERT_EQ(test, ts_off(&key, &next, &FIX_TS),
				off);
	}
	for (n = 1; n <= U16_MAX; n++) {
		struct ho_req next = req_of(n, 7, true);

		next.ecn_ok = n % 3 == 0;
		KUNIT_ASSERT_EQ(test, (ts_off(&key, &next, &FIX_TS) -
				       off) % TS_ROUND, 0);
	}
}

/* The n-th port tells nothing about the next one (CVE-2026-23247). */
static void clocks_of_ports_are_not_related(struct kunit *test)
{
	struct ho_req req = req_of(1460, 7, true);
	struct ho_key key = fix_key_v4(1);
	u32 port, last = 0, equal = 0, near = 0;

	for (port = 1; port <= U16_MAX; port++) {
		u32 off;

		key.rport = cpu_to_be16(port);
		off = ts_off(&key, &req, &FIX_TS);
		equal += off == last;
		near += abs((s32)(off - last)) < 1 << 20;
		last = off;
	}
	KUNIT_EXPECT_EQ(test, equal, 0);
	/* 2^21 of 2^32, 32 expected: eight deviations away */
	KUNIT_EXPECT_LE(test, near, 80);
}

static void clock_depends_on_the_secret(struct kunit *test)
{
	struct ho_req req = req_of(1460, 7, true);
	struct ho_key v4 = fix_key_v4(1), v6 = fix_key_v6(1);

	KUNIT_EXPECT_NE(test, ts_off(&v4, &req, &FIX_TS),
			ts_off(&v4, &req, &FIX_SECRET));
	KUNIT_EXPECT_NE(test, ts_off(&v6, &req, &FIX_TS),
			ts_off(&v6, &req, &FIX_SECRET));
}

/*
 * Another SYN-ACK of the connection says the same a moment later: the data does
 * not carry into the clock nor the clock into the data, over every wrap.
 */
static void clock_goes_at_its_own_pace(struct kunit *test)
{
	static const u32 starts[] = { 0, TS_ROUND - 3000, S32_MAX - 3000,
				      U32_MAX - 3000 };
	struct ho_key key = fix_key_v6(1);
	u32 i, ms;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		for (ms = 0; ms < 6000; ms++) {
			struct ho_req req = req_of(1440 + ms, 7, true), got;
			u32 then = starts[i] + ms;
			s32 age_ms;

			KUNIT_ASSERT_TRUE(test, echo(&key, &req, then, then,
						     &got, &age_ms));
			/* never ahead of the clock that made it */
			KUNIT_ASSERT_EQ(test, age_ms, 0);
			KUNIT_ASSERT_EQ(test, got.mss, 1440 + ms);
		}
	}
}

static struct kunit_case cookie_cases[] = {
	KUNIT_CASE_PARAM(mss_comes_back_as_a_step, steps_gen_params),
	KUNIT_CASE_PARAM(step_is_the_highest_that_the_client_bears,
			 families_gen_params),
	KUNIT_CASE_PARAM(options_come_back, families_gen_params),
	KUNIT_CASE(check_leaves_the_rest_alone),
	KUNIT_CASE_PARAM(cookie_is_of_no_use_for_another, tuple_gen_params),
	KUNIT_CASE(cookie_is_of_no_use_for_another_syn),
	KUNIT_CASE_PARAM(cookie_is_of_no_use_under_another_key,
			 families_gen_params),
	KUNIT_CASE(refused_cookie_changes_nothing),
	KUNIT_CASE_PARAM(each_bit_of_a_cookie_counts, families_gen_params),
	KUNIT_CASE_PARAM(neighbours_of_a_cookie_are_none, families_gen_params),
	KUNIT_CASE_SLOW(random_numbers_are_refused),
	KUNIT_CASE_SLOW(one_number_fits_few_connections),
	KUNIT_CASE_PARAM(syns_that_differ_have_other_cookies,
			 families_gen_params),
	KUNIT_CASE(isn_is_never_zero),
	KUNIT_CASE_PARAM(cookie_tells, tells_gen_params),
	KUNIT_CASE_PARAM(every_byte_of_the_isn_is_evenly_spread,
			 families_gen_params),
	KUNIT_CASE(isn_tells_nothing_about_others),
	KUNIT_CASE_PARAM(timestamp_has_the_rest, families_gen_params),
	KUNIT_CASE_PARAM(timestamp_makes_mss_exact, exacts_gen_params),
	KUNIT_CASE_PARAM(echo_of, ages_gen_params),
	KUNIT_CASE(echo_that_is_read_could_be_ours),
	KUNIT_CASE(refused_echo_changes_nothing),
	KUNIT_CASE_PARAM(clock_of_a_tuple_goes_on, families_gen_params),
	KUNIT_CASE(clocks_of_ports_are_not_related),
	KUNIT_CASE(clock_depends_on_the_secret),
	KUNIT_CASE(clock_goes_at_its_own_pace),
	{}
};

static struct kunit_suite cookie_suite = {
	.name = "halfopen_cookie",
	.test_cases = cookie_cases,
};

kunit_test_suite(cookie_suite);
