/* SPDX-License-Identifier: GPL-2.0 */
/* Assertions at compile time, in user space. */
#ifndef _FUZZ_LINUX_BUILD_BUG_H
#define _FUZZ_LINUX_BUILD_BUG_H

#include <assert.h>

#endif /* _FUZZ_LINUX_BUILD_BUG_H */
