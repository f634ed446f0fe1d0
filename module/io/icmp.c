// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors that quote a SYN-ACK.
 *
 * The stack knows nothing of our entries, so it would ignore the error and
 * count it as one that belongs to nobody.  It still gets the packet, for raw
 * sockets and its own counters, and that count is taken back.
 */
#include <halfopen/icmp.h>

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <net/icmp.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/tcp.h>

#include <halfopen/checksum.h>
#include <halfopen/listener.h>
#include <halfopen/net.h>
#include <halfopen/track_rx.h>

/*
 * What RFC 792 and RFC 4443 guarantee of the quoted TCP header: ports and
 * sequence.
 */
struct ho_quote {
	__be16 sport;
	__be16 dport;
	__be32 seq;
};

static bool parse_quote(const struct sk_buff *skb, unsigned int off,
			struct ho_icmp *err)
{
	struct ho_quote buf;
	const struct ho_quote *quote;

	quote = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!quote)
		return false;
	/* we sent it, so its source is local */
	err->key.lport = quote->sport;
	err->key.rport = quote->dport;
	err->seq = ntohl(quote->seq);
	return true;
}

/* cf. tcp_v4_err(): what may pass soon is fatal here, what is final is not. */
static bool fatal_v4(u8 type, u8 code)
{
	return type == ICMP_PARAMETERPROB || type == ICMP_TIME_EXCEEDED ||
	       (type == ICMP_DEST_UNREACH &&
		(code == ICMP_NET_UNREACH || code == ICMP_HOST_UNREACH));
}

/* Does the stack look for a socket?  cf. icmp_unreach(), icmp_redirect() */
static bool is_told_v4(const struct net *net, u8 type, u8 code)
{
	switch (type) {
	case ICMP_REDIRECT:
	case ICMP_SOURCE_QUENCH:
	case ICMP_PARAMETERPROB:
		return true;
	case ICMP_TIME_EXCEEDED:
		return code != ICMP_EXC_FRAGTIME;
	case ICMP_DEST_UNREACH:
		return code <= NR_ICMP_UNREACH &&
		       (code != ICMP_FRAG_NEEDED ||
			READ_ONCE(net->ipv4.sysctl_ip_no_pmtu_disc) != 2);
	}
	return false;
}

static bool parse_v4(const struct net *net, const struct sk_buff *skb,
		     struct ho_icmp *err)
{
	unsigned int off = ip_hdrlen(skb);
	struct icmphdr ibuf;
	struct iphdr buf;
	const struct icmphdr *icmph;
	const struct iphdr *iph;

	icmph = skb_header_pointer(skb, off, sizeof(ibuf), &ibuf);
	if (!icmph || !is_told_v4(net, icmph->type, icmph->code))
		return false;
	err->off = off;
	off += sizeof(ibuf);
	iph = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!iph || iph->ihl < 5 || iph->protocol != IPPROTO_TCP)
		return false;
	/* our own stack tells a transmit error so: the timer tries again */
	err->fatal = fatal_v4(icmph->type, icmph->code) &&
		     ip_hdr(skb)->saddr != iph->saddr;
	ho_key_set_v4(&err->key, iph->daddr, iph->saddr);
	err->key.iif = inet_sdif(skb) ? inet_iif(skb) : 0;
	return parse_quote(skb, off + iph->ihl * 4, err);
}

static int skip_headers_v6(const struct sk_buff *skb, int off, u8 *proto,
			   __be16 *frag_off)
{
	*frag_off = 0;
	return ipv6_ext_hdr(*proto) ?
	       ipv6_skip_exthdr(skb, off, proto, frag_off) : off;
}

static bool parse_v6(const struct sk_buff *skb, struct ho_icmp *err)
{
	u8 proto = ipv6_hdr(skb)->nexthdr;
	struct icmp6hdr ibuf;
	struct ho_ifs ifs;
	__be16 frag_off;
	struct ipv6hdr buf;
	const struct icmp6hdr *icmph;
	const struct ipv6hdr *hdr;
	int off, unused;

	off = skip_headers_v6(skb, sizeof(buf), &proto, &frag_off);
	/* the rest of a fragment is not here yet */
	if (off < 0 || frag_off)
		return false;
	icmph = skb_header_pointer(skb, off, sizeof(ibuf), &ibuf);
	if (!icmph || icmph->icmp6_type & ICMPV6_INFOMSG_MASK)
		return false;
	err->off = off;
	off += sizeof(ibuf);
	hdr = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!hdr)
		return false;
	proto = hdr->nexthdr;
	off = skip_headers_v6(skb, off + sizeof(buf), &proto, &frag_off);
	if (off < 0 || proto != IPPROTO_TCP)
		return false;
	err->fatal = icmpv6_err_convert(icmph->icmp6_type, icmph->icmp6_code,
					&unused) &&
		     !ipv6_addr_equal(&ipv6_hdr(skb)->saddr, &hdr->saddr);
	err->key.raddr = hdr->daddr;
	err->key.laddr = hdr->saddr;
	ifs.dif = inet6_iif(skb);
	ifs.sdif = inet6_sdif(skb);
	err->key.iif = ho_ifs_in_key(&ifs, ipv6_addr_type(&hdr->daddr) &
					   IPV6_ADDR_LINKLOCAL);
	return parse_quote(skb, off, err);
}

/* icmp_rcv(): nobody is told of an error that was sent to all. */
static bool is_unicast(const struct sk_buff *skb, u8 family)
{
	return family == NFPROTO_IPV6 ||
	       !(skb_rtable(skb)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST));
}

static bool checksum_ok(struct sk_buff *skb, u8 family,
			const struct ho_icmp *err)
{
	u8 proto = family == NFPROTO_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	return ho_checksum_ok(skb, err->off, proto, family);
}

bool ho_icmp_parse(const struct net *net, const struct sk_buff *skb, u8 family,
		   struct ho_icmp *err)
{
	memset(err, 0, sizeof(*err));
	return family == NFPROTO_IPV4 ? parse_v4(net, skb, err) :
					parse_v6(skb, err);
}

/* The stack is about to find no socket for this error and count it. */
static void uncount(struct net *net, u8 family)
{
	if (family == NFPROTO_IPV4)
		SNMP_ADD_STATS(net->mib.icmp_statistics, ICMP_MIB_INERRORS, -1);
	else
		SNMP_ADD_STATS(net->mib.icmpv6_statistics, ICMP6_MIB_INERRORS,
			       -1);
}

/* tcp_req_err(): true if the entry was there. */
static bool apply(struct ho_net *hn, const struct ho_icmp *err)
{
	u64 hash = ho_table_hash(&hn->tbl, &err->key);
	struct ho_bucket *bkt;
	struct ho_entry *ent;

	bkt = ho_table_lock(&hn->tbl, hash);
	if (!bkt)
		return false;
	ent = ho_table_find_locked(bkt, &err->key);
	if (!ent) {
		ho_table_unlock(bkt);
		return false;
	}
	if (err->seq != ent->req.snt_isn)
		NET_INC_STATS(hn->net, LINUX_MIB_OUTOFWINDOWICMPS);
	if (err->seq == ent->req.snt_isn && err->fatal) {
		ho_table_remove_locked(&hn->tbl, bkt, ent, hash);
		NET_INC_STATS(hn->net, LINUX_MIB_LISTENDROPS);
		ho_stat_inc(hn, HO_STAT_icmp_dropped);
	} else {
		ho_stat_inc(hn, HO_STAT_icmp_ignored);
	}
	ho_table_unlock(bkt);
	return true;
}

void ho_icmp_rx(struct ho_net *hn, struct sk_buff *skb, u8 family)
{
	struct ho_icmp err;

	ho_track_icmp_done(skb);
	if (!ho_budget_upper(&hn->tbl.entries) ||
	    !is_unicast(skb, family) ||
	    !ho_icmp_parse(hn->net, skb, family, &err))
		return;
	if (!checksum_ok(skb, family, &err))
		return;
	if (apply(hn, &err))
		uncount(hn->net, family);
}
