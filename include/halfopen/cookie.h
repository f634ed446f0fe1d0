/* SPDX-License-Identifier: GPL-2.0 */
/* Initial sequence numbers and timestamp offsets that remember a SYN. */
#ifndef _HALFOPEN_COOKIE_H
#define _HALFOPEN_COOKIE_H

#include <linux/siphash.h>

#include <halfopen/types.h>

/**
 * ho_cookie_isn() - initial sequence number of a connection
 * @key: the connection
 * @req: its rcv_isn, MSS, window scale and SACK are woven in
 * @mac: SipHash key of the moment
 *
 * Unpredictable as RFC 6528 asks, and a cookie: whoever sends it back proves
 * that he received it, and brings back what his SYN said. Never 0, which means
 * "none" to the stack (tcp_conn_request()).
 *
 * Context: any.
 * Return: the ISN.
 */
u32 ho_cookie_isn(const struct ho_key *key, const struct ho_req *req,
		  const siphash_key_t *mac);

/**
 * ho_cookie_check() - is this a cookie of ours, and what does it say?
 * @key: the connection
 * @rcv_isn: the client's ISN, by its own account
 * @isn: what it acknowledges, less one
 * @mac: SipHash key that may have made it
 * @req: on success rcv_isn, snt_isn, mss (a step at or below the client's),
 *	window scale and SACK are set
 *
 * A number drawn at random passes with a chance of 2^-24: of 2^32 there are
 * 2^8, one for each value of the data bits.
 *
 * Context: any.
 * Return: true if so.
 */
bool ho_cookie_check(const struct ho_key *key, u32 rcv_isn, u32 isn,
		     const siphash_key_t *mac, struct ho_req *req);

/**
 * ho_cookie_tells_all() - can a connection do without its entry?
 * @req: the connection
 *
 * ECN is only in the timestamp.
 *
 * Context: any.
 * Return: true if what the client sends back says all that was agreed.
 */
static inline bool ho_cookie_tells_all(const struct ho_req *req)
{
	return !req->ecn_ok || req->ts_rand;
}

/**
 * ho_cookie_ts_off() - timestamp offset of a connection
 * @key: the connection
 * @req: its MSS and ECN are woven in
 * @base: ho_keyring_ts_base(); depends on the whole 4-tuple, else offsets leak
 *	across ports (RFC 7323 7, CVE-2026-23247), and outlives the keys of
 *	ISNs, so that the clock of a 4-tuple runs on from one connection to the
 *	next (RFC 7323 5.4)
 *
 * The 14 bits of data stand above the 18 bits that change while a cookie is
 * valid: our clock goes at its own pace, and the echo says both what was said
 * and when.
 *
 * Context: any.
 * Return: what to add to the ms clock.
 */
u32 ho_cookie_ts_off(const struct ho_key *key, const struct ho_req *req,
		     u32 base);

/**
 * ho_cookie_ts_read() - what the echo of our timestamp says
 * @key: the connection
 * @req: with the MSS step that ho_cookie_check() found; on success its MSS is
 *	the exact one and ECN is set
 * @tsecr: the echo
 * @now_ms: the ms clock that SYN-ACKs carry
 * @base: as for ho_cookie_ts_off()
 * @age_ms: on success, how long ago the SYN-ACK left; negative if it came from
 *	a host whose clock is ahead
 *
 * Context: any.
 * Return: true if the echo is one of our timestamps of the last minutes.
 */
bool ho_cookie_ts_read(const struct ho_key *key, struct ho_req *req, u32 tsecr,
		       u32 now_ms, u32 base, s32 *age_ms);

#endif /* _HALFOPEN_COOKIE_H */
