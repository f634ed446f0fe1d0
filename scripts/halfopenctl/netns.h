/* SPDX-License-Identifier: GPL-2.0 */
/* Another network namespace, as of ip-netns(8). */
#ifndef NETNS_H
#define NETNS_H

/* All that is read and written from now on is of that one. */
void netns_enter(const char *name);
/* NULL: that of the caller. */
const char *netns_name(void);

#endif
