/* SPDX-License-Identifier: GPL-2.0 */
/* The receive window and scale that a SYN-ACK announces. */
#ifndef _HALFOPEN_WIN_H
#define _HALFOPEN_WIN_H

#include <halfopen/types.h>

/**
 * struct ho_win_cfg - what the initial window depends on
 * @space: receive buffer of the listener as window, bytes; may be negative
 * @clamp: TCP_WINDOW_CLAMP or the route's window metric, 0 = none
 * @init_rcv_wnd: the route's initrwnd in segments, 0 = none
 * @mss: our MSS less a timestamp option if agreed, bytes
 * @rmem_max: the larger of tcp_rmem[2] and net.core.rmem_max
 * @rcvbuf_locked: SO_RCVBUF was set on the listener
 * @signed_windows: net.ipv4.tcp_workaround_signed_windows
 * @wscale_ok: window scaling was agreed
 */
struct ho_win_cfg {
	int space;
	u32 clamp;
	u32 init_rcv_wnd;
	u32 mss;
	u32 rmem_max;
	bool rcvbuf_locked;
	bool signed_windows;
	bool wscale_ok;
};

/**
 * ho_win_select() - choose the announced window and the scale
 * @cfg: what they depend on
 * @wscale: set to the shift, 0 without scaling
 *
 * Same result as tcp_openreq_init_rwin() with tcp_select_initial_window(),
 * which is no longer exported everywhere.
 *
 * Context: any.
 * Return: the window field of the SYN-ACK (never scaled, RFC 7323 2.2).
 */
u16 ho_win_select(const struct ho_win_cfg *cfg, u8 *wscale);

#endif /* _HALFOPEN_WIN_H */
