/* SPDX-License-Identifier: GPL-2.0 */
/* The keys of ISNs and timestamp offsets. */
#ifndef _HALFOPEN_KEYRING_H
#define _HALFOPEN_KEYRING_H

#include <linux/seqlock.h>
#include <linux/siphash.h>
#include <linux/ktime.h>

#include <halfopen/key.h>
#include <halfopen/limits.h>

/**
 * struct ho_clocks - the moment, by the clocks that keys follow
 * @mono_s: seconds of a clock that nobody sets
 * @wall_s: seconds since 1970, the same on all hosts of a cluster
 */
struct ho_clocks {
	u32 mono_s;
	u32 wall_s;
};

/**
 * ho_clocks_now() - read them
 *
 * Context: any.
 * Return: both.
 */
static inline struct ho_clocks ho_clocks_now(void)
{
	return (struct ho_clocks) {
		.mono_s = ktime_get_seconds(),
		.wall_s = ktime_get_real_seconds(),
	};
}

/**
 * struct ho_cookie_key - what a cookie is made with
 * @mac: of the ISN
 * @shared: other hosts make cookies with it
 * @ts: of the timestamp offset, only where it is shared
 */
struct ho_cookie_key {
	siphash_key_t mac;
	bool shared;
	siphash_key_t ts;
};

/**
 * struct ho_secret - where keys come from
 * @root: ISN keys of all periods follow from it
 * @ts: of timestamp offsets, the same in all periods, only of a shared secret
 */
struct ho_secret {
	siphash_key_t root;
	siphash_key_t ts;
};

/**
 * struct ho_keyring - the keys of a namespace
 * @lock: see keyring.c
 * @shared: set by the administrator; periods follow the wall clock
 * @changed_s: mono_s when the secrets were last set
 * @nr_secrets: 2 while a cluster changes its key, else 1
 * @secret: the one that makes cookies first
 * @period: of @mac
 * @mac: ISN keys by secret and age in periods
 */
struct ho_keyring {
	seqlock_t lock;		/* everything below */
	bool shared;
	u32 changed_s;
	unsigned int nr_secrets;
	struct ho_secret secret[2];
	u32 period;
	siphash_key_t mac[2][2];
};

/**
 * ho_keyring_init() - start with a random secret
 * @ring: the keys
 *
 * Context: process.
 */
void ho_keyring_init(struct ho_keyring *ring);

/**
 * ho_keyring_set() - share the key of a cluster
 * @ring: the keys
 * @key: the cluster's key
 * @previous: the one before, whose cookies still count, or NULL
 * @now: clocks
 *
 * Context: process.
 */
void ho_keyring_set(struct ho_keyring *ring, const siphash_key_t *key,
		    const siphash_key_t *previous, const struct ho_clocks *now);

/**
 * ho_keyring_auto() - go back to a random secret
 * @ring: the keys
 * @now: clocks
 *
 * Context: process.
 */
void ho_keyring_auto(struct ho_keyring *ring, const struct ho_clocks *now);

/**
 * ho_keyring_shared() - do other hosts make cookies with these keys?
 * @ring: the keys
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool ho_keyring_shared(const struct ho_keyring *ring)
{
	return READ_ONCE(ring->shared);
}

/**
 * ho_keyring_changed() - was a secret set while living entries were made?
 * @ring: the keys
 * @now: clocks
 * @within_s: how old an entry may be, seconds
 *
 * Context: any.
 * Return: true if so.
 */
bool ho_keyring_changed(const struct ho_keyring *ring,
			const struct ho_clocks *now, u32 within_s);

/**
 * ho_keyring_current() - the key that makes cookies now
 * @ring: the keys
 * @now: clocks
 * @key: filled
 *
 * Context: any; takes the ring's lock when a period begins.
 */
void ho_keyring_current(struct ho_keyring *ring, const struct ho_clocks *now,
			struct ho_cookie_key *key);

/**
 * ho_keyring_valid() - the keys whose cookies count now
 * @ring: the keys
 * @now: clocks
 * @keys: filled, likeliest first
 *
 * Those of this period and of the one before: a cookie lives 60 to 120 s.
 *
 * Context: any; takes the ring's lock when a period begins.
 * Return: how many.
 */
unsigned int ho_keyring_valid(struct ho_keyring *ring,
			      const struct ho_clocks *now,
			      struct ho_cookie_key keys[HO_COOKIE_KEYS]);

/**
 * ho_keyring_ts_base() - where the timestamps of a connection begin
 * @by: the key that its cookies are made with
 * @key: the connection
 * @hash: ho_table_hash() of @key
 *
 * No other host needs to agree with a secret of our own: then the half of the
 * hash that chooses no bucket will do, and saves another one.
 *
 * Context: any.
 * Return: for ho_cookie_ts_off().
 */
static inline u32 ho_keyring_ts_base(const struct ho_cookie_key *by,
				     const struct ho_key *key, u64 hash)
{
	return (by->shared ? ho_key_hash(key, &by->ts) : hash) >> 32;
}

#endif /* _HALFOPEN_KEYRING_H */
