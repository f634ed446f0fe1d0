/* SPDX-License-Identifier: GPL-2.0 */
/* Whether anybody but the FIB has a say in the way of a packet. */
#ifndef _HALFOPEN_POLICY_H
#define _HALFOPEN_POLICY_H

#include <linux/netfilter.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/xfrm.h>

/**
 * ho_policy_net() - has a namespace IPsec policies?
 * @net: the namespace
 * @dir: XFRM_POLICY_IN or XFRM_POLICY_OUT
 *
 * Context: any.
 * Return: true if so, or if what no policy speaks of does not pass.
 */
static inline bool ho_policy_net(const struct net *net, int dir)
{
#ifdef CONFIG_XFRM
	return net->xfrm.policy_count[dir] ||
	       net->xfrm.policy_default[dir] != XFRM_USERPOLICY_ACCEPT;
#else
	return false;
#endif
}

/**
 * ho_policy_sock() - has a socket an IPsec policy of its own?
 * @sk: the socket
 * @dir: XFRM_POLICY_IN or XFRM_POLICY_OUT
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool ho_policy_sock(const struct sock *sk, int dir)
{
#ifdef CONFIG_XFRM
	return rcu_access_pointer(sk->sk_policy[dir]);
#else
	return false;
#endif
}

/**
 * ho_policy_rules() - has a namespace, or had it ever, routing rules?
 * @net: the namespace
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool ho_policy_rules(const struct net *net, u8 family)
{
#ifdef CONFIG_IP_MULTIPLE_TABLES
	if (family == NFPROTO_IPV4)
		return net->ipv4.fib_has_custom_rules;
#endif
#ifdef CONFIG_IPV6_MULTIPLE_TABLES
	if (family == NFPROTO_IPV6)
		return net->ipv6.fib6_has_custom_rules;
#endif
	return false;
}

#endif /* _HALFOPEN_POLICY_H */
