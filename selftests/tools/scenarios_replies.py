# SPDX-License-Identifier: GPL-2.0
"""What routes, marks, policies and sysctls do to what is sent, and what is kept of a
SYN (protocol.md 2.2, 2.3).

Most scenarios go through the whole life of a connection: SYN-ACK, the same again after
a second, final ACK, accepted socket, first data.
"""

import os
import re
import socket
import struct

from differential import Abandoned, libc, read, scenario
from seg import (ACK, CWR, ECE, GW_MAC, LINUX, MSS, NOP, PSH, RST, SACK_PERM,
                 SYN, TS, URG, WSCALE, add, icmp_error, opt)
from sockopt import getsockopt

SOL = socket.SOL_SOCKET
IP = socket.IPPROTO_IP
IPV6 = socket.IPPROTO_IPV6
TCP = socket.IPPROTO_TCP
ECN_SYN = SYN | ECE | CWR
IP_XFRM_POLICY, IPV6_XFRM_POLICY = 17, 35
TCP_SAVE_SYN, TCP_SAVED_SYN, TCP_ULP, TCP_TX_DELAY = 27, 28, 31, 37
SO_TXREHASH = 74



def accepted(w, listener=None):
    s = w.accept(listener)
    if s is None:
        raise Abandoned
    return s


def close(w, s):
    w.sockets.remove(s)
    s.close()


def whole_life(w, p=None, listener=None, flags=SYN, data=b"hello"):
    """From SYN to first data; then the client is gone."""
    if not w.sockets:
        w.listen()
    p = p or w.peer()
    p.syn(flags=flags)
    repeated_synack(w, p)
    p.ack()
    accepted(w, listener).send(data)
    w.watch(p, 0.05)
    p.rst(seq=p.seq)


def repeated_synack(w, p):
    """The ACK has a time of its own, or the round trip would tell the timer's slack."""
    w.watch(p, 1.5, first=True)
    if p.synack is None:
        w.note("no SYN-ACK")
        raise Abandoned
    w.watch(p, 1.5, first=True)
    w.watch(p, 0.3)


def replies(w, **kw):
    """An ACK and a RST from SYN-RECEIVED."""
    p = w.handshake_to_synack()
    p.send(ACK, seq=add(p.seq, 70000), opts=p._ts(), **kw)
    w.watch(p, 0.1)
    p.send(SYN, seq=add(p.seq, 100), opts=LINUX, **kw)
    w.watch(p, 0.1)


GATEWAY = {4: "10.0.0.254", 6: "fd00::fe"}


def ip(w, *argv, undo=()):
    """ip(8) for the family."""
    head = ("ip", "-%d" % w.family)
    w.command(*head, *argv, undo=undo and (*head, *undo))


def default_route(w, *metrics):
    """With these metrics, until the end of the scenario."""
    route = ("default", "via", GATEWAY[w.family], "dev", "srv0")
    ip(w, "route", "del", "default",
       undo=("route", "replace", *route))
    ip(w, "route", "add", *route, *metrics, undo=("route", "del", "default"))


# --- DSCP, TTL ---


def traffic_class(w, value):
    return (IP, socket.IP_TOS, value) if w.family == 4 else \
        (IPV6, socket.IPV6_TCLASS, value)


@scenario("O-10 P-81")
def tos_from_synack_to_data(w):
    w.listen([traffic_class(w, 0x2B)])
    whole_life(w)


@scenario("O-10 P-81")
def tos_of_the_syn_from_synack_to_data(w):
    w.sysctl("ipv4/tcp_reflect_tos", 1)
    whole_life(w, w.peer(tos=0xB9))


@scenario("O-10 P-81")
def tos_of_the_syn_and_of_the_listener(w):
    w.sysctl("ipv4/tcp_reflect_tos", 1)
    w.listen([traffic_class(w, 0x2A)])
    p = w.peer(tos=0xB8)
    whole_life(w, p)
    p = w.peer(tos=0)
    whole_life(w, p)


@scenario("O-10 P-57")
def tos_reflected_with_ecn(w):
    w.sysctl("ipv4/tcp_reflect_tos", 1)
    w.sysctl("ipv4/tcp_ecn", 1)
    w.listen([traffic_class(w, 0x28)])
    whole_life(w, w.peer(tos=0xB8), flags=ECN_SYN)


@scenario("O-10 O-11")
def tos_and_ttl_of_replies(w):
    w.listen([traffic_class(w, 0x28),
              (IP, socket.IP_TTL, 42) if w.family == 4 else
              (IPV6, socket.IPV6_UNICAST_HOPS, 42)])
    for tos in (0, 0x53, 0xFF):
        replies(w, tos=tos)


@scenario("O-11")
def ttl_from_synack_to_data(w):
    w.listen([(IP, socket.IP_TTL, 42) if w.family == 4 else
              (IPV6, socket.IPV6_UNICAST_HOPS, 42)])
    whole_life(w)


@scenario("O-11")
def ttl_of_the_route(w):
    default_route(w, "hoplimit", "33")
    whole_life(w)
    replies(w)


@scenario("O-11")
def ttl_of_the_sysctl(w):
    w.sysctl("ipv4/ip_default_ttl" if w.family == 4 else
             "ipv6/conf/srv0/hop_limit", 77)
    whole_life(w)
    replies(w)


@scenario("O-11")
def minimum_ttl_of_later_segments(w):
    """IP_MINTTL, IPV6_MINHOPCOUNT: not for every segment of SYN-RECEIVED."""
    w.listen([(IP, 21, 255) if w.family == 4 else (IPV6, 73, 255)])
    p = w.handshake_to_synack(ttl=255)
    p.ttl = 254
    p.syn()
    w.watch(p, 0.6)
    p.send(ACK, seq=add(p.seq, 70000), opts=p._ts())
    w.watch(p, 0.6)
    p.rst(seq=add(p.seq, 10))
    w.watch(p, 0.1)
    p.ack()
    w.watch(p, 0.1)
    w.accept()
    p.ttl = 255
    p.data(b"hello")
    w.watch(p, 0.1)


# --- marks, priority, policy routing ---

OTHER_GATEWAY = {4: "10.0.0.253", 6: "fd00::fd"}
OTHER_MAC = "02:00:00:00:00:fd"


def marked_goes_elsewhere(w):
    """Packets with mark 7 have a gateway of their own."""
    gw = OTHER_GATEWAY[w.family]
    ip(w, "neigh", "replace", gw, "lladdr", OTHER_MAC, "dev", "srv0", "nud",
       "permanent", undo=("neigh", "del", gw, "dev", "srv0"))
    ip(w, "route", "replace", "default", "via", gw, "dev", "srv0", "table", "77",
       undo=("route", "flush", "table", "77"))
    ip(w, "rule", "add", "fwmark", "7", "lookup", "77", "priority", "77",
       undo=("rule", "del", "priority", "77"))


def show_gateways(w, p, seconds=0.05):
    """Of what p got since the last look; MAC addresses are not in the transcript."""
    names = {GW_MAC: "gateway", OTHER_MAC: "other gateway"}
    for s in p.collect(seconds):
        w.note("%s through the %s" % (s.flag_text,
                                      names.get(s.frame[:6].hex(":"), "?")))


def life_with_gateways(w):
    if not w.sockets:
        w.listen()
    p = w.peer()
    p.syn()
    show_gateways(w, p, 1.2)
    if p.synack is None:
        raise Abandoned
    p.send(ACK, seq=add(p.seq, 70000), opts=p._ts())
    show_gateways(w, p)
    p.ack()
    accepted(w).send(b"hello")
    show_gateways(w, p)
    p = w.peer()
    p.syn()
    show_gateways(w, p)
    p.send(SYN, seq=add(p.seq, 100), opts=LINUX)
    show_gateways(w, p)


def nft(w, rules):
    chains = "".join(
        "add chain inet t %s { type filter hook %s priority %s; };" % chain
        for chain in (("in", "input", "filter"), ("pre", "prerouting", "mangle"),
                      ("out", "output", "mangle"),
                      ("post", "postrouting", "filter")))
    w.nft("add table inet t;" + chains + rules, undo="delete table inet t")


MARK_SYNS = "add rule inet t pre tcp dport 80 meta mark set 7"


@scenario("O-12")
def mark_of_the_listener_chooses_the_route(w):
    marked_goes_elsewhere(w)
    w.listen([(SOL, socket.SO_MARK, 7)])
    life_with_gateways(w)


@scenario("O-12")
def mark_of_the_packet_chooses_the_route(w):
    """tcp_fwmark_accept: and becomes the accepted socket's SO_MARK."""
    w.sysctl("ipv4/tcp_fwmark_accept", 1)
    marked_goes_elsewhere(w)
    nft(w, MARK_SYNS)
    life_with_gateways(w)


@scenario("O-12")
def mark_of_packets_is_reflected(w):
    """fwmark_reflect: in ACKs and RSTs that belong to no full socket."""
    w.sysctl("ipv%d/fwmark_reflect" % w.family, 1)
    marked_goes_elsewhere(w)
    nft(w, MARK_SYNS)
    life_with_gateways(w)


@scenario("O-12")
def marks_of_listener_and_packet(w):
    w.sysctl("ipv4/tcp_fwmark_accept", 1)
    w.sysctl("ipv%d/fwmark_reflect" % w.family, 1)
    marked_goes_elsewhere(w)
    nft(w, MARK_SYNS)
    w.listen([(SOL, socket.SO_MARK, 9)])
    life_with_gateways(w)


@scenario("O-12")
def mark_without_accept_is_ignored(w):
    marked_goes_elsewhere(w)
    nft(w, MARK_SYNS)
    life_with_gateways(w)


def counters(w, what):
    out = w.srv(os.popen, "nft list counters table inet t").read()
    found = re.findall(r"counter (\w+) {\s+packets (\d+)", out)
    w.note("%s: %s" % (what, ", ".join("%s %s" % pair for pair in sorted(found))))


def count(w, **matches):
    """Named counters of packets from port 80, before and after they have a route."""
    nft(w, "".join(
        "add counter inet t %s_%s; add rule inet t %s tcp sport 80 %s counter "
        "name %s_%s;" % (name, chain, chain, match, name, chain)
        for name, match in matches.items() for chain in ("out", "post")))


@scenario("O-13")
def priority_from_synack_to_data(w):
    count(w, five="meta priority 0:5", none="meta priority 0:0", any="")
    w.listen([(SOL, socket.SO_PRIORITY, 5)])
    p = w.handshake_to_synack()
    counters(w, "SYN-ACK")
    w.watch(p, 1.2)
    counters(w, "again")
    p.send(ACK, seq=add(p.seq, 70000), opts=p._ts())
    w.watch(p, 0.05)
    counters(w, "ACK")
    p.ack()
    s = accepted(w)
    counters(w, "accepted")
    s.send(b"hello")
    w.watch(p, 0.05)
    counters(w, "data")
    p = w.handshake_to_synack()
    p.send(SYN, seq=add(p.seq, 100), opts=LINUX)
    w.watch(p, 0.05)
    counters(w, "RST")


@scenario("O-12 O-13")
def mark_of_replies_in_the_firewall(w):
    count(w, nine="meta mark 9", zero="meta mark 0")
    w.listen([(SOL, socket.SO_MARK, 9)])
    replies(w)
    counters(w, "replies")


@scenario("O-18", differs=True)
def owner_of_the_synack(w):
    """halfopen's belongs to no socket, so to no user."""
    count(w, root="meta skuid 0")
    w.handshake_to_synack()
    counters(w, "SYN-ACK")


# --- window, MSS ---


def several(w, settings):
    """SYN-ACK and accepted socket with each of these sets of options."""
    for opts in settings:
        s = w.listen(opts)
        for syn in (LINUX, MSS(1460), MSS(536) + WSCALE(14)):
            p = w.peer()
            p.syn(opts=syn)
            w.watch(p, 1.0, first=True)
            p.ack()
            w.accept(s)
        close(w, s)


BUFFERS = [
    [], [(SOL, socket.SO_RCVBUF, 2048)], [(SOL, socket.SO_RCVBUF, 300000)],
    [(TCP, socket.TCP_WINDOW_CLAMP, 3000)],
    [(SOL, socket.SO_RCVBUF, 60000), (TCP, socket.TCP_WINDOW_CLAMP, 10000)],
    [(SOL, socket.SO_RCVBUF, 4096), (TCP, socket.TCP_WINDOW_CLAMP, 100000)],
]


@scenario("O-15")
def buffers_and_clamps(w):
    several(w, BUFFERS)


@scenario("O-15")
def window_of_the_route(w):
    default_route(w, "window", "8000")
    several(w, BUFFERS)


@scenario("O-15")
def initial_window_of_the_route(w):
    default_route(w, "initrwnd", "4")
    several(w, BUFFERS)


@scenario("O-15")
def large_initial_window_of_the_route(w):
    default_route(w, "initrwnd", "200", "window", "100000")
    several(w, BUFFERS)


@scenario("O-15")
def odd_windows_of_the_route(w):
    for metrics in (("window", "1"), ("window", "65536"), ("initrwnd", "1"),
                    ("initrwnd", "44", "window", "50000")):
        default_route(w, *metrics)
        several(w, BUFFERS[:2])


MAXSEGS = [[], [(TCP, socket.TCP_MAXSEG, 700)], [(TCP, socket.TCP_MAXSEG, 1100)]]


@scenario("O-16 P-46")
def mss_of_the_route(w):
    default_route(w, "advmss", "900")
    several(w, MAXSEGS)


@scenario("O-16 P-46")
def mtu_of_the_route(w):
    default_route(w, "mtu", "1300")
    several(w, MAXSEGS)
    whole_life(w, data=b"x" * 3000)


@scenario("O-16 P-46 P-79")
def locked_mtu_of_the_route(w):
    """No DF, and so an IP ID."""
    default_route(w, "mtu", "lock", "1300")
    several(w, MAXSEGS)
    whole_life(w, data=b"x" * 3000)
    replies(w)


@scenario("O-16 P-46")
def mtu_of_the_interface(w):
    w.command("ip", "link", "set", "srv0", "mtu", "1400",
              undo=("ip", "link", "set", "srv0", "mtu", "1500"))
    several(w, MAXSEGS)


@scenario("O-16 P-78")
def path_mtu_that_an_earlier_connection_found(w):
    w.listen()
    p = w.handshake_to_synack()
    p.ack()
    s = accepted(w)
    s.send(b"x" * 1400)
    big = p.recv(0.5)
    kind = (3, 4) if w.family == 4 else (2, 0)
    p.send_ip(icmp_error(p, *kind, big.ip, rest=1280, src=p.src))
    p.rst(seq=p.seq)
    w.undo.append(lambda: w.command("ip", "-%d" % w.family, "route", "flush",
                                    "cache"))
    whole_life(w, data=b"x" * 3000)


@scenario("P-79", families=(4,))
def path_mtu_discovery_off(w):
    w.sysctl("ipv4/ip_no_pmtu_disc", 1)
    whole_life(w)
    replies(w)


@scenario("P-79")
def path_mtu_discovery_of_the_listener(w):
    """IP_MTU_DISCOVER: DF or not."""
    for value in range(6):
        s = w.listen([(IP, 10, value) if w.family == 4 else (IPV6, 23, value)])
        w.note("IP_MTU_DISCOVER %d" % value)
        replies(w)
        close(w, s)


# --- flow label, txhash ---


def labels(w, listener=None):
    """The transcript has a letter for each label: whose changes, and when."""
    listener = listener or w.listen()
    p = w.peer()
    p.syn(flow=0x54321)
    w.watch(p, 3.5)
    p.send(ACK, seq=add(p.seq, 70000), opts=p._ts(), flow=0x54321)
    w.watch(p, 0.1)
    w.note("SYN-ACK has %s label" % (
        "no" if not p.synack.flow else "the SYN's" if p.synack.flow == 0x54321
        else "another"))
    p.ack(flow=0x12345)
    accepted(w, listener).send(b"hello")
    for s in p.collect(0.1):
        w.note("data has %s label" % (
            "no" if not s.flow else "the SYN's" if s.flow == 0x54321 else
            "the ACK's" if s.flow == 0x12345 else "another"))
    p.rst(seq=p.seq)        # or the data comes again
    p = w.peer()
    p.syn(flow=0x54321)
    w.watch(p, 1.0, first=True)
    p.send(SYN, seq=add(p.seq, 100), opts=LINUX, flow=0x54321)
    s = p.recv(0.2)
    w.note("RST has %s label" % (
        s and ("no" if not s.flow else "the SYN's" if s.flow == 0x54321
               else "another")))


@scenario("O-17 P-45 P-82", families=(6,))
def flow_label_of_retransmissions(w):
    labels(w)


@scenario("O-17 P-82", families=(6,))
def flow_label_without_rehash(w):
    labels(w, w.listen([(SOL, SO_TXREHASH, 0)]))


@scenario("O-17 P-82", families=(6,))
def flow_label_with_rehash(w):
    w.sysctl("core/txrehash", 0)
    labels(w, w.listen([(SOL, SO_TXREHASH, 1)]))


@scenario("O-17 P-82", families=(6,))
def flow_label_rehash_by_sysctl(w):
    w.sysctl("core/txrehash", 0)
    labels(w)


@scenario("O-17 P-82", families=(6,))
def flow_labels_off(w):
    w.sysctl("ipv6/auto_flowlabels", 0)
    labels(w)


@scenario("O-17 P-82", families=(6,))
def flow_labels_of_sockets_that_want_them(w):
    w.sysctl("ipv6/auto_flowlabels", 2)
    labels(w, w.listen([(IPV6, 70, 1)]))       # IPV6_AUTOFLOWLABEL


@scenario("O-17 P-82", families=(6,))
def flow_labels_of_sockets_that_do_not(w):
    labels(w, w.listen([(IPV6, 70, 0)]))


@scenario("O-17 P-82", families=(6,))
def flow_label_of_the_peer(w):
    """flowlabel_reflect: 1 in connections, 2 in resets, 4 in echo replies."""
    for value in (1, 2, 3):
        w.sysctl("ipv6/flowlabel_reflect", value)
        w.note("flowlabel_reflect %d" % value)
        s = w.listen()
        labels(w, s)
        close(w, s)


@scenario("O-17")
def path_of_retransmissions(w):
    """Two routes of equal cost: hash policy 1 does not depend on txhash."""
    gw, other = GATEWAY[w.family], OTHER_GATEWAY[w.family]
    ip(w, "neigh", "replace", other, "lladdr", OTHER_MAC, "dev", "srv0", "nud",
       "permanent", undo=("neigh", "del", other, "dev", "srv0"))
    w.sysctl("ipv%d/fib_multipath_hash_policy" % w.family, 1)
    ip(w, "route", "del", "default",
       undo=("route", "replace", "default", "via", gw, "dev", "srv0"))
    ip(w, "route", "add", "default", "nexthop", "via", gw, "dev", "srv0",
       "nexthop", "via", other, "dev", "srv0", undo=("route", "del", "default"))
    w.listen()
    for sport in range(30000, 30008):
        p = w.peer(sport=sport)
        p.syn()
        p.synack = None
        s = p.recv(0.5)
        w.note("port %d: %s" % (sport, s and s.frame[:6].hex(":")))
        p.ack()
        w.accept()


@scenario("O-17 O-20")
def delayed_by_the_scheduler(w):
    """TCP_TX_DELAY: fq sends what is stamped with a time at that time."""
    w.command("tc", "qdisc", "add", "dev", "srv0", "root", "fq",
              undo=("tc", "qdisc", "del", "dev", "srv0", "root"))
    w.listen([(TCP, TCP_TX_DELAY, 300000)])
    p = w.peer()
    p.syn()
    w.watch(p, 0.6)
    p.send(ACK, seq=add(p.seq, 70000), opts=p._ts())
    w.watch(p, 0.6)
    p.ack()
    accepted(w).send(b"hello")
    w.watch(p, 0.6)


@scenario("O-18")
def paced_by_the_scheduler(w):
    w.command("tc", "qdisc", "add", "dev", "srv0", "root", "fq",
              undo=("tc", "qdisc", "del", "dev", "srv0", "root"))
    w.listen([(SOL, 47, 2000)])     # SO_MAX_PACING_RATE
    p = w.handshake_to_synack()
    w.watch(p, 0.05)                # the shorter the RTT, the larger a burst
    p.ack()
    accepted(w).send(b"x" * 3000)
    w.watch(p, 3)


# --- timestamps ---


def usec_ts_route(w):
    """RTAX_FEATURE_TCP_USEC_TS, which Debian 12's ip(8) cannot say."""
    def attr(kind, payload):
        size = 4 + len(payload)
        return struct.pack("=HH", size, kind) + payload + b"\0" * (-size % 4)

    index = w.srv(socket.if_nametoindex, "srv0")
    family = socket.AF_INET if w.family == 4 else socket.AF_INET6
    body = struct.pack("=BBBBBBBBI", family, 0, 0, 0, 254, 3, 0, 1, 0) + \
        attr(5, socket.inet_pton(family, GATEWAY[w.family])) + \
        attr(4, struct.pack("=I", index)) + \
        attr(8, attr(12, struct.pack("=I", 1 << 4)))
    nl = w.srv(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, 0)
    # RTM_NEWROUTE; REQUEST, ACK, CREATE, REPLACE
    nl.send(struct.pack("=IHHII", 16 + len(body), 24, 0x505, 1, 0) + body)
    error = struct.unpack_from("=i", nl.recv(4096), 16)[0]
    nl.close()
    w.undo.append(lambda: ip(w, "route", "replace", "default", "via",
                             GATEWAY[w.family], "dev", "srv0"))
    if error:
        raise OSError(-error, "RTM_NEWROUTE")


def microsecond_timestamps(w):
    """tcpi_options says which clock it is."""
    usec_ts_route(w)
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


# the kernels that have them
if tuple(map(int, os.uname().release.split(".")[:2])) >= (6, 7):
    scenario("O-20", native=True)(microsecond_timestamps)


@scenario("O-20 P-51")
def clock_of_the_timestamps(w):
    """ms; the transcript compares each with the clock."""
    p = w.handshake_to_synack()
    first = p.synack.ts[0]
    w.watch(p, 3.5)
    w.note("%d s later" % round((p.ts_recent - first & 0xFFFFFFFF) / 1000))
    p.send(ACK, seq=add(p.seq, 70000), opts=p._ts())
    w.watch(p, 0.1)
    p.ack()
    accepted(w).send(b"hello")
    w.watch(p, 0.1)


# --- what is kept of the SYN ---

SYNS = [
    {"opts": LINUX}, {"opts": b""}, {"opts": MSS(1460), "win": 1024},
    {"opts": MSS(1400) + NOP + WSCALE(3) + SACK_PERM + TS(7, 9)},
    {"opts": opt(254, b"\xf9\x89\1\2") + MSS(1234) + opt(30, b"\0\1\2\3")},
    {"opts": NOP * 20 + MSS(1200) + TS(5) + NOP * 6},
    {"opts": LINUX, "flags": ECN_SYN}, {"opts": LINUX, "flags": SYN | PSH | URG,
                                        "urg": 77},
    {"opts": LINUX, "tos": 0xB8, "ttl": 55}, {"opts": LINUX, "win": 0},
    {"opts": LINUX, "res": 6}, {"opts": LINUX, "ttl": 255, "tos": 3},
]
SYNS_4 = [{"opts": LINUX, "ip_id": 0x1234}, {"opts": LINUX, "df": False}]
SYNS_6 = [{"opts": LINUX, "flow": 0xABCDE}]


# native=None: whether they are taken or not, the bytes have to be the same.


def saved(w, mode):
    w.listen([(TCP, TCP_SAVE_SYN, mode)])
    shapes = SYNS + (SYNS_4 if w.family == 4 else SYNS_6)
    for i, shape in enumerate(shapes):
        p = w.peer(sport=10000 + i, isn=5000000 + i)
        p.syn(**shape)
        w.watch(p, 1.0, first=True)
        p.ack()
        s = accepted(w)
        if s:
            w.note("saved %d: %s, then %s" % (
                i, getsockopt(s, TCP, TCP_SAVED_SYN).hex(),
                getsockopt(s, TCP, TCP_SAVED_SYN)))


@scenario("O-22", native=None)
def saved_syn(w):
    saved(w, 1)


@scenario("O-22", native=None)
def saved_syn_with_its_frame(w):
    saved(w, 2)


@scenario("O-22", native=None)
def saved_syn_is_the_first_one(w):
    w.listen([(TCP, TCP_SAVE_SYN, 1)])
    p = w.peer(sport=10000, isn=5000000)
    p.syn()
    w.watch(p, 1.0, first=True)
    p.syn(opts=LINUX + NOP * 4, win=99, ttl=33)
    w.watch(p, 0.7)
    p.ack()
    s = accepted(w)
    w.note("saved %s" % getsockopt(s, TCP, TCP_SAVED_SYN).hex())


@scenario("O-22", native=None)
def saved_syn_with_data(w):
    w.listen([(TCP, TCP_SAVE_SYN, 1)])
    p = w.peer(sport=10000, isn=5000000)
    p.send(SYN, opts=LINUX, data=b"GET /")
    p.seq = add(p.isn, 1)
    w.watch(p, 1.0, first=True)
    p.ack()
    s = accepted(w)
    w.note("saved %s" % getsockopt(s, TCP, TCP_SAVED_SYN).hex())


@scenario("O-22", native=None)
def saved_syn_of_a_buffer_too_small(w):
    w.listen([(TCP, TCP_SAVE_SYN, 1)])
    p = w.handshake_to_synack(sport=10000, isn=5000000)
    p.ack()
    s = accepted(w)
    try:
        s.getsockopt(TCP, TCP_SAVED_SYN, 10)
    except OSError as e:
        w.note("errno %d" % e.errno)
    w.note("saved %s" % getsockopt(s, TCP, TCP_SAVED_SYN).hex())


RECV = {"pktinfo": 49, "hoplimit": 51, "tclass": 66, "2292pktinfo": 2,
        "2292hoplimit": 8, "rthdr": 56, "hopopts": 53, "dstopts": 58,
        "pathmtu": 60, "origdstaddr": 74, "flowinfo": 11}


@scenario("O-23", families=(6,), differs=True)
def ancillary_data_of_the_syn(w):
    """What a listener wants to know of packets, asked of the accepted socket."""
    for name, number in RECV.items():
        s = w.listen([(IPV6, number, 1)])
        p = w.peer(ttl=55, tos=0x12)
        p.syn(flow=0x54321)
        w.watch(p, 1.0, first=True)
        p.ttl, p.tos = 44, 0x21
        p.ack(flow=0x12345)
        c = accepted(w, s)
        if c:
            w.note("%s: %s" % (name, getsockopt(c, IPV6, 6).hex()))
        close(w, s)


@scenario("O-23 O-24", families=(6,))
def ancillary_data_of_the_ack(w):
    p = w.peer(ttl=55, tos=0x12)
    w.listen()
    p.syn(flow=0x54321)
    w.watch(p, 1.0, first=True)
    p.ttl, p.tos = 44, 0x21
    p.ack(flow=0x12345)
    c = accepted(w)
    for name, number in RECV.items():
        c.setsockopt(IPV6, number, 1)
        w.note("%s: %s" % (name, getsockopt(c, IPV6, 6).hex()))
    for number in (17, 18):         # IPV6_MULTICAST_IF, IPV6_MULTICAST_HOPS
        w.note("%d: %s" % (number, getsockopt(c, IPV6, number)))


@scenario("O-24", families=(4,))
def ancillary_data_of_ipv4(w):
    for family in (4, "dual"):
        s = w.listen(family=family)
        p = w.peer(ttl=55, tos=0x12)
        p.syn()
        w.watch(p, 1.0, first=True)
        p.ttl, p.tos = 44, 0x21
        p.ack()
        c = accepted(w, s)
        for number in (8, 12, 13, 2, 6, 7):     # PKTINFO, RECVTTL, RECVTOS ...
            try:
                c.setsockopt(IP, number, 1)
            except OSError as e:
                w.note("%d: errno %d" % (number, e.errno))
            w.note("%d: %s" % (number, getsockopt(c, IP, 9)))
        close(w, s)


# --- congestion control, route metrics ---


def refcount(w, module):
    w.note("%s is used %s times" % (
        module, read("/sys/module/%s/refcnt" % module).strip()))


@scenario("O-25 P-57 P-58")
def dctcp_of_the_listener(w):
    w.listen([(TCP, socket.TCP_CONGESTION, b"dctcp")])
    for flags, tos in ((SYN, 0), (ECN_SYN, 0), (ECN_SYN, 2), (SYN | ECE, 2)):
        refcount(w, "tcp_dctcp")
        whole_life(w, w.peer(tos=tos), flags=flags)
    refcount(w, "tcp_dctcp")


@scenario("O-25 P-57")
def dctcp_of_the_route(w):
    default_route(w, "congctl", "dctcp")
    for flags, tos in ((SYN, 0), (ECN_SYN, 0), (ECN_SYN, 2)):
        refcount(w, "tcp_dctcp")
        whole_life(w, w.peer(tos=tos), flags=flags)
    refcount(w, "tcp_dctcp")
    w.note("rmmod: %s" % bool(os.system("rmmod tcp_dctcp 2>/dev/null")))


@scenario("O-25")
def congestion_control_of_the_route_or_the_listener(w):
    default_route(w, "congctl", "reno")
    whole_life(w)
    w.sockets.pop(0).close()
    whole_life(w, None, w.listen([(TCP, socket.TCP_CONGESTION, b"bbr")]))


@scenario("O-25")
def congestion_control_of_the_sysctl(w):
    w.listen()
    w.sysctl("ipv4/tcp_congestion_control", "reno")
    whole_life(w)


@scenario("O-25")
def congestion_control_of_a_locked_route(w):
    default_route(w, "congctl", "lock", "reno")
    w.listen([(TCP, socket.TCP_CONGESTION, b"bbr")])
    whole_life(w)


@scenario("P-57")
def ecn_of_the_route(w):
    w.sysctl("ipv4/tcp_ecn", 0)
    default_route(w, "features", "ecn")
    for tos in (0, 2):
        whole_life(w, w.peer(tos=tos), flags=ECN_SYN)


@scenario("O-21 O-37")
def metrics_of_the_route(w):
    for metrics in (("initcwnd", "20"), ("initcwnd", "1"), ("rto_min", "500ms"),
                    ("quickack", "1"), ("rtt", "400ms", "rttvar", "100ms"),
                    ("ssthresh", "5", "reordering", "9"),
                    ("cwnd", "4"), ("cwnd", "lock", "4")):
        default_route(w, *metrics)
        w.note(" ".join(metrics))
        whole_life(w, data=b"x" * 40000)


@scenario("O-26")
def tls_listener_is_refused(w):
    """As a listener; on an accepted socket it works."""
    s = w.listen()
    try:
        s.setsockopt(TCP, TCP_ULP, b"tls")
        w.note("a listener may")
    except OSError as e:
        w.note("a listener may not: %d" % e.errno)
    p = w.handshake_to_synack()
    p.ack()
    c = accepted(w)
    c.setsockopt(TCP, TCP_ULP, b"tls")
    w.note("ULP %s" % getsockopt(c, TCP, TCP_ULP))
    libc.connect(c.fileno(), bytes(16), 16)     # AF_UNSPEC: disconnect
    try:
        c.listen(1)
        w.note("now it may listen")
    except OSError as e:
        w.note("now it may not listen: %d" % e.errno)


# --- IPsec policies ---


def xfrm_errors(w):
    lines = w.srv(read, "/proc/thread-self/net/xfrm_stat").splitlines()
    return {k: int(v) for k, v in map(str.split, lines)}


PREFIX = {4: ("203.0.113.0/24", "10.0.0.0/24"), 6: ("2001:db9::/64", "fd00::/64")}


def policy(w, direction, *rest):
    src, dst = PREFIX[w.family]
    if direction == "out":
        src, dst = dst, src
    w.command("ip", "xfrm", "policy", "add", "dir", direction, "src", src, "dst",
              dst, *rest, undo=("ip", "xfrm", "policy", "flush"))


TEMPLATE = ("tmpl", "proto", "esp", "mode", "transport", "level")


def attempt(w):
    """No SYN-ACK may come; and no entry may be left."""
    if not w.sockets:
        w.listen()
    before = xfrm_errors(w)
    p = w.peer()
    p.syn()
    w.watch(p, 1.3)
    p.ack()
    w.watch(p, 0.1)
    w.accept()
    w.note("xfrm: %s" % {k: v - before[k] for k, v in xfrm_errors(w).items()
                         if v != before[k]})


@scenario("O-32", native=True)
def policy_blocks_the_syn(w):
    policy(w, "in", "action", "block")
    attempt(w)


@scenario("O-32", native=True)
def policy_blocks_the_synack(w):
    policy(w, "out", "action", "block")
    attempt(w)


@scenario("O-32", native=True)
def policy_requires_ipsec_of_the_syn(w):
    policy(w, "in", *TEMPLATE, "required")
    attempt(w)


@scenario("O-32")
def policy_that_ipsec_may_be_used(w):
    policy(w, "in", *TEMPLATE, "use")
    policy(w, "out", *TEMPLATE, "use")
    whole_life(w)
    replies(w)


@scenario("O-32")
def policy_that_comes_in_mid_handshake(w):
    """Neither ACK nor RST nor another SYN gets through."""
    p = w.handshake_to_synack()
    policy(w, "in", "action", "block")
    p.rst(seq=p.seq)
    p.syn()
    p.ack()
    w.watch(p, 0.1)
    w.accept()
    w.command("ip", "xfrm", "policy", "flush")
    p.ack()
    w.accept()


@scenario("O-32 O-19", differs=True)
def policy_against_what_is_sent_in_mid_handshake(w):
    """A SYN-ACK that cannot be sent is forgotten natively, and tried again here."""
    p = w.handshake_to_synack()
    policy(w, "out", "action", "block")
    w.watch(p, 1.5)
    p.send(ACK, seq=add(p.seq, 70000), opts=p._ts())
    w.watch(p, 0.1)
    w.command("ip", "xfrm", "policy", "flush")
    w.watch(p, 2.5)
    p.ack()
    w.accept()


def own_policy(w, direction, block):
    """xfrm_userpolicy_info for the listener alone."""
    family = socket.AF_INET if w.family == 4 else socket.AF_INET6
    raw = struct.pack("=16s16sHHHHHBBBxxxiI", b"", b"", 0, 0, 0, 0, family, 0, 0, 0,
                      0, 0) + b"\xff" * 32 + bytes(64) + \
        struct.pack("=IIBBBBxxxx", 0, 0, direction, block, 0, 0)
    return (IP, IP_XFRM_POLICY, raw) if w.family == 4 else \
        (IPV6, IPV6_XFRM_POLICY, raw)


@scenario("O-32", native=True)
def listener_whose_policy_blocks_syns(w):
    w.listen([own_policy(w, 0, 1)])
    attempt(w)


@scenario("O-32", native=True)
def listener_whose_policy_blocks_synacks(w):
    w.listen([own_policy(w, 1, 1)])
    attempt(w)


@scenario("O-32")
def listener_whose_policy_overrides(w):
    policy(w, "in", "action", "block")
    policy(w, "out", "action", "block")
    w.listen([own_policy(w, 0, 0), own_policy(w, 1, 0)])
    whole_life(w)
    replies(w)


# --- metrics, memory ---


@scenario("O-35")
def metrics_of_an_earlier_connection(w):
    w.command("ip", "tcp_metrics", "flush",
              undo=("ip", "tcp_metrics", "flush"))
    w.sysctl("ipv4/tcp_no_metrics_save", 0)
    p = w.handshake_to_synack()
    w.watch(p, 0.4)
    p.ack()
    s = accepted(w)
    for _ in range(6):
        s.send(b"x" * 1000)
        w.watch(p, 0.4)
        p.ack()
    s.close()
    w.sockets.remove(s)
    w.watch(p, 0.1)
    p.fin()
    w.watch(p, 0.5)
    lines = w.srv(os.popen, "ip tcp_metrics show").read()
    w.note("metrics: %s" % sorted(re.findall(r"\b(rtt|rttvar|ssthresh|cwnd|source)"
                                             r"\b", lines)))
    whole_life(w)


def sockstat(w, what):
    text = w.srv(read, "/proc/thread-self/net/sockstat") + \
        w.srv(read, "/proc/thread-self/net/sockstat6")
    w.note("%s: %s" % (what, " ".join(
        line for line in text.splitlines() if line.startswith("TCP"))))


@scenario("O-36")
def memory_is_charged_as_natively(w):
    s = w.listen()
    sockstat(w, "listening")
    peers = [w.handshake_to_synack() for _ in range(3)]
    for p in peers[:2]:
        p.ack()
        w.watch(p, 0.05)
    sockstat(w, "in the queue")
    c = accepted(w)
    peers[0].data(b"x" * 1000)
    w.watch(peers[0], 0.05)
    sockstat(w, "accepted")
    c.send(b"x" * 10000)
    sockstat(w, "sent")
    c.close()
    w.sockets.remove(c)
    sockstat(w, "closed")
    s.close()
    w.sockets.remove(s)
    w.watch(peers[1], 0.1)
    sockstat(w, "listener closed")
    for p in peers:
        p.rst(seq=p.seq)
    w.watch(p, 0.1)
    sockstat(w, "reset")


# --- TCP_DEFER_ACCEPT, retries ---


def deferred(w, seconds):
    w.listen([(TCP, socket.TCP_DEFER_ACCEPT, seconds)])
    p = w.handshake_to_synack()
    p.ack()
    w.watch(p, 0.2)
    return p


@scenario("O-44")
def deferred_until_data(w):
    p = deferred(w, 10)
    w.watch(p, 4)
    w.accept(what="bare ACK")
    p.data(b"hello")
    w.accept(what="data")
    w.watch(p, 1.5)


@scenario("O-44")
def deferred_until_the_synack_comes_again(w):
    """At the end of the period the next bare ACK is enough."""
    p = deferred(w, 3)
    w.watch(p, 8, first=True)
    w.watch(p, 0.3)
    p.ack()
    w.watch(p, 0.1)
    w.accept()
    w.watch(p, 1)


@scenario("O-44")
def deferred_until_the_end(w):
    p = deferred(w, 1)
    w.watch(p, 140)
    p.ack()
    w.watch(p, 0.2)
    w.accept()


@scenario("O-44")
def deferred_for_a_client_that_closes(w):
    p = deferred(w, 10)
    p.fin()
    w.accept()
    w.watch(p, 0.5)


@scenario("O-44")
def deferred_with_two_bare_acks(w):
    p = deferred(w, 5)
    p.ack()
    w.watch(p, 1.5)
    p.ack()
    w.watch(p, 0.5)
    p.rst(seq=p.seq)
    w.watch(p, 0.2)
    p.ack()
    w.watch(p, 0.2)


@scenario("O-44", families=(4,))
def deferred_with_retries(w):
    w.listen([(TCP, socket.TCP_DEFER_ACCEPT, 20), (TCP, socket.TCP_SYNCNT, 1)])
    p = w.handshake_to_synack()
    p.ack()
    w.watch(p, 70)
    p.ack()
    w.watch(p, 0.2)
    w.accept()


@scenario("P-38")
def retries_of_the_listener(w):
    for count_ in (1, 3):
        w.listen([(TCP, socket.TCP_SYNCNT, count_)])
        p = w.handshake_to_synack()
        w.watch(p, 25)
        p.ack()
        w.watch(p, 0.2)
        w.sockets.pop().close()


@scenario("O-21")
def user_timeout_of_the_listener(w):
    w.listen([(TCP, 18, 2000)])
    p = w.handshake_to_synack()
    w.watch(p, 4)
    p = w.handshake_to_synack()
    p.ack()
    accepted(w).send(b"hello")
    w.watch(p, 6)


# --- the listener changes in mid-handshake ---

CHANGES = {
    "SO_PRIORITY": (SOL, socket.SO_PRIORITY, 5),
    "SO_SNDBUF": (SOL, socket.SO_SNDBUF, 9999),
    "SO_KEEPALIVE": (SOL, socket.SO_KEEPALIVE, 1),
    "TCP_NODELAY": (TCP, socket.TCP_NODELAY, 1),
    "TCP_CONGESTION": (TCP, socket.TCP_CONGESTION, b"reno"),
    "TCP_SYNCNT": (TCP, socket.TCP_SYNCNT, 1),
    "TCP_DEFER_ACCEPT": (TCP, socket.TCP_DEFER_ACCEPT, 3),
    "TCP_SAVE_SYN": (TCP, TCP_SAVE_SYN, 1),
    "TCP_USER_TIMEOUT": (TCP, 18, 2000),
}
CHANGES_4 = {"IP_TOS": (IP, socket.IP_TOS, 0x28), "IP_TTL": (IP, socket.IP_TTL, 42),
             "IP_MINTTL": (IP, 21, 60)}
CHANGES_6 = {"IPV6_TCLASS": (IPV6, socket.IPV6_TCLASS, 0x28),
             "IPV6_UNICAST_HOPS": (IPV6, socket.IPV6_UNICAST_HOPS, 42)}


@scenario("O-21")
def listener_changes_in_mid_handshake(w):
    mid_handshake(w, {**CHANGES, **(CHANGES_4 if w.family == 4 else CHANGES_6)})


@scenario("O-12")
def mark_of_the_listener_changes_in_mid_handshake(w):
    mid_handshake(w, {"SO_MARK": (SOL, socket.SO_MARK, 7)})


@scenario("O-23", families=(6,), differs=True)
def ancillary_data_wanted_in_mid_handshake(w):
    mid_handshake(w, {"IPV6_RECVHOPLIMIT": (IPV6, 51, 1)})


def mid_handshake(w, changes):
    w.sysctl("halfopen/verify_synack", 0)
    for name, change in changes.items():
        s = w.listen()
        p = w.handshake_to_synack()
        s.setsockopt(*change)
        w.note(name)
        w.watch(p, 1.4, first=True)
        w.watch(p, 0.3)
        p.ack()
        w.accept(s)
        p.data(b"hello")
        w.watch(p, 0.1)
        w.accept(s)
        close(w, s)
        p.rst(seq=p.seq)


# --- what a fingerprinter may try ---

def with_ip_options(w, options):
    replies(w, ip_opts=options)
    p = w.handshake_to_synack()
    p.rst(seq=add(p.seq, 10), ip_opts=options)
    w.watch(p, 0.1)
    p.rst(seq=p.seq)
    p = w.handshake_to_synack()
    p.syn(ip_opts=options)
    w.watch(p, 0.1)
    p.ack(ip_opts=options)
    accepted(w).send(b"hello")
    w.watch(p, 0.1)


@scenario("P-80", families=(4,))
def empty_ip_options_in_syn_received(w):
    with_ip_options(w, NOP * 4)


@scenario("P-16 P-18 P-25")
def window_and_id_of_replies(w):
    """With each way to agree on a window."""
    for opts in (LINUX, MSS(1460), MSS(536) + WSCALE(14), MSS(1460) + TS(0),
                 MSS(1460) + TS(5) + WSCALE(0)):
        for i in range(3):
            p = w.handshake_to_synack(opts=opts)
            if i == 0:
                p.send(ACK, seq=add(p.seq, -5), opts=p._ts(), data=b"x" * 3)
            elif i == 1:
                p.rst(seq=add(p.seq, 5))
            else:
                p.send(ACK, ack=add(p.rcv_nxt, 7), opts=p._ts())
            w.watch(p, 0.1)
            p.ack()
            w.accept()
            p.rst(seq=p.seq)


@scenario("P-18")
def challenge_acks_of_many_connections(w):
    """The namespace's quota, which is random from half of the limit on."""
    w.sysctl("ipv4/tcp_challenge_ack_limit", 0x7fffffff)
    w.listen()
    for _ in range(20):
        p = w.handshake_to_synack()
        p.rst(seq=add(p.seq, 100))
        w.watch(p, 0.01)
        p.rst(seq=p.seq)


def limited(w, ratelimit, gap, repeat, count):
    w.sysctl("ipv4/tcp_invalid_ratelimit", ratelimit)
    p = w.handshake_to_synack()
    for _ in range(count):
        repeat(p)
        w.watch(p, gap)
    p.rst(seq=p.seq)


def repeat_syn(p):
    p.syn()


def repeat_oow(p):
    p.send(ACK, seq=add(p.seq, 70000), opts=p._ts())


def repeat_rst(p):
    p.rst(seq=add(p.seq, 100))


@scenario("P-16 P-18 P-22")
def limit_of_repeated_answers(w):
    """At most one in half a second."""
    for repeat in (repeat_syn, repeat_oow, repeat_rst):
        limited(w, 500, 0.15, repeat, 6)


@scenario("P-16 P-18 P-22")
def limit_of_repeated_answers_to_the_ms(w):
    """480 ms are too early, whatever the phase."""
    for i, repeat in enumerate((repeat_syn, repeat_oow, repeat_rst) * 3):
        w.watch(w.peer(), 0.013 * i)
        limited(w, 500, 0.48, repeat, 2)


@scenario("P-16 P-18 P-22")
def no_limit_of_repeated_answers(w):
    for repeat in (repeat_syn, repeat_oow, repeat_rst):
        limited(w, 0, 0.05, repeat, 6)


@scenario("P-16 P-18 P-22")
def long_limit_of_repeated_answers(w):
    """Longer than the SYN-ACK's timer."""
    for repeat in (repeat_oow, repeat_rst):
        limited(w, 2000, 0.55, repeat, 5)


@scenario("P-16")
def odd_flags_in_syn_received(w):
    """Each of the 64 combinations, at the expected place and outside."""
    w.listen()
    for flags in range(64):
        for off in (0, 70000):
            p = w.peer()
            p.syn()
            w.watch(p, 1.0, first=True)
            p.send(flags, seq=add(p.seq, off), ack=p.rcv_nxt, opts=p._ts())
            w.watch(p, 0.02)
            p.rst(seq=p.seq)
            p.close()


@scenario("P-01 P-03 P-06", native=True)
def odd_flags_to_the_listener(w):
    w.listen()
    for flags in range(64):
        if flags & (SYN | ACK | RST | 1) == SYN:
            continue
        p = w.peer()
        p.send(flags, seq=p.isn, ack=12345, opts=LINUX)
        w.watch(p, 0.02)


@scenario("P-63", differs=True)
def isn_of_one_client_again_and_again(w):
    """RFC 6528: they grow with the clock; halfopen's are cookies."""
    w.listen()
    isns = []
    w.note("the same SYN")
    for _ in range(2):
        p = w.peer(sport=9999, isn=7)
        p.syn()
        isns.append(p.recv(1.0).seq)
        p.rst(seq=p.seq)
    w.note("has %s ISN" % ("the same" if isns[0] == isns[1] else "another"))
    isns.clear()
    for _ in range(8):
        p = w.peer(sport=10000)
        p.syn()
        s = p.recv(1.0)
        p.rst(seq=p.seq)
        p.collect(0.3)
        isns.append(s.seq)
    steps = [(b - a) & 0xFFFFFFFF for a, b in zip(isns, isns[1:])]
    w.note("ISNs grow: %s" % all(0 < step < 1 << 31 for step in steps))


@scenario("P-80", families=(4,), differs=True)
def recorded_route_in_syn_received(w):
    """The stack's replies send it back."""
    with_ip_options(w, b"\x07\x0b\x04" + bytes(8))
