/* SPDX-License-Identifier: GPL-2.0 */
/* Logarithms, in user space. */
#ifndef _FUZZ_LINUX_LOG2_H
#define _FUZZ_LINUX_LOG2_H

#include <linux/types.h>

static inline int ilog2(u32 n)
{
	return 31 - __builtin_clz(n);
}

#endif /* _FUZZ_LINUX_LOG2_H */
