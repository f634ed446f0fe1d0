/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's integer types, in user space. */
#ifndef _FUZZ_LINUX_TYPES_H
#define _FUZZ_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#include_next <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;

/* for sparse */
#define __force
#define cpu_to_be32(x)	((__be32)__builtin_bswap32(x))
#define cpu_to_be16(x)	((__be16)__builtin_bswap16(x))

#endif /* _FUZZ_LINUX_TYPES_H */
