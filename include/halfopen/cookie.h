/* SPDX-License-Identifier: GPL-2.0 */
/* Initial sequence numbers and timestamp offsets. */
#ifndef _HALFOPEN_ISN_H
#define _HALFOPEN_ISN_H

#include <linux/siphash.h>

#include <halfopen/types.h>

/**
 * ho_isn() - initial sequence number for a connection
 * @key: the connection
 * @secret: boot-random, another one than the table's
 * @now_ns: a clock in ns
 *
 * A 64 ns clock plus a keyed hash of the 4-tuple: RFC 9293 3.4.1 (MUST-8,
 * MUST-9), RFC 6528 3. Never 0, which means "none" to the stack
 * (tcp_conn_request()).
 *
 * Context: any.
 * Return: the ISN.
 */
u32 ho_isn(const struct ho_key *key, const siphash_key_t *secret, u64 now_ns);

/**
 * ho_isn_ts_off() - timestamp offset for a connection
 * @key: the connection
 * @secret: the same as for ho_isn()
 *
 * Depends on the whole 4-tuple, else offsets leak across ports
 * (RFC 7323 5.4 and 7, CVE-2026-23247).
 *
 * Context: any.
 * Return: what to add to the clock.
 */
u32 ho_isn_ts_off(const struct ho_key *key, const siphash_key_t *secret);

#endif /* _HALFOPEN_ISN_H */
