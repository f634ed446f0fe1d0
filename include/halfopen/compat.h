/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows that kernels differ.  HO_HAVE_* come from probes of
 * the kernel's headers in Kbuild: stable kernels backport signatures, so a
 * version says little.  Each item says since when, and when it can go.
 */
#ifndef _HALFOPEN_COMPAT_H
#define _HALFOPEN_COMPAT_H

#include <linux/security.h>
#include <linux/sysctl.h>
#include <linux/version.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

/* hex2bin() has a header of its own since 6.4; #ifdef goes when 6.1 does. */
#ifdef HO_HAVE_HEX_H
#include <linux/hex.h>
#endif

#if KERNEL_VERSION(6, 1, 158) > LINUX_VERSION_CODE
#error "halfopen needs Linux 6.1.158 or later"
#endif

/*
 * From 6.10 until 6.12.115 and 7.0 the ISN of a reused TIME_WAIT tuple
 * travelled in a per-CPU variable that modules cannot reach (CVE-2026-64024),
 * and with it the handover.
 */
#ifndef HO_HAVE_TW_ISN
#error "no tcp_tw_isn in this kernel: take a newer point release"
#endif

/* The hash tables are an argument up to 6.17; goes when 6.12 does. */
#ifdef HO_HAVE_HASHINFO_ARG
#define HO_HASHINFO(net)	(net)->ipv4.tcp_death_row.hashinfo,
#else
#define HO_HASHINFO(net)
#endif

/* proc_handler takes a const table since 6.11; goes when 6.1 does. */
#ifdef HO_HAVE_CONST_CTL_TABLE
#define HO_CTL_TABLE		const struct ctl_table
#else
#define HO_CTL_TABLE		struct ctl_table
#endif

/*
 * Tables have a size since 6.6 and no empty last entry since 6.11; goes with
 * 6.1.
 */
static inline struct ctl_table_header *
ho_register_net_sysctl(struct net *net, const char *path,
		       struct ctl_table *table, size_t size)
{
#ifdef register_net_sysctl
	return register_net_sysctl_sz(net, path, table, size);
#else
	return register_net_sysctl(net, path, table);
#endif
}

/* Socket flags became atomic bits in 6.7; goes when 6.1 does. */
static inline bool ho_reflects_flowlabel(const struct sock *sk)
{
#ifdef inet6_test_bit
	return inet6_test_bit(REPFLOW, sk);
#else
	return inet_sk(sk)->pinet6->repflow;
#endif
}

/* As ip6_autoflowlabel(), which no module can call; goes when 6.1 does. */
static inline bool ho_labels_flows(struct net *net, const struct sock *sk)
{
#ifdef inet6_test_bit
	if (inet6_test_bit(AUTOFLOWLABEL_SET, sk))
		return inet6_test_bit(AUTOFLOWLABEL, sk);
#else
	if (inet_sk(sk)->pinet6->autoflowlabel_set)
		return inet_sk(sk)->pinet6->autoflowlabel;
#endif
	return ip6_default_np_autolabel(net);
}

/* TCP-AO came with 6.7; goes when 6.1 does. */
static inline bool ho_has_ao_keys(const struct sock *sk)
{
#ifdef CONFIG_TCP_AO
	return rcu_access_pointer(tcp_sk(sk)->ao_info);
#else
	return false;
#endif
}

/* Microsecond timestamps are a route feature since 6.7; goes when 6.1 does. */
static inline bool ho_dst_usec_ts(const struct dst_entry *dst)
{
#ifdef RTAX_FEATURE_TCP_USEC_TS
	return dst_feature(dst, RTAX_FEATURE_TCP_USEC_TS);
#else
	return false;
#endif
}

/*
 * Since 6.7 the stack drops what has a nonsensical list of options, if at least
 * so much of it is left; goes when 6.1 does.
 */
#ifndef HO_HAVE_AUTH_OPTIONS
#define HO_AUTH_OPTION_MIN	0
#elif IS_ENABLED(CONFIG_TCP_AO)
#define HO_AUTH_OPTION_MIN	(sizeof(struct tcp_ao_hdr) + 1)
#else
#define HO_AUTH_OPTION_MIN	TCPOLEN_MD5SIG
#endif

/* A kernel that looks for them counts them, too; goes when 6.1 does. */
static inline void ho_count_ao_bad(struct net *net)
{
#ifdef HO_HAVE_AUTH_OPTIONS
	NET_INC_STATS(net, LINUX_MIB_TCPAOBAD);
#endif
}

/* sk_drops_add() took the segment up to 6.17; goes when 6.12 does. */
static inline void ho_drops_skbadd(struct sock *sk, const struct sk_buff *skb)
{
#ifdef HO_HAVE_DROPS_SKBADD
	sk_drops_skbadd(sk, skb);
#else
	sk_drops_add(sk, skb);
#endif
}

/* Only reads the socket, and says so since 6.3; goes when 6.1 does. */
static inline void ho_classify_flow(const struct sock *sk,
				    struct flowi_common *flic)
{
	security_sk_classify_flow((struct sock *)sk, flic);
}

/* 7.x checks the TSecr of the final ACK against what SYN-ACKs carried. */
static inline void ho_req_set_tsval(struct tcp_request_sock *treq, u32 first,
				    u32 last)
{
#ifdef HO_HAVE_SNT_TSVAL
	treq->snt_tsval_first = first;
	treq->snt_tsval_last = last;
#endif
}

/* 7.x: the first SYN-ACK and that of the first timeout, but no later one. */
static inline bool ho_ece_lasts(unsigned int timeouts)
{
#ifdef HO_HAVE_ECE_ONCE
	return !timeouts;
#else
	return true;
#endif
}

/* What ip_local_out() and ip_output() count; see below. */
static inline void ho_count_out_v4(struct net *net, unsigned int len)
{
#ifdef HO_HAVE_OUTREQUESTS
	IP_INC_STATS(net, IPSTATS_MIB_OUTREQUESTS);
#endif
	IP_UPD_PO_STATS(net, IPSTATS_MIB_OUT, len);
}

/* What ip6_xmit() and ip6_output() count. */
static inline void ho_count_out_v6(struct net *net, struct inet6_dev *idev,
				   unsigned int len)
{
#ifdef HO_HAVE_OUTREQUESTS
	IP6_INC_STATS(net, idev, IPSTATS_MIB_OUTREQUESTS);
#endif
	IP6_UPD_PO_STATS(net, idev, IPSTATS_MIB_OUT, len);
}

/*
 * OutRequests is counted before LOCAL_OUT, but by IPv4 in 6.1 at the device; it
 * got a name of its own in 6.6.  Both forms go when 6.1 does.
 */
static inline void ho_uncount_out_v4(struct net *net)
{
#ifdef HO_HAVE_OUTREQUESTS
	IP_ADD_STATS(net, IPSTATS_MIB_OUTREQUESTS, -1);
#endif
}

static inline void ho_uncount_out_v6(struct net *net, struct inet6_dev *idev,
				     unsigned int len)
{
#ifdef HO_HAVE_OUTREQUESTS
	IP6_ADD_STATS(net, idev, IPSTATS_MIB_OUTREQUESTS, -1);
#else
	IP6_ADD_STATS(net, idev, IPSTATS_MIB_OUTPKTS, -1);
	IP6_ADD_STATS(net, idev, IPSTATS_MIB_OUTOCTETS, -(int)len);
#endif
}

#endif /* _HALFOPEN_COMPAT_H */
