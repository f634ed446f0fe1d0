// SPDX-License-Identifier: GPL-2.0
/* Entries and the table: what goes in is found, once, until it is removed. */
#include <kunit/test.h>

#include <linux/slab.h>

#include "table_fixture.h"

enum {
	MARK = 0x55,
	IIF = 4,
};

static struct ho_key key_vrf(u32 n)
{
	struct ho_key key = fix_key_v4(n);

	key.iif = IIF;
	return key;
}

static struct ho_key key_link_local(u32 n)
{
	struct ho_key key = fix_key_v6(n);

	key.raddr.s6_addr32[0] = cpu_to_be32(0xfe800000);
	key.iif = IIF;
	return key;
}

static struct ho_entry *alloc_entry(const struct ho_conn *conn)
{
	struct ho_entry *ent;

	local_bh_disable();
	ent = ho_entry_alloc(conn);
	local_bh_enable();
	return ent;
}

static void free_entry(struct ho_entry *ent)
{
	local_bh_disable();
	ho_entry_free(ent);
	local_bh_enable();
}

struct kind {
	const char *name;
	struct ho_key (*make)(u32 n);
	u32 oif;
	u32 mark;
	u32 ct_mark;
	bool wide;
};

static const struct kind kinds[] = {
	{ "v4", fix_key_v4 },
	{ "v4_in_a_vrf", key_vrf, .oif = IIF, .wide = true },
	{ "v4_bound", fix_key_v4, .oif = HO_IIF_MAX, .wide = true },
	{ "v4_with_a_mark", fix_key_v4, .mark = MARK, .wide = true },
	{ "v4_marked_by_rules", fix_key_v4, .ct_mark = MARK, .wide = true },
	{ "v4_marked_twice", fix_key_v4, .mark = MARK, .ct_mark = MARK,
	  .wide = true },
	{ "v6", fix_key_v6, .wide = true },
	{ "v6_bound", fix_key_v6, .oif = 1, .wide = true },
	{ "v6_link_local", key_link_local, .oif = IIF, .wide = true },
	{ "v6_with_a_mark", fix_key_v6, .mark = MARK, .wide = true },
	{ "v6_marked_by_rules", fix_key_v6, .ct_mark = MARK, .wide = true },
};

KUNIT_ARRAY_PARAM_DESC(kinds, kinds, name);

static void set_kind(struct ho_conn *conn, const struct kind *kind)
{
	conn->oif = kind->oif;
	conn->mark = kind->mark;
	conn->ct_mark = kind->ct_mark;
}

static void entry_gives_back_what_it_was_made_of(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct ho_conn conn = fix_conn(kind->make(7)), got;
	struct ho_entry *ent;
	struct ho_key key;

	set_kind(&conn, kind);
	conn.req.tos = 0xb8;
	conn.req.timeouts = HO_RETRIES_MAX;
	conn.req.retrans = HO_RETRANS_MAX;
	conn.req.tracked = 1;
	conn.req.ts_recent = 0x89abcdef;
	ent = alloc_entry(&conn);
	KUNIT_ASSERT_NOT_NULL(test, ent);

	ho_entry_key(ent, &key);
	KUNIT_EXPECT_TRUE(test, ho_key_equal(&key, &conn.key));
	ho_entry_conn(ent, &got);
	KUNIT_EXPECT_TRUE(test, ho_key_equal(&got.key, &conn.key));
	KUNIT_EXPECT_EQ(test, got.mark, conn.mark);
	KUNIT_EXPECT_EQ(test, got.ct_mark, conn.ct_mark);
	KUNIT_EXPECT_EQ(test, got.oif, conn.oif);
	conn.req.wide = kind->wide;
	KUNIT_EXPECT_MEMEQ(test, &got.req, &conn.req, sizeof(conn.req));
	free_entry(ent);
}

/* The slab is the proof: 64 bytes without, 96 with what makes it wide. */
static void entry_is_as_small_as_promised(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct ho_conn conn = fix_conn(kind->make(7));
	struct ho_entry *ent;

	set_kind(&conn, kind);
	ent = alloc_entry(&conn);
	KUNIT_ASSERT_NOT_NULL(test, ent);
	KUNIT_EXPECT_EQ(test, (bool)ent->req.wide, kind->wide);
	KUNIT_EXPECT_LE(test, sizeof(struct ho_entry), 64);
	KUNIT_EXPECT_LE(test, sizeof(struct ho_entry_wide), 96);
	free_entry(ent);
}

static bool is_v4(const struct in6_addr *addr)
{
	return !addr->s6_addr32[0] && !addr->s6_addr32[1] &&
	       addr->s6_addr32[2] == cpu_to_be32(0xffff);
}

static void entry_matches_its_own_key_only(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct ho_conn conn = fix_conn(kind->make(7));
	struct ho_entry *ent;
	unsigned int bit;

	set_kind(&conn, kind);
	ent = alloc_entry(&conn);
	KUNIT_ASSERT_NOT_NULL(test, ent);
	KUNIT_EXPECT_TRUE(test, ho_entry_match(ent, &conn.key));
	for (bit = 0; bit < 8 * sizeof(struct ho_key); bit++) {
		struct ho_key other = conn.key;

		((u8 *)&other)[bit / 8] ^= 1 << bit % 8;
		/* no IPv4 packet has such a local address */
		if (ho_key_is_v4(&other) && !is_v4(&other.laddr))
			continue;
		KUNIT_EXPECT_FALSE_MSG(test, ho_entry_match(ent, &other),
				       "bit %u", bit);
	}
	free_entry(ent);
}

static void inserted_is_found_until_removed(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	struct ho_conn conn = fix_conn(kind->make(7)), got;

	set_kind(&conn, kind);
	KUNIT_EXPECT_FALSE(test, fix_find(tbl, &conn.key, &got));
	KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), 0);
	KUNIT_ASSERT_TRUE(test, fix_find(tbl, &conn.key, &got));
	KUNIT_EXPECT_EQ(test, got.req.rcv_isn, conn.req.rcv_isn);
	KUNIT_EXPECT_EQ(test, got.mark, conn.mark);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->entries), 1);
	KUNIT_EXPECT_TRUE(test, fix_remove(tbl, &conn.key));
	KUNIT_EXPECT_FALSE(test, fix_find(tbl, &conn.key, &got));
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->entries), 0);
	KUNIT_EXPECT_FALSE(test, fix_remove(tbl, &conn.key));
}

/* Who holds a lock sees what RCU readers see. */
static void both_lookups_agree(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	u32 n;

	for (n = 0; n < 1000; n += 2)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
	for (n = 0; n < 1000; n++) {
		struct ho_key key = fix_key_v4(n);
		u64 hash = ho_table_hash(tbl, &key);
		struct ho_entry *seen, *held = NULL;
		struct ho_bucket *bkt;

		rcu_read_lock();
		seen = ho_table_find_rcu(tbl, &key, hash);
		bkt = ho_table_lock(tbl, hash);
		if (bkt) {
			held = ho_table_find_locked(bkt, &key);
			if (held && !ho_table_has_locked(bkt, held))
				KUNIT_FAIL(test, "%u is not in its chain", n);
			ho_table_unlock(bkt);
		}
		rcu_read_unlock();
		KUNIT_ASSERT_PTR_EQ(test, seen, held);
		KUNIT_ASSERT_EQ_MSG(test, !seen, n % 2, "%u", n);
	}
}

static void bucket_exists_once_somebody_needs_it(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	struct ho_key key = fix_key_v6(1);
	u64 hash = ho_table_hash(tbl, &key);
	struct ho_bucket *made, *bkt;

	bkt = ho_table_lock(tbl, hash);
	KUNIT_EXPECT_NULL(test, bkt);
	made = ho_table_lock_new(tbl, hash);
	KUNIT_ASSERT_NOT_NULL(test, made);
	ho_table_unlock(made);
	bkt = ho_table_lock(tbl, hash);
	KUNIT_ASSERT_PTR_EQ(test, bkt, made);
	ho_table_unlock(bkt);
}

struct size_case {
	const char *name;
	u32 buckets, want;
};

static const struct size_case sizes[] = {
	{ "of_0_is_the_least", 0, HO_BUCKETS_MIN },
	{ "of_1_is_the_least", 1, HO_BUCKETS_MIN },
	{ "of_the_least", HO_BUCKETS_MIN, HO_BUCKETS_MIN },
	{ "is_rounded_up", HO_BUCKETS_MIN + 1, 2 * HO_BUCKETS_MIN },
	{ "of_the_default", HO_BUCKETS_DEF, HO_BUCKETS_DEF },
	{ "of_the_most", HO_BUCKETS_MAX, HO_BUCKETS_MAX },
	{ "of_more_is_the_most", U32_MAX, HO_BUCKETS_MAX },
};

KUNIT_ARRAY_PARAM_DESC(sizes, sizes, name);

static void table(struct kunit *test)
{
	const struct size_case *c = test->param_value;
	struct ho_table *tbl = fix_table(test, c->buckets);
	u32 n;

	KUNIT_EXPECT_EQ(test, tbl->nr_chunks * HO_CHUNK_BUCKETS, c->want);
	for (n = 0; n < 100; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
	for (n = 0; n < 100; n++)
		KUNIT_ASSERT_TRUE(test, fix_remove_nth(tbl, n));
}

/* Same hash, different keys: one chain, as long as it may be. */
static void chain_is_bounded(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	struct ho_bucket *bkt = ho_table_lock_new(tbl, 0);
	struct ho_entry *ent[HO_CHAIN_MAX + 1];
	unsigned int i, at, found = 0;
	enum ho_full full;
	int err = 0;

	KUNIT_ASSERT_NOT_NULL(test, bkt);
	for (i = 0; i <= HO_CHAIN_MAX; i++) {
		struct ho_conn conn = fix_conn(fix_key_v4(i));

		ent[i] = fix_enter(tbl, &conn, &full);
		if (!ent[i])
			break;
		err = ho_table_insert_locked(tbl, bkt, ent[i], 0, 0);
		if (err)
			break;
	}
	if (i == HO_CHAIN_MAX && err)
		fix_cancel(tbl, ent[i]);

	/* the middle, both ends, then all the rest */
	if (i == HO_CHAIN_MAX) {
		swap(ent[0], ent[HO_CHAIN_MAX / 2]);
		swap(ent[2], ent[HO_CHAIN_MAX - 1]);
	}
	for (at = 0; at < i; at++) {
		found += ho_table_has_locked(bkt, ent[at]);
		ho_table_remove_locked(tbl, bkt, ent[at], 0);
		found -= ho_table_has_locked(bkt, ent[at]);
	}
	ho_table_unlock(bkt);
	KUNIT_EXPECT_EQ(test, err, -ENOSPC);
	KUNIT_EXPECT_EQ(test, found, HO_CHAIN_MAX);
	KUNIT_EXPECT_EQ(test, bkt->len, 0);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->entries), 0);
}

/* A reader that stands on an entry while it goes still reaches the end. */
static void reader_walks_on_past_a_removed_entry(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	struct ho_bucket *bkt = ho_table_lock_new(tbl, 0);
	struct ho_entry *ent[3], *at;
	unsigned int i, left = 0;
	enum ho_full full;

	KUNIT_ASSERT_NOT_NULL(test, bkt);
	for (i = 0; i < ARRAY_SIZE(ent); i++) {
		struct ho_conn conn = fix_conn(fix_key_v6(i));

		ent[i] = fix_enter(tbl, &conn, &full);
		if (ent[i])
			ho_table_insert_locked(tbl, bkt, ent[i], 0, 0);
	}
	rcu_read_lock();
	at = rcu_dereference(bkt->first);
	for (i = 0; i < ARRAY_SIZE(ent); i++)
		ho_table_remove_locked(tbl, bkt, ent[i], 0);
	for (; at; at = rcu_dereference(at->next))
		left++;
	rcu_read_unlock();
	ho_table_unlock(bkt);
	/* no more than there ever were, and no loop */
	KUNIT_EXPECT_LE(test, left, ARRAY_SIZE(ent));
	KUNIT_EXPECT_GE(test, left, 1);
}

static unsigned int walk(struct ho_table *tbl, u8 *seen, u32 count)
{
	struct ho_table_iter iter = {};
	unsigned int total = 0;
	struct ho_conn conn;

	rcu_read_lock();
	while (ho_table_next(tbl, &iter, &conn)) {
		u32 n = conn.req.rcv_isn;

		if (n < count)
			seen[n]++;
		total++;
	}
	rcu_read_unlock();
	return total;
}

struct walk_case {
	const char *name;
	u32 entries, buckets;
};

static const struct walk_case walks[] = {
	{ "an_empty_table", 0, HO_BUCKETS_DEF },
	{ "a_single_entry", 1, HO_BUCKETS_MAX },
	{ "a_sparse_table", 50, HO_BUCKETS_DEF },
	{ "long_chains", 2000, HO_BUCKETS_MIN },
	{ "a_full_table", HO_BACKLOG_DEF, HO_BUCKETS_DEF },
};

KUNIT_ARRAY_PARAM_DESC(walks, walks, name);

static void walk_meets_each_entry_once_in(struct kunit *test)
{
	const struct walk_case *c = test->param_value;
	struct ho_table *tbl = fix_table(test, c->buckets);
	u8 *seen = kunit_kzalloc(test, c->entries + 1, GFP_KERNEL);
	u32 n, once = 0;

	KUNIT_ASSERT_NOT_NULL(test, seen);
	for (n = 0; n < c->entries; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
	KUNIT_EXPECT_EQ(test, walk(tbl, seen, c->entries), c->entries);
	for (n = 0; n < c->entries; n++)
		once += seen[n] == 1;
	KUNIT_EXPECT_EQ(test, once, c->entries);
}

static u32 longest_chain(struct ho_table *tbl)
{
	u32 i, j, most = 0;

	for (i = 0; i < tbl->nr_chunks; i++) {
		struct ho_bucket *chunk = rcu_access_pointer(tbl->chunks[i]);

		for (j = 0; chunk && j < HO_CHUNK_BUCKETS; j++)
			most = max_t(u32, most, chunk[j].len);
	}
	return most;
}

/* One entry a bucket on average; a thousand tables would not show 16. */
static void full_table_has_short_chains(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	u32 n, shard, least = U32_MAX;

	for (n = 0; n < HO_BACKLOG_DEF; n++)
		KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
	KUNIT_EXPECT_LT(test, longest_chain(tbl), 16);
	KUNIT_EXPECT_FALSE(test, fix_insert_nth(tbl, n, 0) == 0);
	for (shard = 0; shard < HO_SHARDS; shard++)
		least = min(least, tbl->shards[shard].len[0]);
	KUNIT_EXPECT_GT(test, least, HO_BACKLOG_DEF / HO_SHARDS * 9 / 10);
}

static void random_walk_keeps_the_table(struct kunit *test)
{
	enum { KEYS = 512, STEPS = 100 * 1000 };
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	bool *in = kunit_kcalloc(test, KEYS, sizeof(*in), GFP_KERNEL);
	struct rnd_state rnd = fix_random(6);
	u32 step, count = 0;

	KUNIT_ASSERT_NOT_NULL(test, in);
	for (step = 0; step < STEPS; step++) {
		u32 n = fix_below(&rnd, KEYS);
		struct ho_key key = fix_key_v4(n);
		struct ho_conn got;

		KUNIT_ASSERT_EQ(test, fix_find(tbl, &key, &got), in[n]);
		if (in[n]) {
			KUNIT_ASSERT_EQ(test, got.req.rcv_isn, n);
			KUNIT_ASSERT_TRUE(test, fix_remove_nth(tbl, n));
		} else {
			KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, step), 0);
		}
		in[n] = !in[n];
		count += in[n] ? 1 : -1;
		KUNIT_ASSERT_EQ(test, ho_budget_count(&tbl->entries), count);
		/* removed entries wait for a grace period: let it pass */
		if (step % 1024 == 0)
			rcu_barrier();
	}
}

/* --- memory --------------------------------------------------------------- */

static void failed_init_of_a_table_leaves_nothing(struct kunit *test)
{
	struct fix_state *state = test->priv;
	unsigned int nth;
	int err;

	fix_defaults(&state->tbl);
	for (nth = 1; nth < 20; nth++) {
		fix_fail_nth = nth;
		err = ho_table_init(&state->tbl, HO_BUCKETS_MIN, &fix_ops);
		if (fix_was_spared())
			break;
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	}
	KUNIT_EXPECT_GT(test, nth, 4);
	KUNIT_ASSERT_EQ(test, err, 0);
	state->table_made = true;
}

static void failed_init_of_entries_leaves_nothing(struct kunit *test)
{
	struct fix_state *state = test->priv;
	unsigned int nth;
	int err;

	ho_entry_exit();
	state->entries_made = false;
	for (nth = 1; nth < 20; nth++) {
		fix_fail_nth = nth;
		err = ho_entry_init(3);
		if (fix_was_spared())
			break;
		KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	}
	KUNIT_EXPECT_GT(test, nth, 4);
	KUNIT_ASSERT_EQ(test, err, 0);
	state->entries_made = true;
}

static void failed_prealloc_leaves_a_table(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	unsigned int nth;

	/* what there is already is not allocated again: it gets further */
	for (nth = 0; nth < 20; nth++) {
		fix_fail_nth = 2;
		if (!ho_table_prealloc(tbl))
			break;
		KUNIT_EXPECT_FALSE(test, fix_was_spared());
		fix_fail_nth = 0;
	}
	fix_fail_nth = 0;
	KUNIT_EXPECT_GT(test, nth, 1);
	KUNIT_EXPECT_EQ(test, ho_table_prealloc(tbl), 0);
	KUNIT_EXPECT_EQ(test, fix_insert_nth(tbl, 1, 0), 0);
}

static void prealloc_knows_the_cap(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);

	tbl->mem.max_bytes = 100 << 10;
	KUNIT_EXPECT_EQ(test, ho_table_prealloc(tbl), -ENOMEM);
	KUNIT_EXPECT_LE(test, ho_budget_count(&tbl->mem.used), 100 << 10);
	tbl->mem.max_bytes = HO_MEMORY_DEF;
	KUNIT_EXPECT_EQ(test, ho_table_prealloc(tbl), 0);
}

/* A flood that fits into what was reserved at load asks for no memory. */
static void flood_into_a_reserve_allocates_nothing(struct kunit *test)
{
	enum { NR = 2000 };
	struct fix_state *state = test->priv;
	struct ho_table *tbl;
	u32 n, round;

	ho_entry_exit();
	state->entries_made = !ho_entry_init(NR);
	KUNIT_ASSERT_TRUE(test, state->entries_made);
	tbl = fix_table(test, HO_BUCKETS_DEF);
	KUNIT_ASSERT_EQ(test, ho_table_prealloc(tbl), 0);
	KUNIT_ASSERT_NOT_NULL(test, fix_port(tbl, cpu_to_be16(80)));
	KUNIT_ASSERT_NOT_NULL(test, fix_port(tbl, cpu_to_be16(443)));
	fix_fail_nth = 1;
	for (round = 0; round < 3; round++) {
		for (n = 0; n < NR; n++) {
			struct ho_conn conn = fix_conn(fix_key_v6(n));

			KUNIT_ASSERT_EQ(test, fix_insert_nth(tbl, n, 0), 0);
			KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), 0);
		}
		for (n = 0; n < NR; n++) {
			struct ho_key key = fix_key_v6(n);

			KUNIT_ASSERT_TRUE(test, fix_remove_nth(tbl, n));
			KUNIT_ASSERT_TRUE(test, fix_remove(tbl, &key));
		}
		ho_limbo_wait(tbl);
	}
	KUNIT_EXPECT_TRUE(test, fix_was_spared());
}

static void lookup_in_a_cold_table_finds_nothing(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_DEF);
	struct ho_key key = fix_key_v4(1);
	u64 hash = ho_table_hash(tbl, &key);

	rcu_read_lock();
	KUNIT_EXPECT_NULL(test, ho_table_find_rcu(tbl, &key, hash));
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->mem.used), 0);
}

static struct kunit_case table_test_cases[] = {
	KUNIT_CASE_PARAM(entry_gives_back_what_it_was_made_of,
			 kinds_gen_params),
	KUNIT_CASE_PARAM(entry_is_as_small_as_promised, kinds_gen_params),
	KUNIT_CASE_PARAM(entry_matches_its_own_key_only, kinds_gen_params),
	KUNIT_CASE_PARAM(inserted_is_found_until_removed,
			 kinds_gen_params),
	KUNIT_CASE(both_lookups_agree),
	KUNIT_CASE(bucket_exists_once_somebody_needs_it),
	KUNIT_CASE_PARAM(table, sizes_gen_params),
	KUNIT_CASE(chain_is_bounded),
	KUNIT_CASE(reader_walks_on_past_a_removed_entry),
	KUNIT_CASE_PARAM(walk_meets_each_entry_once_in, walks_gen_params),
	KUNIT_CASE_SLOW(full_table_has_short_chains),
	KUNIT_CASE_SLOW(random_walk_keeps_the_table),
	KUNIT_CASE(failed_init_of_a_table_leaves_nothing),
	KUNIT_CASE(failed_init_of_entries_leaves_nothing),
	KUNIT_CASE(failed_prealloc_leaves_a_table),
	KUNIT_CASE(prealloc_knows_the_cap),
	KUNIT_CASE(flood_into_a_reserve_allocates_nothing),
	KUNIT_CASE(lookup_in_a_cold_table_finds_nothing),
	{}
};

static struct kunit_suite table_suite = {
	.name = "halfopen_table",
	.init = fix_table_init,
	.exit = fix_table_exit,
	.test_cases = table_test_cases,
};

kunit_test_suite(table_suite);
