// SPDX-License-Identifier: GPL-2.0
/*
 * Who is taken, and what pressure takes away.  Input: a listener and a SYN,
 * then how full a table is.
 *
 * The decision equals that of a list of questions, the first yes of which
 * counts; retransmissions follow reqsk_timer_handler(), and no entry more or
 * fewer gets more of them; watermarks have hysteresis.
 */
#include "fuzz.h"

#include <halfopen/admit.h>
#include <halfopen/pressure.h>

#include <linux/limits.h>

struct syn {
	struct ho_listener lsn;
	struct ho_key key;
	struct ho_seg seg;
	u8 ttl;
};

static bool wants(const struct syn *s, u32 trait, u16 option)
{
	return s->lsn.traits & trait && s->seg.opts.seen & option;
}

/* The reply would go out elsewhere than where the SYN came in. */
static bool other_device(const struct syn *s)
{
	if (s->key.iif)
		return s->lsn.oif != s->key.iif;
	if (!s->lsn.oif)
		return false;
	return s->lsn.oif != s->lsn.dif || s->lsn.oif > HO_IIF_MAX;
}

static enum ho_decline by_list(const struct syn *s)
{
	const bool quiet = !s->lsn.synq_full;
	const u32 traits = s->lsn.traits;
	const u16 seen = s->seg.opts.seen;
	const struct {
		bool yes;
		enum ho_decline why;
	} questions[] = {
		{ s->ttl < s->lsn.min_ttl, HO_declined_ttl },
		{ traits & HO_TRAIT_AUTH || seen & HO_OPT_MD5 ||
		  seen & HO_OPT_AO, HO_declined_auth },
		{ s->seg.ip_options && !quiet, HO_declined_budget },
		{ s->seg.ip_options, HO_declined_ip_options },
		{ quiet && wants(s, HO_TRAIT_MPTCP, HO_OPT_MPTCP),
		  HO_declined_mptcp },
		{ quiet && wants(s, HO_TRAIT_SMC, HO_OPT_SMC),
		  HO_declined_smc },
		{ quiet && (wants(s, HO_TRAIT_FASTOPEN, HO_OPT_FASTOPEN) ||
			    (traits & HO_TRAIT_FASTOPEN && s->seg.data_len)),
		  HO_declined_fastopen },
		{ quiet && traits & HO_TRAIT_BPF, HO_declined_bpf },
		{ quiet && traits & HO_TRAIT_SAVE_SYN, HO_declined_save_syn },
		{ quiet && traits & HO_TRAIT_FLOWLABEL,
		  HO_declined_flowlabel },
		{ other_device(s), HO_declined_device },
		{ s->lsn.acceptq_full, HO_declined_acceptq },
		{ true, HO_TAKE },
	};
	int i = 0;

	while (!questions[i].yes)
		i++;
	return questions[i].why;
}

static void check_admission(struct input *in)
{
	struct syn s = {};
	u8 how = take_u8(in);

	s.lsn.traits = take_u8(in);
	s.lsn.min_ttl = take_u8(in);
	s.ttl = take_u8(in);
	s.lsn.acceptq_full = how & 1;
	s.lsn.synq_full = how & 2;
	s.seg.ip_options = how & 4;
	s.seg.data_len = how & 8 ? take_u16(in) : 0;
	s.seg.opts.seen = take_u16(in);
	s.lsn.dif = how & 16 ? take_u32(in) : 0;
	s.lsn.oif = how & 32 ? take_u32(in) : s.lsn.dif;
	s.key.iif = how & 64 ? take_u32(in) : 0;
	s.key.iif = how & 128 ? s.lsn.oif : s.key.iif;
	CHECK(ho_admit_listener(&s.lsn, &s.key, &s.seg, s.ttl) == by_list(&s));
}

/* Each halving of the young ones' share takes a retransmission away. */
static unsigned int reference_retries(u32 entries, u32 young, u32 max,
				      unsigned int retries)
{
	u64 half = (max < 8 ? 8 : (u64)max) / 2, threshold = young;
	unsigned int left = retries;

	if (entries <= half)
		return retries;
	while (left > 2) {
		threshold *= 2;
		if (entries < threshold)
			break;
		left--;
	}
	return left;
}

static void check_retries(u32 entries, u32 young, u32 max, unsigned int n)
{
	unsigned int got = ho_admit_retries(entries, young, max, n);

	CHECK(got == reference_retries(entries, young, max, n));
	CHECK(got <= n && (got >= 2 || got == n));
	if (entries < U32_MAX)
		CHECK(ho_admit_retries(entries + 1, young, max, n) <= got);
	if (young < U32_MAX)
		CHECK(ho_admit_retries(entries, young + 1, max, n) >= got);
}

static void check_pressure(u32 used, u32 max, unsigned int low,
			   unsigned int high)
{
	const struct ho_watermarks marks = { low, high };
	enum ho_pressure level = ho_pressure_level(used, max, &marks);
	u64 hundredths = (u64)used * 100;

	CHECK((level == HO_PRESSURE_HIGH) ==
	      (!max || hundredths > (u64)max * high));
	CHECK((level == HO_PRESSURE_NONE) ==
	      (max && hundredths <= (u64)max * low));
	if (used)
		CHECK(ho_pressure_level(used - 1, max, &marks) <= level);
	/* begins above the high mark, ends below the low one */
	CHECK(ho_pressure_next(false, level) == (level == HO_PRESSURE_HIGH));
	CHECK(ho_pressure_next(true, level) == (level != HO_PRESSURE_NONE));
	CHECK(ho_pressure_retrans_max(HO_PRESSURE_NONE) == U32_MAX);
	CHECK(ho_pressure_retrans_max(HO_PRESSURE_LOW) == 2);
	CHECK(ho_pressure_retrans_max(HO_PRESSURE_HIGH) == 0);
}

int fuzz_one(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u32 max, used, young;
	unsigned int low, high;

	check_admission(&in);
	max = take_u32(&in);
	used = take_near(&in, max / 2);
	young = take_near(&in, used / 2);
	check_retries(used, young, max, take_u8(&in) & HO_RETRIES_MAX);
	high = 1 + take_u8(&in) % 100;
	low = 1 + take_u8(&in) % high;
	check_pressure(take_near(&in, (u64)max * high / 100), max, low, high);
	check_pressure(take_near(&in, (u64)max * low / 100), max, low, high);
	return 0;
}
