// SPDX-License-Identifier: GPL-2.0
/* What goes the native way, and who leaves early under pressure. */
#include <kunit/test.h>

#include <halfopen/admit.h>

#include "fixtures.h"

enum {
	TTL = 64,
	IIF = 3,
};

struct admit_case {
	const char *name;
	struct ho_listener lsn;
	u16 seen;
	u32 data_len;
	u32 iif;
	bool ip_options;
	enum ho_decline want;
};

#define ALL_OPTIONS	(HO_OPT_MSS | HO_OPT_WSCALE | HO_OPT_TS | HO_OPT_SACK)

static const struct admit_case admit_cases[] = {
	{ "plain_syn", .want = HO_TAKE },
	{ "usual_options", .seen = ALL_OPTIONS, .want = HO_TAKE },
	{ "data_on_a_plain_listener", .data_len = 100, .want = HO_TAKE },
	{ "mptcp_on_a_plain_listener", .seen = HO_OPT_MPTCP, .want = HO_TAKE },
	{ "smc_on_a_plain_listener", .seen = HO_OPT_SMC, .want = HO_TAKE },
	{ "fastopen_on_a_plain_listener", .seen = HO_OPT_FASTOPEN,
	  .want = HO_TAKE },
	{ "ttl_at_the_minimum", { .min_ttl = TTL }, .want = HO_TAKE },
	{ "ttl_below_the_minimum", { .min_ttl = TTL + 1 },
	  .want = HO_declined_ttl },
	{ "key_for_the_peer", { .traits = HO_TRAIT_AUTH },
	  .want = HO_declined_auth },
	{ "key_for_the_peer_and_a_full_queue",
	  { .traits = HO_TRAIT_AUTH, .synq_full = true },
	  .want = HO_declined_auth },
	{ "md5_in_the_syn", .seen = HO_OPT_MD5, .want = HO_declined_auth },
	{ "ao_in_the_syn", .seen = HO_OPT_AO, .want = HO_declined_auth },
	{ "md5_in_the_syn_and_a_full_queue", { .synq_full = true },
	  .seen = HO_OPT_MD5, .want = HO_declined_auth },
	{ "ip_options", .ip_options = true, .want = HO_declined_ip_options },
	{ "ip_options_and_a_full_queue", { .synq_full = true },
	  .ip_options = true, .want = HO_declined_budget },
	{ "mptcp_listener_without_the_option", { .traits = HO_TRAIT_MPTCP },
	  .want = HO_TAKE },
	{ "mptcp_listener_with_the_option", { .traits = HO_TRAIT_MPTCP },
	  .seen = HO_OPT_MPTCP, .want = HO_declined_mptcp },
	{ "smc_listener_without_the_option", { .traits = HO_TRAIT_SMC },
	  .want = HO_TAKE },
	{ "smc_listener_with_the_option", { .traits = HO_TRAIT_SMC },
	  .seen = HO_OPT_SMC, .want = HO_declined_smc },
	{ "everything_optional_and_a_full_queue",
	  { .traits = HO_TRAIT_MPTCP | HO_TRAIT_SMC | HO_TRAIT_FASTOPEN |
		      HO_TRAIT_BPF | HO_TRAIT_SAVE_SYN | HO_TRAIT_FLOWLABEL,
	    .synq_full = true },
	  .seen = HO_OPT_MPTCP | HO_OPT_SMC | HO_OPT_FASTOPEN,
	  .data_len = 100, .want = HO_TAKE },
	{ "fastopen_listener_without_the_option",
	  { .traits = HO_TRAIT_FASTOPEN }, .want = HO_TAKE },
	{ "fastopen_listener_with_the_option",
	  { .traits = HO_TRAIT_FASTOPEN }, .seen = HO_OPT_FASTOPEN,
	  .want = HO_declined_fastopen },
	{ "fastopen_listener_with_data", { .traits = HO_TRAIT_FASTOPEN },
	  .data_len = 1, .want = HO_declined_fastopen },
	{ "sockops_programs", { .traits = HO_TRAIT_BPF },
	  .want = HO_declined_bpf },
	{ "saved_syn", { .traits = HO_TRAIT_SAVE_SYN },
	  .want = HO_declined_save_syn },
	{ "flow_labels_reflected", { .traits = HO_TRAIT_FLOWLABEL },
	  .want = HO_declined_flowlabel },
	{ "bound_to_the_vrf", { .oif = IIF, .dif = IIF }, .iif = IIF,
	  .want = HO_TAKE },
	{ "bound_to_another_device_in_a_vrf", { .oif = IIF, .dif = IIF + 1 },
	  .iif = IIF + 1, .want = HO_declined_device },
	{ "bound_to_the_device_it_came_by", { .oif = IIF, .dif = IIF },
	  .want = HO_TAKE },
	{ "bound_to_another_device", { .oif = IIF, .dif = IIF + 1 },
	  .want = HO_declined_device },
	{ "bound_to_no_device", { .dif = IIF }, .want = HO_TAKE },
	{ "bound_to_the_last_device",
	  { .oif = HO_IIF_MAX, .dif = HO_IIF_MAX }, .want = HO_TAKE },
	{ "bound_to_a_device_too_many",
	  { .oif = HO_IIF_MAX + 1, .dif = HO_IIF_MAX + 1 },
	  .want = HO_declined_device },
	{ "accept_queue_full", { .acceptq_full = true },
	  .want = HO_declined_acceptq },
};

KUNIT_ARRAY_PARAM_DESC(admit_cases, admit_cases, name);

static void listener(struct kunit *test)
{
	const struct admit_case *c = test->param_value;
	struct ho_seg seg = {
		.flags = HO_TCP_SYN,
		.data_len = c->data_len,
		.ip_options = c->ip_options,
		.opts.seen = c->seen,
	};
	struct ho_key key = fix_key_v4(1);

	key.iif = c->iif;
	KUNIT_EXPECT_EQ(test, ho_admit_listener(&c->lsn, &key, &seg, TTL),
			c->want);
}

/* With everything against it, the reason is that of the first check. */
static void first_reason_counts(struct kunit *test)
{
	static const struct {
		u32 trait;
		enum ho_decline why;
	} order[] = {
		{ HO_TRAIT_AUTH, HO_declined_auth },
		{ HO_TRAIT_MPTCP, HO_declined_mptcp },
		{ HO_TRAIT_SMC, HO_declined_smc },
		{ HO_TRAIT_FASTOPEN, HO_declined_fastopen },
		{ HO_TRAIT_BPF, HO_declined_bpf },
		{ HO_TRAIT_SAVE_SYN, HO_declined_save_syn },
		{ HO_TRAIT_FLOWLABEL, HO_declined_flowlabel },
	};
	struct ho_listener lsn = {
		.traits = -1, .min_ttl = 255, .oif = IIF,
		.acceptq_full = true,
	};
	struct ho_seg seg = {
		.flags = HO_TCP_SYN, .data_len = 1,
		.opts.seen = HO_OPT_MPTCP | HO_OPT_SMC,
	};
	struct ho_key key = fix_key_v4(1);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, ho_admit_listener(&lsn, &key, &seg, TTL),
			HO_declined_ttl);
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		KUNIT_EXPECT_EQ(test, ho_admit_listener(&lsn, &key, &seg, 255),
				order[i].why);
		lsn.traits &= ~order[i].trait;
	}
	KUNIT_EXPECT_EQ(test, ho_admit_listener(&lsn, &key, &seg, 255),
			HO_declined_device);
	key.iif = IIF;
	KUNIT_EXPECT_EQ(test, ho_admit_listener(&lsn, &key, &seg, 255),
			HO_declined_acceptq);
}

struct pressure_case {
	const char *name;
	u32 entries, young, max_entries;
	unsigned int retries, want;
};

static const struct pressure_case pressure_cases[] = {
	{ "quiet_table", 10, 0, 1000, 5, 5 },
	{ "half_full_is_quiet", 500, 0, 1000, 5, 5 },
	{ "more_than_half_full_of_old_ones", 501, 0, 1000, 5,
	  HO_RETRIES_PRESSURE_MIN },
	{ "full_of_young_ones", 1000, 1000, 1000, 5, 5 },
	{ "half_of_them_young", 1000, 500, 1000, 5, 4 },
	{ "more_than_half_young", 1000, 501, 1000, 5, 5 },
	{ "a_quarter_young", 1000, 250, 1000, 5, 3 },
	{ "an_eighth_young", 1000, 125, 1000, 5, HO_RETRIES_PRESSURE_MIN },
	{ "never_below_two", 1000, 0, 1000, HO_RETRIES_MAX,
	  HO_RETRIES_PRESSURE_MIN },
	{ "one_in_a_thousand_young", 1000, 1, 1000, HO_RETRIES_MAX,
	  HO_RETRIES_MAX - 9 },
	{ "no_more_than_asked_for", 1000, 0, 1000, 1, 1 },
	{ "none_asked_for", 1000, 0, 1000, 0, 0 },
	{ "handful_is_no_pressure", HO_PRESSURE_MIN_ENTRIES / 2, 0, 1, 5, 5 },
	{ "more_than_a_handful_is", HO_PRESSURE_MIN_ENTRIES / 2 + 1, 0, 1, 5,
	  HO_RETRIES_PRESSURE_MIN },
	{ "cap_of_zero", 100, 0, 0, 5, HO_RETRIES_PRESSURE_MIN },
	{ "largest_numbers", U32_MAX, U32_MAX, U32_MAX, HO_RETRIES_MAX,
	  HO_RETRIES_MAX },
};

KUNIT_ARRAY_PARAM_DESC(pressure_cases, pressure_cases, name);

static void retries_in_a(struct kunit *test)
{
	const struct pressure_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, ho_admit_retries(c->entries, c->young,
					       c->max_entries, c->retries),
			c->want);
}

/* reqsk_timer_handler(), with its variables. */
static unsigned int native(u32 qlen, u32 young, u32 backlog,
			   unsigned int max_syn_ack_retries)
{
	if (qlen << 1 > max(8U, backlog)) {
		young <<= 1;
		while (max_syn_ack_retries > 2) {
			if (qlen < young)
				break;
			max_syn_ack_retries--;
			young <<= 1;
		}
	}
	return max_syn_ack_retries;
}

static void compare_retries(struct kunit *test, u32 entries, u32 young,
			    u32 max_entries)
{
	unsigned int retries, ours, theirs;

	for (retries = 0; retries <= HO_RETRIES_MAX; retries += 3) {
		ours = ho_admit_retries(entries, young, max_entries, retries);
		theirs = native(entries, young, max_entries, retries);
		KUNIT_ASSERT_EQ_MSG(test, ours, theirs,
				    "%u of %u, %u young, %u retries", entries,
				    max_entries, young, retries);
	}
}

/* Numbers at which the stack's own 32 bits do not overflow. */
static void retries_are_the_stacks(struct kunit *test)
{
	u32 entries, young, max_entries;

	for (max_entries = 0; max_entries <= 80; max_entries += 4)
		for (entries = 0; entries <= max_entries + 2; entries++)
			for (young = 0; young <= entries; young++)
				compare_retries(test, entries, young,
						max_entries);
}

static struct kunit_case admit_test_cases[] = {
	KUNIT_CASE_PARAM(listener, admit_cases_gen_params),
	KUNIT_CASE(first_reason_counts),
	KUNIT_CASE_PARAM(retries_in_a, pressure_cases_gen_params),
	KUNIT_CASE(retries_are_the_stacks),
	{}
};

static struct kunit_suite admit_suite = {
	.name = "halfopen_admit",
	.test_cases = admit_test_cases,
};

kunit_test_suite(admit_suite);
