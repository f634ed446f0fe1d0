// SPDX-License-Identifier: GPL-2.0
/*
 * Identities of connections.  Input: a key, another one, a secret,
 * where to change bits.
 *
 * Equality is that of every field; the hash is SipHash over all of the key, or
 * over the twelve bytes that count where it is IPv4.
 */
#include "fuzz.h"

#include <halfopen/key.h>

enum { BITS = 8 };	/* that are changed, of 320 */

static u64 reference_hash(const struct ho_key *key, const siphash_key_t *secret)
{
	u8 bytes[40];

	if (!ho_key_is_v4(key) || key->iif) {
		memcpy(bytes, &key->raddr, 16);
		memcpy(bytes + 16, &key->laddr, 16);
		memcpy(bytes + 32, &key->rport, 2);
		memcpy(bytes + 34, &key->lport, 2);
		memcpy(bytes + 36, &key->iif, 4);
		return siphash(bytes, 40, secret);
	}
	memcpy(bytes, &key->raddr.s6_addr[12], 4);
	memcpy(bytes + 4, &key->laddr.s6_addr[12], 4);
	memcpy(bytes + 8, &key->lport, 2);
	memcpy(bytes + 10, &key->rport, 2);
	return siphash(bytes, 12, secret);
}

/* One bit is another connection, with another hash (one chance in 2^64). */
static void check_bits(const struct ho_key *key, const siphash_key_t *secret,
		       u32 first)
{
	u64 hash = ho_key_hash(key, secret);
	struct ho_key other;
	int i;

	for (i = 0; i < BITS; i++) {
		size_t bit = (first + i * 37) % (sizeof(other) * 8);

		other = *key;
		((u8 *)&other)[bit / 8] ^= 1 << bit % 8;
		CHECK(!ho_key_equal(key, &other));
		CHECK(!ho_key_equal(&other, key));
		CHECK(hash != ho_key_hash(&other, secret) ||
		      key_bit_is_constant(key, bit));
	}
}

int fuzz_one(const u8 *data, size_t size)
{
	static const siphash_key_t paper = { { 0x0706050403020100,
					       0x0f0e0d0c0b0a0908 } };
	struct input in = { data, size };
	struct ho_key a = take_key(&in);
	struct ho_key b = take_key(&in);
	const siphash_key_t secret = take_secret(&in);
	u8 message[15];
	u8 i;

	/* the paper's own example: what the shim computes is SipHash */
	for (i = 0; i < sizeof(message); i++)
		message[i] = i;
	CHECK(siphash(message, sizeof(message), &paper) == 0xa129ca6149be45e5);
	CHECK(ho_key_hash(&a, &secret) == reference_hash(&a, &secret));
	CHECK(ho_key_hash(&b, &secret) == reference_hash(&b, &secret));
	CHECK(ho_key_equal(&a, &a) && ho_key_equal(&b, &b));
	CHECK(ho_key_equal(&a, &b) == !memcmp(&a, &b, sizeof(a)));
	check_bits(&a, &secret, take_u16(&in));
	return 0;
}
