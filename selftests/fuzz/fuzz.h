/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the targets share: bytes of the input as numbers, keys and secrets, and
 * what is said when a property does not hold.
 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <halfopen/key.h>

/* What each target has: called by libFuzzer, under the name that it wants. */
int fuzz_one(const u8 *data, size_t size) __asm__("LLVMFuzzerTestOneInput");

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			fprintf(stderr, "%s:%d: does not hold: %s\n",	\
				__FILE__, __LINE__, #cond);		\
			abort();					\
		}							\
	} while (0)

struct input {
	const u8 *p;
	size_t left;
};

/* What is behind the end is 0. */
static inline u64 take(struct input *in, size_t bytes)
{
	u64 v = 0;

	for (; bytes && in->left; bytes--, in->left--)
		v = v << 8 | *in->p++;
	return v;
}

static inline u8 take_u8(struct input *in)
{
	return take(in, 1);
}

static inline u16 take_u16(struct input *in)
{
	return take(in, 2);
}

static inline u32 take_u32(struct input *in)
{
	return take(in, 4);
}

static inline u64 take_u64(struct input *in)
{
	return take(in, 8);
}

static inline void take_bytes(struct input *in, void *to, size_t len)
{
	u8 *p = to;

	for (; len; len--)
		*p++ = take(in, 1);
}

/* Around @value mostly, where edges are; sometimes anywhere. */
static inline u32 take_near(struct input *in, u32 value)
{
	u8 how = take_u8(in);

	if (how == 0xff)
		return take_u32(in);
	if (how & 0x80)
		return value + (1U << (how & 31)) - 1 + (how >> 5 & 3);
	return value + (how & 0x7f) - 64;
}

/*
 * A copy that ends where its allocation ends: the sanitizer sees a read or a
 * write of one byte more.
 */
static inline u8 *exactly(const u8 *bytes, size_t len)
{
	u8 *p = malloc(len);

	if (len)
		memcpy(p, bytes, len);
	return p;
}

/* Half of them IPv4, half bound to an interface. */
static inline struct ho_key take_key(struct input *in)
{
	struct ho_key key = {};
	u8 how = take_u8(in);

	if (how & 1) {
		u32 raddr = take_u32(in), laddr = take_u32(in);

		ho_key_set_v4(&key, raddr, laddr);
	} else {
		take_bytes(in, &key.raddr, sizeof(key.raddr));
		take_bytes(in, &key.laddr, sizeof(key.laddr));
	}
	key.rport = take_u16(in);
	key.lport = take_u16(in);
	key.iif = how & 2 ? take_u32(in) : 0;
	return key;
}

/* A bit of an IPv4 key's local prefix: all have the same, no hash needs it. */
static inline bool key_bit_is_constant(const struct ho_key *key, size_t bit)
{
	size_t byte = bit / 8 - offsetof(struct ho_key, laddr);

	return ho_key_is_v4(key) && byte < 12;
}

static inline siphash_key_t take_secret(struct input *in)
{
	u64 first = take_u64(in), second = take_u64(in);

	return (siphash_key_t){ { first, second } };
}

#endif /* _FUZZ_H */
