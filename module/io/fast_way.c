// SPDX-License-Identifier: GPL-2.0
/*
 * Whether an address is ours, and whether the way back is the way that the SYN
 * came: cheaply.
 *
 * Which IPv4 addresses are ours is remembered until routes or addresses change:
 * both begin a new generation of routes.
 */
#include <halfopen/fast_way.h>

#include <linux/inetdevice.h>
#include <linux/netfilter.h>
#include <net/addrconf.h>
#include <net/ipv6.h>
#include <net/route.h>

#include <halfopen/net.h>
#include <halfopen/offer.h>

int ho_fast_way_net_init(struct ho_net *hn)
{
	hn->fast_cpu = alloc_percpu(struct ho_fast_cpu);
	return hn->fast_cpu ? 0 : -ENOMEM;
}

void ho_fast_way_net_exit(struct ho_net *hn)
{
	free_percpu(hn->fast_cpu);
}

static bool is_local_v4(struct ho_net *hn, __be32 addr)
{
	unsigned int nr = ntohl(addr) % HO_FAST_LOCALS;
	int genid = rt_genid_ipv4(hn->net);
	struct ho_fast_local *slot;

	slot = &this_cpu_ptr(hn->fast_cpu)->local[nr];
	if (slot->addr != addr || slot->genid != genid) {
		/* genid was read before */
		*slot = (struct ho_fast_local) {
			.addr = addr,
			.genid = genid,
			.local = inet_addr_type(hn->net, addr) == RTN_LOCAL,
		};
	}
	return slot->local;
}

/* Cf. ip_route_input_slow(). */
static bool addresses_ok_v4(const struct ho_pkt *pkt)
{
	__be32 saddr = pkt->key.raddr.s6_addr32[3];
	__be32 daddr = pkt->key.laddr.s6_addr32[3];

	if (ipv4_is_multicast(saddr) || ipv4_is_lbcast(saddr) ||
	    ipv4_is_zeronet(saddr) || ipv4_is_loopback(saddr) ||
	    ipv4_is_loopback(daddr))
		return false;
	return __in_dev_get_rcu(pkt->skb->dev) && is_local_v4(pkt->hn, daddr);
}

/* Cf. ip6_rcv_core(), and tcp_v6_conn_request() for mapped addresses. */
static bool addresses_ok_v6(const struct ho_pkt *pkt)
{
	const struct inet6_dev *idev = __in6_dev_get(pkt->skb->dev);
	const int types = IPV6_ADDR_UNICAST | IPV6_ADDR_MULTICAST |
			  IPV6_ADDR_LOOPBACK | IPV6_ADDR_LINKLOCAL |
			  IPV6_ADDR_MAPPED;

	return idev && !READ_ONCE(idev->cnf.disable_ipv6) &&
	       (ipv6_addr_type(&pkt->key.raddr) & types) == IPV6_ADDR_UNICAST &&
	       (ipv6_addr_type(&pkt->key.laddr) & types) == IPV6_ADDR_UNICAST &&
	       ipv6_chk_addr(pkt->hn->net, &pkt->key.laddr, NULL, 0);
}

bool ho_fast_addresses_ok(const struct ho_pkt *pkt)
{
	return pkt->family == NFPROTO_IPV4 ? addresses_ok_v4(pkt) :
					     addresses_ok_v6(pkt);
}

bool ho_fast_way(const struct ho_pkt *pkt, struct ho_syn *syn)
{
	struct ho_path *path = &syn->path;
	const struct dst_entry *dst;

	if (ho_offer_path(pkt, syn->lsk, syn->lsn.oif, &syn->conn, path) !=
	    HO_OFFER_WAY)
		return false;
	dst = path->dst;
	if (dst->dev == pkt->skb->dev && !dst->lwtstate && !dst_xfrm(dst))
		return true;
	ho_tx_release(path);
	return false;
}
