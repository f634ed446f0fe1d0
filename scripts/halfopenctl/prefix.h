/* SPDX-License-Identifier: GPL-2.0 */
/* Who fills the table: entries counted by source prefix. */
#ifndef PREFIX_H
#define PREFIX_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct source {
	__u8 addr[16];
	__u32 entries;	/* 0: free */
};

struct sources {
	unsigned int v4_len;	/* bits, as net.halfopen.source_prefix_v4 */
	unsigned int v6_len;
	__u64 total;		/* entries */
	size_t nr;		/* prefixes */
	size_t size;		/* of slots, a power of 2 */
	struct source *slots;
	__u64 key[2];
};

/* Lengths are those that the module counts by. */
void sources_init(struct sources *sources);
void sources_free(struct sources *sources);
void sources_add(struct sources *sources, const __u8 *addr);
/* Those with most entries first; returns how many. */
size_t sources_top(const struct sources *sources, struct source *top,
		   size_t rows);
/* Into TEXT, 64 bytes; returns it. */
char *source_text(const struct sources *sources, const struct source *source,
		  char *text);
void sources_json(const struct sources *sources, size_t rows);

#endif
