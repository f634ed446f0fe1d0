// SPDX-License-Identifier: GPL-2.0
/*
 * What each source prefix holds, and what it was sent in vain.
 *
 * An attacker chooses sources, so there is no list of them: a count-min sketch
 * has two rows of cells, and a prefix counts in one cell of each, chosen by a
 * keyed hash.  The smaller one is never too small, and too large only where
 * both cells are shared with somebody big.  Only those who send much meet in a
 * cell often, so no cache line is everybody's.
 *
 * A count has to go down where it went up.  When the prefix length is changed,
 * old entries go on counting in their own generation of cells until they are
 * gone.
 *
 * SYN-ACKs are counted as time: a cell says until when the prefix has used up
 * its rate (the theoretical arrival time of GCRA), and may be ahead of the
 * clock by the burst.
 */
#include <halfopen/source.h>

#include <linux/bitops.h>
#include <linux/bottom_half.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/time64.h>

#include <halfopen/key.h>

enum {
	CHUNK_CELLS	= PAGE_SIZE / sizeof(struct ho_source_cell),
	BURST_US	= HO_SYNACK_BURST_S * USEC_PER_SEC,
	SLACK_US	= 1000,		/* between the clocks of two CPUs */
};

static u32 nr_chunks(const struct ho_sources *src)
{
	return HO_SOURCE_ROWS * src->width / CHUNK_CELLS;
}

int ho_sources_init(struct ho_sources *src, u32 width, struct ho_memory *mem)
{
	unsigned int gen;

	src->width = roundup_pow_of_two(max_t(u32, width, CHUNK_CELLS));
	src->mem = mem;
	src->gen = 0;
	src->prefixes[0] = src->cfg;
	get_random_bytes(&src->secret, sizeof(src->secret));
	for (gen = 0; gen < ARRAY_SIZE(src->chunks); gen++) {
		src->chunks[gen] = kvcalloc(nr_chunks(src),
					    sizeof(*src->chunks[gen]),
					    GFP_KERNEL_ACCOUNT);
		if (!src->chunks[gen])
			goto err_free;
	}
	return 0;

err_free:
	while (gen--)
		kvfree(src->chunks[gen]);
	return -ENOMEM;
}

void ho_sources_exit(struct ho_sources *src)
{
	unsigned int gen;
	u32 i;

	for (gen = 0; gen < ARRAY_SIZE(src->chunks); gen++) {
		for (i = 0; i < nr_chunks(src); i++) {
			if (!src->chunks[gen][i])
				continue;
			kfree(src->chunks[gen][i]);
			local_bh_disable();
			ho_memory_uncharge(src->mem, PAGE_SIZE);
			local_bh_enable();
		}
		kvfree(src->chunks[gen]);
	}
}

/* NULL without memory. */
static inline struct ho_source_cell *find_cell(struct ho_sources *src,
					       unsigned int gen, u32 index)
{
	struct ho_source_cell **slot = &src->chunks[gen][index / CHUNK_CELLS];
	struct ho_source_cell *chunk = READ_ONCE(*slot);

	if (likely(chunk))
		return &chunk[index % CHUNK_CELLS];
	if (!ho_memory_charge(src->mem, PAGE_SIZE))
		return NULL;
	chunk = kzalloc(PAGE_SIZE, GFP_ATOMIC | __GFP_NOWARN);
	/* pairs with READ_ONCE() above: a cell is used through its chunk */
	if (!chunk || cmpxchg(slot, NULL, chunk)) {
		kfree(chunk);
		ho_memory_uncharge(src->mem, PAGE_SIZE);
		chunk = READ_ONCE(*slot);
	}
	return chunk ? &chunk[index % CHUNK_CELLS] : NULL;
}

int ho_sources_prealloc(struct ho_sources *src)
{
	u32 i, end = HO_SOURCE_ROWS * src->width;
	bool ok = true;

	for (i = 0; i < end && ok; i += CHUNK_CELLS) {
		local_bh_disable();
		ok = find_cell(src, 0, i);
		local_bh_enable();
	}
	return ok ? 0 : -ENOMEM;
}

static u64 first_bits(__be64 word, unsigned int bits)
{
	/* there is no shift by 64 */
	return bits ? be64_to_cpu(word) & GENMASK_ULL(63, 64 - bits) : 0;
}

static u32 hash_v6(const struct ho_sources *src, const struct ho_key *key,
		   unsigned int bits)
{
	unsigned int high = min(bits, 64U);
	struct {
		u64 high, low;
		u64 iif;
	} prefix;
	__be64 addr[2];

	memcpy(addr, &key->raddr, sizeof(addr));
	prefix.high = first_bits(addr[0], high);
	prefix.low = first_bits(addr[1], bits - high);
	prefix.iif = key->iif;
	return hsiphash(&prefix, sizeof(prefix), &src->secret);
}

static u32 hash_v4(const struct ho_sources *src, const struct ho_key *key,
		   unsigned int bits)
{
	u32 addr = be32_to_cpu(key->raddr.s6_addr32[3]);

	return hsiphash_2u32(bits ? addr & GENMASK(31, 32 - bits) : 0, key->iif,
			     &src->secret);
}

static u32 hash_of(const struct ho_sources *src, const struct ho_key *key,
		   const struct ho_prefixes *len)
{
	return ho_key_is_v4(key) ? hash_v4(src, key, READ_ONCE(len->v4)) :
				   hash_v6(src, key, READ_ONCE(len->v6));
}

/* A row is wider than half a hash only where buckets are more than 128 k. */
struct ho_source ho_source_of_gen(struct ho_sources *src,
				  const struct ho_key *key, unsigned int gen)
{
	u32 hash = hash_of(src, key, &src->prefixes[gen]);
	struct ho_source who = { .gen = gen };
	unsigned int i;

	for (i = 0; i < HO_SOURCE_ROWS; i++, hash = ror32(hash, 16)) {
		u32 column = hash & (src->width - 1);

		who.cell[i] = find_cell(src, gen, i * src->width + column);
		if (!who.cell[i])
			break;
	}
	return who;
}

struct ho_source ho_source_of(struct ho_sources *src, const struct ho_key *key)
{
	return ho_source_of_gen(src, key, READ_ONCE(src->gen));
}

static bool has_cells(const struct ho_source *who)
{
	return who->cell[HO_SOURCE_ROWS - 1];
}

int ho_source_reserve(const struct ho_source *who, u32 max)
{
	u32 held = U32_MAX;
	unsigned int i;

	if (!has_cells(who))
		return -ENOMEM;
	for (i = 0; i < HO_SOURCE_ROWS; i++)
		held = min_t(u32, held, atomic_inc_return(&who->cell[i]->held));
	if (held <= max)
		return 0;
	ho_source_release(who);
	return -EDQUOT;
}

/* Its cells are there since it was counted. */
void ho_source_release(const struct ho_source *who)
{
	unsigned int i;

	for (i = 0; i < HO_SOURCE_ROWS; i++)
		atomic_dec(&who->cell[i]->held);
}

static bool is_empty(const struct ho_sources *src, unsigned int gen)
{
	u32 i, j;

	for (i = 0; i < nr_chunks(src); i++) {
		const struct ho_source_cell *chunk =
			READ_ONCE(src->chunks[gen][i]);

		for (j = 0; chunk && j < CHUNK_CELLS; j++)
			if (atomic_read(&chunk[j].held))
				return false;
	}
	return true;
}

int ho_sources_configure(struct ho_sources *src)
{
	unsigned int next = !src->gen;
	struct ho_prefixes *prefixes = &src->prefixes[src->gen];

	if (prefixes->v4 == src->cfg.v4 && prefixes->v6 == src->cfg.v6)
		return 0;
	if (!is_empty(src, next))
		return -EBUSY;
	WRITE_ONCE(src->prefixes[next].v4, src->cfg.v4);
	WRITE_ONCE(src->prefixes[next].v6, src->cfg.v6);
	WRITE_ONCE(src->gen, next);
	/* a SYN that read the old one has counted there after this */
	synchronize_rcu();
	return 0;
}

/*
 * How far the cell is ahead of the clock; what cannot be is long ago.  The
 * clock wraps every 71 minutes: who was last sent something exactly then finds
 * a part of his budget used.
 */
static u32 ahead_us(u32 until_us, u32 now_us)
{
	u32 ahead = until_us - now_us;

	return until_us && ahead <= BURST_US + SLACK_US ? ahead : 0;
}

bool ho_source_send(const struct ho_source *who, u32 rate, u32 now_us)
{
	u32 cost_us = rate ? DIV_ROUND_UP(USEC_PER_SEC, rate) : 0;
	u32 ahead[HO_SOURCE_ROWS], least = U32_MAX;
	unsigned int i;

	if (!rate || !has_cells(who))
		return true;
	for (i = 0; i < HO_SOURCE_ROWS; i++) {
		ahead[i] = ahead_us(atomic_read(&who->cell[i]->until_us),
				    now_us);
		least = min(least, ahead[i]);
	}
	if (least + cost_us > BURST_US)
		return false;
	/* a race costs one SYN-ACK of accuracy */
	for (i = 0; i < HO_SOURCE_ROWS; i++)
		if (ahead[i] + cost_us <= BURST_US)
			atomic_set(&who->cell[i]->until_us,
				   now_us + ahead[i] + cost_us ?: 1);
	return true;
}

void ho_source_answered(const struct ho_source *who, u32 rate,
			unsigned int synacks)
{
	u32 back_us = rate ? synacks * DIV_ROUND_UP(USEC_PER_SEC, rate) : 0;
	unsigned int i;

	if (!rate || !has_cells(who))
		return;
	for (i = 0; i < HO_SOURCE_ROWS; i++)
		atomic_sub(back_us, &who->cell[i]->until_us);
}
