// SPDX-License-Identifier: GPL-2.0
/*
 * Backoff, deadlines and the rate limit of answers.  Input: waits, a count, a
 * clock, then distances in time between segments that ask for an answer.
 *
 * Waits double up to a cap and never shrink; a lifetime is their sum; 23 bits
 * of a clock tell past from future an hour around; of two answers the second
 * comes no earlier than the limit allows, and no later than its two steps.
 */
#include "fuzz.h"

#include <halfopen/rto.h>

enum {
	STEP_MS		= 32,
	STAMPS		= 256,
	OLDEST_STEPS	= 128,	/* older stamps are forgotten */
	HOUR_MS		= 1 << 22,
};

static u32 reference_wait(u32 first, u32 most, unsigned int n)
{
	u64 wait = first;

	while (n-- && wait < most)
		wait *= 2;
	return wait < most ? wait : most;
}

static void check_waits(u32 first, u32 most, unsigned int retries)
{
	u64 sum = 0;
	unsigned int n;

	for (n = 0; n <= retries; n++) {
		u32 wait = ho_rto_ms(first, most, n);

		CHECK(wait == reference_wait(first, most, n));
		CHECK(wait <= most);
		CHECK(!n || wait >= ho_rto_ms(first, most, n - 1));
		sum += wait;
	}
	CHECK(sum <= (u64)HO_LIFETIME_MAX_S * 1000);
	CHECK(ho_rto_lifetime_ms(first, most, retries) == sum);
}

static void check_deadline(u32 now, u32 ahead)
{
	u32 deadline = (now + ahead) & 0x7fffff;
	u32 past = (now - ahead) & 0x7fffff;

	CHECK(ho_rto_reached(deadline, now) == !ahead);
	CHECK(ho_rto_left_ms(deadline, now) == ahead);
	CHECK(ho_rto_reached(past, now));
	CHECK(ho_rto_left_ms(past, now) == 0);
}

static void check_decision(unsigned int timeouts, unsigned int retries)
{
	enum ho_rto_action want = timeouts < retries ? HO_RTO_RESEND :
						       HO_RTO_EXPIRE;

	CHECK(ho_rto_decide(timeouts, retries, false) == want);
	want = timeouts < retries ? HO_RTO_HOLD : HO_RTO_EXPIRE;
	CHECK(ho_rto_decide(timeouts, retries, true) == want);
}

/* Forgetting a stamp changes nothing for who asks now. */
static void check_ageing(const struct ho_req *req, u32 now, u32 limit)
{
	struct ho_req aged = *req, fresh = *req;

	ho_oow_age(&aged, now);
	CHECK(aged.oow == req->oow || !aged.oow);
	CHECK(ho_oow_allow(&aged, now, limit) ==
	      ho_oow_allow(&fresh, now, limit));
}

/* @time counts on, the module sees 32 bits of it. */
static void check_answers(struct input *in, u64 time, u32 limit)
{
	u32 counted = limit < OLDEST_STEPS * STEP_MS ? limit :
						       OLDEST_STEPS * STEP_MS;
	struct ho_req req = {};
	u64 last = 0;
	bool any = false;

	while (in->left) {
		u64 away, steps;
		bool allowed;

		time += take_u16(in) % (2 * STAMPS * STEP_MS);
		away = time - last;
		steps = time / STEP_MS - last / STEP_MS;
		/* what each timeout does, before the stamp seems new again */
		if (steps > OLDEST_STEPS + 1)
			ho_oow_age(&req, time - away + (OLDEST_STEPS + 2) *
				   STEP_MS);
		check_ageing(&req, time, limit);
		allowed = ho_oow_allow(&req, time, limit);
		CHECK(allowed || any);
		if (any && allowed)
			CHECK(away + STEP_MS > counted);
		if (any && !allowed)
			CHECK(away < counted + 2 * STEP_MS);
		if (!allowed)
			continue;
		CHECK(req.oow);
		any = true;
		last = time;
	}
}

int fuzz_one(const u8 *data, size_t size)
{
	const u32 span = HO_RTO_MAX_MS - HO_RTO_MIN_MS + 1;
	struct input in = { data, size };
	u32 first = HO_RTO_MIN_MS + take_u32(&in) % span;
	u32 most = HO_RTO_MIN_MS + take_u32(&in) % span;
	unsigned int n = take_u8(&in);
	u32 now = take_u32(&in);

	check_waits(first, most, n & HO_RETRIES_MAX);
	CHECK(ho_rto_ms(first, most, n) == reference_wait(first, most, n));
	check_deadline(now, take_u32(&in) % HOUR_MS);
	check_decision(n & HO_RETRIES_MAX, n >> 4);
	check_answers(&in, now, take_u16(&in));
	return 0;
}
