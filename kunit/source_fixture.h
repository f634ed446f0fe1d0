/* SPDX-License-Identifier: GPL-2.0 */
/* A look at all cells of the source prefixes. */
#ifndef _HALFOPEN_KUNIT_SOURCE_FIXTURE_H
#define _HALFOPEN_KUNIT_SOURCE_FIXTURE_H

#include <halfopen/source.h>

enum {
	CHUNK_CELLS	= PAGE_SIZE / sizeof(struct ho_source_cell),
};

/* Does somebody of this generation hold an entry? */
static inline bool fix_somebody_holds(const struct ho_sources *src,
				      unsigned int gen)
{
	struct ho_source_cell **chunks = src->chunks[gen];
	u32 i, j;

	for (i = 0; i < HO_SOURCE_ROWS * src->width / CHUNK_CELLS; i++)
		for (j = 0; chunks[i] && j < CHUNK_CELLS; j++)
			if (atomic_read(&chunks[i][j].held))
				return true;
	return false;
}

#endif /* _HALFOPEN_KUNIT_SOURCE_FIXTURE_H */
