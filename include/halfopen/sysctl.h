/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net.halfopen.*: knobs of a namespace, and the stack's own that halfopen
 * obeys.
 */
#ifndef _HALFOPEN_SYSCTL_H
#define _HALFOPEN_SYSCTL_H

#include <linux/jiffies.h>

#include <halfopen/net.h>

/**
 * ho_sysctl_mode() - which SYNs are taken?
 * @hn: the namespace
 *
 * Context: any.
 * Return: net.halfopen.mode.
 */
static inline enum ho_mode ho_sysctl_mode(const struct ho_net *hn)
{
	return READ_ONCE(hn->mode);
}

/**
 * ho_sysctl_verify() - are SYN-ACKs compared with the stack's?
 * @hn: the namespace
 *
 * Context: any.
 * Return: net.halfopen.verify_synack is 1.
 */
static inline bool ho_sysctl_verify(const struct ho_net *hn)
{
	return READ_ONCE(hn->verify_synack);
}

/**
 * ho_sysctl_timestamps() - net.ipv4.tcp_timestamps
 * @hn: the namespace
 *
 * Context: any.
 * Return: 0 off, 1 on with random offsets, 2 on without.
 */
static inline u8 ho_sysctl_timestamps(const struct ho_net *hn)
{
	return READ_ONCE(hn->net->ipv4.sysctl_tcp_timestamps);
}

/**
 * ho_sysctl_oow_limit_ms() - net.ipv4.tcp_invalid_ratelimit
 * @hn: the namespace
 *
 * Context: any.
 * Return: ms; the stack keeps jiffies.
 */
static inline u32 ho_sysctl_oow_limit_ms(const struct ho_net *hn)
{
	const struct netns_ipv4 *ipv4 = &hn->net->ipv4;

	return jiffies_to_msecs(READ_ONCE(ipv4->sysctl_tcp_invalid_ratelimit));
}

/**
 * ho_sysctl_defaults() - what holds until somebody says otherwise
 * @hn: the namespace, new
 *
 * Context: process.
 */
void ho_sysctl_defaults(struct ho_net *hn);

/**
 * ho_sysctl_net_init() - register net.halfopen
 * @hn: the namespace
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_sysctl_net_init(struct ho_net *hn);

/**
 * ho_sysctl_net_exit() - unregister net.halfopen
 * @hn: the namespace
 *
 * Context: process, may sleep; waits for writers.
 */
void ho_sysctl_net_exit(struct ho_net *hn);

#endif /* _HALFOPEN_SYSCTL_H */
