/* SPDX-License-Identifier: GPL-2.0 */
/* Builders of keys and connections, and random numbers that repeat. */
#ifndef _HALFOPEN_KUNIT_FIXTURES_H
#define _HALFOPEN_KUNIT_FIXTURES_H

#include <linux/prandom.h>
#include <linux/string.h>

#include <halfopen/key.h>
#include <halfopen/types.h>

#define FIX_SECRET	((const siphash_key_t){ { 0x0123456789abcdefULL, \
						  0xfedcba9876543210ULL } })
#define FIX_HSECRET	((const hsiphash_key_t){ { 0x0123456789abcdefUL, \
						   0xfedcba9876543210UL } })

/* The n-th client of one IPv4 server: 198.18.0.0/15, then its ports. */
static inline struct ho_key fix_key_v4(u32 n)
{
	struct ho_key key = {
		.rport = cpu_to_be16(1024 + (n >> 17)),
		.lport = cpu_to_be16(80),
	};

	ho_key_set_v4(&key, cpu_to_be32(0xc6120000 | (n & 0x1ffff)),
		      cpu_to_be32(0xc0000201));
	return key;
}

/* The n-th client of one IPv6 server, in 2001:db8::/32. */
static inline struct ho_key fix_key_v6(u32 n)
{
	return (struct ho_key) {
		.raddr.s6_addr32 = { cpu_to_be32(0x20010db8), 0, 0,
				     cpu_to_be32(n) },
		.laddr.s6_addr32 = { cpu_to_be32(0x20010db8), 0, 0,
				     cpu_to_be32(1) },
		.rport = cpu_to_be16(1024),
		.lport = cpu_to_be16(443),
	};
}

static inline struct ho_conn fix_conn(struct ho_key key)
{
	return (struct ho_conn) {
		.key = key,
		.req = {
			.rcv_isn = 1000,
			.snt_isn = 5000,
			.mss = 1460,
			.win = HO_WIN_UNSCALED_MAX,
		},
	};
}

static inline struct rnd_state fix_random(u64 seed)
{
	struct rnd_state rnd;

	prandom_seed_state(&rnd, seed);
	return rnd;
}

/* A number below @end; the bias is of no matter here. */
static inline u32 fix_below(struct rnd_state *rnd, u32 end)
{
	return prandom_u32_state(rnd) % end;
}

/* Where two sequence numbers meet, off-by-one lives: often that, else any. */
static inline u32 fix_near(struct rnd_state *rnd, u32 value)
{
	static const u32 far[] = { 0, 1U << 31, HO_WIN_UNSCALED_MAX,
				   HO_WIN_UNSCALED_MAX / 2 };

	if (fix_below(rnd, 8) == 0)
		return prandom_u32_state(rnd);
	return value + far[fix_below(rnd, ARRAY_SIZE(far))] +
	       fix_below(rnd, 5) - 2;
}

#endif /* _HALFOPEN_KUNIT_FIXTURES_H */
