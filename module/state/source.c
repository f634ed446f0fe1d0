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
	ROWS		= 2,
	CHUNK_CELLS	= PAGE_SIZE / sizeof(u32),
	BURST_US	= HO_SYNACK_BURST_S * USEC_PER_SEC,
	SLACK_US	= 1000,		/* between the clocks of two CPUs */
};

static u32 nr_chunks(const struct ho_sources *src)
{
	return ROWS * src->width / CHUNK_CELLS;
}

int ho_sources_init(struct ho_sources *src, u32 width, struct ho_memory *mem)
{
	struct ho_sketch *all[] = { &src->held[0], &src->held[1], &src->sent };
	unsigned int i;

	src->width = roundup_pow_of_two(max_t(u32, width, CHUNK_CELLS));
	src->mem = mem;
	src->gen = 0;
	src->prefixes[0] = src->cfg;
	get_random_bytes(&src->secret, sizeof(src->secret));
	for (i = 0; i < ARRAY_SIZE(all); i++)
		all[i]->chunks = NULL;
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		all[i]->chunks = kvcalloc(nr_chunks(src), sizeof(u32 *),
					  GFP_KERNEL_ACCOUNT);
		if (!all[i]->chunks)
			goto err_free;
	}
	return 0;

err_free:
	while (i--)
		kvfree(all[i]->chunks);
	return -ENOMEM;
}

static void free_sketch(struct ho_sources *src, struct ho_sketch *sketch)
{
	u32 i;

	for (i = 0; i < nr_chunks(src); i++) {
		if (!sketch->chunks[i])
			continue;
		kfree(sketch->chunks[i]);
		local_bh_disable();
		ho_memory_uncharge(src->mem, PAGE_SIZE);
		local_bh_enable();
	}
	kvfree(sketch->chunks);
}

void ho_sources_exit(struct ho_sources *src)
{
	free_sketch(src, &src->held[0]);
	free_sketch(src, &src->held[1]);
	free_sketch(src, &src->sent);
}

/* NULL without memory. */
static inline u32 *find_cell(struct ho_sources *src, struct ho_sketch *sketch,
			     u32 index)
{
	u32 **slot = &sketch->chunks[index / CHUNK_CELLS];
	u32 *chunk = READ_ONCE(*slot);

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
	u32 i, end = ROWS * src->width;
	bool ok = true;

	for (i = 0; i < end && ok; i += CHUNK_CELLS) {
		local_bh_disable();
		ok = find_cell(src, &src->held[0], i) &&
		     find_cell(src, &src->sent, i);
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

struct ho_source ho_source_of_gen(const struct ho_sources *src,
				  const struct ho_key *key, unsigned int gen)
{
	const struct ho_prefixes *len = &src->prefixes[gen];

	return (struct ho_source) {
		.hash = ho_key_is_v4(key) ?
			hash_v4(src, key, READ_ONCE(len->v4)) :
			hash_v6(src, key, READ_ONCE(len->v6)),
		.gen = gen,
	};
}

struct ho_source ho_source_of(const struct ho_sources *src,
			      const struct ho_key *key)
{
	return ho_source_of_gen(src, key, READ_ONCE(src->gen));
}

/* A row is wider than half a hash only where buckets are more than 128 k. */
static bool find_cells(struct ho_sources *src, struct ho_sketch *sketch,
		       u32 hash, atomic_t *cell[ROWS])
{
	unsigned int i;

	for (i = 0; i < ROWS; i++, hash = ror32(hash, 16)) {
		u32 column = hash & (src->width - 1);

		cell[i] = (atomic_t *)find_cell(src, sketch,
						i * src->width + column);
		if (!cell[i])
			return false;
	}
	return true;
}

int ho_source_reserve(struct ho_sources *src, const struct ho_source *who,
		      u32 max)
{
	atomic_t *cell[ROWS];
	u32 held = U32_MAX;
	unsigned int i;

	if (!find_cells(src, &src->held[who->gen], who->hash, cell))
		return -ENOMEM;
	for (i = 0; i < ROWS; i++)
		held = min_t(u32, held, atomic_inc_return(cell[i]));
	if (held <= max)
		return 0;
	for (i = 0; i < ROWS; i++)
		atomic_dec(cell[i]);
	return -EDQUOT;
}

void ho_source_release(struct ho_sources *src, const struct ho_source *who)
{
	atomic_t *cell[ROWS];
	unsigned int i;

	/* they are there since the entry was counted */
	if (find_cells(src, &src->held[who->gen], who->hash, cell))
		for (i = 0; i < ROWS; i++)
			atomic_dec(cell[i]);
}

static bool is_empty(const struct ho_sources *src,
		     const struct ho_sketch *sketch)
{
	u32 i, j;

	for (i = 0; i < nr_chunks(src); i++) {
		const u32 *chunk = READ_ONCE(sketch->chunks[i]);

		for (j = 0; chunk && j < CHUNK_CELLS; j++)
			if (READ_ONCE(chunk[j]))
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
	if (!is_empty(src, &src->held[next]))
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

bool ho_source_send(struct ho_sources *src, const struct ho_source *who,
		    u32 rate, u32 now_us)
{
	u32 cost_us = rate ? DIV_ROUND_UP(USEC_PER_SEC, rate) : 0;
	unsigned int i;
	atomic_t *cell[ROWS];
	u32 least = U32_MAX;

	if (!rate || !find_cells(src, &src->sent, who->hash, cell))
		return true;
	for (i = 0; i < ROWS; i++)
		least = min(least, ahead_us(atomic_read(cell[i]), now_us));
	if (least + cost_us > BURST_US)
		return false;
	for (i = 0; i < ROWS; i++) {
		u32 ahead = ahead_us(atomic_read(cell[i]), now_us);

		/* a race costs one SYN-ACK of accuracy */
		if (ahead + cost_us <= BURST_US)
			atomic_set(cell[i], now_us + ahead + cost_us ?: 1);
	}
	return true;
}

void ho_source_answered(struct ho_sources *src, const struct ho_source *who,
			u32 rate, unsigned int synacks)
{
	u32 back_us = rate ? synacks * DIV_ROUND_UP(USEC_PER_SEC, rate) : 0;
	unsigned int i;
	atomic_t *cell[ROWS];

	if (!rate || !find_cells(src, &src->sent, who->hash, cell))
		return;
	for (i = 0; i < ROWS; i++)
		atomic_sub(back_us, cell[i]);
}
