// SPDX-License-Identifier: GPL-2.0
/*
 * The initial window.  Input: what it depends on.
 *
 * Window and scale equal what tcp_select_initial_window() does, told here in
 * the terms of RFC 7323: the scale is the least with which 16 bits can say the
 * largest window that there may be.
 */
#include "fuzz.h"

#include <halfopen/win.h>

enum { WINDOW_16_BITS = 65535 };

static s64 lesser(s64 a, s64 b)
{
	return a < b ? a : b;
}

/* The first window: whole segments of what there is room for. */
static s64 room(const struct ho_win_cfg *cfg, s64 bound)
{
	s64 space = lesser(cfg->space < 0 ? 0 : cfg->space, bound);

	return space > cfg->mss ? space / cfg->mss * cfg->mss : space;
}

static s64 bound_of(const struct ho_win_cfg *cfg)
{
	s64 space = cfg->space < 0 ? 0 : cfg->space;
	s64 bound = cfg->clamp;

	if (cfg->rcvbuf_locked && (bound == 0 || bound > space))
		bound = space;
	return bound ? bound : (s64)WINDOW_16_BITS << 14;
}

static int scale_for(s64 window)
{
	int shift = 0;

	while (shift < 14 && window >> shift > WINDOW_16_BITS)
		shift++;
	return shift;
}

int fuzz_one(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct ho_win_cfg cfg = {};
	s64 bound, space, largest, win;
	u8 how = take_u8(&in), scale;
	u16 got;

	cfg.rcvbuf_locked = how & 1;
	cfg.signed_windows = how & 2;
	cfg.wscale_ok = how & 4;
	cfg.space = (int)take_u32(&in);
	cfg.clamp = how & 8 ? take_u32(&in) : 0;
	cfg.init_rcv_wnd = how & 16 ? take_u16(&in) : 0;
	/* at least a byte: the stack divides by it, too */
	cfg.mss = 1 + take_u16(&in);
	cfg.rmem_max = take_u32(&in) & 0x7fffffff;

	scale = 0xff;
	got = ho_win_select(&cfg, &scale);

	bound = bound_of(&cfg);
	space = room(&cfg, bound);
	win = lesser(space, cfg.signed_windows ? 32767 : WINDOW_16_BITS);
	if (cfg.init_rcv_wnd)
		win = lesser(win, (s64)cfg.init_rcv_wnd * cfg.mss);
	CHECK(got == win);
	largest = lesser(space > cfg.rmem_max ? space : cfg.rmem_max, bound);
	CHECK(scale <= HO_WSCALE_MAX);
	CHECK(scale == (cfg.wscale_ok ? scale_for(largest) : 0));
	return 0;
}
