/* SPDX-License-Identifier: GPL-2.0 */
/* Finding sockets and reading what a listener wants. */
#ifndef _HALFOPEN_LISTENER_H
#define _HALFOPEN_LISTENER_H

#include <net/inet_sock.h>

#include <halfopen/admit.h>
#include <halfopen/types.h>

struct net;
struct sk_buff;
struct sock;

/**
 * struct ho_ifs - interfaces that a socket lookup has to match
 * @dif: where the packet came in, or the VRF device
 * @sdif: the enslaved interface below a VRF, else 0
 */
struct ho_ifs {
	int dif;
	int sdif;
};

/**
 * ho_ifs_in_key() - the interface that takes part in a connection's identity
 * @ifs: interfaces of a packet of it
 * @scoped: the remote address is link-local
 *
 * Context: any.
 * Return: the link of a link-local peer, the VRF of another one, or 0.
 */
static inline u32 ho_ifs_in_key(const struct ho_ifs *ifs, bool scoped)
{
	if (scoped)
		return ifs->sdif ? ifs->sdif : ifs->dif;
	return ifs->sdif ? ifs->dif : 0;
}

/**
 * ho_listener_v6() - the IPv6 part of a listener
 * @lsk: the listener, of either family
 *
 * It is a full socket, which inet6_sk() would ask once more.
 *
 * Context: RCU read side.
 * Return: NULL if it is for IPv4 alone.
 */
static inline const struct ipv6_pinfo *ho_listener_v6(const struct sock *lsk)
{
	return inet_sk(lsk)->pinet6;
}

/**
 * ho_listener_find() - the socket that listens for a connection
 * @net: the namespace
 * @key: the connection
 * @ifs: interfaces
 * @skb: the packet, for SO_REUSEPORT and sk_lookup programs, or NULL
 * @doff: length of its TCP header, bytes
 *
 * Context: RCU read side.
 * Return: borrowed until the section ends and in state LISTEN, or NULL.
 */
struct sock *ho_listener_find(struct net *net, const struct ho_key *key,
			      const struct ho_ifs *ifs, struct sk_buff *skb,
			      int doff);

/**
 * ho_listener_read() - what admission has to know of a listener
 * @lsk: the listener
 * @key: the connection
 * @ifs: interfaces of its SYN
 * @skb: its SYN
 * @lsn: filled, but for synq_full
 *
 * Context: RCU read side.
 */
void ho_listener_read(const struct sock *lsk, const struct ho_key *key,
		      const struct ho_ifs *ifs, struct sk_buff *skb,
		      struct ho_listener *lsn);

/**
 * ho_listener_retries() - SYN-ACK retransmissions that a listener allows
 * @lsk: the listener
 * @dflt: what holds without TCP_SYNCNT
 *
 * Context: RCU read side.
 * Return: retransmissions.
 */
unsigned int ho_listener_retries(const struct sock *lsk, unsigned int dflt);

/**
 * ho_socket_get() - the socket with this very 4-tuple
 * @net: the namespace
 * @key: the 4-tuple
 * @ifs: interfaces
 *
 * TIME_WAIT and request sockets count, listeners do not.
 *
 * Context: RCU read side.
 * Return: counted, for sock_gen_put(), or NULL.
 */
struct sock *ho_socket_get(struct net *net, const struct ho_key *key,
			   const struct ho_ifs *ifs);

/**
 * ho_listener_allows() - do policy and filters let this packet through?
 * @lsk: the listener
 * @skb: the packet, data at the network header
 * @family: of the packet
 * @thoff: length of the network header, bytes
 *
 * XFRM inbound policy, the listener's socket filter and cgroup ingress
 * programs, in the order of tcp_v4_rcv(). A refusal counts as a drop of the
 * listener.
 *
 * Context: softirq, RCU read side. May trim the packet.
 * Return: true if so.
 */
bool ho_listener_allows(struct sock *lsk, struct sk_buff *skb, u8 family,
			unsigned int thoff);

#endif /* _HALFOPEN_LISTENER_H */
