/* SPDX-License-Identifier: GPL-2.0 */
/* Building, comparing and hashing the identity of a connection. */
#ifndef _HALFOPEN_KEY_H
#define _HALFOPEN_KEY_H

#include <linux/siphash.h>

#include <halfopen/types.h>

/**
 * ho_key_is_v4() - does the key name an IPv4 connection?
 * @key: the key
 *
 * An IPv6 packet with a mapped address never becomes a key: the stack rejects
 * it (tcp_v6_conn_request()).
 *
 * Context: any.
 * Return: true for IPv4.
 */
static inline bool ho_key_is_v4(const struct ho_key *key)
{
	return !key->raddr.s6_addr32[0] && !key->raddr.s6_addr32[1] &&
	       key->raddr.s6_addr32[2] == cpu_to_be32(0xffff);
}

/**
 * ho_key_set_v4() - fill a key from IPv4 addresses
 * @key: filled
 * @raddr: remote address
 * @laddr: local address
 *
 * Ports and interface are left to the caller.
 *
 * Context: any.
 */
void ho_key_set_v4(struct ho_key *key, __be32 raddr, __be32 laddr);

/**
 * ho_key_equal() - are two keys the same connection?
 * @a: one
 * @b: the other
 *
 * Context: any.
 * Return: true if every field is equal.
 */
bool ho_key_equal(const struct ho_key *a, const struct ho_key *b);

/**
 * ho_key_hash() - keyed hash of a connection's identity
 * @key: the key
 * @secret: boot-random; what an attacker must not know
 *
 * SipHash, because the input is the attacker's choice (CVE-2023-1206).
 *
 * Context: any.
 * Return: 64 bits whose halves may be used independently.
 */
u64 ho_key_hash(const struct ho_key *key, const siphash_key_t *secret);

#endif /* _HALFOPEN_KEY_H */
