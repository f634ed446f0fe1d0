// SPDX-License-Identifier: GPL-2.0
/*
 * TCP options: what is read, what is agreed, what is written.  The kernel's
 * own tcp_parse_options() is the reference for a million option lists.
 */
#include <kunit/test.h>

#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/tcp.h>

#include <halfopen/opts.h>

#include "fixtures.h"

#define BYTES(...)	{ __VA_ARGS__ }, sizeof((u8[]){ __VA_ARGS__ })

enum { SYN = 1, NO_SYN = 0 };

static const struct ho_opts_cfg all_on = {
	.timestamps = true,
	.window_scaling = true,
	.sack = true,
	.mss_default = HO_MSS_DEF_V4,
};

/* A copy whose last byte is the last of an allocation: KASAN sees one more. */
static u8 *exactly(struct kunit *test, const u8 *bytes, unsigned int len)
{
	u8 *p = kunit_kmalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memcpy(p, bytes, len);
	return p;
}

struct parse_case {
	const char *name;
	u8 bytes[HO_OPTS_LEN_MAX];
	size_t len;
	bool not_syn;
	struct ho_opts want;
};

static const struct parse_case parse_cases[] = {
	{ "empty_list", {}, 0 },
	{ "mss", BYTES(2, 4, 0x05, 0xb4),
	  .want = { .seen = HO_OPT_MSS, .mss = 1460 } },
	{ "mss_zero_is_ignored", BYTES(2, 4, 0, 0) },
	{ "mss_zero_keeps_the_one_before", BYTES(2, 4, 5, 0xb4, 2, 4, 0, 0),
	  .want = { .seen = HO_OPT_MSS, .mss = 1460 } },
	{ "mss_of_wrong_length", BYTES(2, 3, 5) },
	{ "mss_counts_in_syn_only", BYTES(2, 4, 5, 0xb4), .not_syn = true },
	{ "wscale", BYTES(3, 3, 7),
	  .want = { .seen = HO_OPT_WSCALE, .wscale = 7 } },
	{ "wscale_of_zero_counts", BYTES(3, 3, 0),
	  .want = { .seen = HO_OPT_WSCALE } },
	{ "wscale_at_the_limit", BYTES(3, 3, HO_WSCALE_MAX),
	  .want = { .seen = HO_OPT_WSCALE, .wscale = HO_WSCALE_MAX } },
	{ "wscale_above_is_the_limit", BYTES(3, 3, HO_WSCALE_MAX + 1),
	  .want = { .seen = HO_OPT_WSCALE, .wscale = HO_WSCALE_MAX } },
	{ "wscale_255_is_the_limit", BYTES(3, 3, 255),
	  .want = { .seen = HO_OPT_WSCALE, .wscale = HO_WSCALE_MAX } },
	{ "wscale_counts_in_syn_only", BYTES(3, 3, 7), .not_syn = true },
	{ "sack", BYTES(4, 2), .want = { .seen = HO_OPT_SACK } },
	{ "sack_of_wrong_length", BYTES(4, 3, 0) },
	{ "sack_counts_in_syn_only", BYTES(4, 2), .not_syn = true },
	{ "timestamp", BYTES(8, 10, 1, 2, 3, 4, 5, 6, 7, 8),
	  .want = { .seen = HO_OPT_TS, .tsval = 0x01020304,
		    .tsecr = 0x05060708 } },
	{ "timestamp_counts_in_any_segment",
	  BYTES(8, 10, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1), .not_syn = true,
	  .want = { .seen = HO_OPT_TS, .tsval = U32_MAX, .tsecr = 1 } },
	{ "timestamp_of_wrong_length", BYTES(8, 9, 1, 2, 3, 4, 5, 6, 7) },
	{ "last_of_a_repeated_option_counts",
	  BYTES(2, 4, 5, 0xb4, 3, 3, 1, 3, 3, 2, 2, 4, 2, 0x18),
	  .want = { .seen = HO_OPT_MSS | HO_OPT_WSCALE, .mss = 536,
		    .wscale = 2 } },
	{ "list_of_a_linux_client",
	  BYTES(2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 7),
	  .want = { .seen = HO_OPT_MSS | HO_OPT_SACK | HO_OPT_TS |
			    HO_OPT_WSCALE,
		    .mss = 1460, .wscale = 7, .tsval = 9 } },
	{ "nops_are_skipped", BYTES(1, 1, 1, 4, 2, 1),
	  .want = { .seen = HO_OPT_SACK } },
	{ "nothing_counts_after_the_end", BYTES(0, 2, 4, 5, 0xb4) },
	{ "kind_without_length", BYTES(4, 2, 2),
	  .want = { .seen = HO_OPT_SACK } },
	{ "length_of_zero_ends_the_list", BYTES(2, 0, 4, 2) },
	{ "length_of_one_ends_the_list", BYTES(99, 1, 4, 2) },
	{ "length_past_the_end_ends_the_list", BYTES(4, 2, 2, 5, 5, 0xb4),
	  .want = { .seen = HO_OPT_SACK } },
	{ "length_of_255", BYTES(4, 2, 99, 255),
	  .want = { .seen = HO_OPT_SACK } },
	{ "unknown_option_is_skipped", BYTES(99, 4, 2, 4, 4, 2),
	  .want = { .seen = HO_OPT_SACK } },
	{ "md5", BYTES(19, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	  .want = { .seen = HO_OPT_MD5 } },
	{ "ao", BYTES(29, 4, 1, 1), .want = { .seen = HO_OPT_AO } },
	{ "mptcp", BYTES(30, 4, 0, 0), .want = { .seen = HO_OPT_MPTCP } },
	{ "fastopen_without_cookie", BYTES(34, 2),
	  .want = { .seen = HO_OPT_FASTOPEN | HO_OPT_TFO_REQ } },
	{ "fastopen_with_cookie", BYTES(34, 6, 1, 2, 3, 4),
	  .want = { .seen = HO_OPT_FASTOPEN } },
	{ "fastopen_experimental", BYTES(254, 4, 0xf9, 0x89),
	  .want = { .seen = HO_OPT_FASTOPEN | HO_OPT_TFO_REQ } },
	{ "fastopen_experimental_with_cookie",
	  BYTES(254, 8, 0xf9, 0x89, 1, 2, 3, 4),
	  .want = { .seen = HO_OPT_FASTOPEN } },
	{ "smc", BYTES(254, 6, 0xe2, 0xd4, 0xc3, 0xd9),
	  .want = { .seen = HO_OPT_SMC } },
	{ "experimental_without_magic", BYTES(254, 2) },
	{ "experimental_with_half_a_magic", BYTES(254, 3, 0xf9) },
	{ "smc_with_half_a_magic", BYTES(254, 4, 0xe2, 0xd4) },
	{ "experimental_of_somebody_else", BYTES(254, 6, 1, 2, 3, 4) },
};

KUNIT_ARRAY_PARAM_DESC(parse_cases, parse_cases, name);

static void expect_opts(struct kunit *test, const struct ho_opts *got,
			const struct ho_opts *want)
{
	KUNIT_EXPECT_EQ(test, got->seen, want->seen);
	KUNIT_EXPECT_EQ(test, got->mss, want->mss);
	KUNIT_EXPECT_EQ(test, got->wscale, want->wscale);
	KUNIT_EXPECT_EQ(test, got->tsval, want->tsval);
	KUNIT_EXPECT_EQ(test, got->tsecr, want->tsecr);
}

static void parse(struct kunit *test)
{
	const struct parse_case *c = test->param_value;
	struct ho_opts opts;

	memset(&opts, 0xff, sizeof(opts));
	ho_opts_parse(&opts, exactly(test, c->bytes, c->len), c->len,
		      !c->not_syn);
	expect_opts(test, &opts, &c->want);
}

static enum ho_auth auth_of(const char *list, unsigned int len)
{
	return ho_opts_auth((const u8 *)list, len, 5);
}

#define MD5 "\023\0220123456789abcdef"
#define AO "\x1d\x05\x01\x01\x00"
#define AUTH(list) auth_of(list, sizeof(list) - 1)

static void options_that_sign_are_found_without_doubt(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, AUTH(""), HO_AUTH_NONE);
	KUNIT_EXPECT_EQ(test, AUTH("\x02\x04\x05\xb4\x01\x01"), HO_AUTH_NONE);
	KUNIT_EXPECT_EQ(test, AUTH(MD5), HO_AUTH_MD5);
	KUNIT_EXPECT_EQ(test, AUTH("\x01\x01" AO), HO_AUTH_AO);
	/* what is left is too short to be looked at */
	KUNIT_EXPECT_EQ(test, AUTH("\x02\x09\x00\x00"), HO_AUTH_NONE);
	/* nor is what is behind the end of the list */
	KUNIT_EXPECT_EQ(test, AUTH(MD5 "\x00" MD5), HO_AUTH_MD5);
	KUNIT_EXPECT_EQ(test, AUTH("\x02\x09\x00\x00\x00"), HO_AUTH_BAD);
	KUNIT_EXPECT_EQ(test, AUTH("\x02\x01\x00\x00\x00"), HO_AUTH_BAD);
	KUNIT_EXPECT_EQ(test, AUTH(MD5 MD5), HO_AUTH_BAD);
	KUNIT_EXPECT_EQ(test, AUTH(AO MD5), HO_AUTH_BAD);
	KUNIT_EXPECT_EQ(test, AUTH("\023\005abc"), HO_AUTH_BAD);
	KUNIT_EXPECT_EQ(test, AUTH("\x1d\x04\x01\x01\x01\x01"), HO_AUTH_BAD);
}

/* Cut anywhere, a list gives what was whole before the cut, and no more. */
static void parse_stops_where_the_list_is_cut(struct kunit *test)
{
	static const u8 list[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9,
				   0, 0, 0, 0, 1, 3, 3, 7 };
	unsigned int len;

	for (len = 0; len <= sizeof(list); len++) {
		struct ho_opts opts;
		u16 want = 0;

		want |= len >= 4 ? HO_OPT_MSS : 0;
		want |= len >= 6 ? HO_OPT_SACK : 0;
		want |= len >= 16 ? HO_OPT_TS : 0;
		want |= len >= 20 ? HO_OPT_WSCALE : 0;
		ho_opts_parse(&opts, exactly(test, list, len), len, SYN);
		KUNIT_EXPECT_EQ_MSG(test, opts.seen, want, "%u bytes", len);
	}
}

/* --- a million lists ------------------------------------------------------ */

enum { BLOBS = 1000 * 1000 };

/* Kinds that mean something, lengths that nearly fit, and noise. */
static void fill_blob(struct rnd_state *rnd, u8 *p, unsigned int len)
{
	static const u8 kinds[] = { 0, 1, 2, 3, 4, 5, 8, 19, 29, 30, 34, 254 };
	static const u8 sizes[] = { 0, 1, 2, 3, 4, 6, 10, 18, 255 };
	unsigned int at;

	prandom_bytes_state(rnd, p, len);
	if (fix_below(rnd, 8) == 0)
		return;
	for (at = 0; at + 1 < len;) {
		unsigned int left = len - at, size;

		p[at] = kinds[fix_below(rnd, ARRAY_SIZE(kinds))];
		if (p[at] == 0 && fix_below(rnd, 4))
			p[at] = 1;
		if (p[at] <= 1) {
			at++;
			continue;
		}
		size = fix_below(rnd, 4) ?
		       sizes[2 + fix_below(rnd, ARRAY_SIZE(sizes) - 3)] :
		       sizes[fix_below(rnd, ARRAY_SIZE(sizes))];
		if (p[at] == 254 && left >= 4 && fix_below(rnd, 2)) {
			p[at + 2] = 0xf9;
			p[at + 3] = 0x89;
		}
		p[at + 1] = size;
		at += max(size, 2U);
	}
}

/* One buffer a length, each with nothing behind it. */
static void parse_keeps_within_a_million_lists(struct kunit *test)
{
	struct rnd_state rnd = fix_random(1);
	u8 *buf[HO_OPTS_LEN_MAX + 1];
	unsigned int len, n, seen = 0;

	for (len = 0; len <= HO_OPTS_LEN_MAX; len++) {
		buf[len] = kunit_kzalloc(test, len, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, buf[len]);
	}
	for (n = 0; n < BLOBS; n++) {
		struct ho_opts opts;

		len = fix_below(&rnd, HO_OPTS_LEN_MAX + 1);
		fill_blob(&rnd, buf[len], len);
		ho_opts_parse(&opts, buf[len], len, n & 1);
		if (opts.wscale > HO_WSCALE_MAX ||
		    !opts.mss != !(opts.seen & HO_OPT_MSS))
			KUNIT_FAIL_AND_ABORT(test, "list %u: %*ph", n,
					     (int)len, buf[len]);
		seen |= opts.seen;
	}
	/* The lists were not all rubbish. */
	KUNIT_EXPECT_EQ(test, seen & ~(HO_OPT_SMC | HO_OPT_TFO_REQ),
			2 * HO_OPT_FASTOPEN - 1);
}

/* What tcp_conn_request() and tcp_openreq_init() make of the same list. */
static void native(struct ho_req *req, struct sk_buff *skb,
		   const struct ho_opts_cfg *cfg)
{
	struct tcp_fastopen_cookie foc = { .len = -1 };
	struct tcp_options_received rx = {
		.mss_clamp = cfg->mss_default,
		.user_mss = cfg->user_mss,
	};

	init_net.ipv4.sysctl_tcp_timestamps = cfg->timestamps;
	init_net.ipv4.sysctl_tcp_window_scaling = cfg->window_scaling;
	init_net.ipv4.sysctl_tcp_sack = cfg->sack;
	tcp_parse_options(&init_net, skb, &rx, 0, &foc);

	req->mss = rx.mss_clamp;
	req->ts_recent = rx.saw_tstamp ? rx.rcv_tsval : 0;
	req->tstamp_ok = rx.saw_tstamp;
	req->sack_ok = rx.sack_ok ? 1 : 0;
	req->wscale_ok = rx.wscale_ok;
	req->snd_wscale = rx.snd_wscale;
}

static bool same_agreement(const struct ho_req *a, const struct ho_req *b)
{
	return a->mss == b->mss && a->ts_recent == b->ts_recent &&
	       a->tstamp_ok == b->tstamp_ok && a->sack_ok == b->sack_ok &&
	       a->wscale_ok == b->wscale_ok && a->snd_wscale == b->snd_wscale;
}

static struct ho_opts_cfg some_cfg(struct rnd_state *rnd)
{
	return (struct ho_opts_cfg) {
		.timestamps = fix_below(rnd, 4),
		.window_scaling = fix_below(rnd, 4),
		.sack = fix_below(rnd, 4),
		.user_mss = fix_below(rnd, 2) ? 0 : fix_below(rnd, 2000),
		.mss_default = fix_below(rnd, 2) ? HO_MSS_DEF_V4 :
						   HO_MSS_DEF_V6,
	};
}

static struct sk_buff *bare_segment(struct kunit *test)
{
	struct sk_buff *skb;

	skb = alloc_skb(sizeof(struct tcphdr) + HO_OPTS_LEN_MAX, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reset_transport_header(skb);
	skb_put_zero(skb, sizeof(struct tcphdr) + HO_OPTS_LEN_MAX);
	return skb;
}

static void agreement_is_the_stacks_for_a_million_lists(struct kunit *test)
{
	struct sk_buff *skb = bare_segment(test);
	struct rnd_state rnd = fix_random(2);
	struct tcphdr *th = tcp_hdr(skb);
	u8 *list = (u8 *)(th + 1);
	unsigned int n, bad = 0;

	for (n = 0; n < BLOBS && !bad; n++) {
		unsigned int len = 4 * fix_below(&rnd, HO_OPTS_LEN_MAX / 4 + 1);
		struct ho_opts_cfg cfg = some_cfg(&rnd);
		struct ho_req ours = {}, theirs = {};
		struct ho_opts opts;

		fill_blob(&rnd, list, len);
		th->doff = (sizeof(*th) + len) / 4;
		th->syn = fix_below(&rnd, 8) > 0;
		ho_opts_parse(&opts, list, len, th->syn);
		ho_opts_negotiate(&ours, &opts, &cfg);
		native(&theirs, skb, &cfg);
		bad = !same_agreement(&ours, &theirs);
		if (bad)
			kunit_err(test, "list %u: %*ph", n, (int)len, list);
	}
	native(&(struct ho_req){}, skb, &all_on);
	kfree_skb(skb);
	KUNIT_EXPECT_EQ(test, bad, 0);
}

/* --- agreement ------------------------------------------------------------ */

struct agree_case {
	const char *name;
	struct ho_opts_cfg cfg;
	struct ho_opts opts;
	struct ho_req want;
};

#define FULL_OPTS { .seen = HO_OPT_MSS | HO_OPT_WSCALE | HO_OPT_TS |	\
			    HO_OPT_SACK,				\
		    .mss = 1460, .wscale = 7, .tsval = 99, .tsecr = 1 }

static const struct agree_case agree_cases[] = {
	{ "all_of_it",
	  .cfg = { true, true, true, 0, HO_MSS_DEF_V4 }, .opts = FULL_OPTS,
	  .want = { .mss = 1460, .wscale_ok = 1, .snd_wscale = 7,
		    .tstamp_ok = 1, .ts_recent = 99, .sack_ok = 1 } },
	{ "nothing_that_the_host_does_not_want",
	  .cfg = { false, false, false, 0, HO_MSS_DEF_V4 }, .opts = FULL_OPTS,
	  .want = { .mss = 1460 } },
	{ "nothing_that_the_client_did_not_offer",
	  .cfg = { true, true, true, 0, HO_MSS_DEF_V6 },
	  .want = { .mss = HO_MSS_DEF_V6 } },
	{ "user_mss_lowers",
	  .cfg = { .user_mss = 1000, .mss_default = HO_MSS_DEF_V4 },
	  .opts = FULL_OPTS, .want = { .mss = 1000 } },
	{ "user_mss_does_not_raise",
	  .cfg = { .user_mss = 9000, .mss_default = HO_MSS_DEF_V4 },
	  .opts = FULL_OPTS, .want = { .mss = 1460 } },
	{ "user_mss_leaves_the_default",
	  .cfg = { .user_mss = 100, .mss_default = HO_MSS_DEF_V4 },
	  .want = { .mss = HO_MSS_DEF_V4 } },
};

KUNIT_ARRAY_PARAM_DESC(agree_cases, agree_cases, name);

static void agree_on(struct kunit *test)
{
	const struct agree_case *c = test->param_value;
	struct ho_req req;

	/* what an entry held before must not show */
	memset(&req, 0xff, sizeof(req));
	ho_opts_negotiate(&req, &c->opts, &c->cfg);
	KUNIT_EXPECT_EQ(test, req.mss, c->want.mss);
	KUNIT_EXPECT_EQ(test, req.ts_recent, c->want.ts_recent);
	KUNIT_EXPECT_TRUE(test, same_agreement(&req, &c->want));
}

/* --- writing -------------------------------------------------------------- */

struct emit_case {
	const char *name;
	struct ho_req req;
	u8 synack[HO_OPTS_LEN_MAX];
	size_t len;
};

#define EMIT_MSS	2, 4, 0x05, 0xb4
#define EMIT_WSCALE	1, 3, 3, 7
#define EMIT_STAMPS	0xaa, 0xbb, 0xcc, 0xdd, 0x11, 0x22, 0x33, 0x44

/* tcp_options_write() for every combination. */
static const struct emit_case emit_cases[] = {
	{ "mss", {}, BYTES(EMIT_MSS) },
	{ "mss_wscale", { .wscale_ok = 1 }, BYTES(EMIT_MSS, EMIT_WSCALE) },
	{ "mss_sack", { .sack_ok = 1 }, BYTES(EMIT_MSS, 1, 1, 4, 2) },
	{ "mss_sack_wscale", { .sack_ok = 1, .wscale_ok = 1 },
	  BYTES(EMIT_MSS, 1, 1, 4, 2, EMIT_WSCALE) },
	{ "mss_timestamp", { .tstamp_ok = 1 },
	  BYTES(EMIT_MSS, 1, 1, 8, 10, EMIT_STAMPS) },
	{ "mss_timestamp_wscale", { .tstamp_ok = 1, .wscale_ok = 1 },
	  BYTES(EMIT_MSS, 1, 1, 8, 10, EMIT_STAMPS, EMIT_WSCALE) },
	{ "mss_sack_timestamp", { .tstamp_ok = 1, .sack_ok = 1 },
	  BYTES(EMIT_MSS, 4, 2, 8, 10, EMIT_STAMPS) },
	{ "mss_sack_timestamp_wscale",
	  { .tstamp_ok = 1, .sack_ok = 1, .wscale_ok = 1 },
	  BYTES(EMIT_MSS, 4, 2, 8, 10, EMIT_STAMPS, EMIT_WSCALE) },
};

KUNIT_ARRAY_PARAM_DESC(emit_cases, emit_cases, name);

static struct ho_req emit_req(const struct emit_case *c)
{
	struct ho_req req = c->req;

	req.ts_recent = req.tstamp_ok ? 0x11223344 : 0;
	req.rcv_wscale = 7;
	req.snd_wscale = req.wscale_ok ? 9 : 0;
	req.mss = 1234;
	return req;
}

static void synack_has(struct kunit *test)
{
	const struct emit_case *c = test->param_value;
	struct ho_req req = emit_req(c);
	u8 *p = kunit_kzalloc(test, c->len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, ho_opts_synack_len(&req), c->len);
	ho_opts_emit_synack(p, &req, 1460, 0xaabbccdd);
	KUNIT_EXPECT_MEMEQ(test, p, c->synack, c->len);
}

/* A SYN made from a request leads to the same request again. */
static void syn_is_agreed_on_again(struct kunit *test)
{
	const struct emit_case *c = test->param_value;
	struct ho_req req = emit_req(c), again = {};
	unsigned int len = ho_opts_syn_len(&req);
	struct ho_opts opts;
	u8 *p;

	KUNIT_ASSERT_LE(test, len, (unsigned int)HO_OPTS_LEN_MAX);
	KUNIT_ASSERT_EQ(test, len % 4, 0);
	p = kunit_kzalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, p);
	ho_opts_emit_syn(p, &req);
	ho_opts_parse(&opts, p, len, SYN);
	ho_opts_negotiate(&again, &opts, &all_on);
	KUNIT_EXPECT_TRUE(test, same_agreement(&req, &again));
	KUNIT_EXPECT_EQ(test, opts.tsecr, 0);
}

static void timestamp_stands_alone(struct kunit *test)
{
	u8 *p = kunit_kzalloc(test, HO_OPTS_TS_LEN, GFP_KERNEL);
	struct ho_opts opts;

	KUNIT_ASSERT_NOT_NULL(test, p);
	ho_opts_emit_ts(p, 0x80000001, 0x7ffffffe);
	ho_opts_parse(&opts, p, HO_OPTS_TS_LEN, NO_SYN);
	KUNIT_EXPECT_EQ(test, opts.seen, HO_OPT_TS);
	KUNIT_EXPECT_EQ(test, opts.tsval, 0x80000001);
	KUNIT_EXPECT_EQ(test, opts.tsecr, 0x7ffffffe);
}

static struct kunit_case opts_cases[] = {
	KUNIT_CASE_PARAM(parse, parse_cases_gen_params),
	KUNIT_CASE(parse_stops_where_the_list_is_cut),
	KUNIT_CASE(options_that_sign_are_found_without_doubt),
	KUNIT_CASE_SLOW(parse_keeps_within_a_million_lists),
	KUNIT_CASE_SLOW(agreement_is_the_stacks_for_a_million_lists),
	KUNIT_CASE_PARAM(agree_on, agree_cases_gen_params),
	KUNIT_CASE_PARAM(synack_has, emit_cases_gen_params),
	KUNIT_CASE_PARAM(syn_is_agreed_on_again, emit_cases_gen_params),
	KUNIT_CASE(timestamp_stands_alone),
	{}
};

static struct kunit_suite opts_suite = {
	.name = "halfopen_opts",
	.test_cases = opts_cases,
};

kunit_test_suite(opts_suite);
