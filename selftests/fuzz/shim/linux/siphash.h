/* SPDX-License-Identifier: GPL-2.0 */
/* SipHash-2-4 after its paper (Aumasson, Bernstein 2012), in user space. */
#ifndef _FUZZ_LINUX_SIPHASH_H
#define _FUZZ_LINUX_SIPHASH_H

#include <string.h>

#include <linux/types.h>

struct siphash_key {
	u64 key[2];
};

#define siphash_key_t struct siphash_key

static inline u64 sip_rotate(u64 x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_round(u64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = sip_rotate(v[1], 13) ^ v[0];
	v[3] = sip_rotate(v[3], 16) ^ v[2];
	v[0] = sip_rotate(v[0], 32) + v[3];
	v[2] += v[1];
	v[1] = sip_rotate(v[1], 17) ^ v[2];
	v[3] = sip_rotate(v[3], 21) ^ v[0];
	v[2] = sip_rotate(v[2], 32);
}

static inline void sip_word(u64 v[4], u64 word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

static inline u64 siphash(const void *data, size_t len,
			  const siphash_key_t *key)
{
	u64 v[4] = {
		key->key[0] ^ 0x736f6d6570736575,
		key->key[1] ^ 0x646f72616e646f6d,
		key->key[0] ^ 0x6c7967656e657261,
		key->key[1] ^ 0x7465646279746573,
	};
	u64 word, last = (u64)len << 56;
	const u8 *p = data;
	int i;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, 8);
		sip_word(v, word);
	}
	for (i = 0; i < (int)len; i++)
		last |= (u64)p[i] << 8 * i;
	sip_word(v, last);
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static inline u64 siphash_2u64(u64 a, u64 b, const siphash_key_t *key)
{
	const u64 words[] = { a, b };

	return siphash(words, sizeof(words), key);
}

static inline u64 siphash_3u32(u32 a, u32 b, u32 c, const siphash_key_t *key)
{
	const u32 words[] = { a, b, c };

	return siphash(words, sizeof(words), key);
}

#endif /* _FUZZ_LINUX_SIPHASH_H */
