// SPDX-License-Identifier: GPL-2.0
/*
 * SYN-RECEIVED: what a segment means to a half-open connection.
 *
 * The order of checks is that of RFC 9293 3.10.7.4 as Linux applies it
 * (tcp_check_req()); where they differ, Linux wins, because its peers have met
 * it:
 *  - the ACK check comes before the sequence check, RSTs excepted;
 *  - a zero-length segment at the right edge of the window is inside;
 *  - a SYN inside the window is answered with a RST and forgets the connection;
 *  - any segment in the window with the right ACK completes, wherever it
 *    starts.
 */
#include <halfopen/fsm.h>

static bool before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static bool in_window(const struct ho_req *req, const struct ho_seg *seg)
{
	u32 left = req->rcv_isn + 1;
	u32 right = left + req->win;

	if (seg->seq == left)
		return true;
	if (before(left, seg->end_seq) && before(seg->seq, right))
		return true;
	return seg->seq == right && seg->end_seq == right;
}

/* RFC 7323 5.3. A peer that sent TSval 0 in its SYN may start anywhere. */
static bool paws_reject(const struct ho_req *req, const struct ho_seg *seg,
			const struct ho_fsm_cfg *cfg)
{
	if (!cfg->timestamps || !(seg->opts.seen & HO_OPT_TS))
		return false;
	if (!req->ts_recent || (s32)(req->ts_recent - seg->opts.tsval) <= 0)
		return false;
	/*
	 * A rebooted peer's clock may have gone back; its RST counts after an
	 * MSL.
	 */
	return !(seg->flags & HO_TCP_RST && cfg->rto_ms >= HO_PAWS_MSL_MS);
}

static enum ho_event outside(bool paws, bool rst)
{
	if (paws)
		return rst ? HO_EV_PAWS_RST : HO_EV_PAWS;
	return rst ? HO_EV_OUT_OF_WINDOW_RST : HO_EV_OUT_OF_WINDOW;
}

enum ho_event ho_fsm_event(const struct ho_req *req, const struct ho_seg *seg,
			   const struct ho_fsm_cfg *cfg)
{
	u8 flags = seg->flags & (HO_TCP_RST | HO_TCP_SYN | HO_TCP_ACK);
	bool paws = paws_reject(req, seg, cfg);
	bool rst = flags & HO_TCP_RST;

	if (flags == HO_TCP_SYN && seg->seq == req->rcv_isn && !paws)
		return HO_EV_DUP_SYN;
	if (flags & HO_TCP_ACK && !rst && seg->ack != req->snt_isn + 1)
		return HO_EV_BAD_ACK;
	if (paws || !in_window(req, seg))
		return outside(paws, rst);
	/* The SYN itself lies left of the window and is cut off. */
	if (seg->seq == req->rcv_isn)
		flags &= ~HO_TCP_SYN;
	if (rst)
		return seg->seq == req->rcv_isn + 1 ?
		       HO_EV_RST_EXACT : HO_EV_RST_IN_WINDOW;
	if (flags & HO_TCP_SYN)
		return HO_EV_SYN_IN_WINDOW;
	return flags & HO_TCP_ACK ? HO_EV_COMPLETE : HO_EV_NO_ACK;
}
