// SPDX-License-Identifier: GPL-2.0
/*
 * Entries counted by source prefix, in a hash table with open addressing.  An
 * attacker chooses the sources, so it is keyed.
 */
#include "prefix.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "addr.h"
#include "json.h"
#include "knobs.h"
#include "util.h"

enum {
	SOURCES_SIZE	= 4096,
};

void sources_init(struct sources *sources)
{
	memset(sources, 0, sizeof(*sources));
	sources->v4_len = knob_value("source_prefix_v4");
	sources->v6_len = knob_value("source_prefix_v6");
	sources->size = SOURCES_SIZE;
	sources->slots = xcalloc(sources->size, sizeof(*sources->slots));
	if (getrandom(sources->key, sizeof(sources->key), 0) !=
	    sizeof(sources->key))
		fail("the kernel has no random numbers");
}

void sources_free(struct sources *sources)
{
	free(sources->slots);
	sources->slots = NULL;
}

static __u64 fold(__u64 a, __u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (__u64)product ^ (__u64)(product >> 64);
}

static struct source *slot_of(const struct sources *sources,
			      const __u8 *addr)
{
	__u64 half[2];
	struct source *slot;
	size_t at;

	memcpy(half, addr, sizeof(half));
	at = fold(fold(half[0] ^ sources->key[0], sources->key[1] | 1) ^
		  half[1], sources->key[0] | 1);
	for (;; at++) {
		slot = &sources->slots[at & (sources->size - 1)];
		if (!slot->entries || !memcmp(slot->addr, addr, 16))
			return slot;
	}
}

static void grow(struct sources *sources)
{
	struct sources old = *sources;
	size_t i;

	sources->size *= 2;
	sources->slots = xcalloc(sources->size, sizeof(*sources->slots));
	for (i = 0; i < old.size; i++)
		if (old.slots[i].entries)
			*slot_of(sources, old.slots[i].addr) = old.slots[i];
	free(old.slots);
}

void sources_add(struct sources *sources, const __u8 *raddr)
{
	struct source *slot;
	__u8 addr[16];

	memcpy(addr, raddr, sizeof(addr));
	addr_mask(addr, addr_is_v4(addr) ? 96 + sources->v4_len :
					   sources->v6_len);
	slot = slot_of(sources, addr);
	if (!slot->entries) {
		memcpy(slot->addr, addr, sizeof(addr));
		sources->nr++;
	}
	slot->entries++;
	sources->total++;
	if (sources->nr * 2 > sources->size)
		grow(sources);
}

/* Equal ones in the order of their addresses, so that they stand still. */
static bool comes_before(const struct source *a, const struct source *b)
{
	if (a->entries != b->entries)
		return a->entries > b->entries;
	return memcmp(a->addr, b->addr, sizeof(a->addr)) < 0;
}

size_t sources_top(const struct sources *sources, struct source *top,
		   size_t rows)
{
	size_t i, at, nr = 0;

	for (i = 0; i < sources->size; i++) {
		const struct source *source = &sources->slots[i];

		if (!source->entries ||
		    (nr == rows &&
		     (!rows || !comes_before(source, &top[nr - 1]))))
			continue;
		if (nr < rows)
			nr++;
		for (at = nr - 1; at && comes_before(source, &top[at - 1]);
		     at--)
			top[at] = top[at - 1];
		top[at] = *source;
	}
	return nr;
}

char *source_text(const struct sources *sources, const struct source *source,
		  char *text)
{
	prefix_text(source->addr,
		    addr_is_v4(source->addr) ? 96 + sources->v4_len :
					       sources->v6_len, text);
	return text;
}

void sources_json(const struct sources *sources, size_t rows)
{
	struct source *top = xcalloc(rows + 1, sizeof(*top));
	size_t i, nr = sources_top(sources, top, rows);
	char text[64];

	json_begin("sources", '{');
	json_int("prefixes", sources->nr);
	json_int("entries", sources->total);
	json_int("prefix_v4", sources->v4_len);
	json_int("prefix_v6", sources->v6_len);
	json_begin("top", '[');
	for (i = 0; i < nr; i++) {
		json_begin(NULL, '{');
		json_str("prefix", source_text(sources, &top[i], text));
		json_int("entries", top[i].entries);
		json_end('}');
	}
	json_end(']');
	json_end('}');
	free(top);
}
