// SPDX-License-Identifier: GPL-2.0
/* Every limit: reached exactly, refused for the right reason, given back. */
#include <kunit/test.h>

#include <linux/slab.h>

#include "source_fixture.h"
#include "table_fixture.h"

enum {
	MARK		= 0x55,
	ENTRY_V4	= sizeof(struct ho_entry),
	ENTRY_WIDE	= sizeof(struct ho_entry_wide),
	PORT_A		= 80,
	PORT_B		= 443,
};

static struct ho_conn conn_v4(u32 n)
{
	return fix_conn(fix_key_v4(n));
}

static struct ho_conn conn_v6(u32 n)
{
	return fix_conn(fix_key_v6(n));
}

static struct ho_conn conn_marked(u32 n)
{
	struct ho_conn conn = fix_conn(fix_key_v4(n));

	conn.mark = MARK;
	return conn;
}

static struct ho_conn conn_mixed(u32 n)
{
	return n % 3 == 0 ? conn_v4(n) : n % 3 == 1 ? conn_v6(n) :
						      conn_marked(n);
}

static struct ho_conn conn_at(u32 n, u16 lport)
{
	struct ho_conn conn = conn_v4(n);

	conn.key.lport = cpu_to_be16(lport);
	return conn;
}

static u32 bytes_of(const struct ho_conn *conn)
{
	return ho_entry_wide(conn) ? ENTRY_WIDE : ENTRY_V4;
}

struct kind {
	const char *name;
	struct ho_conn (*make)(u32 n);
	u32 bytes;
};

static const struct kind kinds[] = {
	{ "v4", conn_v4, ENTRY_V4 },
	{ "v6", conn_v6, ENTRY_WIDE },
	{ "v4_with_a_mark", conn_marked, ENTRY_WIDE },
};

KUNIT_ARRAY_PARAM_DESC(kinds, kinds, name);

/* All that is counted somewhere. */
struct counts {
	u32 entries, port_a, port_b, mem, host;
	bool sources;		/* somebody counts in some cell */
};

static u32 port_count(struct ho_table *tbl, u16 nr)
{
	struct ho_port *port = ho_port_find(&tbl->ports, cpu_to_be16(nr));

	return port ? ho_budget_count(&port->entries) : 0;
}

static struct counts count_all(struct ho_table *tbl)
{
	return (struct counts) {
		.entries = ho_budget_count(&tbl->entries),
		.port_a = port_count(tbl, PORT_A),
		.port_b = port_count(tbl, PORT_B),
		.mem = ho_budget_count(&tbl->mem.used),
		.host = ho_budget_count(&ho_host_memory.used),
		.sources = fix_somebody_holds(&tbl->sources, 0) ||
			   fix_somebody_holds(&tbl->sources, 1),
	};
}

static void expect_counts(struct kunit *test, struct ho_table *tbl,
			  struct counts want)
{
	struct counts got = count_all(tbl);

	KUNIT_EXPECT_EQ(test, got.entries, want.entries);
	KUNIT_EXPECT_EQ(test, got.port_a, want.port_a);
	KUNIT_EXPECT_EQ(test, got.port_b, want.port_b);
	KUNIT_EXPECT_EQ(test, got.mem, want.mem);
	KUNIT_EXPECT_EQ(test, got.host, want.host);
	KUNIT_EXPECT_EQ(test, got.sources, want.sources);
}

/*
 * With all chunks that it will ever need, and nobody in it: what it counts from
 * now on is entries.
 */
static struct ho_table *make_warm(struct kunit *test)
{
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);

	KUNIT_ASSERT_EQ(test, ho_table_prealloc(tbl), 0);
	KUNIT_ASSERT_NOT_NULL(test, fix_port(tbl, cpu_to_be16(PORT_A)));
	KUNIT_ASSERT_NOT_NULL(test, fix_port(tbl, cpu_to_be16(PORT_B)));
	return tbl;
}

/* Insert until refused, at most @most; why is in @full. */
static u32 fill(struct ho_table *tbl, struct ho_conn (*make)(u32 n), u32 most,
		enum ho_full *full)
{
	u32 n;

	*full = HO_FULL_NOT;
	for (n = 0; n < most; n++) {
		struct ho_conn conn = make(n);

		*full = fix_insert(tbl, &conn, 0);
		if (*full != HO_FULL_NOT)
			break;
	}
	return n;
}

static void empty(struct ho_table *tbl, struct ho_conn (*make)(u32 n), u32 nr)
{
	u32 n;

	for (n = 0; n < nr; n++) {
		struct ho_conn conn = make(n);

		fix_remove(tbl, &conn.key);
	}
}

/* --- limits --------------------------------------------------------------- */

static void limit_source(struct ho_table *tbl, u32 max)
{
	/* one source for all */
	tbl->sources.cfg = (struct ho_prefixes) { .v4 = 0, .v6 = 0 };
	ho_sources_configure(&tbl->sources);
	tbl->cfg.max_source_entries = max;
}

static void limit_port(struct ho_table *tbl, u32 max)
{
	tbl->cfg.max_port_entries = max;
}

static void limit_backlog(struct ho_table *tbl, u32 max)
{
	tbl->cfg.max_entries = max;
}

static void limit_memory(struct ho_table *tbl, u32 max)
{
	tbl->mem.max_bytes = ho_budget_count(&tbl->mem.used) + max * ENTRY_V4 +
			     (ENTRY_V4 - 1);
}

static void limit_host(struct ho_table *tbl, u32 max)
{
	ho_host_memory.max_bytes = ho_budget_count(&ho_host_memory.used) +
				   max * ENTRY_V4 + (ENTRY_V4 - 1);
}

struct limit_case {
	const char *name;
	void (*set)(struct ho_table *tbl, u32 max);
	u32 max;
	enum ho_full why;
};

static const struct limit_case limits[] = {
	{ "of_a_source_is_0", limit_source, 0, HO_FULL_SOURCE },
	{ "of_a_source_is_1", limit_source, 1, HO_FULL_SOURCE },
	{ "of_a_source_is_100", limit_source, 100, HO_FULL_SOURCE },
	{ "of_a_port_is_0", limit_port, 0, HO_FULL_PORT },
	{ "of_a_port_is_1", limit_port, 1, HO_FULL_PORT },
	{ "of_a_port_is_100", limit_port, 100, HO_FULL_PORT },
	{ "of_the_table_is_0", limit_backlog, 0, HO_FULL_BACKLOG },
	{ "of_the_table_is_1", limit_backlog, 1, HO_FULL_BACKLOG },
	{ "of_the_table_is_100", limit_backlog, 100, HO_FULL_BACKLOG },
	{ "of_memory_is_for_0", limit_memory, 0, HO_FULL_MEMORY },
	{ "of_memory_is_for_1", limit_memory, 1, HO_FULL_MEMORY },
	{ "of_memory_is_for_100", limit_memory, 100, HO_FULL_MEMORY },
	{ "of_the_host_is_for_0", limit_host, 0, HO_FULL_MEMORY },
	{ "of_the_host_is_for_1", limit_host, 1, HO_FULL_MEMORY },
	{ "of_the_host_is_for_100", limit_host, 100, HO_FULL_MEMORY },
};

KUNIT_ARRAY_PARAM_DESC(limits, limits, name);

static void limit(struct kunit *test)
{
	const struct limit_case *c = test->param_value;
	struct ho_table *tbl = make_warm(test);
	struct counts before, full;
	enum ho_full why;
	u32 round;

	c->set(tbl, c->max);
	/* the cells of a source that is everybody */
	if (c->why == HO_FULL_SOURCE)
		KUNIT_ASSERT_EQ(test, ho_sources_configure(&tbl->sources), 0);
	before = count_all(tbl);
	for (round = 0; round < 3; round++) {
		KUNIT_EXPECT_EQ(test, fill(tbl, conn_v4, 1000, &why), c->max);
		KUNIT_EXPECT_EQ(test, why, c->why);
		full = count_all(tbl);
		KUNIT_EXPECT_EQ(test, full.entries, c->max);
		KUNIT_EXPECT_EQ(test, full.port_a, c->max);
		/* refused again and again, and nothing is lost by it */
		fill(tbl, conn_v4, 1000, &why);
		expect_counts(test, tbl, full);
		empty(tbl, conn_v4, c->max);
		ho_limbo_wait(tbl);
		full = count_all(tbl);
		KUNIT_EXPECT_EQ(test, full.entries, 0);
		KUNIT_EXPECT_EQ(test, full.port_a, 0);
		KUNIT_EXPECT_FALSE(test, full.sources);
		if (c->why != HO_FULL_SOURCE)
			expect_counts(test, tbl, before);
	}
}

static void lowered_limit_sends_nobody_away(struct kunit *test)
{
	const struct limit_case *c = test->param_value;
	struct ho_table *tbl = make_warm(test);
	enum ho_full why;
	u32 before;

	fill(tbl, conn_v4, 50, &why);
	before = ho_budget_count(&tbl->entries);
	c->set(tbl, 0);
	/* what is counted anew begins at 0, but there is no room for any */
	KUNIT_EXPECT_EQ(test, fill(tbl, conn_v6, 1, &why), 0);
	KUNIT_EXPECT_EQ(test, why, c->why);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->entries), before);
	empty(tbl, conn_v4, 50);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->entries), 0);
}

enum {
	FULL_SOURCE	= 1 << 0,
	FULL_BACKLOG	= 1 << 1,
	FULL_PORT	= 1 << 2,
	FULL_MEMORY	= 1 << 3,
	FULL_ALL	= (1 << 4) - 1,
};

/* Who is the most to blame comes first; what a later one reserved is undone. */
static void first_limit_is_the_reason(struct kunit *test)
{
	static const enum ho_full why[] = {
		HO_FULL_SOURCE, HO_FULL_BACKLOG, HO_FULL_PORT, HO_FULL_MEMORY,
	};
	struct ho_table *tbl = make_warm(test);
	u32 room = tbl->mem.max_bytes, mask;
	struct counts before = count_all(tbl);
	struct ho_conn conn = conn_v6(1);

	conn.key.lport = cpu_to_be16(PORT_A);
	for (mask = 1; mask <= FULL_ALL; mask++) {
		tbl->cfg.max_source_entries = mask & FULL_SOURCE ? 0 : 1;
		tbl->cfg.max_entries = mask & FULL_BACKLOG ? 0 : 1;
		tbl->cfg.max_port_entries = mask & FULL_PORT ? 0 : 1;
		tbl->mem.max_bytes = mask & FULL_MEMORY ? before.mem : room;
		KUNIT_EXPECT_EQ_MSG(test, fix_insert(tbl, &conn, 0),
				    why[__ffs(mask)], "limits %#x", mask);
		expect_counts(test, tbl, before);
	}
}

/* An ACK with a cookie, and no room to accept: it has proven itself. */
static void who_has_proven_himself_needs_but_memory(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct ho_table *tbl = make_warm(test);
	struct counts before = count_all(tbl);
	struct ho_conn conn;
	u32 n;

	tbl->cfg.max_source_entries = 0;
	tbl->cfg.max_entries = 0;
	tbl->cfg.max_port_entries = 0;
	tbl->mem.max_bytes = before.mem + 100 * kind->bytes;
	for (n = 0; n <= 100; n++) {
		conn = kind->make(n);
		conn.req.acked = 1;
		KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0),
				n < 100 ? HO_FULL_NOT : HO_FULL_MEMORY);
	}
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->entries), 100);
	empty(tbl, kind->make, 100);
	ho_limbo_wait(tbl);
	expect_counts(test, tbl, before);
	/* nobody else got in beside them */
	conn = kind->make(1);
	KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_SOURCE);
}

static void ports_have_room_of_their_own(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_conn conn;
	u32 n;

	tbl->cfg.max_entries = 150;
	tbl->cfg.max_port_entries = 100;
	for (n = 0; n < 300; n++) {
		conn = conn_at(n, PORT_A);
		KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0),
				n < 100 ? HO_FULL_NOT : HO_FULL_PORT);
	}
	/* a flood at one leaves a part of the table to others */
	for (n = 0; n < 300; n++) {
		conn = conn_at(n, PORT_B);
		KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0),
				n < 50 ? HO_FULL_NOT : HO_FULL_BACKLOG);
	}
	KUNIT_EXPECT_EQ(test, port_count(tbl, PORT_A), 100);
	KUNIT_EXPECT_EQ(test, port_count(tbl, PORT_B), 50);
}

static void addresses_and_families_share_a_port(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_conn conn;

	tbl->cfg.max_port_entries = 2;
	conn = conn_at(1, PORT_B);
	KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
	conn.key.laddr.s6_addr[15]++;
	KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
	conn = conn_v6(1);
	KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_PORT);
	conn = conn_at(1, PORT_A);
	KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
}

struct max_case {
	const char *name;
	u32 port, table, want;
};

static const struct max_case maxima[] = {
	{ "its_own", 10, 20, 10 },
	{ "no_more_than_the_table", 20, 10, 10 },
	{ "none", 0, 10, 0 },
	{ "none_without_a_table", 10, 0, 0 },
};

KUNIT_ARRAY_PARAM_DESC(maxima, maxima, name);

static void limit_of_a_port_is(struct kunit *test)
{
	const struct max_case *c = test->param_value;
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);

	tbl->cfg.max_port_entries = c->port;
	tbl->cfg.max_entries = c->table;
	KUNIT_EXPECT_EQ(test, ho_room_port_max(tbl), c->want);
}

/* --- memory --------------------------------------------------------------- */

static void cap_on_bytes_is_exact(struct kunit *test, unsigned int *max_bytes)
{
	const struct kind *kind = test->param_value;
	struct ho_table *tbl = make_warm(test);
	u32 base = ho_budget_count(&tbl->mem.used), n;
	enum ho_full why;

	for (n = 1; n <= 50; n += 7) {
		/* one byte is missing */
		*max_bytes = base + n * kind->bytes - 1;
		KUNIT_EXPECT_EQ(test, fill(tbl, kind->make, 100, &why), n - 1);
		KUNIT_EXPECT_EQ(test, why, HO_FULL_MEMORY);
		KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->mem.used),
				base + (n - 1) * kind->bytes);
		empty(tbl, kind->make, 100);
		ho_limbo_wait(tbl);
		*max_bytes = base + n * kind->bytes;
		KUNIT_EXPECT_EQ(test, fill(tbl, kind->make, 100, &why), n);
		KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->mem.used),
				*max_bytes);
		empty(tbl, kind->make, 100);
		ho_limbo_wait(tbl);
		KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->mem.used), base);
	}
}

static void cap_of_the_namespace_is_exact_to_the_byte_for(struct kunit *test)
{
	struct fix_state *state = test->priv;

	cap_on_bytes_is_exact(test, &state->tbl.mem.max_bytes);
}

static void cap_of_the_host_is_exact_to_the_byte_for(struct kunit *test)
{
	cap_on_bytes_is_exact(test, &ho_host_memory.max_bytes);
}

static void host_has_one_cap_for_all_namespaces(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	u32 used = ho_budget_count(&ho_host_memory.used);
	struct ho_memory other = { .max_bytes = HO_MEMORY_DEF };
	struct ho_conn conn = conn_v4(1);

	KUNIT_ASSERT_EQ(test, ho_memory_net_init(&other), 0);
	ho_host_memory.max_bytes = used + 1000;
	local_bh_disable();
	KUNIT_EXPECT_TRUE(test, ho_memory_charge(&other, 1000));
	KUNIT_EXPECT_FALSE(test, ho_memory_charge(&other, 1));
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_MEMORY);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->mem.used), used);
	local_bh_disable();
	ho_memory_uncharge(&other, 1000);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&other.used), 0);
	ho_memory_net_exit(&other);
}

static void without_memory_nothing_is_counted(struct kunit *test)
{
	struct ho_memory other;

	ho_memory_exit();
	fix_fail_nth = 1;
	KUNIT_EXPECT_EQ(test, ho_memory_init(), -ENOMEM);
	KUNIT_ASSERT_EQ(test, ho_memory_init(), 0);
	fix_fail_nth = 1;
	KUNIT_EXPECT_EQ(test, ho_memory_net_init(&other), -ENOMEM);
}

/* A reader may still look at it: it is memory until he is done. */
static void memory_is_given_back_when_it_is_free(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct ho_table *tbl = make_warm(test);
	struct counts before = count_all(tbl), after;
	struct ho_conn conn = kind->make(1);

	KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, fix_remove(tbl, &conn.key));
	after = count_all(tbl);
	rcu_read_unlock();
	/* room in the table at once */
	KUNIT_EXPECT_EQ(test, after.entries, 0);
	KUNIT_EXPECT_EQ(test, after.port_a, 0);
	KUNIT_EXPECT_EQ(test, after.port_b, 0);
	KUNIT_EXPECT_FALSE(test, after.sources);
	KUNIT_EXPECT_EQ(test, after.mem, before.mem + kind->bytes);
	KUNIT_EXPECT_EQ(test, after.host, before.host + kind->bytes);
	ho_limbo_wait(tbl);
	expect_counts(test, tbl, before);
}

static void nothing_is_left_of_a_flood(struct kunit *test)
{
	enum { NR = 3000 };
	struct ho_table *tbl = make_warm(test);
	struct counts before = count_all(tbl), full;
	enum ho_full why;
	u32 round, n, bytes = 0;

	for (n = 0; n < NR; n++) {
		struct ho_conn conn = conn_mixed(n);

		bytes += bytes_of(&conn);
	}
	for (round = 0; round < 3; round++) {
		KUNIT_ASSERT_EQ(test, fill(tbl, conn_mixed, NR, &why), NR);
		full = count_all(tbl);
		KUNIT_EXPECT_EQ(test, full.entries, NR);
		KUNIT_EXPECT_EQ(test, full.port_a + full.port_b, NR);
		KUNIT_EXPECT_EQ(test, full.mem, before.mem + bytes);
		KUNIT_EXPECT_EQ(test, full.host, before.host + bytes);
		empty(tbl, conn_mixed, NR);
		ho_limbo_wait(tbl);
		expect_counts(test, tbl, before);
	}
}

/* Grace periods follow each other while entries leave all the time. */
static void entries_that_leave_one_by_one_are_all_freed(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct counts before = count_all(tbl);
	u32 n;

	for (n = 0; n < 5000; n++) {
		struct ho_conn conn = conn_mixed(n);

		KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
		KUNIT_ASSERT_TRUE(test, fix_remove(tbl, &conn.key));
		if (n % 100 == 0)
			cond_resched();
		if (n % 1000 == 0)
			synchronize_rcu();
	}
	ho_limbo_wait(tbl);
	expect_counts(test, tbl, before);
}

static void cancelled_entry_leaves_nothing(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct ho_table *tbl = make_warm(test);
	struct counts before = count_all(tbl), during;
	struct ho_conn conn = kind->make(1);
	struct ho_entry *ent;
	enum ho_full why;

	ent = fix_enter(tbl, &conn, &why);
	KUNIT_ASSERT_NOT_NULL(test, ent);
	KUNIT_EXPECT_EQ(test, why, HO_FULL_NOT);
	during = count_all(tbl);
	KUNIT_EXPECT_EQ(test, during.entries, 1);
	KUNIT_EXPECT_EQ(test, during.mem, before.mem + kind->bytes);
	KUNIT_EXPECT_TRUE(test, during.sources);
	/* nobody ever saw it: no grace period */
	fix_cancel(tbl, ent);
	expect_counts(test, tbl, before);
}

/*
 * What an insertion into a cold table allocates, each of it failing once: a
 * port and its credits, a chunk of cells for either row, the entry, a chunk of
 * buckets.  Chunks that were made on the way stay, so the next failure is the
 * second allocation, but for the first three: a port is made as a whole.
 */
static void failed_allocation_leaves_nothing(struct kunit *test)
{
	static const unsigned int nth[] = { 1, 2, 3, 2, 2, 2 };
	const struct kind *kind = test->param_value;
	struct ho_table *tbl = fix_table(test, HO_BUCKETS_MIN);
	struct ho_conn conn = kind->make(1);
	struct counts counts;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nth); i++) {
		fix_fail_nth = nth[i];
		KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0),
				HO_FULL_MEMORY);
		KUNIT_EXPECT_FALSE(test, fix_was_spared());
		counts = count_all(tbl);
		KUNIT_EXPECT_EQ(test, counts.entries, 0);
		KUNIT_EXPECT_EQ(test, counts.port_a + counts.port_b, 0);
		KUNIT_EXPECT_FALSE(test, counts.sources);
		KUNIT_EXPECT_EQ(test, counts.mem, counts.host);
	}
	fix_fail_nth = 3;
	KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
	KUNIT_EXPECT_TRUE(test, fix_was_spared());
}

/* --- insertion ------------------------------------------------------------ */

static void chain_at_its_bound_is_a_limit(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_port *port = fix_port(tbl, cpu_to_be16(PORT_A));
	struct ho_conn conn;
	struct counts full;
	enum ho_full why;
	bool lost;
	u32 n;

	KUNIT_ASSERT_NOT_NULL(test, port);
	for (n = 0; n <= HO_CHAIN_MAX + 10; n++) {
		conn = conn_v4(n);
		local_bh_disable();
		conn.source = ho_source_of(&tbl->sources, &conn.key);
		/* as if all had the same hash */
		why = ho_room_insert(tbl, port, &conn, 0, 0, &lost);
		local_bh_enable();
		KUNIT_ASSERT_EQ(test, why, n < HO_CHAIN_MAX ? HO_FULL_NOT :
							      HO_FULL_CHAIN);
		KUNIT_ASSERT_FALSE(test, lost);
		if (n == HO_CHAIN_MAX - 1)
			full = count_all(tbl);
	}
	expect_counts(test, tbl, full);
}

/* Two CPUs with the same SYN: there is one entry, and the loser knows. */
static void second_of_the_same_key_has_lost(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct ho_table *tbl = make_warm(test);
	struct ho_conn conn = kind->make(1), got;
	struct ho_port *port = fix_port(tbl, conn.key.lport);
	u64 hash = ho_table_hash(tbl, &conn.key);
	struct counts one;
	bool lost;

	KUNIT_ASSERT_NOT_NULL(test, port);
	conn.req.rcv_isn = 1;
	local_bh_disable();
	conn.source = ho_source_of(&tbl->sources, &conn.key);
	ho_room_insert(tbl, port, &conn, hash, 0, &lost);
	local_bh_enable();
	KUNIT_EXPECT_FALSE(test, lost);
	one = count_all(tbl);
	conn.req.rcv_isn = 2;
	local_bh_disable();
	ho_room_insert(tbl, port, &conn, hash, 0, &lost);
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, lost);
	expect_counts(test, tbl, one);
	KUNIT_ASSERT_TRUE(test, fix_find(tbl, &conn.key, &got));
	KUNIT_EXPECT_EQ(test, got.req.rcv_isn, 1);
}

/* --- eviction ------------------------------------------------------------- */

/* The next connection in a shard after the n-th; @n is set to it. */
static struct ho_conn conn_in(struct ho_table *tbl, u32 shard, u32 *n,
			      u16 lport)
{
	struct ho_conn conn;

	do {
		conn = conn_at(++*n, lport);
	} while (ho_table_hash(tbl, &conn.key) % HO_SHARDS != shard);
	conn.req.rcv_isn = *n;
	return conn;
}

static struct ho_conn conn_in_shard(struct ho_table *tbl, u32 *n, u16 lport)
{
	return conn_in(tbl, 0, n, lport);
}

/* One that had so many timeouts, its client perhaps there already. */
static struct ho_key insert_aged(struct kunit *test, struct ho_table *tbl,
				 u32 *n, u16 lport, unsigned int level,
				 bool acked)
{
	struct ho_conn conn = conn_in_shard(tbl, n, lport);

	conn.req.timeouts = level;
	conn.req.acked = acked;
	KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
	return conn.key;
}

static bool evict_at(struct ho_table *tbl, u16 lport, u32 now_ms)
{
	bool ok;

	rcu_read_lock();
	local_bh_disable();
	ok = ho_room_evict(tbl, 0, cpu_to_be16(lport), now_ms);
	local_bh_enable();
	rcu_read_unlock();
	return ok;
}

static bool evict(struct ho_table *tbl)
{
	return evict_at(tbl, 0, 1000);
}

static bool is_there(struct ho_table *tbl, const struct ho_key *key)
{
	struct ho_conn conn;

	return fix_find(tbl, key, &conn);
}

/* Highest level first, and in a level as they came. */
static void oldest_goes_first(struct kunit *test)
{
	enum { EACH = 3, NR = HO_RETRIES_MAX * EACH };
	struct ho_table *tbl = make_warm(test);
	struct ho_key *key;
	u32 n = 0, i, left;

	key = kunit_kcalloc(test, NR, sizeof(*key), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, key);
	/* levels from low to high and so not in the order in which they go */
	for (i = 0; i < NR; i++) {
		u32 level = 1 + i / EACH;
		u32 at = (HO_RETRIES_MAX - level) * EACH + i % EACH;

		key[at] = insert_aged(test, tbl, &n, PORT_A, level, false);
	}
	for (i = 0; i < NR; i++) {
		KUNIT_ASSERT_TRUE(test, evict(tbl));
		for (left = 0; left < NR; left++)
			KUNIT_ASSERT_EQ_MSG(test, is_there(tbl, &key[left]),
					    left > i, "%u of %u gone", left, i);
	}
	KUNIT_EXPECT_FALSE(test, evict(tbl));
}

static void who_had_no_timeout_yet_stays(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	u32 n = 0, i;

	for (i = 0; i < 20; i++)
		insert_aged(test, tbl, &n, PORT_A, 0, false);
	KUNIT_EXPECT_FALSE(test, evict(tbl));
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->entries), 20);
}

static void who_answered_stays(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_key proven, other;
	u32 n = 0;

	proven = insert_aged(test, tbl, &n, PORT_A, HO_RETRIES_MAX, true);
	KUNIT_EXPECT_FALSE(test, evict(tbl));
	other = insert_aged(test, tbl, &n, PORT_A, 1, false);
	KUNIT_EXPECT_TRUE(test, evict(tbl));
	KUNIT_EXPECT_FALSE(test, evict(tbl));
	KUNIT_EXPECT_TRUE(test, is_there(tbl, &proven));
	KUNIT_EXPECT_FALSE(test, is_there(tbl, &other));
}

static void port_that_is_full_makes_its_own_room(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_key older, old, young;
	u32 n = 0;

	older = insert_aged(test, tbl, &n, PORT_A, 9, false);
	old = insert_aged(test, tbl, &n, PORT_B, 3, false);
	young = insert_aged(test, tbl, &n, PORT_B, 1, false);
	KUNIT_EXPECT_TRUE(test, evict_at(tbl, PORT_B, 1000));
	KUNIT_EXPECT_FALSE(test, is_there(tbl, &old));
	KUNIT_EXPECT_TRUE(test, evict_at(tbl, PORT_B, 1000));
	KUNIT_EXPECT_FALSE(test, is_there(tbl, &young));
	KUNIT_EXPECT_FALSE(test, evict_at(tbl, PORT_B, 1000));
	KUNIT_EXPECT_TRUE(test, is_there(tbl, &older));
}

struct scan_case {
	const char *name;
	u32 before;		/* those at the head that cannot go */
	bool by_port;		/* because their port is another one */
	bool found;
};

static const struct scan_case scans[] = {
	{ "finds_the_first", 0, false, true },
	{ "passes_those_who_answered", HO_EVICT_SCAN - 1, false, true },
	{ "gives_up_on_a_level", HO_EVICT_SCAN, false, false },
	{ "passes_other_ports", HO_EVICT_SCAN - 1, true, true },
	{ "gives_up_on_other_ports", HO_EVICT_SCAN, true, false },
};

KUNIT_ARRAY_PARAM_DESC(scans, scans, name);

static void search(struct kunit *test)
{
	const struct scan_case *c = test->param_value;
	struct ho_table *tbl = make_warm(test);
	struct ho_key last, lower;
	u32 n = 0, i;

	for (i = 0; i < c->before; i++)
		insert_aged(test, tbl, &n, c->by_port ? PORT_B : PORT_A, 4,
			    !c->by_port);
	last = insert_aged(test, tbl, &n, PORT_A, 4, false);
	lower = insert_aged(test, tbl, &n, PORT_A, 3, false);
	KUNIT_EXPECT_TRUE(test, evict_at(tbl, c->by_port ? PORT_A : 0, 1000));
	/* a level that is given up does not hide the next one */
	KUNIT_EXPECT_EQ(test, is_there(tbl, &last), !c->found);
	KUNIT_EXPECT_EQ(test, is_there(tbl, &lower), c->found);
}

struct cookie_case {
	const char *name;
	bool ecn_ok, ts_rand;
	bool goes;
};

static const struct cookie_case cookies[] = {
	{ "all_goes", false, false, true },
	{ "all_in_the_timestamp_goes", true, true, true },
	{ "nothing_of_ecn_stays", true, false, false },
};

KUNIT_ARRAY_PARAM_DESC(cookies, cookies, name);

/* Without his entry he has to do with what his cookie says. */
static void client_whose_cookie_tells(struct kunit *test)
{
	const struct cookie_case *c = test->param_value;
	struct ho_table *tbl = make_warm(test);
	struct ho_conn conn;
	u32 n = 0;

	conn = conn_in_shard(tbl, &n, PORT_A);
	conn.req.timeouts = 1;
	conn.req.ecn_ok = c->ecn_ok;
	conn.req.ts_rand = c->ts_rand;
	KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
	KUNIT_EXPECT_EQ(test, evict(tbl), c->goes);
	KUNIT_EXPECT_EQ(test, is_there(tbl, &conn.key), !c->goes);
}

/* His own shard and the next ones, so that few entries are found as well. */
static void neighbouring_shards_are_searched(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_conn conn;
	u32 n = 0, shard;

	for (shard = 0; shard < HO_SHARDS; shard++) {
		conn = conn_in(tbl, shard, &n, PORT_A);
		conn.req.timeouts = 5;
		KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
		KUNIT_EXPECT_EQ_MSG(test, evict(tbl), shard < HO_EVICT_SHARDS,
				    "shard %u", shard);
		fix_remove(tbl, &conn.key);
	}
}

static void nearest_shard_comes_first(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_conn conn;
	struct ho_key own;
	u32 n = 0;

	conn = conn_in(tbl, 1, &n, PORT_A);
	conn.req.timeouts = HO_RETRIES_MAX;
	KUNIT_ASSERT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
	own = insert_aged(test, tbl, &n, PORT_A, 1, false);
	KUNIT_EXPECT_TRUE(test, evict(tbl));
	KUNIT_EXPECT_FALSE(test, is_there(tbl, &own));
	KUNIT_EXPECT_TRUE(test, is_there(tbl, &conn.key));
}

/* He has an ISN, which is a cookie: from now on his port has to know. */
static void evicted_client_may_come_with_his_cookie(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_port *port = fix_port(tbl, cpu_to_be16(PORT_B));
	struct counts before = count_all(tbl);
	u32 n = 0;

	insert_aged(test, tbl, &n, PORT_B, 1, false);
	KUNIT_EXPECT_FALSE(test, ho_port_believes(port, 5000));
	KUNIT_EXPECT_TRUE(test, evict_at(tbl, 0, 5000));
	KUNIT_EXPECT_TRUE(test, ho_port_believes(port, 5000));
	ho_limbo_wait(tbl);
	expect_counts(test, tbl, before);
}

static enum ho_full insert_evicting(struct ho_table *tbl,
				    const struct ho_conn *conn)
{
	struct ho_port *port = fix_port(tbl, conn->key.lport);
	u64 hash = ho_table_hash(tbl, &conn->key);
	struct ho_conn copy = *conn;
	enum ho_full full;
	bool lost;

	rcu_read_lock();
	local_bh_disable();
	copy.source = ho_source_of(&tbl->sources, &copy.key);
	full = ho_room_insert_evicting(tbl, port, &copy, hash, 1000, &lost);
	local_bh_enable();
	rcu_read_unlock();
	return full;
}

struct need_case {
	const char *name;
	enum ho_full why;
	unsigned int level;	/* of those who are there */
	bool goes;		/* one of them for the newcomer */
};

static const struct need_case needs[] = {
	{ "a_full_table", HO_FULL_BACKLOG, 1, true },
	{ "a_full_port", HO_FULL_PORT, 1, true },
	{ "a_table_full_of_young_ones", HO_FULL_BACKLOG, 0, false },
	{ "a_port_full_of_young_ones", HO_FULL_PORT, 0, false },
	{ "a_source_that_has_its_share", HO_FULL_SOURCE, 1, false },
};

KUNIT_ARRAY_PARAM_DESC(needs, needs, name);

static void newcomer_meets(struct kunit *test)
{
	enum { NR = 10 };
	struct ho_table *tbl = make_warm(test);
	const struct need_case *c = test->param_value;
	struct ho_conn conn;
	u32 n = 0, i;

	if (c->why == HO_FULL_BACKLOG)
		limit_backlog(tbl, NR);
	else if (c->why == HO_FULL_PORT)
		limit_port(tbl, NR);
	else
		limit_source(tbl, NR);
	for (i = 0; i < NR; i++)
		insert_aged(test, tbl, &n, PORT_A, c->level, false);
	conn = conn_in_shard(tbl, &n, PORT_A);
	KUNIT_EXPECT_EQ(test, insert_evicting(tbl, &conn),
			c->goes ? HO_FULL_NOT : c->why);
	KUNIT_EXPECT_EQ(test, is_there(tbl, &conn.key), c->goes);
	KUNIT_EXPECT_EQ(test, fix_state(tbl)->nr_evicted, c->goes);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->entries), NR);
}

static void newcomer_with_room_sends_nobody_away(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_conn conn;
	u32 n = 0, i;

	for (i = 0; i < 10; i++)
		insert_aged(test, tbl, &n, PORT_A, 3, false);
	conn = conn_in_shard(tbl, &n, PORT_A);
	KUNIT_EXPECT_EQ(test, insert_evicting(tbl, &conn), HO_FULL_NOT);
	KUNIT_EXPECT_EQ(test, fix_state(tbl)->nr_evicted, 0);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&tbl->entries), 11);
}

/* Its port is full, so it is of no use that somebody goes elsewhere. */
static void newcomer_at_a_full_port_displaces_its_own(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_key elsewhere;
	struct ho_conn conn;
	u32 n = 0, i;

	elsewhere = insert_aged(test, tbl, &n, PORT_B, 9, false);
	for (i = 0; i < 10; i++)
		insert_aged(test, tbl, &n, PORT_A, 1, false);
	tbl->cfg.max_port_entries = 10;
	conn = conn_in_shard(tbl, &n, PORT_A);
	KUNIT_EXPECT_EQ(test, insert_evicting(tbl, &conn), HO_FULL_NOT);
	KUNIT_EXPECT_TRUE(test, is_there(tbl, &elsewhere));
	KUNIT_EXPECT_EQ(test, port_count(tbl, PORT_A), 10);
}

/* Who goes for want of memory is memory until his readers are done. */
static void evicted_entry_makes_room_after_a_grace_period(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct counts full;
	struct ho_conn conn;
	u32 n = 0, i;

	for (i = 0; i < 10; i++)
		insert_aged(test, tbl, &n, PORT_A, 1, false);
	full = count_all(tbl);
	tbl->mem.max_bytes = full.mem;
	conn = conn_in_shard(tbl, &n, PORT_A);
	insert_evicting(tbl, &conn);
	KUNIT_EXPECT_EQ(test, fix_state(tbl)->nr_evicted, 1);
	KUNIT_EXPECT_LE(test, ho_budget_count(&tbl->mem.used), full.mem);
	ho_limbo_wait(tbl);
	conn = conn_in_shard(tbl, &n, PORT_A);
	KUNIT_EXPECT_EQ(test, fix_insert(tbl, &conn, 0), HO_FULL_NOT);
	expect_counts(test, tbl, full);
}

/* --- pressure ------------------------------------------------------------- */

struct level_case {
	const char *name;
	u32 max, port_max, bytes;
	enum ho_pressure want;
};

enum { LEVEL_NR = 1000 };

/* A thousand are there; a credit of 32 may count as well. */
static const struct level_case levels[] = {
	{ "nothing", 2100, 2100, 1 << 20, HO_PRESSURE_NONE },
	{ "the_table_low", 1900, 5000, 1 << 20, HO_PRESSURE_LOW },
	{ "the_table_high", 1300, 5000, 1 << 20, HO_PRESSURE_HIGH },
	{ "the_port_low", 5000, 1900, 1 << 20, HO_PRESSURE_LOW },
	{ "the_port_high", 5000, 1300, 1 << 20, HO_PRESSURE_HIGH },
	{ "the_higher_of_both", 1900, 1300, 1 << 20, HO_PRESSURE_HIGH },
	{ "memory_low", 5000, 5000, 0, HO_PRESSURE_LOW },
	{ "memory_high", 5000, 5000, 1, HO_PRESSURE_HIGH },
};

KUNIT_ARRAY_PARAM_DESC(levels, levels, name);

static void pressure_is_that_of(struct kunit *test)
{
	const struct level_case *c = test->param_value;
	struct ho_table *tbl = make_warm(test);
	struct ho_port *port = fix_port(tbl, cpu_to_be16(PORT_A));
	enum ho_full why;
	u32 used;

	KUNIT_ASSERT_EQ(test, fill(tbl, conn_v4, LEVEL_NR, &why), LEVEL_NR);
	used = ho_budget_count(&tbl->mem.used);
	tbl->cfg.marks = (struct ho_watermarks) { 50, 75 };
	tbl->cfg.max_entries = c->max;
	tbl->cfg.max_port_entries = c->port_max;
	if (c->bytes <= 1)
		tbl->mem.max_bytes = c->bytes ? used * 5 / 4 : used * 5 / 3;
	KUNIT_EXPECT_EQ(test, ho_room_pressure(tbl, port), c->want);
	if (c->bytes <= 1)
		KUNIT_EXPECT_EQ(test, ho_room_memory_pressure(tbl), c->want);
	else
		KUNIT_EXPECT_EQ(test, ho_room_memory_pressure(tbl),
				HO_PRESSURE_NONE);
}

static void quiet_port_suffers_with_the_table_only(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_port *quiet = fix_port(tbl, cpu_to_be16(PORT_B));
	enum ho_full why;

	fill(tbl, conn_v4, LEVEL_NR, &why);
	tbl->cfg.marks = (struct ho_watermarks) { 50, 75 };
	tbl->cfg.max_port_entries = LEVEL_NR + 100;
	tbl->cfg.max_entries = 5 * LEVEL_NR;
	KUNIT_EXPECT_EQ(test, ho_room_pressure(tbl, quiet), HO_PRESSURE_NONE);
	tbl->cfg.max_entries = LEVEL_NR + 100;
	KUNIT_EXPECT_EQ(test, ho_room_pressure(tbl, quiet), HO_PRESSURE_HIGH);
}

/* What CPUs hold ahead must not be taken for entries. */
static void few_in_a_small_table_are_no_pressure(struct kunit *test)
{
	struct ho_table *tbl = make_warm(test);
	struct ho_port *port = fix_port(tbl, cpu_to_be16(PORT_A));
	struct ho_conn proven = conn_at(77, PORT_A);
	enum ho_full why;

	tbl->cfg.marks = (struct ho_watermarks) { 50, 75 };
	tbl->cfg.max_entries = 20;
	tbl->cfg.max_port_entries = HO_PORT_BACKLOG_DEF;
	KUNIT_ASSERT_EQ(test, fill(tbl, conn_v4, 5, &why), 5);
	KUNIT_EXPECT_EQ(test, ho_room_pressure(tbl, port), HO_PRESSURE_NONE);
	/* nor when there were many, or somebody who has proven himself */
	fill(tbl, conn_v6, 20, &why);
	empty(tbl, conn_v6, 20);
	proven.req.acked = 1;
	KUNIT_ASSERT_EQ(test, fix_insert(tbl, &proven, 0), HO_FULL_NOT);
	KUNIT_ASSERT_TRUE(test, fix_remove(tbl, &proven.key));
	KUNIT_ASSERT_EQ(test, ho_budget_count(&tbl->entries), 5);
	KUNIT_EXPECT_EQ(test, ho_room_pressure(tbl, port), HO_PRESSURE_NONE);
}

static struct kunit_case room_cases[] = {
	KUNIT_CASE_PARAM(limit, limits_gen_params),
	KUNIT_CASE_PARAM(lowered_limit_sends_nobody_away, limits_gen_params),
	KUNIT_CASE(first_limit_is_the_reason),
	KUNIT_CASE_PARAM(who_has_proven_himself_needs_but_memory,
			 kinds_gen_params),
	KUNIT_CASE(ports_have_room_of_their_own),
	KUNIT_CASE(addresses_and_families_share_a_port),
	KUNIT_CASE_PARAM(limit_of_a_port_is, maxima_gen_params),
	KUNIT_CASE_PARAM(cap_of_the_namespace_is_exact_to_the_byte_for,
			 kinds_gen_params),
	KUNIT_CASE_PARAM(cap_of_the_host_is_exact_to_the_byte_for,
			 kinds_gen_params),
	KUNIT_CASE(host_has_one_cap_for_all_namespaces),
	KUNIT_CASE(without_memory_nothing_is_counted),
	KUNIT_CASE_PARAM(memory_is_given_back_when_it_is_free,
			 kinds_gen_params),
	KUNIT_CASE(nothing_is_left_of_a_flood),
	KUNIT_CASE(entries_that_leave_one_by_one_are_all_freed),
	KUNIT_CASE_PARAM(cancelled_entry_leaves_nothing, kinds_gen_params),
	KUNIT_CASE_PARAM(failed_allocation_leaves_nothing, kinds_gen_params),
	KUNIT_CASE(chain_at_its_bound_is_a_limit),
	KUNIT_CASE_PARAM(second_of_the_same_key_has_lost, kinds_gen_params),
	KUNIT_CASE(oldest_goes_first),
	KUNIT_CASE(who_had_no_timeout_yet_stays),
	KUNIT_CASE(who_answered_stays),
	KUNIT_CASE(port_that_is_full_makes_its_own_room),
	KUNIT_CASE_PARAM(search, scans_gen_params),
	KUNIT_CASE_PARAM(client_whose_cookie_tells, cookies_gen_params),
	KUNIT_CASE(neighbouring_shards_are_searched),
	KUNIT_CASE(nearest_shard_comes_first),
	KUNIT_CASE(evicted_client_may_come_with_his_cookie),
	KUNIT_CASE_PARAM(newcomer_meets, needs_gen_params),
	KUNIT_CASE(newcomer_with_room_sends_nobody_away),
	KUNIT_CASE(newcomer_at_a_full_port_displaces_its_own),
	KUNIT_CASE(evicted_entry_makes_room_after_a_grace_period),
	KUNIT_CASE_PARAM(pressure_is_that_of, levels_gen_params),
	KUNIT_CASE(quiet_port_suffers_with_the_table_only),
	KUNIT_CASE(few_in_a_small_table_are_no_pressure),
	{}
};

static struct kunit_suite room_suite = {
	.name = "halfopen_room",
	.init = fix_table_init,
	.exit = fix_table_exit,
	.test_cases = room_cases,
};

kunit_test_suite(room_suite);
