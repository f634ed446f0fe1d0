/* SPDX-License-Identifier: GPL-2.0 */
/* The smaller and the larger, in user space. */
#ifndef _FUZZ_LINUX_MINMAX_H
#define _FUZZ_LINUX_MINMAX_H

#define max_t(type, a, b) ({						\
	type max_a = (a);						\
	type max_b = (b);						\
	max_a > max_b ? max_a : max_b; })
#define min_t(type, a, b) ({						\
	type min_a = (a);						\
	type min_b = (b);						\
	min_a < min_b ? min_a : min_b; })
#define max(a, b)		max_t(typeof(a), a, b)
#define min(a, b)		min_t(typeof(a), a, b)
#define clamp_t(type, v, lo, hi) min_t(type, max_t(type, v, lo), hi)

#endif /* _FUZZ_LINUX_MINMAX_H */
