/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every counter under /proc/net/stat/, in column order: X(name, what it counts,
 * what a rising one means).
 */
#ifndef _HALFOPEN_COUNTERS_H
#define _HALFOPEN_COUNTERS_H

/*
 * Why a SYN went the native way (halfopen_declined), in the order of the
 * checks.
 */
#define HO_DECLINES(X)							\
	X(declined_mode, "net.halfopen.mode is 0",			\
	  "halfopen is switched off, or is being drained")		\
	X(declined_malformed, "bad TCP header length",			\
	  "broken or forged packets")					\
	X(declined_checksum, "bad TCP checksum, or none that can be verified", \
	  "forged packets, or a broken link or offload")		\
	X(declined_unicast, "destination is broadcast or multicast",	\
	  "forged packets, nobody connects that way")			\
	X(declined_assigned, "a program chose the socket: bpf_sk_assign()", \
	  "a BPF program steers connections; as meant")			\
	X(declined_conntrack,						\
	  "connection tracking knows more of it than halfopen can keep", \
	  "rules with helpers, labels or ct count; as meant")		\
	X(declined_nat, "the stack translates its addresses",		\
	  "redirected ports are not protected: point clients at the real one") \
	X(declined_socket,						\
	  "a socket has this 4-tuple: TIME_WAIT, SYN_SENT, ...",	\
	  "busy clients that use a port again; harmless")		\
	X(declined_no_listener,						\
	  "no socket listens there, the stack sends a RST",		\
	  "a port scan, or a service that is down")			\
	X(declined_ttl, "TTL or hop limit is below what the listener accepts", \
	  "forged packets, or IP_MINTTL is too strict")			\
	X(declined_auth,						\
	  "TCP MD5 or TCP-AO: a key for the peer, or in the SYN",	\
	  "BGP peers and the like; as meant")				\
	X(declined_ip_options, "IPv4 options or IPv6 extension headers", \
	  "unusual clients, or somebody probes")			\
	X(declined_budget,						\
	  "the same, dropped: the listener's own queue is full",	\
	  "a flood with IP options or extension headers")		\
	X(declined_mptcp, "MPTCP option, and the listener speaks it",	\
	  "MPTCP clients; as meant, while the queue has room")		\
	X(declined_smc, "SMC option, and the listener speaks it",	\
	  "SMC clients; as meant, while the queue has room")		\
	X(declined_fastopen,						\
	  "Fast Open option or data, and the listener takes it",	\
	  "Fast Open clients; as meant, while the queue has room")	\
	X(declined_bpf, "sockops programs are attached",		\
	  "sockops programs run; as meant, while the queue has room")	\
	X(declined_save_syn, "TCP_SAVE_SYN on the listener",		\
	  "that program reads SYNs; as meant, while the queue has room") \
	X(declined_flowlabel, "the listener reflects IPv6 flow labels",	\
	  "flowlabel_reflect is set; as meant")				\
	X(declined_device,						\
	  "bound to another interface than the reply would take",	\
	  "asymmetric routing or VRF; as meant")			\
	X(declined_acceptq,						\
	  "the accept queue is full, the stack drops the SYN",		\
	  "the program accepts too slowly or its backlog is small")	\
	X(declined_usec_ts, "the route back wants microsecond timestamps", \
	  "a route with the feature tcp_usec_ts; as meant")		\
	X(declined_memory, "no memory to begin to know its port",	\
	  "raise max_memory_bytes or host_memory_bytes")		\
	X(declined_auto, "mode is 2 and the port is not under pressure", \
	  "quiet times; as meant")

/*
 * What happened to SYNs that were taken, and to the entries made for them
 * (halfopen).
 */
#define HO_COUNTERS(X)							\
	X(syn_taken, "SYN answered, entry made",			\
	  "load; much faster than handover: a flood")			\
	X(syn_filtered,							\
	  "SYN dropped by the listener's filter or policy, as natively", \
	  "a socket filter or a security policy does its work")		\
	X(syn_no_route, "SYN dropped, no way back: as natively",	\
	  "a missing route, or sources that cannot exist: spoofed")	\
	X(syn_dup, "SYN seen again, SYN-ACK resent unless rate-limited", \
	  "lost SYN-ACKs: a bad path to the clients")			\
	X(synack_sent, "SYN-ACK left, retransmissions included",	\
	  "load, as syn_taken and retransmissions do")			\
	X(synack_retrans, "SYN-ACK resent by the timer or for a repeated SYN", \
	  "spoofed sources, or a bad path to the clients")		\
	X(synack_error, "SYN-ACK could not be sent, the entry stays",	\
	  "look at routes, neighbours and the queue of the interface")	\
	X(handover, "connection given to the listener from its entry",	\
	  "clients connect; by cookie it is cookie_accepted")		\
	X(handover_failed,						\
	  "the stack did not take the connection, the entry stays",	\
	  "memory, LSM or routes: see the kernel log")			\
	X(acceptq_full,							\
	  "final ACK while the accept queue is full, the entry stays",	\
	  "the program accepts too slowly or its backlog is small")	\
	X(no_listener,							\
	  "segment for an entry whose listener is gone, left to the stack", \
	  "a service was stopped or restarted under load")		\
	X(expired, "no final ACK in time, entry dropped",		\
	  "clients that never answered: spoofed sources")		\
	X(reset_rcvd, "exact RST, entry dropped",			\
	  "clients gave up, or spoofed hosts that live and say no")	\
	X(reset_sent, "SYN inside the window: RST sent, entry dropped",	\
	  "forged SYNs, or clients that restarted")			\
	X(bad_ack, "ACK of what was never sent, the stack sends a RST",	\
	  "forged ACKs, or clients of an earlier boot")			\
	X(bad_auth, "segment with a TCP-AO option, which the SYN had not", \
	  "forged segments")						\
	X(oow_ack,							\
	  "segment outside the window or with an old timestamp, answered", \
	  "stray or forged segments")					\
	X(oow_ignored, "the same, not answered: rate limit, or a RST",	\
	  "many stray or forged segments")				\
	X(challenge_ack,						\
	  "RST inside the window, answered with a challenge ACK",	\
	  "somebody tries blind resets")				\
	X(challenge_limited, "the same, not answered: rate limit",	\
	  "somebody tries many blind resets")				\
	X(no_ack, "segment without ACK, ignored",			\
	  "forged or broken segments")					\
	X(icmp_dropped, "ICMP error quotes the ISN, entry dropped",	\
	  "clients that cannot be reached")				\
	X(icmp_ignored,							\
	  "ICMP error with another sequence number or a soft one",	\
	  "forged ICMP errors, or routes that flap")			\
	X(filtered,							\
	  "segment dropped by the listener's filter or policy, as natively", \
	  "a socket filter or a security policy does its work")		\
	X(tracked, "connection shown to connection tracking at its final ACK", \
	  "connections under rules that track; as meant")		\
	X(track_failed, "connection tracking did not take it",		\
	  "the table of nf_conntrack is full, or no memory")		\
	X(verify_ok, "SYN-ACK equal to the one the stack made",		\
	  "verify_synack is on and all is well")			\
	X(verify_diff, "SYN-ACK different from the one the stack made",	\
	  "a bug: please report it with the kernel log")

/* What limits and pressure did (halfopen_overload). */
#define HO_OVERLOADS(X)							\
	X(cookie_sent, "SYN answered without an entry",			\
	  "a limit is reached: a flood, or limits are too low")		\
	X(cookie_source, "for that: its source holds max_source_backlog", \
	  "one network sends too much: halfopenctl status names it")	\
	X(cookie_port, "for that: its port holds max_port_backlog",	\
	  "that port is flooded, or its limit is too low")		\
	X(cookie_backlog, "for that: the table holds max_backlog",	\
	  "a flood, or max_backlog is too low")				\
	X(cookie_memory, "for that: a cap on bytes, or no memory",	\
	  "raise max_memory_bytes or host_memory_bytes")		\
	X(cookie_chain, "for that: the hash chain is at its bound",	\
	  "somebody knows the hash key, or buckets is far too small")	\
	X(cookie_checked, "ACK without an entry checked for a cookie",	\
	  "clients who got cookies, or stray ACKs")			\
	X(cookie_accepted, "it had one: connection given to the listener", \
	  "clients connect while a limit is reached")			\
	X(cookie_failed, "it had none, the stack sends a RST",		\
	  "much faster than cookie_accepted: an ACK flood")		\
	X(evicted, "oldest entry without proof dropped for a new one",	\
	  "a flood at a full table or port; its clients still have cookies") \
	X(waiting,							\
	  "segment kept while its connection waits for the accept queue", \
	  "the program accepts too slowly or its backlog is small")	\
	X(waiting_cut, "segment of such a connection dropped, too much data", \
	  "clients upload into a full accept queue")			\
	X(waiting_full,							\
	  "no room to wait, left to the client's retransmission",	\
	  "the program is stuck, or far too slow")			\
	X(waited, "such a connection given to the listener",		\
	  "the program catches up")					\
	X(synack_budget,						\
	  "SYN not answered: its source leaves too many SYN-ACKs unanswered", \
	  "somebody spoofs that network")				\
	X(resend_budget, "SYN-ACK not sent again, for the same reason",	\
	  "somebody spoofs that network")				\
	X(resend_pressure,						\
	  "SYN-ACK not sent again: a SYN may cause no more of them now", \
	  "a flood; as meant")

/*
 * SYNs that were answered at the device, and why others took the default path
 * (halfopen_fastpath), in the order of the checks.
 */
#define HO_FASTS(X)							\
	X(fast_taken, "SYN answered before the IP stack saw it",	\
	  "load on the devices of net.halfopen.fastpath")		\
	X(fast_mode, "net.halfopen.mode is not 1",			\
	  "the fast path is for mode 1")				\
	X(fast_host, "sent to the address of no or of another host",	\
	  "a port that mirrors traffic, or forged frames")		\
	X(fast_device,							\
	  "the device is the loopback, or part of a bridge, bond or VRF",\
	  "name the bridge, the bond or the VLAN device instead")	\
	X(fast_tunnel, "with a VLAN tag, or from a tunnel or IPsec",	\
	  "name the device that the address is on")			\
	X(fast_buffer, "in a buffer that cannot be reused: shared, in pieces", \
	  "large SYNs with data, or an unusual driver")			\
	X(fast_assigned, "a program chose the socket, or marked the packet", \
	  "a BPF program or tc steers connections; as meant")		\
	X(fast_ipsec, "the namespace or the listener has IPsec policies", \
	  "IPsec is in use; as meant")					\
	X(fast_prerouting,						\
	  "rules before routing, connection tracking, NAT or IPVS",	\
	  "with these the stack has to see the SYN; as meant")		\
	X(fast_rules, "policy routing",					\
	  "ip rule has, or had, more than the defaults; as meant")	\
	X(fast_malformed, "bad IP or TCP header",			\
	  "broken or forged packets")					\
	X(fast_fragment, "IP fragment",					\
	  "broken or forged packets")					\
	X(fast_ip_options, "IPv4 options or IPv6 extension headers",	\
	  "unusual clients, or somebody probes")			\
	X(fast_checksum, "bad TCP checksum",				\
	  "forged packets, or a broken link or offload")		\
	X(fast_address,							\
	  "not to a unicast address of this host, or from an impossible one", \
	  "forwarded traffic, or spoofed sources that cannot exist")	\
	X(fast_known, "its connection is in the table already",		\
	  "lost SYN-ACKs: a bad path to the clients")			\
	X(fast_socket, "a socket has this 4-tuple: TIME_WAIT, SYN_SENT, ...", \
	  "busy clients that use a port again; harmless")		\
	X(fast_listener, "nobody listens, or declined for the listener", \
	  "halfopen_declined says why")					\
	X(fast_filter,							\
	  "the listener has a filter or a mark, or an LSM objects",	\
	  "that program filters what it gets; as meant")		\
	X(fast_way,							\
	  "no way back, or by another device, or encapsulated",		\
	  "asymmetric or multipath routing; as meant")			\
	X(fast_memory, "no memory",					\
	  "raise max_memory_bytes or host_memory_bytes")

#endif /* _HALFOPEN_COUNTERS_H */
