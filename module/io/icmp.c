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
	switch (type) {
	case ICMP_PARAMETERPROB:
		return true;
	case ICMP_TIME_EXCEEDED:
		return code != ICMP_EXC_FRAGTIME;
	case ICMP_DEST_UNREACH:
		return code == ICMP_NET_UNREACH || code == ICMP_HOST_UNREACH;
	}
	return false;
}

static bool is_error_v4(u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED ||
	       type == ICMP_PARAMETERPROB || type == ICMP_SOURCE_QUENCH;
}

static bool parse_v4(const struct sk_buff *skb, struct ho_icmp *err)
{
	unsigned int off = ip_hdrlen(skb);
	struct icmphdr ibuf;
	struct iphdr buf;
	const struct icmphdr *icmph;
	const struct iphdr *iph;

	icmph = skb_header_pointer(skb, off, sizeof(ibuf), &ibuf);
	if (!icmph || !is_error_v4(icmph->type))
		return false;
	off += sizeof(ibuf);
	iph = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!iph || iph->ihl < 5 || iph->protocol != IPPROTO_TCP ||
	    iph->frag_off & htons(IP_OFFSET))
		return false;
	/* our own stack tells a transmit error so: the timer tries again */
	err->fatal = fatal_v4(icmph->type, icmph->code) &&
		     ip_hdr(skb)->saddr != iph->saddr;
	ho_key_set_v4(&err->key, iph->daddr, iph->saddr);
	err->key.iif = inet_sdif(skb) ? inet_iif(skb) : 0;
	return parse_quote(skb, off + iph->ihl * 4, err);
}

static bool parse_v6(const struct sk_buff *skb, struct ho_icmp *err)
{
	unsigned int off = sizeof(struct ipv6hdr);
	struct icmp6hdr ibuf;
	struct ho_ifs ifs;
	struct ipv6hdr buf;
	const struct icmp6hdr *icmph;
	const struct ipv6hdr *hdr;
	int unused;

	icmph = skb_header_pointer(skb, off, sizeof(ibuf), &ibuf);
	if (!icmph || icmph->icmp6_type & ICMPV6_INFOMSG_MASK)
		return false;
	off += sizeof(ibuf);
	hdr = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!hdr || hdr->nexthdr != IPPROTO_TCP)
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
	return parse_quote(skb, off + sizeof(buf), err);
}

static bool checksum_ok(struct sk_buff *skb, u8 family)
{
	unsigned int off = family == NFPROTO_IPV4 ? ip_hdrlen(skb) :
						    sizeof(struct ipv6hdr);
	u8 proto = family == NFPROTO_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;

	return ho_checksum_ok(skb, off, proto, family);
}

bool ho_icmp_parse(const struct sk_buff *skb, u8 family, struct ho_icmp *err)
{
	memset(err, 0, sizeof(*err));
	return family == NFPROTO_IPV4 ? parse_v4(skb, err) :
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
	    !ho_icmp_parse(skb, family, &err))
		return;
	if (!checksum_ok(skb, family))
		return;
	if (apply(hn, &err))
		uncount(hn->net, family);
}
