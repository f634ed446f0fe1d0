/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/net/halfopen, halfopen_dump: every half-open connection. */
#ifndef _HALFOPEN_PROC_H
#define _HALFOPEN_PROC_H

struct ho_net;

/**
 * ho_proc_net_init() - create the files
 * @hn: the namespace
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_proc_net_init(struct ho_net *hn);

/**
 * ho_proc_net_exit() - remove the files and wait for readers
 * @hn: the namespace
 *
 * Context: process, may sleep.
 */
void ho_proc_net_exit(struct ho_net *hn);

#endif /* _HALFOPEN_PROC_H */
