# SPDX-License-Identifier: GPL-2.0
"""Which listener, and listeners of other kinds (protocol.md 2.1, 2.4, 1.6)."""

import ctypes
import hashlib
import os
import socket
import struct
import subprocess

import differential
import seg
from differential import CLONE_NEWNET, Abandoned, scenario
from seg import ACK, LINUX, MSS, NOP, PSH, SYN, WSCALE, add, opt
from serving import (DEVICE_IS_NATIVE, NO_COOKIE_IS_NATIVE, PKTINFO_IS_NATIVE,
                     PLAIN_MPTCP_IS_NATIVE, PLAIN_SMC_IS_NATIVE, REUSE, SOL,
                     TPROXY_IS_NATIVE, UNKEYED_IS_NATIVE,
                     VRF_LINK_LOCAL_IS_NATIVE, VRF_PORT_IS_NATIVE, documented,
                     not_counted, serve, who_accepts)

TCP = socket.IPPROTO_TCP
IP_TRANSPARENT = 19
IPV6_TRANSPARENT = 75
TCP_MD5SIG = 14
IPPROTO_MPTCP = 262
SOL_MPTCP = 284
AF_SMC = 43

ANY = {4: "0.0.0.0", 6: "::"}

# The second pair of interfaces, in a VRF: listeners.sh.
VRF = {"ifname": "cli1", "mac": "02:00:00:00:00:11"}
VRF_SRV = {4: "10.1.0.1", 6: "fd01::1"}


def device(name):
    return (SOL, socket.SO_BINDTODEVICE, name)


def listen_at(w, address, opts=(), family=None, scope=None):
    """A listener at an address of its own; the wildcard is World.listen()."""
    def make():
        s = socket.socket(socket.AF_INET if (family or w.family) == 4 else
                          socket.AF_INET6)
        s.setsockopt(SOL, socket.SO_REUSEADDR, 1)
        for level, name, value in opts:
            s.setsockopt(level, name, value)
        s.bind((address, w.port) if not scope else
               (address, w.port, 0, socket.if_nametoindex(scope)))
        s.listen()
        s.settimeout(1.0)
        return s
    s = w.srv(make)
    w.sockets.append(s)
    return s


# --- addresses and devices: O-01 ------------------------------------------------


@scenario("O-01 P-15", native=DEVICE_IS_NATIVE)
def device_beats_wildcard(w):
    """Both are groups, and of those the first in the list wins: its head is the
    newest one with IPv4 and the oldest one with IPv6."""
    opts = [[REUSE], [REUSE, device(b"srv0")]]
    wild, bound = (w.listen(o) for o in opts) if w.family == 4 else \
        reversed([w.listen(o) for o in reversed(opts)])
    p = w.handshake_to_synack()
    p.ack()
    w.accept(bound, "bound")
    wild.settimeout(0.1)
    w.accept(wild, "wildcard")


@scenario("O-01 P-15")
def device_of_others_does_not_count(w):
    wild = w.listen([REUSE])
    w.listen([REUSE, device(b"lo")])
    p = w.handshake_to_synack()
    p.ack()
    w.accept(wild, "wildcard")


@scenario("O-01 P-15", families=(4,))
def ipv4_beats_dual_stack(w):
    dual = w.listen([REUSE], family="dual")
    four = w.listen([REUSE])
    serve(w, w.peer(), four, "ipv4")
    dual.settimeout(0.1)
    w.accept(dual, "dual")


@scenario("O-01 P-15")
def v6only_and_ipv4_share_a_port(w):
    six = w.listen(family=6)
    four = w.listen(family=4)
    serve(w, w.peer(), six if w.family == 6 else four)


@scenario("O-01 P-15 P-85", families=(4,))
def mapped_address_is_bound(w):
    s = listen_at(w, "::ffff:10.0.0.1", family=6)
    serve(w, w.peer(), s)


@scenario("O-01", native=True)
def other_address_is_bound(w):
    """Nobody listens where this SYN goes."""
    listen_at(w, "127.0.0.1" if w.family == 4 else "::1")
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("O-01 P-84", families=(6,))
def listener_in_link_local_scope(w):
    s = listen_at(w, "fe80::1", scope="srv0")
    serve(w, w.peer(src="fe80::7", dst="fe80::1"), s)


@scenario("O-01 P-84", families=(6,), native=True)
def listener_in_another_scope(w):
    """The address is there, on another link: listeners.sh."""
    listen_at(w, "fe80::1", scope="dummy1")
    p = w.peer(src="fe80::7", dst="fe80::1")
    p.syn()
    w.watch(p, 0.3)


@scenario("O-01 P-84", families=(6,))
def link_local_server_for_a_global_peer(w):
    w.listen()
    serve(w, w.peer(dst="fe80::1"))


@scenario("O-23 P-83", families=(6,), native=PKTINFO_IS_NATIVE)
def ipv6_ancillary_data_is_wanted(w):
    ipv6 = socket.IPPROTO_IPV6
    s = w.listen([(ipv6, socket.IPV6_RECVPKTINFO, 1),
                  (ipv6, socket.IPV6_RECVHOPLIMIT, 1),
                  (ipv6, socket.IPV6_RECVTCLASS, 1)])
    child = serve(w, w.peer(tos=0x20, ttl=50), s)
    if child:
        # IPV6_2292PKTOPTIONS: of the SYN
        w.note("options %s" % child.getsockopt(ipv6, 6, 200).hex())


# --- group members that come and go: O-03, O-04 ---------------------------------


def who_serves_after(w, change):
    """Who gets the connection if the group changes between SYN and ACK."""
    first = w.listen([REUSE])
    p = w.handshake_to_synack(sport=30001)
    others = change(first)
    p.ack()
    answer = p.collect(0.3)
    return ("reset" if any(s.is_rst() for s in answer) else
            who_accepts(w, [first, *others] if first.fileno() >= 0 else others,
                        p))


def close_first(w):
    def change(first):
        others = [w.listen([REUSE])]
        w.sockets.remove(first)
        first.close()
        return others
    return change


@scenario("O-04", differs=True)
def group_shrinks_without_migration(w):
    """Natively whoever is in the queue of the closed one is reset."""
    documented(w, "who", who_serves_after(w, close_first(w)), "reset", 0)


@scenario("O-04", differs=True)
def group_shrinks_with_migration(w):
    """Served in both cases, but nothing migrates: TCPMigrateReqSuccess."""
    w.sysctl("ipv4/tcp_migrate_req", 1)
    documented(w, "who", who_serves_after(w, close_first(w)), 0, 0)


@scenario("O-37")
def migrated_connection_is_whole(w):
    not_counted(w, "TcpExt.TCPMigrateReqSuccess")
    w.sysctl("ipv4/tcp_migrate_req", 1)
    first = w.listen([REUSE])
    second = w.listen([REUSE])
    # the hash of some of these chooses the first
    peers = [w.handshake_to_synack(sport=sport) for sport in range(30000, 30008)]
    w.srv(first.shutdown, socket.SHUT_RDWR)
    for p in peers:
        p.data(b"hello")
        w.watch(p, 0.1)
        s = w.accept(second)
        if s:
            w.note("read %r" % s.recv(100))


@scenario("O-03", differs=True)
def group_grows_in_mid_handshake(w):
    """Natively the connection stays with whom the SYN met."""
    listeners = [w.listen([REUSE])]
    peers = [w.handshake_to_synack(sport=sport)
             for sport in range(30000, 30012)]
    listeners += [w.listen([REUSE]) for _ in range(3)]
    who = []
    for p in peers:
        p.ack()
        w.watch(p, 0.02)
        who.append(who_accepts(w, listeners, p))
    if None in who:
        w.note("failed: not all are served: %r" % who)
    documented(w, "all at the first", who == [0] * len(peers), True, False)


@scenario("O-02")
def group_prefers_the_cpu(w):
    """One CPU here: of two members only that of CPU 0 is chosen."""
    other = w.listen([REUSE, (SOL, socket.SO_INCOMING_CPU, 1)])
    here = w.listen([REUSE, (SOL, socket.SO_INCOMING_CPU, 0)])
    for sport in range(30000, 30006):
        p = w.handshake_to_synack(sport=sport)
        p.ack()
        w.watch(p, 0.02)
        w.note("member %r" % who_accepts(w, [other, here], p))


# --- addresses that are not the host's: O-07 ------------------------------------


def local_route(w):
    """192.0.2.0/24 and 2001:db8:1::/64 are local, but only for what arrives."""
    ip = ("ip", "-%d" % w.family)
    net = "192.0.2.0/24" if w.family == 4 else "2001:db8:1::/64"
    w.command(*ip, "route", "add", "local", net, "dev", "lo", "table", "100",
              undo=(*ip, "route", "flush", "table", "100"))
    rule = ("iif", "srv0", "to", net, "lookup", "100")
    w.command(*ip, "rule", "add", *rule, undo=(*ip, "rule", "del", *rule))
    return "192.0.2.9" if w.family == 4 else "2001:db8:1::9"


def transparent(w):
    return ((socket.IPPROTO_IP, IP_TRANSPARENT, 1) if w.family == 4 else
            (socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1))


@scenario("O-07")
def transparent_listener_answers_for_others(w):
    address = local_route(w)
    s = w.listen([transparent(w)])
    serve(w, w.peer(dst=address), s)


@scenario("O-07", families=(4,), native=True)
def other_listeners_have_no_way_back(w):
    address = local_route(w)
    w.listen()
    p = w.peer(dst=address)
    p.syn()
    w.watch(p, 0.3)


def tproxy(w):
    """All that goes to port 7777 of whomever, to port 80 here."""
    ip = ("ip", "-%d" % w.family)
    w.command(*ip, "route", "add", "local", "default", "dev", "lo", "table",
              "101", undo=(*ip, "route", "flush", "table", "101"))
    rule = ("fwmark", "7", "lookup", "101")
    w.command(*ip, "rule", "add", *rule, undo=(*ip, "rule", "del", *rule))
    name = "ip" if w.family == 4 else "ip6"
    w.nft("add table inet tp; add chain inet tp pre { type filter hook "
          "prerouting priority mangle; }; add rule inet tp pre meta nfproto "
          "ipv%d tcp dport 7777 tproxy %s to :80 meta mark set 7 accept" % (
              w.family, name), undo="delete table inet tp")
    return "192.0.2.9" if w.family == 4 else "2001:db8:1::9"


@scenario("O-06", native=TPROXY_IS_NATIVE)
def tproxy_steers_to_the_listener(w):
    address = tproxy(w)
    s = w.listen([transparent(w)])
    serve(w, w.peer(dst=address, dport=7777), s)


@scenario("O-06", differs=True)
def synack_by_tproxy_is_not_repeated(w):
    """The timer has no packet that says which socket it is."""
    address = tproxy(w)
    w.listen([transparent(w)])
    p = w.peer(dst=address, dport=7777)
    p.syn()
    w.watch(p, 2)
    p.syn()
    w.watch(p, 0.3)
    p.ack()
    w.accept()


# --- VRF: O-08 ------------------------------------------------------------------


def in_vrf(bound, accept, native, rows="O-08", scope=False):
    """bound: to which interface; accept: tcp_l3mdev_accept."""
    def fn(w):
        w.sysctl("ipv4/tcp_l3mdev_accept", accept)
        s = w.listen([device(bound)] if bound else [])
        where = {"src": "fe80::7", "dst": "fe80::11"} if scope else \
            {"dst": VRF_SRV[w.family]}
        serve(w, w.peer(**VRF, **where), s)
    fn.__name__ = "vrf%s_listener_%s_l3mdev_accept_%d" % (
        "_link_local" if scope else "",
        "bound_to_" + bound.decode() if bound else "unbound", accept)
    scenario(rows, families=(6,) if scope else (4, 6), native=native)(fn)


for l3mdev in (0, 1):
    # a VRF is the interface on which its packets arrive, a port of it is not
    in_vrf(b"vrf1", l3mdev, native=False)
    in_vrf(b"srv1", l3mdev, native=VRF_PORT_IS_NATIVE)
    in_vrf(b"srv0", l3mdev, native=True)
    in_vrf(None, l3mdev, native=not l3mdev)
    for bound in (b"vrf1", b"srv1"):
        in_vrf(bound, l3mdev, native=VRF_LINK_LOCAL_IS_NATIVE, scope=True,
               rows="O-08 P-84")
    in_vrf(None, l3mdev, native=VRF_LINK_LOCAL_IS_NATIVE or not l3mdev,
           rows="O-08 P-84", scope=True)


@scenario("O-08")
def vrf_does_not_disturb_the_rest(w):
    """The same port: one listener in the VRF, one outside of it."""
    inside = w.listen([REUSE, device(b"vrf1")])
    outside = w.listen([REUSE])
    serve(w, w.peer(dst=VRF_SRV[w.family], **VRF), inside, "inside")
    serve(w, w.peer(), outside, "outside")


# --- another namespace, the kernel itself: O-09, O-57 ---------------------------


@scenario("O-09")
def namespace_has_its_own_table_of_connections(w):
    """listeners.sh asked for it; all of this file happens in it."""
    size = int(w.srv(differential.read,
                     "/proc/sys/net/ipv4/tcp_ehash_entries"))
    w.note("own table of %d" % size)
    peers = [w.handshake_to_synack() for _ in range(4)]
    for p in peers:
        p.ack()
        w.accept()


@scenario("O-57")
def listener_was_made_by_a_stranger(w):
    """A process of another namespace enters by /proc/PID/ns and stays outside."""
    inside = w.srv(lambda: subprocess.Popen(["sleep", "1000"]))
    w.undo.append(lambda: (inside.kill(), inside.wait()))
    fd = os.open("/proc/%d/ns/net" % inside.pid, os.O_RDONLY)
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        differential.libc.setns(fd, CLONE_NEWNET)
        s = socket.socket(socket.AF_INET if w.family == 4 else socket.AF_INET6)
        s.setsockopt(SOL, socket.SO_REUSEADDR, 1)
        s.bind((ANY[w.family], w.port))
    finally:
        differential.libc.setns(back, CLONE_NEWNET)
        os.close(back)
        os.close(fd)
    s.listen()
    s.settimeout(1.0)
    w.sockets.append(s)
    serve(w, w.peer(), s)


# RPC: a call of NFS 4, procedure 0, which does nothing
NFS_NULL = struct.pack("!11I", 0x80000028, 4711, 0, 2, 100003, 4, 0, 0, 0, 0, 0)


@scenario("O-57")
def kernel_listens(w):
    """NFS, started by listeners.sh: the socket holds no namespace."""
    p = w.peer(dport=2049)
    p.syn()
    w.watch(p, 0.5, first=True)
    if p.synack is None:
        raise Abandoned
    p.ack()
    p.data(NFS_NULL)
    while s := p.recv(0.15):
        if s.data:
            w.note("reply %s" % s.data.hex())
            p.ack()


# --- MPTCP: O-46, P-61 ----------------------------------------------------------


def mptcp_listener(w):
    def make():
        s = socket.socket(socket.AF_INET if w.family == 4 else socket.AF_INET6,
                          socket.SOCK_STREAM, IPPROTO_MPTCP)
        s.setsockopt(SOL, socket.SO_REUSEADDR, 1)
        s.bind((ANY[w.family], w.port))
        s.listen()
        s.settimeout(1.0)
        return s
    s = w.srv(make)
    w.sockets.append(s)
    return s


def watch_masked(w, p, seconds, kind, keep=2):
    """In words instead of bytes, because one option is random."""
    for wire in w.wires.values():
        wire.frames()
    for s in p.collect(seconds):
        opts = ["%d:%s" % (k, (v[:keep] if k == kind else v[:0] if k == 8 else v)
                           .hex()) for k, v in s.opts]
        w.note("%s seq=%d ack=%d win=%d len=%d [%s] ttl=%d tos=%d" % (
            s.flag_text, add(s.seq, -p.synack.seq), add(s.ack, -p.isn), s.win,
            len(s.data), " ".join(opts), s.ttl, s.tos))
    for wire in w.wires.values():
        wire.frames()


def mptcp_info(s):
    """Flags and the rest that is not a random token or sequence number."""
    raw = s.getsockopt(SOL_MPTCP, 1, 64)        # MPTCP_INFO
    return "subflows %d flags %#x" % (raw[0], struct.unpack_from("<I", raw, 8)[0])


# version 1, HMAC-SHA256
MP_CAPABLE = opt(30, b"\x01\x01")


@scenario("O-46 P-61", native=True)
def mp_capable_is_answered(w):
    listener = mptcp_listener(w)
    p = w.peer()
    p.syn(opts=LINUX + MP_CAPABLE)
    watch_masked(w, p, 0.3, 30)
    if p.synack is None:
        raise Abandoned
    theirs = p.synack.opt(30)[2:]
    p.ack(opts=p._ts() + opt(30, b"\x01\x01" + b"OUR KEY." + theirs))
    s = listener.accept()[0]
    w.sockets.append(s)
    w.note(mptcp_info(s))


@scenario("O-46 P-61", native=True)
def mp_capable_is_forgotten(w):
    """The third packet has none: plain TCP after all."""
    listener = mptcp_listener(w)
    p = w.peer()
    p.syn(opts=LINUX + MP_CAPABLE)
    watch_masked(w, p, 0.3, 30)
    p.ack()
    w.accept(listener)


@scenario("O-46 P-61", native=PLAIN_MPTCP_IS_NATIVE)
def plain_syn_to_an_mptcp_listener(w):
    listener = mptcp_listener(w)
    s = serve(w, w.peer(), listener)
    if s:
        w.note("protocol %d" % s.getsockopt(SOL, socket.SO_PROTOCOL))


@scenario("P-61")
def mp_capable_to_a_plain_listener(w):
    w.listen()
    serve(w, w.peer(), syn=LINUX + MP_CAPABLE)


@scenario("P-61 O-46", native=True)
def mp_join_of_nothing_is_reset(w):
    mptcp_listener(w)
    p = w.peer()
    p.syn(opts=LINUX + opt(30, b"\x10\x00" + b"tokn" + b"rand"))
    w.watch(p, 0.3)


# --- SMC: O-28, O-57 ------------------------------------------------------------

SMC_OPTION = opt(254, b"\xe2\xd4\xc3\xd9")


class SmcSocket:
    """Python knows no addresses of this family."""

    def __init__(self, fd):
        self.fd = fd

    def fileno(self):
        return self.fd

    def setsockopt(self, level, name, value):
        buf = ctypes.create_string_buffer(value, len(value))
        differential.libc.setsockopt(self.fd, level, name, buf, len(value))

    def close(self):
        os.close(self.fd)


def smc_listener(w):
    def make():
        libc = differential.libc
        fd = libc.socket(AF_SMC, socket.SOCK_STREAM, w.family == 6)
        if w.family == 4:
            addr = struct.pack("=HHI8x", socket.AF_INET, socket.htons(w.port), 0)
        else:
            addr = struct.pack("=HHI20x", socket.AF_INET6,
                               socket.htons(w.port), 0)
        one = ctypes.c_int(1)
        libc.setsockopt(fd, SOL, socket.SO_REUSEADDR, ctypes.byref(one), 4)
        if libc.bind(fd, addr, len(addr)) or libc.listen(fd, 16):
            raise OSError(ctypes.get_errno(), "SMC listener")
        return SmcSocket(fd)
    s = w.srv(make)
    w.sockets.append(s)
    return s


def smc_accept(w, listener):
    """What the fallback leaves is an SMC socket around a TCP one."""
    timeout = struct.pack("ll", 1, 0)
    listener.setsockopt(SOL, socket.SO_RCVTIMEO, timeout)
    fd = differential.libc.accept(listener.fd, None, None)
    w.note("accepted" if fd >= 0 else "nothing")
    if fd < 0:
        return None
    s = SmcSocket(fd)
    w.sockets.append(s)
    return s


@scenario("O-28 O-57", native=PLAIN_SMC_IS_NATIVE)
def plain_syn_to_an_smc_listener(w):
    listener = smc_listener(w)
    p = w.peer()
    p.syn()
    w.watch(p, 0.3, first=True)
    p.ack()
    s = smc_accept(w, listener)
    if s:
        w.note("sent %d" % os.write(s.fd, b"hello"))
    w.watch(p, 0.1)


@scenario("O-28 O-57", native=True)
def smc_option_is_answered(w):
    smc_listener(w)
    p = w.peer()
    p.syn(opts=LINUX + SMC_OPTION)
    w.watch(p, 0.3)


@scenario("O-28")
def smc_option_to_a_plain_listener(w):
    w.listen()
    serve(w, w.peer(), syn=LINUX + SMC_OPTION)


# --- Fast Open: O-45, P-59 ------------------------------------------------------


def fast_open_listener(w, qlen=16, sysctl=3):
    w.sysctl("ipv4/tcp_fastopen", sysctl)
    w.sysctl("ipv4/tcp_fastopen_key", "00010203-04050607-08090a0b-0c0d0e0f")
    return w.listen([(TCP, socket.TCP_FASTOPEN, qlen)])


def cookie_for(w, listener):
    """Ask for it, natively in both passes, and hang up."""
    p = w.peer()
    p.syn(opts=LINUX + opt(34))
    w.watch(p, 0.3, first=True)
    p.rst(seq=p.seq)
    cookie = p.synack and p.synack.opt(34)
    if not cookie:
        w.note("no cookie")
        raise Abandoned
    return cookie


def data_on_syn(w, opts):
    p = w.peer()
    p.send(SYN, opts=LINUX + opts, data=b"hello")
    w.watch(p, 0.2)
    if p.synack is None:
        raise Abandoned
    p.seq = p.synack.ack
    return p


@scenario("O-45 P-59", native=True)
def fast_open_with_a_cookie(w):
    listener = fast_open_listener(w)
    p = data_on_syn(w, opt(34, cookie_for(w, listener)))
    s = w.accept(listener, "before the ack")
    if s:
        w.note("read %r" % s.recv(100))
    p.ack()
    w.watch(p, 0.1)


@scenario("O-45 P-59", native=True)
def fast_open_with_a_wrong_cookie(w):
    listener = fast_open_listener(w)
    p = data_on_syn(w, opt(34, b"wrong..."))
    p.ack()
    w.accept(listener)


@scenario("O-45 P-59", native=True)
def fast_open_queue_is_full(w):
    listener = fast_open_listener(w, qlen=1)
    cookie = cookie_for(w, listener)
    first = data_on_syn(w, opt(34, cookie))
    second = data_on_syn(w, opt(34, cookie))
    for p in (first, second):
        p.ack()
        w.watch(p, 0.1)
    w.accept(listener, "first")
    w.accept(listener, "second")


@scenario("O-45 P-59", native=NO_COOKIE_IS_NATIVE)
def fast_open_without_a_cookie(w):
    """0x200: data on any SYN is taken."""
    listener = fast_open_listener(w, sysctl=0x203)
    p = data_on_syn(w, b"")
    s = w.accept(listener, "before the ack")
    if s:
        w.note("read %r" % s.recv(100))
    p.ack()
    w.watch(p, 0.1)


@scenario("O-45 P-59")
def plain_syn_to_a_fast_open_listener(w):
    listener = fast_open_listener(w)
    serve(w, w.peer(), listener)


# --- MD5: P-60, P-56 ------------------------------------------------------------

KEY = b"shared by two routers"


def md5_key(w, listener, address, prefix=None):
    if w.family == 4:
        addr = struct.pack("=HH", socket.AF_INET, 0) + \
            socket.inet_pton(socket.AF_INET, address)
    else:
        addr = struct.pack("=HHI", socket.AF_INET6, 0, 0) + \
            socket.inet_pton(socket.AF_INET6, address)
    # TCP_MD5SIG_EXT knows prefixes
    flags = 0 if prefix is None else 1
    listener.setsockopt(TCP, TCP_MD5SIG if prefix is None else 32,
                        addr.ljust(128, b"\0") +
                        struct.pack("=BBHi", flags, prefix or 0, len(KEY), 0) +
                        KEY.ljust(80, b"\0"))


def signed(p, flags, seq, ack=0, data=b"", opts=b"", key=KEY):
    """RFC 2385 2: pseudo-header, header without options, data, key."""
    opts = opts + NOP + NOP
    length = 20 + len(opts) + 18 + data.__len__()
    head = struct.pack("!HHIIBBHHH", p.sport, p.dport, seq, ack,
                       (20 + len(opts) + 18) // 4 << 4, flags, p.win, 0, 0)
    src, dst = p._addr(p.src), p._addr(p.dst)
    pseudo = src + dst + (struct.pack("!HH", 6, length) if p.family == 4 else
                          struct.pack("!II", length, 6))
    digest = hashlib.md5(pseudo + head + data + key).digest()
    return p.send(flags, seq=seq, ack=ack, data=data,
                  opts=opts + opt(19, digest))


MD5_OPTS = MSS(1460) + NOP + WSCALE(7)


def signed_handshake(w, p, listener, key=KEY):
    signed(p, SYN, p.isn, opts=MD5_OPTS, key=key)
    p.seq = add(p.isn, 1)
    watch_masked(w, p, 0.3, 19, keep=0)
    if p.synack is None:
        return
    signed(p, ACK, p.seq, p.rcv_nxt)
    s = w.accept(listener)
    if s:
        signed(p, PSH | ACK, p.seq, p.rcv_nxt, data=b"hello")
        watch_masked(w, p, 0.1, 19, keep=0)
        w.note("read %r" % s.recv(100))


@scenario("P-60 P-56", native=True)
def signed_syn_from_a_keyed_peer(w):
    listener = w.listen()
    md5_key(w, listener, seg.PEER[w.family])
    signed_handshake(w, w.peer(), listener)


@scenario("P-60", native=True)
def signed_syn_with_the_wrong_key(w):
    listener = w.listen()
    md5_key(w, listener, seg.PEER[w.family])
    signed_handshake(w, w.peer(), listener, key=b"guessed")


@scenario("P-60", native=True)
def unsigned_syn_from_a_keyed_peer(w):
    listener = w.listen()
    md5_key(w, listener, seg.PEER[w.family])
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("P-60", native=True)
def unsigned_syn_from_a_keyed_network(w):
    listener = w.listen()
    net, bits = ("203.0.113.0", 24) if w.family == 4 else ("2001:db9::", 64)
    md5_key(w, listener, net, bits)
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("P-60", native=UNKEYED_IS_NATIVE)
def unsigned_syn_from_an_unkeyed_peer(w):
    listener = w.listen()
    md5_key(w, listener, "192.0.2.1" if w.family == 4 else "2001:db8::1")
    serve(w, w.peer(), listener)


@scenario("P-60", native=True)
def signed_syn_from_an_unkeyed_peer(w):
    listener = w.listen()
    md5_key(w, listener, "192.0.2.1" if w.family == 4 else "2001:db8::1")
    signed_handshake(w, w.peer(), listener)


@scenario("P-60", native=UNKEYED_IS_NATIVE)
def key_removed_again(w):
    listener = w.listen()
    md5_key(w, listener, seg.PEER[w.family])
    addr = struct.pack("=HH", socket.AF_INET, 0) if w.family == 4 else \
        struct.pack("=HHI", socket.AF_INET6, 0, 0)
    addr += socket.inet_pton(socket.AF_INET if w.family == 4 else
                             socket.AF_INET6, seg.PEER[w.family])
    listener.setsockopt(TCP, TCP_MD5SIG, addr.ljust(128, b"\0") +
                        struct.pack("=BBHi", 0, 0, 0, 0) + b"\0" * 80)
    serve(w, w.peer(), listener)


# --- IP options: P-80 -----------------------------------------------------------


def with_ip_options(w, ip_opts):
    listener = w.listen()
    p = w.peer()
    p.send(SYN, opts=LINUX, ip_opts=ip_opts)
    p.seq = add(p.isn, 1)
    w.watch(p, 0.3)
    if p.synack:
        p.ack()
        s = w.accept(listener)
        if s:
            w.note("IP_OPTIONS %s" % s.getsockopt(
                socket.IPPROTO_IP, socket.IP_OPTIONS, 40).hex())


@scenario("P-80", families=(4,), native=True)
def record_route_on_the_syn(w):
    with_ip_options(w, bytes([7, 11, 4]) + b"\0" * 8)


def source_route():
    """Through .7 and .8 to us: a route at its end."""
    return bytes([131, 11, 12]) + socket.inet_aton("203.0.113.7") + \
        socket.inet_aton("203.0.113.8")


@scenario("P-80", families=(4,), native=True)
def source_route_on_the_syn(w):
    """RFC 1122 4.2.3.8: answered the same way back, so to .8 first."""
    for conf in ("all", "srv0"):
        w.sysctl("ipv4/conf/%s/accept_source_route" % conf, 1)
    w.listen()
    p = w.peer()
    last = w.peer(src="203.0.113.8", sport=p.sport)
    p.send(SYN, opts=LINUX, ip_opts=source_route())
    w.watch(p, 0.1)
    last.isn = p.isn
    w.watch(last, 0.2)


@scenario("P-80", families=(4,), native=True)
def source_route_is_refused(w):
    for conf in ("all", "srv0"):
        w.sysctl("ipv4/conf/%s/accept_source_route" % conf, 0)
    with_ip_options(w, source_route())
