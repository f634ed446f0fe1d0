/* SPDX-License-Identifier: GPL-2.0 */
/* struct in6_addr, in user space. */
#ifndef _FUZZ_LINUX_IN6_H
#define _FUZZ_LINUX_IN6_H

#include <netinet/in.h>

#endif /* _FUZZ_LINUX_IN6_H */
