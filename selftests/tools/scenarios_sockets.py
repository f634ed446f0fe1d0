# SPDX-License-Identifier: GPL-2.0
"""Which listener, which filters, which firewall (protocol.md 2.1, 2.3, 2.4)."""

import ctypes
import socket
import struct

import seg
from differential import scenario
from seg import LINUX, SYN

SOL = socket.SOL_SOCKET
SO_ATTACH_FILTER = 26

# Fixed, so that both passes choose the same member of a group.
PORTS = range(30000, 30016)


def group(w, count, opts=()):
    return [w.listen([(SOL, socket.SO_REUSEPORT, 1), *opts])
            for _ in range(count)]


def who_got_it(w, listeners, p):
    for i, s in enumerate(listeners):
        s.setblocking(False)
        try:
            w.sockets.append(s.accept()[0])
            w.note_first("port %d: listener %d" % (p.sport, i))
            return
        except BlockingIOError:
            pass
    w.note("port %d: nobody" % p.sport)


@scenario("O-02")
def reuseport_group_spreads_by_hash(w):
    listeners = group(w, 4)
    for sport in PORTS:
        p = w.handshake_to_synack(sport=sport)
        p.ack()
        w.watch(p, 0.05)
        who_got_it(w, listeners, p)


@scenario("O-02")
def reuseport_program_chooses(w):
    listeners = group(w, 4)
    # return the source port's low two bits: data starts at the TCP header
    code = [(0x28, 0, 0, 0), (0x54, 0, 0, 3), (0x16, 0, 0, 0)]
    attach(listeners[0], 51, code)      # SO_ATTACH_REUSEPORT_CBPF
    for sport in PORTS[:8]:
        p = w.handshake_to_synack(sport=sport)
        p.ack()
        w.watch(p, 0.05)
        who_got_it(w, listeners, p)


@scenario("O-01 P-15")
def most_specific_listener_wins(w):
    wild = w.listen()
    bound = w.srv(socket.socket,
                  socket.AF_INET if w.family == 4 else socket.AF_INET6)
    bound.setsockopt(SOL, socket.SO_REUSEADDR, 1)
    bound.bind((seg.SRV[w.family], w.port + 1))
    bound.listen()
    bound.settimeout(0.5)
    w.sockets.append(bound)
    p = w.handshake_to_synack(dport=w.port + 1)
    p.ack()
    w.accept(bound, "bound")
    p = w.handshake_to_synack()
    p.ack()
    w.accept(wild, "wildcard")


@scenario("O-01", families=(4,), native=True)
def v6only_listener_refuses_ipv4(w):
    w.listen(family=6)
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("O-01")
def listener_bound_to_the_interface(w):
    w.listen([(SOL, socket.SO_BINDTODEVICE, b"srv0")])
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


@scenario("O-01", native=True)
def listener_bound_to_another_interface(w):
    w.listen([(SOL, socket.SO_BINDTODEVICE, b"lo")])
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("P-84", families=(6,))
def link_local_peer(w):
    w.listen()
    p = w.peer(src="fe80::7", dst="fe80::1")
    p.syn()
    w.watch(p, 1.0, first=True)
    w.watch(p, 2.8)
    p.ack()
    s = w.accept()
    if s:
        w.note("scope %d" % s.getpeername()[3])
        s.send(b"hello")
    w.watch(p, 0.1)


@scenario("O-03 P-35")
def listener_restarts_before_the_ack(w):
    """What comes after differs on purpose: restart.sh."""
    w.listen()
    p = w.peer()
    p.syn()
    w.watch(p, 1.0, first=True)
    w.sockets.pop().close()
    w.watch(p, 0.2)


@scenario("P-10", families=(4,), native=True)
def syn_to_broadcast_is_silent(w):
    w.listen()
    p = w.peer(dst="10.0.0.255")
    p.syn()
    w.watch(p, 0.3)


@scenario("P-11", families=(4,), native=True)
def martian_sources_are_silent(w):
    w.listen()
    for src in ("127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0"):
        p = w.peer(src=src)
        p.syn()
        w.watch(p, 0.1)


@scenario("P-85", families=(6,), native=True)
def mapped_source_on_the_wire_is_refused(w):
    w.listen()
    p = w.peer(src="::ffff:203.0.113.7")
    p.syn()
    w.watch(p, 0.3)


# --- filters and policy --------------------------------------------------------


def attach(s, option, code):
    insns = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *insn) for insn in code))
    s.setsockopt(SOL, option, struct.pack("HxxxxxxP", len(code),
                                          ctypes.addressof(insns)))


@scenario("O-31", native=True)
def socket_filter_drops_syns(w):
    s = w.listen()
    attach(s, SO_ATTACH_FILTER, [(0x06, 0, 0, 0)])
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("O-31")
def socket_filter_by_source_port(w):
    """ldh [0]; jeq 30001 -> drop: the filter sees the TCP header first."""
    s = w.listen()
    attach(s, SO_ATTACH_FILTER, [(0x28, 0, 0, 0), (0x15, 0, 1, 30001),
                                 (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF)])
    for sport in (30000, 30001):
        p = w.peer(sport=sport)
        p.syn()
        w.watch(p, 0.3)
        p.ack()
        w.watch(p, 0.1)
    w.accept(s)


@scenario("O-31")
def socket_filter_drops_a_reset(w):
    """ldb [13]; jset RST -> drop: the half-open connection survives."""
    s = w.listen()
    attach(s, SO_ATTACH_FILTER, [(0x30, 0, 0, 13), (0x45, 0, 1, 4),
                                 (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF)])
    p = w.handshake_to_synack()
    p.rst(seq=p.seq)
    w.watch(p, 0.1)
    p.ack()
    w.accept(s)


@scenario("O-32", families=(4,), native=True)
def xfrm_policy_blocks_syns(w):
    w.command("ip", "xfrm", "policy", "add", "dir", "in", "src",
              "203.0.113.0/24", "dst", "10.0.0.0/24", "action", "block",
              undo=("ip", "xfrm", "policy", "flush"))
    w.listen()
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


def nft(w, rules):
    chains = "".join(
        "add chain inet t %s { type filter hook %s priority %s; };" % chain
        for chain in (("in", "input", "filter"), ("pre", "prerouting", "raw"),
                      ("out", "output", "filter")))
    w.nft("add table inet t;" + chains + rules, undo="delete table inet t")


@scenario("P-86 O-47", native=True)
def firewall_drops_the_syn(w):
    nft(w, "add rule inet t in tcp dport 80 tcp flags syn drop")
    w.listen()
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("P-86")
def firewall_drops_the_synack(w):
    nft(w, "add rule inet t out tcp sport 80 tcp flags & (syn | ack) == "
        "(syn | ack) drop")
    w.listen()
    p = w.peer()
    p.syn()
    w.watch(p, 0.5)


@scenario("P-86")
def firewall_drops_the_ack(w):
    nft(w, "add rule inet t in tcp dport 80 tcp flags & (syn | ack) == ack drop")
    w.listen()
    p = w.handshake_to_synack()
    p.ack()
    w.accept()
    w.watch(p, 2.5)


@scenario("O-47")
def untracked_syns_are_taken(w):
    nft(w, "add rule inet t in ct state new accept; add rule inet t pre "
        "tcp dport 80 notrack; add rule inet t out tcp sport 80 accept")
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


# --- pressure and sysctls --------------------------------------------------------


@scenario("O-53")
def sysctls_flipped_in_mid_handshake(w):
    """The child keeps what its SYN-ACK promised; one built now would differ."""
    w.sysctl("halfopen/verify_synack", 0)
    for name, value in (("tcp_timestamps", 0), ("tcp_sack", 0),
                        ("tcp_window_scaling", 0), ("tcp_timestamps", 2)):
        p = w.handshake_to_synack()
        w.sysctl("ipv4/" + name, value)
        p.ack()
        w.accept(what=name)
        w.sysctl("ipv4/" + name, 1)


@scenario("O-53")
def receive_buffer_changed_in_mid_handshake(w):
    w.sysctl("halfopen/verify_synack", 0)
    s = w.listen()
    p = w.handshake_to_synack()
    s.setsockopt(SOL, socket.SO_RCVBUF, 4096)
    p.ack()
    w.accept()


@scenario("O-54")
def data_follows_at_once(w):
    """ACK and data back to back: no segment may meet neither entry nor request."""
    w.listen()
    for _ in range(5):
        p = w.handshake_to_synack()
        p.ack()
        p.data(b"x" * 100)
        p.data(b"y" * 100)
        p.fin()
        s = w.accept()
        if s:
            w.note("read %d" % len(s.recv(1000)))
        w.watch(p, 0.1)


@scenario("P-13 P-49", native=True)
def truncated_segments_are_silent(w):
    w.listen()
    p = w.peer()
    packet = p.build(SYN, p.isn, opts=LINUX)
    head = 20 if w.family == 4 else 40
    for length in (0, 1, 8, 19, 20, 24):
        short = bytearray(packet[:head + length])
        if w.family == 4:
            short[2:4] = len(short).to_bytes(2, "big")
            short[10:12] = b"\0\0"
            short[10:12] = seg.checksum(bytes(short[:20])).to_bytes(2, "big")
        else:
            short[4:6] = length.to_bytes(2, "big")
        p.send_ip(bytes(short))
    w.watch(p, 0.3)
