// SPDX-License-Identifier: GPL-2.0
/*
 * A million connections that an attacker can choose so that a hash without a
 * secret puts them all into one chain: in the table they spread like random
 * ones.
 */
#include <kunit/test.h>

#include <linux/bitops.h>
#include <linux/jhash.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "table_fixture.h"

enum {
	COLLIDE_KEYS	= 1000 * 1000,
	/* a bucket an entry, as README has it for a table of that size */
	COLLIDE_BUCKETS	= 1 << 20,
	COLLIDE_CHAIN	= 16,
	/* in a table with its locks, timers and memory: fewer */
	TABLE_KEYS	= 1 << 13,
	TABLE_BUCKETS	= 1 << 13,
	TABLE_PORTS	= 1 << 9,
	SERVER_ADDR	= 0xc0000201,	/* 192.0.2.1 */
	SERVER_PORT	= 80,
	CLIENT_PORT	= 40000,
};

static u32 word_of(__be32 be)
{
	return (__force u32)be;
}

static u32 ports_of(const struct ho_key *key)
{
	return (u32)be16_to_cpu(key->rport) << 16 | be16_to_cpu(key->lport);
}

/* The old BSD one: all that differs, folded to 16 bits. */
static u32 weak_xor(const struct ho_key *key)
{
	u32 sum = ports_of(key), i;

	for (i = 0; i < 4; i++)
		sum ^= be32_to_cpu(key->raddr.s6_addr32[i]);
	return (sum ^ sum >> 16) & 0xffff;
}

/* Low bits of address and port, as many as choose a bucket. */
static u32 weak_low_bits(const struct ho_key *key)
{
	return (be32_to_cpu(key->raddr.s6_addr32[3]) & 0xffff) |
	       (be16_to_cpu(key->rport) & 0xf) << 16;
}

/* jhash() that nobody gave a secret. */
static u32 weak_jhash(const struct ho_key *key)
{
	if (ho_key_is_v4(key))
		return jhash_3words(word_of(key->raddr.s6_addr32[3]),
				    word_of(key->laddr.s6_addr32[3]),
				    ports_of(key), 0);
	return jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), 0);
}

static struct ho_key v4_client(u32 addr, u16 port)
{
	struct ho_key key = {
		.rport = cpu_to_be16(port),
		.lport = cpu_to_be16(SERVER_PORT),
	};

	ho_key_set_v4(&key, cpu_to_be32(addr), cpu_to_be32(SERVER_ADDR));
	return key;
}

static struct ho_key v6_client(u32 low, u16 port)
{
	struct ho_key key = fix_key_v6(low);

	key.rport = cpu_to_be16(port);
	return key;
}

/* Any address: the port makes up for it. */
static struct ho_key xor_v4(u32 n)
{
	u32 addr = 0x0b000000 + n;

	return v4_client(addr, addr ^ addr >> 16);
}

static struct ho_key xor_v6(u32 n)
{
	return v6_client(n, n ^ n >> 16);
}

static struct ho_key low_bits_v4(u32 n)
{
	return v4_client(0x0b000000 + (n << 16), CLIENT_PORT + (n >> 16 << 4));
}

/* One network after the other: nothing but the prefix differs. */
static struct ho_key low_bits_v6(u32 n)
{
	struct ho_key key = v6_client(1, CLIENT_PORT);

	key.raddr.s6_addr32[1] = cpu_to_be32(n);
	return key;
}

/* jhash mixes by steps x ^= y, x -= rol(y), each of which has a way back. */
static u32 undo(u32 x, u32 y, unsigned int shift)
{
	return (x + rol32(y, shift)) ^ y;
}

/* What __jhash_final() began with. */
static void undo_final(u32 s[3])
{
	s[2] = undo(s[2], s[1], 24);
	s[1] = undo(s[1], s[0], 14);
	s[0] = undo(s[0], s[2], 4);
	s[2] = undo(s[2], s[1], 16);
	s[1] = undo(s[1], s[0], 25);
	s[0] = undo(s[0], s[2], 11);
	s[2] = undo(s[2], s[1], 14);
}

/* What __jhash_mix() began with. */
static void undo_mix(u32 s[3])
{
	s[1] -= s[0];
	s[2] = (s[2] ^ rol32(s[1], 4)) + s[1];
	s[0] -= s[2];
	s[1] = (s[1] ^ rol32(s[0], 19)) + s[0];
	s[2] -= s[1];
	s[0] = (s[0] ^ rol32(s[2], 16)) + s[2];
	s[1] -= s[0];
	s[2] = (s[2] ^ rol32(s[1], 8)) + s[1];
	s[0] -= s[2];
	s[1] = (s[1] ^ rol32(s[0], 6)) + s[0];
	s[2] -= s[1];
	s[0] = (s[0] ^ rol32(s[2], 4)) + s[2];
}

/*
 * Back from one hash value: three words of input, whatever they are.  The
 * attacker has them all where a server has many addresses.
 */
static struct ho_key jhash_v4(u32 n)
{
	const u32 init = JHASH_INITVAL + (3 << 2);
	u32 s[3] = { n, 0, 0x600d };
	struct ho_key key;

	undo_final(s);
	key = v4_client(0, (s[2] - init) >> 16);
	key.lport = cpu_to_be16(s[2] - init);
	key.raddr.s6_addr32[3] = (__force __be32)(s[0] - init);
	key.laddr.s6_addr32[3] = (__force __be32)(s[1] - init);
	return key;
}

/*
 * Back from one state after the first half of the server's address: whatever
 * the last word of the client's address is, its other three can make up for it.
 * An eighth of these addresses is global unicast; nobody checks that here.
 */
static struct ho_key jhash_v6(u32 n)
{
	const u32 init = JHASH_INITVAL +
			 ((sizeof(struct ho_key) / sizeof(u32)) << 2);
	struct ho_key key = v6_client(0, CLIENT_PORT);
	u32 s[3] = { 1, 2, 3 }, i;

	undo_mix(s);
	s[0] -= n;
	s[1] -= word_of(key.laddr.s6_addr32[0]);
	s[2] -= word_of(key.laddr.s6_addr32[1]);
	undo_mix(s);
	for (i = 0; i < 3; i++)
		key.raddr.s6_addr32[i] = (__force __be32)(s[i] - init);
	key.raddr.s6_addr32[3] = (__force __be32)n;
	return key;
}

struct collide_kind {
	const char *name;
	struct ho_key (*make)(u32 n);
	u32 (*weak)(const struct ho_key *key);
};

static const struct collide_kind kinds[] = {
	{ "xor_v4", xor_v4, weak_xor },
	{ "xor_v6", xor_v6, weak_xor },
	{ "low_bits_v4", low_bits_v4, weak_low_bits },
	{ "low_bits_v6", low_bits_v6, weak_low_bits },
	{ "jhash_v4", jhash_v4, weak_jhash },
	{ "jhash_v6", jhash_v6, weak_jhash },
};

KUNIT_ARRAY_PARAM_DESC(kinds, kinds, name);

/* table.c takes the shard from the lowest bits, the bucket from the next. */
static u32 bucket_of(u64 hash, u32 buckets)
{
	return hash / HO_SHARDS & (buckets - 1);
}

static void weak_hash_has_one_chain(struct kunit *test)
{
	const struct collide_kind *kind = test->param_value;
	struct ho_key first = kind->make(0), last = first;
	u32 want = kind->weak(&first), n;

	for (n = 1; n < COLLIDE_KEYS; n++) {
		struct ho_key key = kind->make(n);

		if (kind->weak(&key) != want || ho_key_equal(&key, &last))
			break;
		last = key;
	}
	KUNIT_EXPECT_EQ(test, n, COLLIDE_KEYS);
}

static void longest_chain_is_as_of_random_ones(struct kunit *test)
{
	const struct collide_kind *kind = test->param_value;
	u16 *len = vzalloc(COLLIDE_BUCKETS * sizeof(*len));
	siphash_key_t secret;
	u32 n, longest = 0;

	KUNIT_ASSERT_NOT_NULL(test, len);
	get_random_bytes(&secret, sizeof(secret));
	for (n = 0; n < COLLIDE_KEYS; n++) {
		struct ho_key key = kind->make(n);
		u32 at = bucket_of(ho_key_hash(&key, &secret), COLLIDE_BUCKETS);

		longest = max_t(u32, longest, ++len[at]);
	}
	vfree(len);
	kunit_info(test, "longest chain: %u\n", longest);
	KUNIT_EXPECT_LT(test, longest, COLLIDE_CHAIN);
}

static u32 chain_len(struct ho_table *tbl, u64 hash)
{
	struct ho_bucket *bkt = ho_table_lock(tbl, hash);
	u32 len = bkt->len;

	ho_table_unlock(bkt);
	return len;
}

static void table_has_these_chains(struct kunit *test)
{
	const struct collide_kind *kind = test->param_value;
	struct ho_table *tbl = fix_table(test, TABLE_BUCKETS);
	u16 *len = kunit_kcalloc(test, TABLE_BUCKETS, sizeof(*len),
				 GFP_KERNEL);
	u32 n, keys = 0, longest = 0;

	KUNIT_ASSERT_NOT_NULL(test, len);
	for (n = 0; keys < TABLE_KEYS; n++) {
		struct ho_conn conn = fix_conn(kind->make(n));
		u64 hash = ho_table_hash(tbl, &conn.key);
		u32 at = bucket_of(hash, TABLE_BUCKETS);

		/* all ports together need more memory than is at hand */
		if (be16_to_cpu(conn.key.lport) >= TABLE_PORTS)
			continue;
		keys++;
		KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
		KUNIT_ASSERT_EQ(test, chain_len(tbl, hash), ++len[at]);
		longest = max_t(u32, longest, len[at]);
	}
	KUNIT_EXPECT_LT(test, longest, COLLIDE_CHAIN);
}

static struct kunit_case collide_cases[] = {
	KUNIT_CASE_PARAM(weak_hash_has_one_chain, kinds_gen_params),
	KUNIT_CASE_PARAM(longest_chain_is_as_of_random_ones, kinds_gen_params),
	KUNIT_CASE_PARAM(table_has_these_chains, kinds_gen_params),
	{}
};

static struct kunit_suite collide_suite = {
	.name = "halfopen_collide",
	.init = fix_table_init,
	.exit = fix_table_exit,
	.test_cases = collide_cases,
};

kunit_test_suite(collide_suite);
