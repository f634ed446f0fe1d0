// SPDX-License-Identifier: GPL-2.0
/*
 * The keys of ISNs and timestamp offsets.
 *
 * A secret does not touch packets.  Keys of ISNs are derived from it, one a
 * period of a minute, and the one before still counts.  So a key lives for a
 * minute, hosts that share a secret and the time of day agree on it without
 * talking, and nothing has to happen when nobody connects: who first uses the
 * keys in a new period derives them.
 *
 * Timestamp offsets have a key of their own that stays: the clock that a peer
 * sees must not jump from one connection to the next.
 *
 * Readers copy under the sequence counter of the lock; writers are whoever
 * finds a new period, once a minute, and the administrator.
 */
#include <halfopen/keyring.h>

#include <linux/random.h>
#include <linux/string.h>

enum ho_derived {
	DERIVE_TS	= 1,
	DERIVE_MAC	= 2,
};

static void derive(siphash_key_t *out, const siphash_key_t *root,
		   enum ho_derived what, u32 period)
{
	u64 which = (u64)what << 32 | period;

	out->key[0] = siphash_2u64(which, 0, root);
	out->key[1] = siphash_2u64(which, 1, root);
}

static u32 period_of(const struct ho_keyring *ring, const struct ho_clocks *now)
{
	return (ring->shared ? now->wall_s : now->mono_s) / HO_COOKIE_PERIOD_S;
}

/*
 * A reader whose clocks are a moment old must not turn it back; an
 * administrator who sets the time of day may.
 */
static bool is_stale(const struct ho_keyring *ring, const struct ho_clocks *now)
{
	u32 ahead = ring->period - period_of(ring, now);

	return ahead > 1 || (ahead && ring->shared);
}

static void derive_period_locked(struct ho_keyring *ring, u32 period)
{
	unsigned int i, age;

	for (i = 0; i < ring->nr_secrets; i++)
		for (age = 0; age < 2; age++)
			derive(&ring->mac[i][age], &ring->secret[i].root,
			       DERIVE_MAC, period - age);
	ring->period = period;
}

static void set_shared(struct ho_secret *secret, const siphash_key_t *key)
{
	secret->root = *key;
	derive(&secret->ts, key, DERIVE_TS, 0);
}

static void install(struct ho_keyring *ring, const struct ho_secret *secrets,
		    unsigned int nr, bool shared, const struct ho_clocks *now)
{
	write_seqlock_bh(&ring->lock);
	memzero_explicit(ring->secret, sizeof(ring->secret));
	memzero_explicit(ring->mac, sizeof(ring->mac));
	memcpy(ring->secret, secrets, nr * sizeof(*secrets));
	ring->nr_secrets = nr;
	WRITE_ONCE(ring->shared, shared);
	WRITE_ONCE(ring->changed_s, now->mono_s);
	derive_period_locked(ring, period_of(ring, now));
	write_sequnlock_bh(&ring->lock);
}

void ho_keyring_init(struct ho_keyring *ring)
{
	/* as if long ago: there are no entries of other keys */
	const struct ho_clocks never = { 0 };

	seqlock_init(&ring->lock);
	ho_keyring_auto(ring, &never);
}

void ho_keyring_auto(struct ho_keyring *ring, const struct ho_clocks *now)
{
	struct ho_secret secret = { };

	get_random_bytes(&secret.root, sizeof(secret.root));
	install(ring, &secret, 1, false, now);
	memzero_explicit(&secret, sizeof(secret));
}

void ho_keyring_set(struct ho_keyring *ring, const siphash_key_t *key,
		    const siphash_key_t *previous, const struct ho_clocks *now)
{
	struct ho_secret secrets[2];

	set_shared(&secrets[0], key);
	if (previous)
		set_shared(&secrets[1], previous);
	install(ring, secrets, previous ? 2 : 1, true, now);
	memzero_explicit(secrets, sizeof(secrets));
}

bool ho_keyring_changed(const struct ho_keyring *ring,
			const struct ho_clocks *now, u32 within_s)
{
	u32 changed_s = READ_ONCE(ring->changed_s);

	return changed_s && now->mono_s - changed_s <= within_s;
}

/* Derive what a new period needs, unless somebody else just did. */
static void turn(struct ho_keyring *ring, const struct ho_clocks *now)
{
	write_seqlock_bh(&ring->lock);
	if (is_stale(ring, now))
		derive_period_locked(ring, period_of(ring, now));
	write_sequnlock_bh(&ring->lock);
}

void ho_keyring_current(struct ho_keyring *ring, const struct ho_clocks *now,
			struct ho_cookie_key *key)
{
	unsigned int seq;
	bool stale;

	do {
		seq = read_seqbegin(&ring->lock);
		stale = is_stale(ring, now);
		key->mac = ring->mac[0][0];
		key->shared = ring->shared;
		key->ts = ring->secret[0].ts;
		if (stale)
			turn(ring, now);
	} while (stale || read_seqretry(&ring->lock, seq));
}

unsigned int ho_keyring_valid(struct ho_keyring *ring,
			      const struct ho_clocks *now,
			      struct ho_cookie_key keys[HO_COOKIE_KEYS])
{
	unsigned int i, age, nr, seq;
	bool stale;

	do {
		nr = 0;
		seq = read_seqbegin(&ring->lock);
		stale = is_stale(ring, now);
		for (i = 0; i < ring->nr_secrets; i++)
			for (age = 0; age < 2; age++, nr++) {
				keys[nr].mac = ring->mac[i][age];
				keys[nr].shared = ring->shared;
				keys[nr].ts = ring->secret[i].ts;
			}
		if (stale)
			turn(ring, now);
	} while (stale || read_seqretry(&ring->lock, seq));
	return nr;
}
