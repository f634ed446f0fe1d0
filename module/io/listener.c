// SPDX-License-Identifier: GPL-2.0
/* Finding sockets and reading what a listener wants. */
#include <halfopen/listener.h>

#include <linux/bpf-cgroup.h>
#include <linux/filter.h>
#include <linux/inetdevice.h>
#include <net/ipv6.h>
#include <net/mptcp.h>
#include <net/tcp.h>
#include <net/xfrm.h>

#include <halfopen/compat.h>
#include <halfopen/key.h>
#include <halfopen/net.h>

static struct sock *find_v4(struct net *net, const struct ho_key *key,
			    const struct ho_ifs *ifs, struct sk_buff *skb,
			    int doff)
{
	return __inet_lookup_listener(net, HO_HASHINFO(net) skb, doff,
				      key->raddr.s6_addr32[3], key->rport,
				      key->laddr.s6_addr32[3],
				      ntohs(key->lport), ifs->dif, ifs->sdif);
}

static struct sock *find_v6(struct net *net, const struct ho_key *key,
			    const struct ho_ifs *ifs, struct sk_buff *skb,
			    int doff)
{
	return inet6_lookup_listener(net, HO_HASHINFO(net) skb, doff,
				     &key->raddr, key->rport, &key->laddr,
				     ntohs(key->lport), ifs->dif, ifs->sdif);
}

struct sock *ho_listener_find(struct net *net, const struct ho_key *key,
			      const struct ho_ifs *ifs, struct sk_buff *skb,
			      int doff)
{
	struct sock *sk;

	sk = ho_key_is_v4(key) ? find_v4(net, key, ifs, skb, doff) :
				 find_v6(net, key, ifs, skb, doff);
	/* a sk_lookup program may choose a socket that does not listen yet */
	return sk && inet_sk_state_load(sk) == TCP_LISTEN ? sk : NULL;
}

unsigned int ho_listener_retries(const struct sock *lsk, unsigned int dflt)
{
	unsigned int syncnt = READ_ONCE(inet_csk(lsk)->icsk_syn_retries);

	return syncnt ? syncnt : dflt;
}

struct sock *ho_socket_get(struct net *net, const struct ho_key *key,
			   const struct ho_ifs *ifs)
{
	const struct in6_addr *raddr = &key->raddr;
	const struct in6_addr *laddr = &key->laddr;
	u16 lport = ntohs(key->lport);

	if (ho_key_is_v4(key))
		return __inet_lookup_established(net, HO_HASHINFO(net)
						 raddr->s6_addr32[3],
						 key->rport,
						 laddr->s6_addr32[3], lport,
						 ifs->dif, ifs->sdif);
	return __inet6_lookup_established(net, HO_HASHINFO(net)
					  raddr, key->rport, laddr, lport,
					  ifs->dif, ifs->sdif);
}

/*
 * Keys belong to peers, or to networks of them.  The stack's own look-up is not
 * exported everywhere; which VRF a key is for is not asked: in doubt it counts.
 */
static bool has_md5_key(const struct sock *lsk, const struct ho_key *key)
{
#ifdef CONFIG_TCP_MD5SIG
	const struct tcp_md5sig_info *info;
	const struct tcp_md5sig_key *md5;
	u16 family = ho_key_is_v4(key) ? AF_INET : AF_INET6;

	info = rcu_dereference(tcp_sk(lsk)->md5sig_info);
	if (!info)
		return false;
	hlist_for_each_entry_rcu(md5, &info->head, node) {
		if (md5->family != family)
			continue;
		if (family == AF_INET &&
		    !((md5->addr.a4.s_addr ^ key->raddr.s6_addr32[3]) &
		      inet_make_mask(md5->prefixlen)))
			return true;
		if (family == AF_INET6 &&
		    ipv6_prefix_equal(&md5->addr.a6, &key->raddr,
				      md5->prefixlen))
			return true;
	}
#endif
	return false;
}

static bool has_sockops(const struct sock *lsk)
{
#ifdef CONFIG_CGROUP_BPF
	/* only looks */
	return cgroup_bpf_enabled(CGROUP_SOCK_OPS) &&
	       cgroup_bpf_sock_enabled((struct sock *)lsk, CGROUP_SOCK_OPS);
#else
	return false;
#endif
}

static u32 read_traits(const struct sock *lsk, const struct ho_key *key)
{
	const struct tcp_sock *tp = tcp_sk(lsk);
	u32 traits = 0;

	if (ho_has_ao_keys(lsk) || has_md5_key(lsk, key))
		traits |= HO_TRAIT_AUTH;
	if (sk_is_mptcp(lsk))
		traits |= HO_TRAIT_MPTCP;
#if IS_ENABLED(CONFIG_SMC)
	if (tp->syn_smc)
		traits |= HO_TRAIT_SMC;
#endif
	if (READ_ONCE(inet_csk(lsk)->icsk_accept_queue.fastopenq.max_qlen))
		traits |= HO_TRAIT_FASTOPEN;
	if (has_sockops(lsk))
		traits |= HO_TRAIT_BPF;
	if (tp->save_syn)
		traits |= HO_TRAIT_SAVE_SYN;
	if (!ho_key_is_v4(key) && ho_reflects_flowlabel(lsk))
		traits |= HO_TRAIT_FLOWLABEL;
	return traits;
}

void ho_listener_read(const struct sock *lsk, const struct ho_key *key,
		      const struct ho_ifs *ifs, struct sk_buff *skb,
		      struct ho_listener *lsn)
{
	lsn->traits = read_traits(lsk, key);
	lsn->oif = inet_request_bound_dev_if(lsk, skb);
	lsn->dif = ifs->dif;
	lsn->synq_full = false;
	lsn->acceptq_full = sk_acceptq_is_full(lsk);
	if (ho_key_is_v4(key)) {
		lsn->min_ttl = READ_ONCE(inet_sk(lsk)->min_ttl);
		return;
	}
	lsn->min_ttl = READ_ONCE(ho_listener_v6(lsk)->min_hopcount);
	/*
	 * a link-local peer lives on the link it was heard on:
	 * tcp_v6_init_req()
	 */
	if ((!lsk->sk_bound_dev_if || ifs->sdif) &&
	    ipv6_addr_type(&key->raddr) & IPV6_ADDR_LINKLOCAL)
		lsn->oif = key->iif;
}

static bool policy_allows(struct sock *lsk, struct sk_buff *skb, u8 family)
{
	return family == NFPROTO_IPV4 ?
	       xfrm4_policy_check(lsk, XFRM_POLICY_IN, skb) :
	       xfrm6_policy_check(lsk, XFRM_POLICY_IN, skb);
}

/* Filters expect data at the TCP header and may cut what follows it. */
static bool filter_allows(struct sock *lsk, struct sk_buff *skb,
			  unsigned int thoff)
{
	int err;

	__skb_pull(skb, thoff);
	err = sk_filter_trim_cap(lsk, skb,
				 ((struct tcphdr *)skb->data)->doff * 4);
	__skb_push(skb, thoff);
	return !err;
}

bool ho_listener_allows(struct sock *lsk, struct sk_buff *skb, u8 family,
			unsigned int thoff)
{
	if (policy_allows(lsk, skb, family) && filter_allows(lsk, skb, thoff))
		return true;
	ho_drops_skbadd(lsk, skb);
	return false;
}
