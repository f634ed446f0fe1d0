// SPDX-License-Identifier: GPL-2.0
/* Local ports: known when somebody listens, and when cookies count there. */
#include <kunit/test.h>

#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/slab.h>

#include <halfopen/port.h>

#include "faults.h"
#include "fixtures.h"

enum { PORTS = 1 << 16 };

struct state {
	struct ho_memory mem;
	struct ho_ports ports;
	bool host_made, mem_made;
};

static int port_test_init(struct kunit *test)
{
	struct state *state = kunit_kzalloc(test, sizeof(*state), GFP_KERNEL);

	if (!state)
		return -ENOMEM;
	test->priv = state;
	ho_host_memory.max_bytes = HO_HOST_MEMORY_DEF;
	state->mem.max_bytes = HO_MEMORY_DEF;
	state->host_made = !ho_memory_init();
	state->mem_made = state->host_made && !ho_memory_net_init(&state->mem);
	return state->mem_made ? 0 : -ENOMEM;
}

static void port_test_exit(struct kunit *test)
{
	struct state *state = test->priv;

	if (!state)
		return;
	fix_fail_nth = 0;
	if (state->mem_made) {
		ho_ports_exit(&state->ports, &state->mem);
		KUNIT_EXPECT_EQ(test, ho_budget_count(&state->mem.used), 0);
		ho_memory_net_exit(&state->mem);
	}
	if (state->host_made)
		ho_memory_exit();
}

static struct ho_port *find(struct kunit *test, u16 nr)
{
	struct state *state = test->priv;

	return ho_port_find(&state->ports, cpu_to_be16(nr));
}

static struct ho_port *make(struct kunit *test, u16 nr)
{
	struct state *state = test->priv;
	struct ho_port *port;

	local_bh_disable();
	port = ho_port_make(&state->ports, cpu_to_be16(nr), &state->mem);
	local_bh_enable();
	return port;
}

static u32 used(struct kunit *test)
{
	struct state *state = test->priv;

	return ho_budget_count(&state->mem.used);
}

/* --- what is known -------------------------------------------------------- */

static void port_is_known_once_made(struct kunit *test)
{
	struct ho_port *port;

	KUNIT_EXPECT_NULL(test, find(test, 80));
	port = make(test, 80);
	KUNIT_ASSERT_NOT_NULL(test, port);
	KUNIT_EXPECT_PTR_EQ(test, find(test, 80), port);
	KUNIT_EXPECT_PTR_EQ(test, make(test, 80), port);
}

static void every_port_is_its_own(struct kunit *test)
{
	u32 nr;

	for (nr = 0; nr < PORTS; nr++) {
		struct ho_port *port = make(test, nr);

		/* per-CPU memory for softirqs is topped up in the background */
		if (!port) {
			msleep(20);
			port = make(test, nr);
		}
		KUNIT_ASSERT_NOT_NULL(test, port);
		port->cookie_ms = nr;
		this_cpu_write(port->cpu->syns, nr);
	}
	for (nr = 0; nr < PORTS; nr++) {
		KUNIT_ASSERT_EQ(test, find(test, nr)->cookie_ms, nr);
		KUNIT_ASSERT_EQ(test, ho_port_syns(find(test, nr)), nr);
	}
}

static void new_port_is_empty(struct kunit *test)
{
	struct ho_port *port = make(test, 443);

	KUNIT_ASSERT_NOT_NULL(test, port);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&port->entries), 0);
	KUNIT_EXPECT_EQ(test, ho_budget_upper(&port->entries), 0);
	KUNIT_EXPECT_EQ(test, ho_port_syns(port), 0);
	KUNIT_EXPECT_FALSE(test, port->pressure);
}

static void neighbours_share_a_chunk(struct kunit *test)
{
	u32 one;

	make(test, 0);
	one = used(test);
	KUNIT_EXPECT_GT(test, one, 0);
	make(test, HO_CHUNK_PORTS - 1);
	KUNIT_EXPECT_EQ(test, used(test), one);
	make(test, HO_CHUNK_PORTS);
	KUNIT_EXPECT_EQ(test, used(test), 2 * one);
	make(test, U16_MAX);
	KUNIT_EXPECT_EQ(test, used(test), 3 * one);
	/* as many listeners as there can be are not a hundred MB */
	KUNIT_EXPECT_LE(test, one, 32 << 10);
}

static void ports_count_apart(struct kunit *test)
{
	struct ho_port *a = make(test, 80), *b = make(test, 81);
	u32 n;

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	local_bh_disable();
	for (n = 0; n < 100; n++)
		KUNIT_EXPECT_TRUE(test,
				  ho_budget_reserve(&a->entries, 1, 100));
	KUNIT_EXPECT_FALSE(test, ho_budget_reserve(&a->entries, 1, 100));
	KUNIT_EXPECT_TRUE(test, ho_budget_reserve(&b->entries, 1, 1));
	KUNIT_EXPECT_FALSE(test, ho_budget_reserve(&b->entries, 1, 1));
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, ho_budget_count(&a->entries), 100);
	KUNIT_EXPECT_EQ(test, ho_budget_count(&b->entries), 1);
}

static void syns_are_counted_by_port(struct kunit *test)
{
	struct ho_port *a = make(test, 80), *b = make(test, 81);
	u32 n;

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	for (n = 0; n < 1000; n++)
		ho_port_count_syn(n % 10 ? a : b);
	KUNIT_EXPECT_EQ(test, ho_port_syns(a), 900);
	KUNIT_EXPECT_EQ(test, ho_port_syns(b), 100);
}

struct walk_case {
	const char *name;
	u32 nr[4];
	u32 count;
};

static const struct walk_case walks[] = {
	{ "none", {}, 0 },
	{ "the_first", { 0 }, 1 },
	{ "the_last", { U16_MAX }, 1 },
	{ "some", { 80, 443, 8080, 65000 }, 4 },
};

KUNIT_ARRAY_PARAM_DESC(walks, walks, name);

/* In order, each once; neighbours in the same chunk are known as well. */
static void walk_meets(struct kunit *test)
{
	const struct walk_case *c = test->param_value;
	struct state *state = test->priv;
	u32 i, nr, seen = 0, met = 0, last = 0;
	struct ho_port *port;

	for (i = 0; i < c->count; i++)
		KUNIT_ASSERT_NOT_NULL(test, make(test, c->nr[i]));
	for (nr = 0; (port = ho_port_next(&state->ports, &nr)); nr++) {
		KUNIT_ASSERT_PTR_EQ(test, port, find(test, nr));
		KUNIT_ASSERT_TRUE(test, !seen || nr > last);
		last = nr;
		seen++;
		for (i = 0; i < c->count; i++)
			met += nr == c->nr[i];
	}
	KUNIT_EXPECT_EQ(test, met, c->count);
	KUNIT_EXPECT_LE(test, seen, c->count * HO_CHUNK_PORTS);
}

static void without_memory_no_port_is_known(struct kunit *test)
{
	struct state *state = test->priv;
	unsigned int nth;

	state->mem.max_bytes = 1000;
	KUNIT_EXPECT_NULL(test, make(test, 80));
	KUNIT_EXPECT_EQ(test, used(test), 0);
	state->mem.max_bytes = HO_MEMORY_DEF;
	ho_host_memory.max_bytes = 1000;
	KUNIT_EXPECT_NULL(test, make(test, 80));
	KUNIT_EXPECT_EQ(test, used(test), 0);
	ho_host_memory.max_bytes = HO_HOST_MEMORY_DEF;
	for (nth = 1; nth <= 2; nth++) {
		fix_fail_nth = nth;
		KUNIT_EXPECT_NULL(test, make(test, 80));
		KUNIT_EXPECT_FALSE(test, fix_was_spared());
		KUNIT_EXPECT_EQ(test, used(test), 0);
	}
	KUNIT_EXPECT_NOT_NULL(test, make(test, 80));
}

/* --- where cookies count -------------------------------------------------- */

struct clock_case {
	const char *name;
	u32 now_ms;
};

static const struct clock_case clocks[] = {
	{ "at_0", 0 },
	{ "at_1", 1 },
	{ "later", 123456789 },
	{ "at_the_sign", 1U << 31 },
	{ "before_the_wrap", U32_MAX - 60000 },
	{ "at_the_wrap", U32_MAX },
};

KUNIT_ARRAY_PARAM_DESC(clocks, clocks, name);

/* From every moment for two key periods and not a millisecond longer. */
static void cookie_is_believed_for_120_s_from(struct kunit *test)
{
	const struct clock_case *c = test->param_value;
	struct ho_port *port = make(test, 80);
	u32 ms;

	KUNIT_ASSERT_NOT_NULL(test, port);
	ho_port_needs_cookies(port, c->now_ms);
	for (ms = 0; ms < HO_COOKIE_AGE_MAX_MS; ms++)
		KUNIT_ASSERT_TRUE_MSG(test,
				      ho_port_believes(port, c->now_ms + ms),
				      "after %u ms", ms);
	/* that 0 means never costs a millisecond */
	for (ms += 2; ms < 10 * HO_COOKIE_AGE_MAX_MS; ms++)
		KUNIT_ASSERT_FALSE_MSG(test,
				       ho_port_believes(port, c->now_ms + ms),
				       "after %u ms", ms);
}

/* Another CPU notes a cookie just after this one looked at its clock. */
static void cookie_of_this_very_moment_is_believed(struct kunit *test)
{
	const struct clock_case *c = test->param_value;
	struct ho_port *port = make(test, 80);

	KUNIT_ASSERT_NOT_NULL(test, port);
	ho_port_needs_cookies(port, c->now_ms + MSEC_PER_SEC / HZ);
	KUNIT_EXPECT_TRUE(test, ho_port_believes(port, c->now_ms));
}

static void every_cookie_begins_anew(struct kunit *test)
{
	struct ho_port *port = make(test, 80);
	u32 now = U32_MAX - 5 * HO_COOKIE_AGE_MAX_MS, n;

	KUNIT_ASSERT_NOT_NULL(test, port);
	for (n = 0; n < 20; n++, now += HO_COOKIE_AGE_MAX_MS) {
		ho_port_needs_cookies(port, now);
		ho_port_needs_cookies(port, now);
		KUNIT_ASSERT_TRUE(test,
				  ho_port_believes(port, now +
						   HO_COOKIE_AGE_MAX_MS - 1));
	}
}

/* CVE-2001-0851: an open port's cookies are no way into another. */
static void cookie_counts_at_its_own_port_only(struct kunit *test)
{
	struct ho_port *a = make(test, 80), *b = make(test, 81);

	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_NOT_NULL(test, b);
	ho_port_needs_cookies(a, 1000);
	KUNIT_EXPECT_TRUE(test, ho_port_believes(a, 1000));
	KUNIT_EXPECT_FALSE(test, ho_port_believes(b, 1000));
}

static void where_no_cookie_was_given_none_is_believed(struct kunit *test)
{
	const struct clock_case *c = test->param_value;
	struct ho_port *port = make(test, 80);

	KUNIT_ASSERT_NOT_NULL(test, port);
	KUNIT_EXPECT_FALSE(test, ho_port_believes(port, c->now_ms));
	KUNIT_EXPECT_FALSE(test, ho_port_believes(NULL, c->now_ms));
}

static struct kunit_case port_cases[] = {
	KUNIT_CASE(port_is_known_once_made),
	KUNIT_CASE(every_port_is_its_own),
	KUNIT_CASE(new_port_is_empty),
	KUNIT_CASE(neighbours_share_a_chunk),
	KUNIT_CASE(ports_count_apart),
	KUNIT_CASE(syns_are_counted_by_port),
	KUNIT_CASE_PARAM(walk_meets, walks_gen_params),
	KUNIT_CASE(without_memory_no_port_is_known),
	KUNIT_CASE_PARAM(cookie_is_believed_for_120_s_from, clocks_gen_params),
	KUNIT_CASE_PARAM(cookie_of_this_very_moment_is_believed,
			 clocks_gen_params),
	KUNIT_CASE(every_cookie_begins_anew),
	KUNIT_CASE(cookie_counts_at_its_own_port_only),
	KUNIT_CASE_PARAM(where_no_cookie_was_given_none_is_believed,
			 clocks_gen_params),
	{}
};

static struct kunit_suite port_suite = {
	.name = "halfopen_port",
	.init = port_test_init,
	.exit = port_test_exit,
	.test_cases = port_cases,
};

kunit_test_suite(port_suite);
