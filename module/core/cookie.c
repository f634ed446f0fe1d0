// SPDX-License-Identifier: GPL-2.0
/* Initial sequence numbers and timestamp offsets. */
#include <halfopen/isn.h>

#include <halfopen/key.h>

enum {
	CLOCK_SHIFT	= 6,	/* 64 ns: it wraps in 274 s, past 2 MSL */
};

u32 ho_isn(const struct ho_key *key, const siphash_key_t *secret, u64 now_ns)
{
	u32 isn = (u32)ho_key_hash(key, secret) + (u32)(now_ns >> CLOCK_SHIFT);

	return isn ? isn : 1;
}

u32 ho_isn_ts_off(const struct ho_key *key, const siphash_key_t *secret)
{
	return ho_key_hash(key, secret) >> 32;
}
