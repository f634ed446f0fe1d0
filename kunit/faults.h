/* SPDX-License-Identifier: GPL-2.0 */
/* Allocations that fail when a test says so. */
#ifndef _HALFOPEN_KUNIT_FAULTS_H
#define _HALFOPEN_KUNIT_FAULTS_H

#include <linux/types.h>

/* Which allocation from now on fails, once: 1 is the next, 0 none. */
extern unsigned int fix_fail_nth;

/* What was set did not come to pass: there were not that many. */
static inline bool fix_was_spared(void)
{
	bool spared = fix_fail_nth;

	fix_fail_nth = 0;
	return spared;
}

#endif /* _HALFOPEN_KUNIT_FAULTS_H */
