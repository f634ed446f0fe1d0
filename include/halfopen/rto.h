/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Backoff, expiry and the rate limit of answers, all with time as an argument.
 */
#ifndef _HALFOPEN_RTO_H
#define _HALFOPEN_RTO_H

#include <halfopen/types.h>

/**
 * ho_rto_ms() - how long to wait after the n-th timeout
 * @init_ms: first wait, ms
 * @max_ms: longest wait, ms
 * @n: timeouts so far
 *
 * Exponential backoff with a cap, RFC 6298 5.5; cf. reqsk_timeout().
 *
 * Context: any.
 * Return: ms.
 */
u32 ho_rto_ms(u32 init_ms, u32 max_ms, unsigned int n);

/**
 * ho_rto_lifetime_ms() - how long a half-open connection lives unanswered
 * @init_ms: first wait, ms
 * @max_ms: longest wait, ms
 * @retries: SYN-ACK retransmissions
 *
 * Context: any.
 * Return: ms; 63,000 with the defaults. At most 16 * 120 s, so it cannot wrap.
 */
u32 ho_rto_lifetime_ms(u32 init_ms, u32 max_ms, unsigned int retries);

/**
 * ho_rto_reached() - is a 23-bit deadline due?
 * @deadline_ms: low 23 bits of a ms clock
 * @now_ms: the ms clock
 *
 * The clock's low 23 bits wrap every 2.3 hours; a deadline is never more than
 * 120 s ahead, so half of that is more than enough for the sign.
 *
 * Context: any.
 * Return: true if due.
 */
static inline bool ho_rto_reached(u32 deadline_ms, u32 now_ms)
{
	return (s32)((now_ms - deadline_ms) << 9) >= 0;
}

/**
 * ho_rto_left_ms() - how long until a 23-bit deadline
 * @deadline_ms: low 23 bits of a ms clock
 * @now_ms: the ms clock
 *
 * Context: any.
 * Return: ms, 0 if due.
 */
static inline u32 ho_rto_left_ms(u32 deadline_ms, u32 now_ms)
{
	return ho_rto_reached(deadline_ms, now_ms) ?
	       0 : (deadline_ms - now_ms) & 0x7fffff;
}

enum ho_rto_action {
	HO_RTO_RESEND,		/* send the SYN-ACK again and wait longer */
	HO_RTO_HOLD,		/* wait longer without sending */
	HO_RTO_EXPIRE,		/* the client had its chances */
};

/**
 * ho_rto_decide() - what a retransmission timeout means
 * @timeouts: timeouts before this one
 * @retries: retransmissions allowed
 * @hold: nothing may be sent now
 *
 * cf. syn_ack_recalc() without TCP_DEFER_ACCEPT, which is the stack's business
 * after the handover.
 *
 * Context: any.
 * Return: the action.
 */
enum ho_rto_action ho_rto_decide(unsigned int timeouts, unsigned int retries,
				 bool hold);

/**
 * ho_oow_allow() - may an out-of-window answer be sent now?
 * @req: its oow stamp is set if so
 * @now_ms: the ms clock
 * @limit_ms: least distance, tcp_invalid_ratelimit in ms
 *
 * At most one answer per request and @limit_ms, so that two broken ends cannot
 * play ping-pong (cf. __tcp_oow_rate_limited()). The stamp has 8 bits of 32 ms:
 * an answer comes up to two steps late, in one step of 256 one early; limits
 * beyond 4 s count as 4 s.
 *
 * Context: bucket lock held.
 * Return: true to send.
 */
bool ho_oow_allow(struct ho_req *req, u32 now_ms, u32 limit_ms);

/**
 * ho_oow_age() - forget a stamp that limits nothing any more
 * @req: with an oow stamp
 * @now_ms: the ms clock
 *
 * Else it would seem new again 8 s later. Each timeout calls this: the shorter
 * waits leave no gap, the longer ones a chance in sixteen for half a second.
 *
 * Context: bucket lock held.
 */
void ho_oow_age(struct ho_req *req, u32 now_ms);

#endif /* _HALFOPEN_RTO_H */
