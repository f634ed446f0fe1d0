// SPDX-License-Identifier: GPL-2.0
/*
 * SYN-RECEIVED: the rows of RFC 9293 3.10.7.4, then tcp_check_req() retold
 * with the kernel's own helpers as reference for a million segments.
 */
#include <kunit/test.h>

#include <net/tcp.h>

#include <halfopen/fsm.h>

#include "fixtures.h"

enum {
	F_FIN = HO_TCP_FIN,
	F_SYN = HO_TCP_SYN,
	F_RST = HO_TCP_RST,
	F_ACK = HO_TCP_ACK,
	F_PSH = HO_TCP_PSH,
	F_SYNACK = HO_TCP_SYN | HO_TCP_ACK,
	F_RSTACK = HO_TCP_RST | HO_TCP_ACK,

	C_ISN	= 1000,		/* the client's */
	S_ISN	= 5000,		/* ours */
	WIN	= 100,
	RECENT	= 777,		/* TSval of the SYN */
	LEFT	= 1,		/* edges of the window, from the client's ISN */
	RIGHT	= LEFT + WIN,

	OLD	= 1,		/* a timestamp before RECENT */
	SAME,
	NEW,
	HALF_AWAY,		/* half the clock before RECENT */
};

/* seq and ack count from the ISNs. */
struct fsm_case {
	const char *name;
	u8 flags;
	int seq;
	u32 len;
	u32 ack;
	u8 ts;
	bool no_ts_recent;
	bool ts_off;
	u32 rto_ms;
	enum ho_event want;
};

static const struct fsm_case fsm_cases[] = {
	/* the SYN again */
	{ "syn_again_is_answered_again", F_SYN, .want = HO_EV_DUP_SYN },
	{ "syn_again_with_data", F_SYN, .len = 50, .want = HO_EV_DUP_SYN },
	{ "syn_again_with_ecn", F_SYN | HO_TCP_ECE | HO_TCP_CWR,
	  .want = HO_EV_DUP_SYN },
	{ "syn_again_with_its_timestamp", F_SYN, .ts = SAME,
	  .want = HO_EV_DUP_SYN },
	{ "syn_again_with_older_timestamp", F_SYN, .ts = OLD,
	  .want = HO_EV_PAWS },
	{ "syn_older", F_SYN, -1, .want = HO_EV_OUT_OF_WINDOW },
	{ "syn_newer_in_window_resets", F_SYN, LEFT,
	  .want = HO_EV_SYN_IN_WINDOW },
	{ "syn_newer_at_the_last_byte", F_SYN, RIGHT - 1,
	  .want = HO_EV_SYN_IN_WINDOW },
	{ "syn_newer_past_the_window", F_SYN, RIGHT,
	  .want = HO_EV_OUT_OF_WINDOW },
	{ "syn_reaching_into_the_window", F_SYN, -10, .len = 20,
	  .want = HO_EV_SYN_IN_WINDOW },

	/* the ACK that completes */
	{ "ack_exact_completes", F_ACK, LEFT, .ack = 1,
	  .want = HO_EV_COMPLETE },
	{ "ack_with_data_completes", F_ACK | F_PSH, LEFT, 50, 1,
	  .want = HO_EV_COMPLETE },
	{ "ack_with_fin_completes", F_ACK | F_FIN, LEFT, 0, 1,
	  .want = HO_EV_COMPLETE },
	{ "ack_with_later_data_completes", F_ACK, LEFT + 50, 10, 1,
	  .want = HO_EV_COMPLETE },
	{ "ack_at_the_right_edge_completes", F_ACK, RIGHT, 0, 1,
	  .want = HO_EV_COMPLETE },
	{ "ack_with_more_than_the_window", F_ACK, LEFT, WIN + 50, 1,
	  .want = HO_EV_COMPLETE },
	{ "ack_with_newer_timestamp", F_ACK, LEFT, .ack = 1, .ts = NEW,
	  .want = HO_EV_COMPLETE },
	{ "synack_crossed_is_left_of_the_window", F_SYNACK, 0, .ack = 1,
	  .want = HO_EV_OUT_OF_WINDOW },
	{ "synack_crossed_with_data_completes", F_SYNACK, 0, 1, 1,
	  .want = HO_EV_COMPLETE },

	/* ACKs of what was never sent */
	{ "ack_of_nothing_is_reset", F_ACK, LEFT, .ack = 0,
	  .want = HO_EV_BAD_ACK },
	{ "ack_one_too_far_is_reset", F_ACK, LEFT, .ack = 2,
	  .want = HO_EV_BAD_ACK },
	{ "ack_wrong_and_out_of_window_is_reset", F_ACK, RIGHT + 9, .ack = 7,
	  .want = HO_EV_BAD_ACK },
	{ "ack_wrong_and_old_timestamp_is_reset", F_ACK, LEFT, .ack = 7,
	  .ts = OLD, .want = HO_EV_BAD_ACK },
	{ "synack_wrong_is_reset", F_SYNACK, 0, .ack = 2,
	  .want = HO_EV_BAD_ACK },

	/* outside */
	{ "ack_left_of_the_window", F_ACK, 0, .ack = 1,
	  .want = HO_EV_OUT_OF_WINDOW },
	{ "keepalive_probe", F_ACK, 0, 1, 1, .want = HO_EV_OUT_OF_WINDOW },
	{ "data_right_of_the_window", F_ACK, RIGHT, 1, 1,
	  .want = HO_EV_OUT_OF_WINDOW },
	{ "ack_past_the_right_edge", F_ACK, RIGHT + 1, .ack = 1,
	  .want = HO_EV_OUT_OF_WINDOW },
	{ "ack_with_older_timestamp", F_ACK, LEFT, .ack = 1, .ts = OLD,
	  .want = HO_EV_PAWS },
	{ "timestamps_off_knows_no_paws", F_ACK, LEFT, .ack = 1, .ts = OLD,
	  .ts_off = true, .want = HO_EV_COMPLETE },
	{ "peer_that_began_at_zero_knows_no_paws", F_ACK, LEFT, .ack = 1,
	  .ts = OLD, .no_ts_recent = true, .want = HO_EV_COMPLETE },
	{ "half_the_clock_away_is_not_older", F_ACK, LEFT, .ack = 1,
	  .ts = HALF_AWAY, .want = HO_EV_COMPLETE },

	/* resets */
	{ "rst_exact_forgets", F_RST, LEFT, .want = HO_EV_RST_EXACT },
	{ "rst_exact_needs_no_right_ack", F_RSTACK, LEFT, .ack = 7,
	  .want = HO_EV_RST_EXACT },
	{ "rst_one_off_is_challenged", F_RST, LEFT + 1,
	  .want = HO_EV_RST_IN_WINDOW },
	{ "rst_at_the_last_byte_is_challenged", F_RST, RIGHT - 1,
	  .want = HO_EV_RST_IN_WINDOW },
	{ "rst_at_the_right_edge_is_challenged", F_RST, RIGHT,
	  .want = HO_EV_RST_IN_WINDOW },
	{ "rst_past_the_window_is_ignored", F_RST, RIGHT + 1,
	  .want = HO_EV_OUT_OF_WINDOW_RST },
	{ "rst_at_the_isn_is_ignored", F_RST, 0,
	  .want = HO_EV_OUT_OF_WINDOW_RST },
	{ "rst_with_older_timestamp_is_ignored", F_RST, LEFT, .ts = OLD,
	  .want = HO_EV_PAWS_RST },
	{ "rst_with_older_timestamp_counts_after_an_msl", F_RST, LEFT,
	  .ts = OLD, .rto_ms = HO_PAWS_MSL_MS, .want = HO_EV_RST_EXACT },
	{ "rst_with_older_timestamp_just_before_an_msl", F_RST, LEFT,
	  .ts = OLD, .rto_ms = HO_PAWS_MSL_MS - 1, .want = HO_EV_PAWS_RST },
	{ "ack_with_older_timestamp_never_counts", F_ACK, LEFT, .ack = 1,
	  .ts = OLD, .rto_ms = HO_PAWS_MSL_MS, .want = HO_EV_PAWS },
	{ "rst_beats_syn", F_RST | F_SYN, LEFT, .want = HO_EV_RST_EXACT },

	/* neither */
	{ "data_without_ack_is_ignored", F_PSH, LEFT, 10,
	  .want = HO_EV_NO_ACK },
	{ "fin_without_ack_is_ignored", F_FIN, LEFT, .want = HO_EV_NO_ACK },
	{ "no_flags_at_all_is_ignored", 0, LEFT, .want = HO_EV_NO_ACK },
};

KUNIT_ARRAY_PARAM_DESC(fsm_cases, fsm_cases, name);

static const u32 ts_vals[] = {
	[OLD] = RECENT - 1, [SAME] = RECENT, [NEW] = RECENT + 1,
	[HALF_AWAY] = RECENT + (1U << 31),
};

static struct ho_seg segment(u8 flags, u32 seq, u32 len, u32 ack)
{
	return (struct ho_seg) {
		.flags = flags,
		.seq = seq,
		.end_seq = seq + len + !!(flags & F_SYN) + !!(flags & F_FIN),
		.ack = ack,
		.data_len = len,
	};
}

/* The same at several ISNs: sequence numbers wrap. */
static void event(struct kunit *test)
{
	static const u32 base[] = { 0, 0x7fffffff - C_ISN - WIN / 2,
				    U32_MAX - C_ISN - WIN / 2,
				    U32_MAX - C_ISN, U32_MAX - S_ISN };
	const struct fsm_case *c = test->param_value;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(base); i++) {
		struct ho_req req = {
			.rcv_isn = base[i] + C_ISN,
			.snt_isn = base[i] + S_ISN,
			.win = WIN,
			.ts_recent = c->no_ts_recent ? 0 : RECENT,
		};
		struct ho_seg seg = segment(c->flags, req.rcv_isn + c->seq,
					    c->len, req.snt_isn + c->ack);
		struct ho_fsm_cfg cfg = {
			.timestamps = !c->ts_off,
			.rto_ms = c->rto_ms ?: HO_RTO_INIT_MS,
		};

		if (c->ts) {
			seg.opts.seen = HO_OPT_TS;
			seg.opts.tsval = ts_vals[c->ts];
			if (c->no_ts_recent)
				seg.opts.tsval = -5;
		}
		KUNIT_EXPECT_EQ_MSG(test, ho_fsm_event(&req, &seg, &cfg),
				    c->want, "ISN %u", req.rcv_isn);
	}
}

/* --- the kernel's way ----------------------------------------------------- */

static bool native_paws_reject(const struct ho_req *req,
			       const struct ho_seg *seg,
			       const struct ho_fsm_cfg *cfg)
{
	struct tcp_options_received rx = {
		.ts_recent = req->ts_recent,
		.rcv_tsval = seg->opts.tsval,
		.ts_recent_stamp = ktime_get_seconds() -
				   cfg->rto_ms / MSEC_PER_SEC,
	};

	return cfg->timestamps && seg->opts.seen & HO_OPT_TS &&
	       tcp_paws_reject(&rx, !!(seg->flags & F_RST));
}

static bool native_in_window(u32 seq, u32 end_seq, u32 s_win, u32 e_win)
{
	if (seq == s_win)
		return true;
	if (after(end_seq, s_win) && before(seq, e_win))
		return true;
	return seq == e_win && seq == end_seq;
}

static enum ho_event native(const struct ho_req *req, const struct ho_seg *seg,
			    const struct ho_fsm_cfg *cfg)
{
	u32 flg = seg->flags & (F_RST | F_SYN | F_ACK);
	bool paws = native_paws_reject(req, seg, cfg);
	u32 rcv_nxt = req->rcv_isn + 1;

	if (seg->seq == req->rcv_isn && flg == F_SYN && !paws)
		return HO_EV_DUP_SYN;
	if (flg & F_ACK && !(flg & F_RST) && seg->ack != req->snt_isn + 1)
		return HO_EV_BAD_ACK;
	if (paws)
		return flg & F_RST ? HO_EV_PAWS_RST : HO_EV_PAWS;
	if (!native_in_window(seg->seq, seg->end_seq, rcv_nxt,
			      rcv_nxt + req->win))
		return flg & F_RST ? HO_EV_OUT_OF_WINDOW_RST :
				     HO_EV_OUT_OF_WINDOW;
	if (seg->seq == req->rcv_isn)
		flg &= ~F_SYN;
	if (flg & F_RST && seg->seq != rcv_nxt)
		return HO_EV_RST_IN_WINDOW;
	if (flg & F_RST)
		return HO_EV_RST_EXACT;
	if (flg & F_SYN)
		return HO_EV_SYN_IN_WINDOW;
	if (!(flg & F_ACK))
		return HO_EV_NO_ACK;
	return HO_EV_COMPLETE;
}

static struct ho_req some_req(struct rnd_state *rnd)
{
	return (struct ho_req) {
		.rcv_isn = fix_near(rnd, 0),
		.snt_isn = fix_near(rnd, 0),
		.win = fix_below(rnd, 4) ? HO_WIN_UNSCALED_MAX :
					   fix_below(rnd, 3),
		.ts_recent = fix_below(rnd, 4) ? fix_near(rnd, 0) : 0,
	};
}

static struct ho_seg some_seg(struct rnd_state *rnd, const struct ho_req *req)
{
	static const u32 lens[] = { 0, 0, 1, 2, 1460, 65535 };
	struct ho_seg seg;

	seg = segment(prandom_u32_state(rnd), fix_near(rnd, req->rcv_isn),
		      lens[fix_below(rnd, ARRAY_SIZE(lens))],
		      fix_near(rnd, req->snt_isn));
	if (fix_below(rnd, 2)) {
		seg.opts.seen = HO_OPT_TS;
		seg.opts.tsval = fix_near(rnd, req->ts_recent);
	}
	return seg;
}

static void event_is_the_stacks_for_a_million_segments(struct kunit *test)
{
	enum { SEGMENTS = 1000 * 1000 };
	struct rnd_state rnd = fix_random(3);
	u32 n, met = 0;

	for (n = 0; n < SEGMENTS; n++) {
		struct ho_req req = some_req(&rnd);
		struct ho_seg seg = some_seg(&rnd, &req);
		struct ho_fsm_cfg cfg = {
			.timestamps = fix_below(&rnd, 8),
			.rto_ms = HO_RTO_INIT_MS << fix_below(&rnd, 7),
		};
		enum ho_event ours = ho_fsm_event(&req, &seg, &cfg);
		enum ho_event theirs = native(&req, &seg, &cfg);

		if (ours != theirs)
			KUNIT_FAIL_AND_ABORT(test,
					     "event %u, natively %u: flags %x, seq %d, end %d, ack %d, ts %d of %u, win %u",
					     ours, theirs, seg.flags,
					     seg.seq - req.rcv_isn,
					     seg.end_seq - req.rcv_isn,
					     seg.ack - req.snt_isn,
					     seg.opts.tsval - req.ts_recent,
					     req.ts_recent, req.win);
		met |= 1 << ours;
	}
	/* Every event came up. */
	KUNIT_EXPECT_EQ(test, met, (2 << HO_EV_COMPLETE) - 1);
}

static struct kunit_case fsm_test_cases[] = {
	KUNIT_CASE_PARAM(event, fsm_cases_gen_params),
	KUNIT_CASE_SLOW(event_is_the_stacks_for_a_million_segments),
	{}
};

static struct kunit_suite fsm_suite = {
	.name = "halfopen_fsm",
	.test_cases = fsm_test_cases,
};

kunit_test_suite(fsm_suite);
