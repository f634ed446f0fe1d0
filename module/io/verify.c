// SPDX-License-Identifier: GPL-2.0
/*
 * Comparing halfopen's SYN-ACK with the stack's.
 *
 * Each handover makes the stack build the SYN-ACK that it would have sent: an
 * oracle for free.  Both packets are caught at the same place, LOCAL_OUT, so
 * everything that is decided before it is compared.  Both must be of the same
 * instant: what a sysctl or a socket option changed since the real one left
 * shows up as no difference here.
 */
#include <halfopen/verify.h>

#include <linux/ratelimit.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

enum {
	MAX_LEN = sizeof(struct ipv6hdr) + sizeof(struct tcphdr) + 40,
	KIND_NOP = 1,
	KIND_TS = 8,
};

/**
 * struct ho_copy - a SYN-ACK without what may differ
 * @len: bytes
 * @data: from the network header on
 */
struct ho_copy {
	unsigned int len;
	u8 data[MAX_LEN];
};

/* The clock may have ticked between the two. */
static void blank_tsval(u8 *p, unsigned int len)
{
	while (len >= 2) {
		unsigned int size = *p == KIND_NOP ? 1 : p[1];

		if (!size || size > len)
			return;
		if (*p == KIND_TS && size == TCPOLEN_TIMESTAMP)
			memset(p + 2, 0, 4);
		p += size;
		len -= size;
	}
}

/*
 * The transmit hash of a request is random, and the automatic flow label
 * follows from it (ip6_make_flowlabel()): what counts is that it does.
 */
static void blank_auto_label(struct ipv6hdr *hdr, u32 txhash)
{
	const __be32 bits = IPV6_FLOWLABEL_MASK &
			    ~IPV6_FLOWLABEL_STATELESS_FLAG;
	__be32 label = (__force __be32)rol32(txhash, 16) & bits;

	if ((ip6_flowlabel(hdr) & bits) == label)
		ip6_flow_hdr(hdr, ip6_tclass(ip6_flowinfo(hdr)), bits);
}

static bool copy(const struct sk_buff *skb, struct ho_copy *out)
{
	unsigned int thoff = skb_transport_offset(skb);
	struct tcphdr *th;

	out->len = skb->len;
	if (skb->len > MAX_LEN || skb_copy_bits(skb, 0, out->data, skb->len))
		return false;
	if (thoff + sizeof(*th) > skb->len)
		return false;
	th = (struct tcphdr *)(out->data + thoff);
	th->check = 0;
	blank_tsval((u8 *)(th + 1), skb->len - thoff - sizeof(*th));
	if (ip_hdr(skb)->version == 4)
		((struct iphdr *)out->data)->check = 0;
	else
		blank_auto_label((struct ipv6hdr *)out->data, skb->hash);
	return true;
}

static const char *difference(const struct sk_buff *theirs,
			      const struct sk_buff *ours)
{
	struct ho_copy a, b;

	if (!copy(theirs, &a) || !copy(ours, &b))
		return "shape";
	if (a.len != b.len || memcmp(a.data, b.data, a.len)) {
		net_warn_ratelimited("halfopen: SYN-ACK differs: stack %*ph, halfopen %*ph\n",
				     min_t(int, a.len, 64), a.data,
				     min_t(int, b.len, 64), b.data);
		return "bytes";
	}
	if (theirs->mark != ours->mark)
		return "mark";
	if (theirs->priority != ours->priority)
		return "priority";
	if (skb_dst(theirs)->dev != skb_dst(ours)->dev)
		return "device";
	return NULL;
}

bool ho_verify_synack(const struct sk_buff *theirs, const struct sk_buff *ours)
{
	const char *what = difference(theirs, ours);

	if (!what)
		return true;
	net_warn_ratelimited("halfopen: SYN-ACK differs from the stack's: %s\n",
			     what);
	return false;
}
