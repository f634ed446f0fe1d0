/* SPDX-License-Identifier: GPL-2.0 */
/* The netfilter hooks of a namespace. */
#ifndef _HALFOPEN_HOOK_H
#define _HALFOPEN_HOOK_H

struct net;

/**
 * ho_hook_net_init() - start seeing packets
 * @net: the namespace, everything else in place
 *
 * Context: process, may sleep.
 * Return: 0 or -errno.
 */
int ho_hook_net_init(struct net *net);

/**
 * ho_hook_net_exit() - stop seeing packets
 * @net: the namespace
 *
 * A hook may still run until the next grace period.
 *
 * Context: process, may sleep.
 */
void ho_hook_net_exit(struct net *net);

/**
 * ho_hook_track_init() - start seeing packets before connection tracking does
 * @net: the namespace
 *
 * Context: process, may sleep.
 * Return: 0 or -errno.
 */
int ho_hook_track_init(struct net *net);

/**
 * ho_hook_track_exit() - stop seeing them
 * @net: the namespace
 *
 * A hook may still run until the next grace period.
 *
 * Context: process, may sleep.
 */
void ho_hook_track_exit(struct net *net);

#endif /* _HALFOPEN_HOOK_H */
