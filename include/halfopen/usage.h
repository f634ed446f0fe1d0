/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/net/halfopen_ports and halfopen_limits: who uses how much. */
#ifndef _HALFOPEN_USAGE_H
#define _HALFOPEN_USAGE_H

struct ho_net;

/**
 * ho_usage_net_init() - create the files
 * @hn: the namespace
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_usage_net_init(struct ho_net *hn);

/**
 * ho_usage_net_exit() - remove the files and wait for readers
 * @hn: the namespace
 *
 * Context: process, may sleep.
 */
void ho_usage_net_exit(struct ho_net *hn);

#endif /* _HALFOPEN_USAGE_H */
