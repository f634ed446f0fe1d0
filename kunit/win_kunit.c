// SPDX-License-Identifier: GPL-2.0
/* The announced window and scale, against the kernel's arithmetic. */
#include <kunit/test.h>

#include <linux/log2.h>

#include <halfopen/win.h>

#include "fixtures.h"

/* Defaults of a fresh namespace, after tcp_win_from_space(131072). */
#define STOCK	.space = 65536, .mss = 1448, .rmem_max = 6291456

struct win_case {
	const char *name;
	struct ho_win_cfg cfg;
	u16 win;
	u8 wscale;
};

static const struct win_case win_cases[] = {
	{ "stock", { STOCK, .wscale_ok = true }, 65160, 7 },
	{ "without_scaling", { STOCK }, 65160, 0 },
	{ "no_more_than_16_bits", { .space = 1 << 20, .mss = 1460,
				    .rmem_max = 1 << 20 },
	  HO_WIN_UNSCALED_MAX, 0 },
	{ "whole_segments", { .space = 10000, .mss = 1000 }, 10000, 0 },
	{ "whole_segments_only", { .space = 10999, .mss = 1000 }, 10000, 0 },
	{ "less_than_a_segment", { .space = 900, .mss = 1000 }, 900, 0 },
	{ "exactly_a_segment", { .space = 1000, .mss = 1000 }, 1000, 0 },
	{ "no_room", { .space = 0, .mss = 1000 }, 0, 0 },
	{ "negative_room", { .space = -1, .mss = 1000 }, 0, 0 },
	{ "signed_windows", { STOCK, .signed_windows = true },
	  HO_WIN_SIGNED_MAX, 0 },
	{ "initrwnd", { STOCK, .init_rcv_wnd = 10 }, 14480, 0 },
	{ "initrwnd_larger_than_the_buffer", { STOCK, .init_rcv_wnd = 1000 },
	  65160, 0 },
	{ "clamp", { STOCK, .clamp = 20000, .wscale_ok = true }, 18824, 0 },
	{ "clamp_lowers_the_scale",
	  { STOCK, .clamp = 1 << 17, .wscale_ok = true }, 65160, 2 },
	{ "fixed_buffer_is_a_clamp",
	  { STOCK, .rcvbuf_locked = true, .wscale_ok = true }, 65160, 1 },
	{ "fixed_buffer_under_a_smaller_clamp",
	  { STOCK, .clamp = 3000, .rcvbuf_locked = true, .wscale_ok = true },
	  2896, 0 },
	{ "largest_scale",
	  { STOCK, .rmem_max = S32_MAX, .wscale_ok = true }, 65160,
	  HO_WSCALE_MAX },
};

KUNIT_ARRAY_PARAM_DESC(win_cases, win_cases, name);

static void select_gives(struct kunit *test)
{
	const struct win_case *c = test->param_value;
	u8 wscale = 0xff;

	KUNIT_EXPECT_EQ(test, ho_win_select(&c->cfg, &wscale), c->win);
	KUNIT_EXPECT_EQ(test, wscale, c->wscale);
}

/*
 * tcp_openreq_init_rwin(), tcp_select_initial_window() and the 16 bits of
 * tcp_make_synack(), with their variables.
 */
static u16 native(const struct ho_win_cfg *cfg, u8 *rcv_wscale)
{
	int full_space = cfg->space;
	u32 rsk_window_clamp = cfg->clamp;
	u32 space, window_clamp, rcv_wnd;

	if (cfg->rcvbuf_locked &&
	    (rsk_window_clamp > full_space || rsk_window_clamp == 0))
		rsk_window_clamp = full_space;

	space = full_space < 0 ? 0 : full_space;
	window_clamp = rsk_window_clamp;
	if (window_clamp == 0)
		window_clamp = U16_MAX << 14;
	space = min(window_clamp, space);
	if (space > cfg->mss)
		space = rounddown(space, cfg->mss);
	if (cfg->signed_windows)
		rcv_wnd = min(space, 32767U);
	else
		rcv_wnd = space;
	if (cfg->init_rcv_wnd)
		rcv_wnd = min(rcv_wnd, cfg->init_rcv_wnd * cfg->mss);

	*rcv_wscale = 0;
	if (cfg->wscale_ok) {
		space = max(space, cfg->rmem_max);
		space = min(space, window_clamp);
		*rcv_wscale = clamp_t(int, ilog2(space) - 15, 0, 14);
	}
	return min(rcv_wnd, 65535U);
}

static u32 some_size(struct rnd_state *rnd)
{
	return prandom_u32_state(rnd) >> (1 + fix_below(rnd, 31));
}

static void select_is_the_stacks_for_a_million_settings(struct kunit *test)
{
	enum { SETTINGS = 1000 * 1000 };
	struct rnd_state rnd = fix_random(4);
	u32 n;

	for (n = 0; n < SETTINGS; n++) {
		struct ho_win_cfg cfg = {
			.space = some_size(&rnd),
			.clamp = fix_below(&rnd, 2) ? some_size(&rnd) : 0,
			.init_rcv_wnd = fix_below(&rnd, 4) ? 0 :
					fix_below(&rnd, 1000),
			.mss = 48 + fix_below(&rnd, 65536 - 48),
			/* the stack takes the logarithm of 0 otherwise */
			.rmem_max = 1 + some_size(&rnd),
			.rcvbuf_locked = fix_below(&rnd, 2),
			.signed_windows = fix_below(&rnd, 2),
			.wscale_ok = fix_below(&rnd, 4),
		};
		u8 ours = 0xff, theirs = 0xff;
		u16 our_win = ho_win_select(&cfg, &ours);
		u16 their_win = native(&cfg, &theirs);

		if (our_win != their_win || ours != theirs)
			KUNIT_FAIL_AND_ABORT(test,
					     "%u << %u, natively %u << %u: space %d, clamp %u, initrwnd %u, mss %u, rmem %u, locked %u, signed %u",
					     our_win, ours, their_win, theirs,
					     cfg.space, cfg.clamp,
					     cfg.init_rcv_wnd, cfg.mss,
					     cfg.rmem_max, cfg.rcvbuf_locked,
					     cfg.signed_windows);
	}
}

static void select_bears_no_room_at_all(struct kunit *test)
{
	const struct ho_win_cfg cfg = { .mss = 1, .wscale_ok = true };
	u8 wscale = 0xff;

	KUNIT_EXPECT_EQ(test, ho_win_select(&cfg, &wscale), 0);
	KUNIT_EXPECT_EQ(test, wscale, 0);
}

static struct kunit_case win_test_cases[] = {
	KUNIT_CASE_PARAM(select_gives, win_cases_gen_params),
	KUNIT_CASE_SLOW(select_is_the_stacks_for_a_million_settings),
	KUNIT_CASE(select_bears_no_room_at_all),
	{}
};

static struct kunit_suite win_suite = {
	.name = "halfopen_win",
	.test_cases = win_test_cases,
};

kunit_test_suite(win_suite);
