/* SPDX-License-Identifier: GPL-2.0 */
/* Single accesses, in user space: one thread needs no care. */
#ifndef _FUZZ_LINUX_COMPILER_H
#define _FUZZ_LINUX_COMPILER_H

#define READ_ONCE(x)	(x)

#endif /* _FUZZ_LINUX_COMPILER_H */
