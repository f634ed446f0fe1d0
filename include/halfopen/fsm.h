/* SPDX-License-Identifier: GPL-2.0 */
/* SYN-RECEIVED: what a segment means to a half-open connection. */
#ifndef _HALFOPEN_FSM_H
#define _HALFOPEN_FSM_H

#include <halfopen/types.h>

/* What arrived, named after the check that decided (RFC 9293 3.10.7.4). */
enum ho_event {
	HO_EV_DUP_SYN,		/* the SYN again: resend the SYN-ACK */
	HO_EV_BAD_ACK,		/* acknowledges what we never sent: RST, keep */
	HO_EV_OUT_OF_WINDOW,	/* first check: ACK, keep */
	HO_EV_PAWS,		/* older timestamp (RFC 7323 5.3): ACK, keep */
	HO_EV_OUT_OF_WINDOW_RST,/* first check, RST: ignore */
	HO_EV_PAWS_RST,		/* older timestamp on a RST: ignore */
	HO_EV_RST_IN_WINDOW,	/* second check, not exact: challenge ACK */
	HO_EV_RST_EXACT,	/* second check: back to LISTEN, silently */
	HO_EV_SYN_IN_WINDOW,	/* fourth check: RST, forget, as Linux does */
	HO_EV_NO_ACK,		/* fifth check: ignore */
	HO_EV_COMPLETE,		/* fifth check passed: hand over */
};

/**
 * struct ho_fsm_cfg - surroundings of a decision
 * @timestamps: net.ipv4.tcp_timestamps is not 0
 * @rto_ms: the current wait of the request, ms
 */
struct ho_fsm_cfg {
	bool timestamps;
	u32 rto_ms;
};

/**
 * ho_fsm_event() - classify a segment for a half-open connection
 * @req: the connection
 * @seg: the segment, same key
 * @cfg: surroundings
 *
 * Follows tcp_check_req() check by check; nothing is changed or sent here.
 *
 * Context: bucket lock held.
 * Return: the event.
 */
enum ho_event ho_fsm_event(const struct ho_req *req, const struct ho_seg *seg,
			   const struct ho_fsm_cfg *cfg);

#endif /* _HALFOPEN_FSM_H */
