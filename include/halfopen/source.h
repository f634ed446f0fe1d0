/* SPDX-License-Identifier: GPL-2.0 */
/* What each source prefix holds, and what it was sent in vain. */
#ifndef _HALFOPEN_SOURCE_H
#define _HALFOPEN_SOURCE_H

#include <linux/atomic.h>
#include <linux/siphash.h>

#include <halfopen/memory.h>
#include <halfopen/types.h>

/**
 * struct ho_prefixes - how much of an address makes a source
 * @v4: bits of an IPv4 address
 * @v6: bits of an IPv6 address
 */
struct ho_prefixes {
	unsigned int v4;
	unsigned int v6;
};

/**
 * struct ho_source_cell - what the prefixes that are hashed to it have together
 * @held: entries
 * @until_us: us clock, until when their SYN-ACKs have used up the rate
 *
 * Both in one cache line: who is sent a SYN-ACK is about to hold an entry.
 */
struct ho_source_cell {
	atomic_t held;
	atomic_t until_us;
};

/**
 * struct ho_sources - the source prefixes of a namespace
 * @secret: of the hash
 * @width: cells a row, a power of two
 * @mem: where the cells are charged
 * @cfg: prefix lengths as configured
 * @gen: the generation of cells that new entries belong to
 * @prefixes: by generation
 * @chunks: two rows of cells by generation, allocated when first needed
 */
struct ho_sources {
	hsiphash_key_t secret;
	u32 width;
	struct ho_memory *mem;
	struct ho_prefixes cfg;
	unsigned int gen;
	struct ho_prefixes prefixes[2];
	struct ho_source_cell **chunks[2];
};

/**
 * ho_sources_init() - start with no source
 * @src: the sources
 * @width: cells a row; rounded up to a power of two
 * @mem: where their cells are charged
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_sources_init(struct ho_sources *src, u32 width, struct ho_memory *mem);

/**
 * ho_sources_prealloc() - allocate all cells of the first generation now
 * @src: the sources
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ho_sources_prealloc(struct ho_sources *src);

/**
 * ho_sources_exit() - free all cells
 * @src: the sources; nobody else uses them any more
 *
 * Context: process.
 */
void ho_sources_exit(struct ho_sources *src);

/**
 * ho_sources_configure() - make cfg count for new entries
 * @src: the sources, cfg changed
 *
 * Entries are counted by the prefix that held when they were made. There is
 * room for two such generations.
 *
 * Context: process, one caller at a time.
 * Return: 0, or -EBUSY while there are entries of the generation before the
 * current one.
 */
int ho_sources_configure(struct ho_sources *src);

/**
 * ho_source_of() - look up the source prefix of a connection
 * @src: the sources
 * @key: whose
 *
 * Context: BH disabled.
 * Return: the prefix as new entries are counted; its generation is to be kept
 * with the entry.
 */
struct ho_source ho_source_of(struct ho_sources *src, const struct ho_key *key);

/**
 * ho_source_of_gen() - the same, as an entry was counted
 * @src: the sources
 * @key: whose
 * @gen: the generation that was kept with the entry
 *
 * Context: BH disabled.
 * Return: the prefix.
 */
struct ho_source ho_source_of_gen(struct ho_sources *src,
				  const struct ho_key *key, unsigned int gen);

/**
 * ho_source_reserve() - count an entry
 * @who: its prefix
 * @max: the most that it may hold
 *
 * Other prefixes may share its cells, so it may be refused early where a table
 * holds many times more entries than there are cells; never late.
 *
 * Context: any.
 * Return: 0, -EDQUOT if the prefix holds as many, -ENOMEM.
 */
int ho_source_reserve(const struct ho_source *who, u32 max);

/**
 * ho_source_release() - forget an entry
 * @who: its prefix, as it was counted
 *
 * Context: any.
 */
void ho_source_release(const struct ho_source *who);

/**
 * ho_source_send() - may one more SYN-ACK be sent to this prefix?
 * @who: the prefix
 * @rate: SYN-ACKs a second that may stay unanswered, 0 = any
 * @now_us: us clock
 *
 * A budget that fills at @rate, up to HO_SYNACK_BURST_S seconds of it.
 *
 * Context: any.
 * Return: true to send; then the budget is charged.
 */
bool ho_source_send(const struct ho_source *who, u32 rate, u32 now_us);

/**
 * ho_source_answered() - somebody is there: give the budget back
 * @who: his prefix
 * @rate: as for ho_source_send()
 * @synacks: how many he was sent
 *
 * Context: any.
 */
void ho_source_answered(const struct ho_source *who, u32 rate,
			unsigned int synacks);

#endif /* _HALFOPEN_SOURCE_H */
