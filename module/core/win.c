// SPDX-License-Identifier: GPL-2.0
/* The receive window and scale that a SYN-ACK announces. */
#include <halfopen/win.h>

#include <linux/log2.h>
#include <linux/minmax.h>

/* The largest window that the scale has to be able to express. */
static u8 select_scale(const struct ho_win_cfg *cfg, u32 space, u32 clamp)
{
	int shift;

	space = min(max(space, cfg->rmem_max), clamp);
	if (!space)
		return 0;
	shift = ilog2(space) - HO_WIN_SHIFT_BASE;
	return clamp_t(int, shift, 0, HO_WSCALE_MAX);
}

u16 ho_win_select(const struct ho_win_cfg *cfg, u8 *wscale)
{
	u32 space = max(cfg->space, 0);
	u32 clamp = cfg->clamp;
	u32 win;

	/*
	 * A buffer that the program fixed bounds the window (cf.
	 * SOCK_RCVBUF_LOCK).
	 */
	if (cfg->rcvbuf_locked && (!clamp || clamp > space))
		clamp = space;
	if (!clamp)
		clamp = HO_WIN_UNSCALED_MAX << HO_WSCALE_MAX;
	space = min(space, clamp);
	if (space > cfg->mss)
		space -= space % cfg->mss;

	win = min_t(u32, space, cfg->signed_windows ? HO_WIN_SIGNED_MAX :
						      HO_WIN_UNSCALED_MAX);
	if (cfg->init_rcv_wnd)
		win = min_t(u64, win, (u64)cfg->init_rcv_wnd * cfg->mss);

	*wscale = cfg->wscale_ok ? select_scale(cfg, space, clamp) : 0;
	return win;
}
