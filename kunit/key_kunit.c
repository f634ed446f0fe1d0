// SPDX-License-Identifier: GPL-2.0
/* What makes two connections the same, and how evenly they spread. */
#include <kunit/test.h>

#include <linux/bitmap.h>
#include <linux/slab.h>

#include "fixtures.h"

enum { KEY_BITS = 8 * sizeof(struct ho_key) };

struct key_kind {
	const char *name;
	struct ho_key (*make)(u32 n);
};

static const struct key_kind kinds[] = {
	{ "v4", fix_key_v4 },
	{ "v6", fix_key_v6 },
};

KUNIT_ARRAY_PARAM_DESC(kinds, kinds, name);

static struct ho_key flip(struct ho_key key, unsigned int bit)
{
	((u8 *)&key)[bit / 8] ^= 1 << bit % 8;
	return key;
}

static void v4_is_told_from_v6(struct kunit *test)
{
	struct ho_key v4 = fix_key_v4(1);
	struct ho_key v6 = fix_key_v6(1);

	KUNIT_EXPECT_TRUE(test, ho_key_is_v4(&v4));
	KUNIT_EXPECT_FALSE(test, ho_key_is_v4(&v6));
	KUNIT_EXPECT_EQ(test, v4.raddr.s6_addr32[2], cpu_to_be32(0xffff));
	KUNIT_EXPECT_EQ(test, v4.raddr.s6_addr32[3], cpu_to_be32(0xc6120001));
	KUNIT_EXPECT_EQ(test, v4.laddr.s6_addr32[3], cpu_to_be32(0xc0000201));
}

static void unspecified_v6_is_not_v4(struct kunit *test)
{
	struct ho_key key = {};

	KUNIT_EXPECT_FALSE(test, ho_key_is_v4(&key));
}

static void set_v4_overwrites_all_of_the_addresses(struct kunit *test)
{
	struct ho_key dirty, clean = {};

	memset(&dirty, 0xff, sizeof(dirty));
	ho_key_set_v4(&dirty, cpu_to_be32(1), cpu_to_be32(2));
	ho_key_set_v4(&clean, cpu_to_be32(1), cpu_to_be32(2));
	KUNIT_EXPECT_MEMEQ(test, &dirty.raddr, &clean.raddr,
			   sizeof(clean.raddr));
	KUNIT_EXPECT_MEMEQ(test, &dirty.laddr, &clean.laddr,
			   sizeof(clean.laddr));
	KUNIT_EXPECT_EQ(test, dirty.rport, cpu_to_be16(0xffff));
	KUNIT_EXPECT_EQ(test, dirty.iif, U32_MAX);
}

static void every_bit_tells_keys_apart(struct kunit *test)
{
	const struct key_kind *kind = test->param_value;
	struct ho_key key = kind->make(7);
	struct ho_key same = kind->make(7);
	unsigned int bit;

	KUNIT_EXPECT_TRUE(test, ho_key_equal(&key, &same));
	for (bit = 0; bit < KEY_BITS; bit++) {
		struct ho_key other = flip(key, bit);

		KUNIT_EXPECT_FALSE_MSG(test, ho_key_equal(&key, &other),
				       "bit %u", bit);
	}
}

/* Words 0 to 2 of laddr cannot vary while raddr is IPv4. */
static bool bit_varies(const struct ho_key *key, unsigned int bit)
{
	unsigned int byte = bit / 8;

	return !ho_key_is_v4(key) || byte < offsetof(struct ho_key, laddr) ||
	       byte >= offsetof(struct ho_key, laddr.s6_addr32[3]);
}

static void every_bit_moves_the_hash(struct kunit *test)
{
	const struct key_kind *kind = test->param_value;
	struct ho_key key = kind->make(7);
	u64 hash = ho_key_hash(&key, &FIX_SECRET);
	unsigned int bit;

	KUNIT_EXPECT_EQ(test, hash, ho_key_hash(&key, &FIX_SECRET));
	for (bit = 0; bit < KEY_BITS; bit++) {
		struct ho_key other = flip(key, bit);

		if (!bit_varies(&key, bit))
			continue;
		KUNIT_EXPECT_NE_MSG(test, hash,
				    ho_key_hash(&other, &FIX_SECRET),
				    "bit %u", bit);
	}
}

static void every_secret_bit_moves_the_hash(struct kunit *test)
{
	const struct key_kind *kind = test->param_value;
	struct ho_key key = kind->make(7);
	u64 hash = ho_key_hash(&key, &FIX_SECRET);
	unsigned int bit;

	for (bit = 0; bit < 8 * sizeof(siphash_key_t); bit++) {
		siphash_key_t secret = FIX_SECRET;

		((u8 *)&secret)[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_NE_MSG(test, hash, ho_key_hash(&key, &secret),
				    "bit %u", bit);
	}
}

enum {
	SPREAD_KEYS	= 1 << 16,
	SPREAD_CELLS	= 1 << 12,
	/* mean 16, deviation 4: eight deviations away */
	SPREAD_MAX	= 48,
};

static u32 fullest(struct kunit *test, const struct key_kind *kind,
		   unsigned int shift)
{
	u16 *cell = kunit_kcalloc(test, SPREAD_CELLS, sizeof(*cell),
				  GFP_KERNEL);
	u32 n, most = 0;

	KUNIT_ASSERT_NOT_NULL(test, cell);
	for (n = 0; n < SPREAD_KEYS; n++) {
		struct ho_key key = kind->make(n);
		u64 hash = ho_key_hash(&key, &FIX_SECRET);

		hash = hash >> shift & (SPREAD_CELLS - 1);
		most = max_t(u32, most, ++cell[hash]);
	}
	return most;
}

static void neighbours_spread_evenly(struct kunit *test)
{
	unsigned int shift;

	for (shift = 0; shift <= 48; shift += 16)
		KUNIT_EXPECT_LE_MSG(test,
				    fullest(test, test->param_value, shift),
				    SPREAD_MAX, "bits from %u", shift);
}

static struct kunit_case key_cases[] = {
	KUNIT_CASE(v4_is_told_from_v6),
	KUNIT_CASE(unspecified_v6_is_not_v4),
	KUNIT_CASE(set_v4_overwrites_all_of_the_addresses),
	KUNIT_CASE_PARAM(every_bit_tells_keys_apart, kinds_gen_params),
	KUNIT_CASE_PARAM(every_bit_moves_the_hash, kinds_gen_params),
	KUNIT_CASE_PARAM(every_secret_bit_moves_the_hash, kinds_gen_params),
	KUNIT_CASE_PARAM(neighbours_spread_evenly, kinds_gen_params),
	{}
};

static struct kunit_suite key_suite = {
	.name = "halfopen_key",
	.test_cases = key_cases,
};

kunit_test_suite(key_suite);
