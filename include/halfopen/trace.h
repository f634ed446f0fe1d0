/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: what happens to half-open connections.
 *
 * The stack's own tracepoints of requests (tcp_retransmit_synack and the states
 * of request sockets) never see them.  Fields are stable: family, source (the
 * client), destination, and what the event's number means.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM halfopen

#if !defined(_HALFOPEN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _HALFOPEN_TRACE_H

#include <linux/tracepoint.h>
#include <net/net_namespace.h>

#include <halfopen/admit.h>
#include <halfopen/key.h>

/* perf and trace-cmd understand numbers in the text of an event, no names. */
#define HO_TRACE_ENUM(name, ...) TRACE_DEFINE_ENUM(HO_##name);
HO_DECLINES(HO_TRACE_ENUM)
TRACE_DEFINE_ENUM(HO_TAKE);

#define HO_TRACE_REASON(name, ...) { HO_##name, #name },

DECLARE_EVENT_CLASS(ho_conn_event,
	TP_PROTO(const struct net *net, const struct ho_key *key,
		 unsigned int num),
	TP_ARGS(net, key, num),
	TP_STRUCT__entry(
		__field(__u32, netns)
		__field(__u16, family)
		__field(__u16, sport)
		__field(__u16, dport)
		__field(__u32, num)
		__array(__u8, saddr, 16)
		__array(__u8, daddr, 16)
	),
	TP_fast_assign(
		__entry->netns = net->ns.inum;
		__entry->family = ho_key_is_v4(key) ? AF_INET : AF_INET6;
		__entry->sport = ntohs(key->rport);
		__entry->dport = ntohs(key->lport);
		__entry->num = num;
		memcpy(__entry->saddr, &key->raddr, 16);
		memcpy(__entry->daddr, &key->laddr, 16);
	),
	TP_printk("netns=%u src=[%pI6c]:%u dst=[%pI6c]:%u num=%u",
		  __entry->netns, __entry->saddr, __entry->sport,
		  __entry->daddr, __entry->dport, __entry->num)
);

/* SYN answered, entry made; num: 0 */
DEFINE_EVENT(ho_conn_event, ho_taken,
	TP_PROTO(const struct net *net, const struct ho_key *key,
		 unsigned int num),
	TP_ARGS(net, key, num));

/* SYN answered without an entry; num: the limit, see enum ho_full */
DEFINE_EVENT(ho_conn_event, ho_cookie,
	TP_PROTO(const struct net *net, const struct ho_key *key,
		 unsigned int num),
	TP_ARGS(net, key, num));

/* SYN-ACK sent again; num: how often by now */
DEFINE_EVENT(ho_conn_event, ho_retransmitted,
	TP_PROTO(const struct net *net, const struct ho_key *key,
		 unsigned int num),
	TP_ARGS(net, key, num));

/* no answer in time, entry dropped; num: SYN-ACKs sent again */
DEFINE_EVENT(ho_conn_event, ho_expired,
	TP_PROTO(const struct net *net, const struct ho_key *key,
		 unsigned int num),
	TP_ARGS(net, key, num));

/* entry dropped for another one; num: SYN-ACKs sent again */
DEFINE_EVENT(ho_conn_event, ho_evicted,
	TP_PROTO(const struct net *net, const struct ho_key *key,
		 unsigned int num),
	TP_ARGS(net, key, num));

/* connection given to the listener; num: SYN-ACKs sent again */
DEFINE_EVENT(ho_conn_event, ho_handed_over,
	TP_PROTO(const struct net *net, const struct ho_key *key,
		 unsigned int num),
	TP_ARGS(net, key, num));

/* SYN left to the stack; num: why, a counter of halfopen_declined */
DEFINE_EVENT_PRINT(ho_conn_event, ho_declined,
	TP_PROTO(const struct net *net, const struct ho_key *key,
		 unsigned int num),
	TP_ARGS(net, key, num),
	TP_printk("netns=%u src=[%pI6c]:%u dst=[%pI6c]:%u num=%u why=%s",
		  __entry->netns, __entry->saddr, __entry->sport,
		  __entry->daddr, __entry->dport, __entry->num,
		  __print_symbolic(__entry->num,
				   HO_DECLINES(HO_TRACE_REASON)
				   { HO_TAKE, "" })));

#endif /* _HALFOPEN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH halfopen
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
