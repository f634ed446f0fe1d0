/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's bounds of integers, in user space. */
#ifndef _FUZZ_LINUX_LIMITS_H
#define _FUZZ_LINUX_LIMITS_H

#include_next <linux/limits.h>

#include <stdint.h>

#define U8_MAX	UINT8_MAX
#define U32_MAX	UINT32_MAX

#endif /* _FUZZ_LINUX_LIMITS_H */
