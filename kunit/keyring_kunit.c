// SPDX-License-Identifier: GPL-2.0
/* Which keys count when: with clocks of the test's own. */
#include <kunit/test.h>

#include <linux/slab.h>

#include <halfopen/cookie.h>
#include <halfopen/keyring.h>

#include "fixtures.h"

enum {
	PERIOD_S	= HO_COOKIE_PERIOD_S,
	/* a moment at which a period begins on both clocks, long after boot */
	START_S		= 1000 * PERIOD_S,
	HOUR_S		= 3600,
};

#define FIX_CLUSTER	((const siphash_key_t){ { 1, 2 } })
#define FIX_OTHER	((const siphash_key_t){ { 1, 3 } })

static struct ho_clocks at(u32 s)
{
	return (struct ho_clocks) { .mono_s = s, .wall_s = s };
}

static struct ho_keyring *make_ring(struct kunit *test)
{
	struct ho_keyring *ring;

	ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, ring);
	ho_keyring_init(ring);
	return ring;
}

static struct ho_keyring *make_shared(struct kunit *test,
				      const siphash_key_t *key,
				      const siphash_key_t *previous)
{
	struct ho_keyring *ring = make_ring(test);
	struct ho_clocks now = at(START_S);

	ho_keyring_set(ring, key, previous, &now);
	return ring;
}

static struct ho_cookie_key current_key(struct ho_keyring *ring,
					struct ho_clocks now)
{
	struct ho_cookie_key key;

	ho_keyring_current(ring, &now, &key);
	return key;
}

static bool same_mac(struct ho_cookie_key a, struct ho_cookie_key b)
{
	return !memcmp(&a.mac, &b.mac, sizeof(a.mac));
}

static bool same_ts(struct ho_cookie_key a, struct ho_cookie_key b)
{
	return !memcmp(&a.ts, &b.ts, sizeof(a.ts));
}

/* The cookie that a SYN gets. */
static u32 make_cookie(struct ho_keyring *ring, struct ho_clocks now)
{
	struct ho_conn conn = fix_conn(fix_key_v4(1));
	struct ho_cookie_key key = current_key(ring, now);

	return ho_cookie_isn(&conn.key, &conn.req, &key.mac);
}

/* Is it one when it comes back?  As stateless.c asks. */
static bool accepts(struct ho_keyring *ring, struct ho_clocks now, u32 isn)
{
	struct ho_conn conn = fix_conn(fix_key_v4(1));
	struct ho_cookie_key keys[HO_COOKIE_KEYS];
	unsigned int i, nr;
	struct ho_req got;

	nr = ho_keyring_valid(ring, &now, keys);
	for (i = 0; i < nr; i++)
		if (ho_cookie_check(&conn.key, conn.req.rcv_isn, isn,
				    &keys[i].mac, &got))
			return true;
	return false;
}

struct ring_case {
	const char *name;
	bool shared;
};

static const struct ring_case rings[] = {
	{ "of_its_own", false },
	{ "of_a_cluster", true },
};

KUNIT_ARRAY_PARAM_DESC(rings, rings, name);

static struct ho_keyring *make_kind(struct kunit *test)
{
	const struct ring_case *c = test->param_value;
	struct ho_keyring *ring;

	ring = c->shared ? make_shared(test, &FIX_CLUSTER, NULL) :
			   make_ring(test);
	KUNIT_EXPECT_EQ(test, ho_keyring_shared(ring), c->shared);
	return ring;
}

/* --- periods -------------------------------------------------------------- */

static void key_lives_for_a_period(struct kunit *test)
{
	struct ho_keyring *ring = make_kind(test);
	struct ho_cookie_key first = current_key(ring, at(START_S));
	u32 s;

	for (s = 0; s < PERIOD_S; s++)
		KUNIT_ASSERT_TRUE(test, same_mac(current_key(ring,
							     at(START_S + s)),
						 first));
	KUNIT_EXPECT_FALSE(test, same_mac(current_key(ring, at(START_S + s)),
					  first));
}

static void no_key_comes_twice(struct kunit *test)
{
	enum { PERIODS = 200 };
	struct ho_keyring *ring = make_kind(test);
	struct ho_cookie_key *seen;
	u32 i, j;

	seen = kunit_kcalloc(test, PERIODS, sizeof(*seen), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (i = 0; i < PERIODS; i++) {
		seen[i] = current_key(ring, at(START_S + i * PERIOD_S));
		for (j = 0; j < i; j++)
			KUNIT_ASSERT_FALSE(test, same_mac(seen[i], seen[j]));
	}
}

static void key_changes_once_a_minute_at_most(struct kunit *test)
{
	struct ho_keyring *ring = make_kind(test);
	struct ho_cookie_key last = current_key(ring, at(START_S)), next;
	u32 s, changed_s = START_S, changes = 0;

	for (s = START_S; s < START_S + HOUR_S; s++) {
		next = current_key(ring, at(s));
		if (same_mac(next, last))
			continue;
		KUNIT_EXPECT_GE(test, s - changed_s, PERIOD_S);
		changed_s = s;
		last = next;
		changes++;
	}
	KUNIT_EXPECT_EQ(test, changes, HOUR_S / PERIOD_S - 1);
}

/* From every second of a period, at every second of the next three. */
static void cookie_counts_in_its_period_and_the_next(struct kunit *test)
{
	u32 made, asked;

	for (made = 0; made < PERIOD_S; made++) {
		struct ho_keyring *ring = make_kind(test);
		u32 isn = make_cookie(ring, at(START_S + made));

		for (asked = made; asked < 4 * PERIOD_S; asked++)
			KUNIT_ASSERT_EQ_MSG(test,
					    accepts(ring, at(START_S + asked),
						    isn),
					    asked < 2 * PERIOD_S,
					    "made %u, asked %u", made, asked);
	}
}

static void cookie_is_refused_after_a_long_sleep(struct kunit *test)
{
	static const u32 asleep[] = { 2, 3, 60, 1 << 20 };
	struct ho_keyring *ring = make_kind(test);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(asleep); i++) {
		u32 isn = make_cookie(ring, at(START_S));

		KUNIT_EXPECT_FALSE(test,
				   accepts(ring, at(START_S +
						    asleep[i] * PERIOD_S),
					   isn));
	}
}

static void keys_of_two_periods_count(struct kunit *test)
{
	struct ho_keyring *ring = make_kind(test);
	struct ho_cookie_key before, now, keys[HO_COOKIE_KEYS];
	struct ho_clocks clocks = at(START_S + PERIOD_S);

	before = current_key(ring, at(START_S));
	now = current_key(ring, clocks);
	KUNIT_ASSERT_EQ(test, ho_keyring_valid(ring, &clocks, keys), 2);
	/* most ACKs come at once */
	KUNIT_EXPECT_TRUE(test, same_mac(keys[0], now));
	KUNIT_EXPECT_TRUE(test, same_mac(keys[1], before));
}

static void first_period_after_boot_has_one_before_it(struct kunit *test)
{
	struct ho_keyring *ring = make_kind(test);
	struct ho_cookie_key keys[HO_COOKIE_KEYS];
	struct ho_clocks clocks = at(0);
	u32 isn = make_cookie(ring, clocks);

	KUNIT_ASSERT_EQ(test, ho_keyring_valid(ring, &clocks, keys), 2);
	KUNIT_EXPECT_FALSE(test, same_mac(keys[0], keys[1]));
	KUNIT_EXPECT_TRUE(test, accepts(ring, at(2 * PERIOD_S - 1), isn));
	KUNIT_EXPECT_FALSE(test, accepts(ring, at(2 * PERIOD_S), isn));
}

/*
 * CPUs and readers whose clocks were read a moment ago see the edge late, and
 * the time of day is corrected now and then.
 */
static void clock_may_step_back_at_the_edge_of_a_period(struct kunit *test)
{
	struct ho_keyring *ring = make_kind(test);
	struct ho_clocks before = at(START_S + PERIOD_S - 1);
	struct ho_clocks after = at(START_S + PERIOD_S);
	u32 old = make_cookie(ring, before), isn, n;

	for (n = 0; n < 100; n++) {
		current_key(ring, after);
		isn = make_cookie(ring, before);
		KUNIT_ASSERT_TRUE(test, accepts(ring, before, old));
		KUNIT_ASSERT_TRUE(test, accepts(ring, after, old));
		KUNIT_ASSERT_TRUE(test, accepts(ring, before, isn));
		KUNIT_ASSERT_TRUE(test, accepts(ring, after, isn));
	}
}

/* Nobody else has to agree: so there is no going back and forth. */
static void own_ring_turns_once(struct kunit *test)
{
	struct ho_keyring *ring = make_ring(test);
	struct ho_cookie_key turned;

	turned = current_key(ring, at(START_S + PERIOD_S));
	KUNIT_EXPECT_TRUE(test, same_mac(current_key(ring, at(START_S +
							      PERIOD_S - 1)),
					 turned));
}

/* Its clock was wrong, those of the others were not. */
static void shared_ring_follows_a_correction(struct kunit *test)
{
	struct ho_keyring *a = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_keyring *b = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_clocks now = at(START_S + PERIOD_S - 1);

	current_key(a, at(START_S + PERIOD_S));
	KUNIT_EXPECT_TRUE(test, same_mac(current_key(a, now),
					 current_key(b, now)));
	KUNIT_EXPECT_TRUE(test, accepts(b, now, make_cookie(a, now)));
}

/* An administrator sets the date. */
static void clock_may_be_set_back_by_much(struct kunit *test)
{
	struct ho_keyring *ring = make_kind(test);
	u32 isn;

	make_cookie(ring, at(START_S + HOUR_S));
	isn = make_cookie(ring, at(START_S));
	KUNIT_EXPECT_TRUE(test, accepts(ring, at(START_S), isn));
	KUNIT_EXPECT_TRUE(test, accepts(ring, at(START_S + PERIOD_S), isn));
	KUNIT_EXPECT_FALSE(test, accepts(ring, at(START_S + 2 * PERIOD_S),
					 isn));
}

/* RFC 7323 5.4: the clock that a peer sees does not jump. */
static void timestamp_key_stays(struct kunit *test)
{
	struct ho_keyring *ring = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_cookie_key first = current_key(ring, at(START_S));
	struct ho_cookie_key keys[HO_COOKIE_KEYS];
	struct ho_clocks now;
	u32 s, i, nr;

	for (s = START_S; s < START_S + HOUR_S; s += PERIOD_S / 2) {
		now = at(s);
		KUNIT_ASSERT_TRUE(test, same_ts(current_key(ring, now), first));
		nr = ho_keyring_valid(ring, &now, keys);
		for (i = 0; i < nr; i++)
			KUNIT_ASSERT_TRUE(test, same_ts(keys[i], first));
	}
	KUNIT_EXPECT_NE(test, memcmp(&first.ts, &first.mac, sizeof(first.ts)),
			0);
}

/* One hash less, where nobody else has to agree. */
static void own_timestamps_begin_with_the_hash(struct kunit *test)
{
	struct ho_cookie_key own = current_key(make_ring(test), at(START_S));
	struct ho_key key = fix_key_v4(1);

	KUNIT_EXPECT_EQ(test, ho_keyring_ts_base(&own, &key,
						 0x123456789abcdef0ULL),
			0x12345678);
}

static void shared_timestamps_do_not(struct kunit *test)
{
	struct ho_keyring *ring = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_keyring *changed = make_shared(test, &FIX_OTHER,
						 &FIX_CLUSTER);
	struct ho_cookie_key by = current_key(ring, at(START_S));
	struct ho_key key = fix_key_v4(1), other = fix_key_v4(2);
	struct ho_cookie_key keys[HO_COOKIE_KEYS];
	const struct ho_clocks now = at(START_S);
	u32 base = ho_keyring_ts_base(&by, &key, 0);

	KUNIT_EXPECT_EQ(test, ho_keyring_ts_base(&by, &key, ~0ULL), base);
	KUNIT_EXPECT_NE(test, ho_keyring_ts_base(&by, &other, 0), base);
	KUNIT_ASSERT_EQ(test, ho_keyring_valid(changed, &now, keys), 4);
	KUNIT_EXPECT_NE(test, ho_keyring_ts_base(&keys[0], &key, 0), base);
	KUNIT_EXPECT_EQ(test, ho_keyring_ts_base(&keys[2], &key, 0), base);
}

/* --- which clock ---------------------------------------------------------- */

struct clock_case {
	const char *name;
	bool shared, wall;
	bool turns;
};

static const struct clock_case clocks[] = {
	{ "own_keys_follow_the_monotonic_clock", false, false, true },
	{ "own_keys_ignore_the_wall_clock", false, true, false },
	{ "shared_keys_follow_the_wall_clock", true, true, true },
	{ "shared_keys_ignore_the_monotonic_clock", true, false, false },
};

KUNIT_ARRAY_PARAM_DESC(clocks, clocks, name);

static void in_time(struct kunit *test)
{
	const struct clock_case *c = test->param_value;
	struct rnd_state rnd = fix_random(9);
	struct ho_keyring *ring;
	struct ho_cookie_key first;
	u32 isn, n;

	ring = c->shared ? make_shared(test, &FIX_CLUSTER, NULL) :
			   make_ring(test);
	first = current_key(ring, at(START_S));
	isn = make_cookie(ring, at(START_S));
	for (n = 0; n < 1000; n++) {
		struct ho_clocks now = at(START_S);
		u32 moved = START_S + 2 * PERIOD_S + fix_below(&rnd, HOUR_S);

		*(c->wall ? &now.wall_s : &now.mono_s) = moved;
		KUNIT_ASSERT_EQ(test, same_mac(current_key(ring, now), first),
				!c->turns);
		KUNIT_ASSERT_EQ(test, accepts(ring, now, isn), !c->turns);
	}
}

/* --- clusters ------------------------------------------------------------- */

static void hosts_of_a_cluster_agree(struct kunit *test)
{
	struct ho_keyring *a = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_keyring *b = make_shared(test, &FIX_CLUSTER, NULL);
	u32 s;

	for (s = 0; s < HOUR_S; s += 7) {
		/* booted at other times */
		struct ho_clocks now_a = { .mono_s = s, .wall_s = START_S + s };
		struct ho_clocks now_b = { .mono_s = 12345 + s,
					   .wall_s = START_S + s };
		struct ho_cookie_key key_a = current_key(a, now_a);
		struct ho_cookie_key key_b = current_key(b, now_b);

		KUNIT_ASSERT_TRUE(test, same_mac(key_a, key_b));
		KUNIT_ASSERT_TRUE(test, same_ts(key_a, key_b));
		KUNIT_ASSERT_TRUE(test, accepts(b, now_b,
						make_cookie(a, now_a)));
	}
}

/* One gives a cookie, it comes back to another, at any time of a period. */
static void cookie_counts_on_another_host(struct kunit *test)
{
	u32 made, asked;

	for (made = 0; made < PERIOD_S; made++) {
		struct ho_keyring *a = make_shared(test, &FIX_CLUSTER, NULL);
		struct ho_keyring *b = make_shared(test, &FIX_CLUSTER, NULL);
		u32 isn = make_cookie(a, at(START_S + made));

		for (asked = made; asked < 3 * PERIOD_S; asked++)
			KUNIT_ASSERT_EQ(test, accepts(b, at(START_S + asked),
						      isn),
					asked < 2 * PERIOD_S);
	}
}

static void host_whose_clock_is_behind_takes_older_cookies(struct kunit *test)
{
	struct ho_keyring *a = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_keyring *b = make_shared(test, &FIX_CLUSTER, NULL);
	u32 isn = make_cookie(a, at(START_S + PERIOD_S / 2));

	KUNIT_EXPECT_TRUE(test, accepts(b, at(START_S), isn));
	KUNIT_EXPECT_TRUE(test, accepts(b, at(START_S + PERIOD_S), isn));
}

static void clusters_do_not_mix(struct kunit *test)
{
	struct ho_keyring *a = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_keyring *b = make_shared(test, &FIX_OTHER, NULL);
	u32 s;

	for (s = START_S; s < START_S + HOUR_S; s += PERIOD_S / 3) {
		struct ho_cookie_key key_a = current_key(a, at(s));
		struct ho_cookie_key key_b = current_key(b, at(s));

		KUNIT_ASSERT_FALSE(test, same_mac(key_a, key_b));
		KUNIT_ASSERT_FALSE(test, same_ts(key_a, key_b));
		KUNIT_ASSERT_FALSE(test, accepts(b, at(s),
						 make_cookie(a, at(s))));
	}
}

static void every_bit_of_a_secret_counts(struct kunit *test)
{
	struct ho_keyring *a = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_cookie_key want = current_key(a, at(START_S));
	unsigned int bit;

	for (bit = 0; bit < 8 * sizeof(siphash_key_t); bit++) {
		siphash_key_t other = FIX_CLUSTER;
		struct ho_cookie_key got;

		((u8 *)&other)[bit / 8] ^= 1 << bit % 8;
		got = current_key(make_shared(test, &other, NULL), at(START_S));
		KUNIT_ASSERT_FALSE(test, same_mac(got, want));
		KUNIT_ASSERT_FALSE(test, same_ts(got, want));
	}
}

/* The secret itself never meets a packet. */
static void secret_is_not_a_key(struct kunit *test)
{
	struct ho_keyring *ring = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_cookie_key key = current_key(ring, at(START_S));
	const siphash_key_t secret = FIX_CLUSTER;

	KUNIT_EXPECT_NE(test, memcmp(&key.mac, &secret, sizeof(secret)), 0);
	KUNIT_EXPECT_NE(test, memcmp(&key.ts, &secret, sizeof(secret)), 0);
	KUNIT_EXPECT_NE(test, key.mac.key[0], key.mac.key[1]);
	KUNIT_EXPECT_NE(test, key.ts.key[0], key.ts.key[1]);
}

/* --- secrets that change -------------------------------------------------- */

static void previous_secret_still_counts(struct kunit *test)
{
	struct ho_keyring *old = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_keyring *both = make_shared(test, &FIX_OTHER, &FIX_CLUSTER);
	struct ho_keyring *next = make_shared(test, &FIX_OTHER, NULL);
	struct ho_cookie_key keys[HO_COOKIE_KEYS];
	struct ho_clocks now;
	u32 s;

	for (s = START_S; s < START_S + HOUR_S; s += PERIOD_S / 3) {
		now = at(s);
		KUNIT_ASSERT_EQ(test, ho_keyring_valid(both, &now, keys),
				HO_COOKIE_KEYS);
		KUNIT_ASSERT_TRUE(test, accepts(both, now,
						make_cookie(old, now)));
		KUNIT_ASSERT_TRUE(test, accepts(both, now,
						make_cookie(next, now)));
		/* cookies of its own are the new one's */
		KUNIT_ASSERT_TRUE(test, accepts(next, now,
						make_cookie(both, now)));
		KUNIT_ASSERT_FALSE(test, accepts(old, now,
						 make_cookie(both, now)));
	}
}

/* What goes with a cookie's key is the timestamp key of the same secret. */
static void timestamps_go_with_their_secret(struct kunit *test)
{
	struct ho_keyring *old = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_keyring *both = make_shared(test, &FIX_OTHER, &FIX_CLUSTER);
	struct ho_cookie_key keys[HO_COOKIE_KEYS], want;
	struct ho_clocks now = at(START_S);
	unsigned int i, nr, found = 0;

	want = current_key(old, now);
	nr = ho_keyring_valid(both, &now, keys);
	for (i = 0; i < nr; i++) {
		found += same_mac(keys[i], want);
		if (same_mac(keys[i], want))
			KUNIT_EXPECT_TRUE(test, same_ts(keys[i], want));
	}
	KUNIT_EXPECT_EQ(test, found, 1);
}

static void secret_that_is_taken_away_counts_no_more(struct kunit *test)
{
	struct ho_keyring *ring = make_shared(test, &FIX_OTHER, &FIX_CLUSTER);
	struct ho_keyring *old = make_shared(test, &FIX_CLUSTER, NULL);
	struct ho_clocks now = at(START_S);
	u32 isn = make_cookie(old, now);

	KUNIT_EXPECT_TRUE(test, accepts(ring, now, isn));
	ho_keyring_set(ring, &FIX_OTHER, NULL, &now);
	KUNIT_EXPECT_FALSE(test, accepts(ring, now, isn));
}

static void going_back_to_a_random_secret_ends_sharing(struct kunit *test)
{
	struct ho_keyring *ring = make_shared(test, &FIX_OTHER, &FIX_CLUSTER);
	struct ho_cookie_key keys[HO_COOKIE_KEYS];
	struct ho_clocks now = at(START_S);
	u32 isn = make_cookie(ring, now), next;

	ho_keyring_auto(ring, &now);
	KUNIT_EXPECT_FALSE(test, ho_keyring_shared(ring));
	KUNIT_EXPECT_EQ(test, ho_keyring_valid(ring, &now, keys), 2);
	KUNIT_EXPECT_FALSE(test, accepts(ring, now, isn));
	next = make_cookie(ring, now);
	KUNIT_EXPECT_TRUE(test, accepts(ring, now, next));
}

static void random_secrets_differ(struct kunit *test)
{
	struct ho_keyring *a = make_ring(test), *b = make_ring(test);
	struct ho_clocks now = at(START_S);
	struct ho_cookie_key first = current_key(a, now);

	KUNIT_EXPECT_FALSE(test, same_mac(first, current_key(b, now)));
	ho_keyring_auto(a, &now);
	KUNIT_EXPECT_FALSE(test, same_mac(first, current_key(a, now)));
}

static void new_ring_never_changed(struct kunit *test)
{
	struct ho_keyring *ring = make_ring(test);
	u32 s;

	for (s = 0; s < HOUR_S; s += 10) {
		struct ho_clocks now = at(s);

		KUNIT_ASSERT_FALSE(test, ho_keyring_changed(ring, &now,
							    U32_MAX));
	}
}

/* For as long as an entry of the time before may live. */
static void change_is_known_for_a_while(struct kunit *test)
{
	enum { WITHIN_S = 63 };
	struct ho_keyring *ring = make_ring(test);
	struct ho_clocks set = { .mono_s = 500, .wall_s = 9 };
	u32 round, s;

	for (round = 0; round < 3; round++) {
		if (round == 1)
			ho_keyring_auto(ring, &set);
		else
			ho_keyring_set(ring, &FIX_CLUSTER, NULL, &set);
		for (s = 0; s <= 3 * WITHIN_S; s++) {
			struct ho_clocks now = {
				.mono_s = set.mono_s + s,
				/* of no matter, even if somebody sets it */
				.wall_s = 1000 * s,
			};

			KUNIT_ASSERT_EQ(test,
					ho_keyring_changed(ring, &now,
							   WITHIN_S),
					s <= WITHIN_S);
		}
		set.mono_s += HOUR_S;
	}
}

static struct kunit_case keyring_cases[] = {
	KUNIT_CASE_PARAM(key_lives_for_a_period, rings_gen_params),
	KUNIT_CASE_PARAM(no_key_comes_twice, rings_gen_params),
	KUNIT_CASE_PARAM(key_changes_once_a_minute_at_most, rings_gen_params),
	KUNIT_CASE_PARAM(cookie_counts_in_its_period_and_the_next,
			 rings_gen_params),
	KUNIT_CASE_PARAM(cookie_is_refused_after_a_long_sleep,
			 rings_gen_params),
	KUNIT_CASE_PARAM(keys_of_two_periods_count, rings_gen_params),
	KUNIT_CASE_PARAM(first_period_after_boot_has_one_before_it,
			 rings_gen_params),
	KUNIT_CASE_PARAM(clock_may_step_back_at_the_edge_of_a_period,
			 rings_gen_params),
	KUNIT_CASE(own_ring_turns_once),
	KUNIT_CASE(shared_ring_follows_a_correction),
	KUNIT_CASE_PARAM(clock_may_be_set_back_by_much, rings_gen_params),
	KUNIT_CASE(timestamp_key_stays),
	KUNIT_CASE(own_timestamps_begin_with_the_hash),
	KUNIT_CASE(shared_timestamps_do_not),
	KUNIT_CASE_PARAM(in_time, clocks_gen_params),
	KUNIT_CASE(hosts_of_a_cluster_agree),
	KUNIT_CASE(cookie_counts_on_another_host),
	KUNIT_CASE(host_whose_clock_is_behind_takes_older_cookies),
	KUNIT_CASE(clusters_do_not_mix),
	KUNIT_CASE(every_bit_of_a_secret_counts),
	KUNIT_CASE(secret_is_not_a_key),
	KUNIT_CASE(previous_secret_still_counts),
	KUNIT_CASE(timestamps_go_with_their_secret),
	KUNIT_CASE(secret_that_is_taken_away_counts_no_more),
	KUNIT_CASE(going_back_to_a_random_secret_ends_sharing),
	KUNIT_CASE(random_secrets_differ),
	KUNIT_CASE(new_ring_never_changed),
	KUNIT_CASE(change_is_known_for_a_while),
	{}
};

static struct kunit_suite keyring_suite = {
	.name = "halfopen_keyring",
	.test_cases = keyring_cases,
};

kunit_test_suite(keyring_suite);
