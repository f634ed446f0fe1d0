/* SPDX-License-Identifier: GPL-2.0 */
/* Every counter under /proc/net/stat/, in column order, one sentence each. */
#ifndef _HALFOPEN_COUNTERS_H
#define _HALFOPEN_COUNTERS_H

/*
 * Why a SYN went the native way (halfopen_declined), in the order of the
 * checks.
 */
#define HO_DECLINES(X)							\
	X(declined_mode, "net.halfopen.mode is 0")			\
	X(declined_malformed, "bad TCP header length")			\
	X(declined_checksum, "bad TCP checksum, or none that can be verified") \
	X(declined_unicast, "destination is broadcast or multicast")	\
	X(declined_assigned, "a program chose the socket: bpf_sk_assign()") \
	X(declined_conntrack,						\
	  "connection tracking knows more of it than halfopen can keep") \
	X(declined_nat, "the stack translates its addresses")		\
	X(declined_socket,						\
	  "a socket has this 4-tuple: TIME_WAIT, SYN_SENT, ...")	\
	X(declined_no_listener,						\
	  "no socket listens there, the stack sends a RST")		\
	X(declined_ttl, "TTL or hop limit is below what the listener accepts") \
	X(declined_auth,						\
	  "TCP MD5 or TCP-AO: a key for the peer, or in the SYN")	\
	X(declined_ip_options,						\
	  "IPv4 options or IPv6 extension headers")			\
	X(declined_budget,						\
	  "the same, dropped: the listener's own queue is full")	\
	X(declined_mptcp, "MPTCP option, and the listener speaks it")	\
	X(declined_smc, "SMC option, and the listener speaks it")	\
	X(declined_fastopen,						\
	  "Fast Open option or data, and the listener takes it")	\
	X(declined_bpf, "sockops programs are attached")		\
	X(declined_save_syn, "TCP_SAVE_SYN on the listener")		\
	X(declined_flowlabel, "the listener reflects IPv6 flow labels")	\
	X(declined_device,						\
	  "bound to another interface than the reply would take")	\
	X(declined_acceptq,						\
	  "the accept queue is full, the stack drops the SYN")		\
	X(declined_usec_ts, "the route back wants microsecond timestamps") \
	X(declined_memory, "no memory to begin to know its port")	\
	X(declined_auto, "mode is 2 and the port is not under pressure")

/*
 * What happened to SYNs that were taken, and to the entries made for them
 * (halfopen).
 */
#define HO_COUNTERS(X)							\
	X(syn_taken, "SYN answered, entry made")			\
	X(syn_filtered,							\
	  "SYN dropped by the listener's filter or policy, as natively") \
	X(syn_no_route, "SYN dropped, no way back: as natively")	\
	X(syn_dup, "SYN seen again, SYN-ACK resent unless rate-limited") \
	X(synack_sent, "SYN-ACK left, retransmissions included")	\
	X(synack_retrans, "SYN-ACK resent by the timer or for a repeated SYN") \
	X(synack_error, "SYN-ACK could not be sent, the entry stays")	\
	X(handover, "connection given to the listener from its entry")	\
	X(handover_failed,						\
	  "the stack did not take the connection, the entry stays")	\
	X(acceptq_full,							\
	  "final ACK while the accept queue is full, the entry stays")	\
	X(no_listener,							\
	  "segment for an entry whose listener is gone, left to the stack") \
	X(expired, "no final ACK in time, entry dropped")		\
	X(reset_rcvd, "exact RST, entry dropped")			\
	X(reset_sent, "SYN inside the window: RST sent, entry dropped")	\
	X(bad_ack, "ACK of what was never sent, the stack sends a RST")	\
	X(oow_ack,							\
	  "segment outside the window or with an old timestamp, answered") \
	X(oow_ignored, "the same, not answered: rate limit, or a RST")	\
	X(challenge_ack,						\
	  "RST inside the window, answered with a challenge ACK")	\
	X(challenge_limited, "the same, not answered: rate limit")	\
	X(no_ack, "segment without ACK, ignored")			\
	X(icmp_dropped, "ICMP error quotes the ISN, entry dropped")	\
	X(icmp_ignored,							\
	  "ICMP error with another sequence number or a soft one")	\
	X(filtered,							\
	  "segment dropped by the listener's filter or policy, as natively") \
	X(tracked, "connection shown to connection tracking at its final ACK") \
	X(track_failed, "connection tracking did not take it")		\
	X(verify_ok, "SYN-ACK equal to the one the stack made")	\
	X(verify_diff, "SYN-ACK different from the one the stack made")

/* What limits and pressure did (halfopen_overload). */
#define HO_OVERLOADS(X)							\
	X(cookie_sent, "SYN answered without an entry")			\
	X(cookie_source, "for that: its source holds max_source_backlog") \
	X(cookie_port, "for that: its port holds max_port_backlog")	\
	X(cookie_backlog, "for that: the table holds max_backlog")	\
	X(cookie_memory, "for that: a cap on bytes, or no memory")	\
	X(cookie_chain, "for that: the hash chain is at its bound")	\
	X(cookie_checked, "ACK without an entry checked for a cookie")	\
	X(cookie_accepted, "it had one: connection given to the listener") \
	X(cookie_failed, "it had none, the stack sends a RST")		\
	X(evicted, "oldest entry without proof dropped for a new one")	\
	X(waiting,							\
	  "segment kept while its connection waits for the accept queue") \
	X(waiting_cut, "segment of such a connection dropped, too much data") \
	X(waiting_full,							\
	  "no room to wait, left to the client's retransmission")	\
	X(waited, "such a connection given to the listener")		\
	X(synack_budget,						\
	  "SYN not answered: its source leaves too many SYN-ACKs unanswered") \
	X(resend_budget, "SYN-ACK not sent again, for the same reason")	\
	X(resend_pressure,						\
	  "SYN-ACK not sent again: a SYN may cause no more of them now")

#endif /* _HALFOPEN_COUNTERS_H */
