# SPDX-License-Identifier: GPL-2.0
"""What is in the SYN-ACK and in the accepted socket (protocol.md 1.4, 2.2, 2.3)."""

import itertools
import socket

from differential import MODE, scenario, write
from seg import (CWR, ECE, EOL, LINUX, LINUX_OPTS, MSS, NOP, SACK_PERM, SYN, TS,
                 WSCALE, opt)

TCP = socket.IPPROTO_TCP
SOL = socket.SOL_SOCKET


def synacks(w, variants, flags=SYN, **kw):
    """The SYN-ACK to each option list; the half-open connection is reset."""
    if not w.sockets:
        w.listen()
    for opts in variants:
        p = w.peer()
        p.syn(opts=opts, flags=flags, **kw)
        w.watch(p, 1.0, first=True)
        p.rst(seq=p.seq)
        p.close()


def combinations():
    for mss, wscale, ts, sack in itertools.product(
            (None, 0, 1, 47, 536, 1300, 1460, 65535),
            (None, 0, 7, 14, 15, 255), (None, 0, 1000, 0xFFFFFFFF),
            (False, True)):
        opts = b"" if mss is None else MSS(mss)
        opts += SACK_PERM if sack else b""
        opts += b"" if ts is None else TS(ts)
        opts += b"" if wscale is None else NOP + WSCALE(wscale)
        yield opts


ODD = [
    b"\x02\x04\x05", b"\x02\x03\x05\xb4", b"\x02\x00\x05\xb4", b"\xff\x00",
    EOL + MSS(1400), MSS(1400) + EOL + WSCALE(3), b"\x03\x04\x07\x00",
    MSS(1400) + MSS(900), WSCALE(3) + WSCALE(5), TS(5) + TS(9),
    opt(30, b"\0" * 10), opt(34), opt(254, b"\xf9\x89"), opt(253, b"\0\0"),
    opt(77, b"abc") + MSS(1000), b"\x04\x03\x00" + MSS(1000),
    NOP * 20 + MSS(1200), b"\x08\x09" + b"\0" * 7 + MSS(1111),
    opt(5, b"\0" * 8) + MSS(1222), NOP * 39 + b"\x02",
]


@scenario("P-46 P-47 P-48 P-50 P-51 P-55 O-14 O-15 O-16")
def every_combination_of_options(w):
    synacks(w, combinations())


@scenario("P-49")
def malformed_option_lists(w):
    synacks(w, ODD)


def with_sysctls(name, value):
    def fn(w):
        w.sysctl("ipv4/" + name, value)
        synacks(w, [LINUX, MSS(1460) + WSCALE(7), MSS(1460) + SACK_PERM])
    fn.__name__ = "%s_%s" % (name, str(value).replace(" ", "_"))
    return fn


for knob, val in (("tcp_timestamps", 0), ("tcp_timestamps", 2), ("tcp_sack", 0),
                  ("tcp_window_scaling", 0),
                  ("tcp_workaround_signed_windows", 1),
                  ("tcp_rmem", "4096 16384 32768"),
                  ("tcp_rmem", "4096 131072 33554432"),
                  ("tcp_adv_win_scale", 3), ("tcp_adv_win_scale", -2)):
    scenario("O-15 O-53")(with_sysctls(knob, val))


@scenario("P-57 P-58")
def ecn_by_sysctl(w):
    for value in (0, 1, 2):
        w.sysctl("ipv4/tcp_ecn", value)
        synacks(w, [LINUX], SYN | ECE | CWR)
        synacks(w, [LINUX], SYN | ECE)
        synacks(w, [LINUX], SYN | ECE | CWR, tos=2)
        synacks(w, [LINUX], SYN | ECE | CWR, tos=3, res=1)
        synacks(w, [LINUX], SYN | ECE | CWR, res=1)


@scenario("P-57")
def ecn_of_repeated_synacks(w):
    """By the timer once and twice, and by SYNs before and after that."""
    w.sysctl("ipv4/tcp_ecn", 1)
    w.listen()
    p = w.peer()
    p.syn(flags=SYN | ECE | CWR)
    for seconds in 0.6, 3.7, 0.1:
        w.watch(p, seconds)
        p.syn(flags=SYN | ECE | CWR)
    w.watch(p, 0.1)
    p.ack()
    w.accept()


def ecn_life(w, **kw):
    w.sysctl("ipv4/tcp_ecn", 1)
    w.listen()
    p = w.peer()
    p.syn(flags=SYN | ECE | CWR, **kw)
    w.watch(p, 1.0, first=True)
    p.ack()
    s = w.accept()
    if s:
        s.send(b"hello")
    w.watch(p, 0.1)


@scenario("P-57")
def ecn_child(w):
    ecn_life(w)


@scenario("P-57")
def ecn_child_of_an_ect_syn(w):
    """RFC 8311 4.3: a reserved bit makes it one of ECN all the same."""
    ecn_life(w, tos=2, res=1)


@scenario("O-10 P-81")
def tos_of_the_listener(w):
    w.listen([(socket.IPPROTO_IP, socket.IP_TOS, 0x28)] if w.family == 4 else
             [(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, 0x28)])
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


@scenario("O-10")
def tos_is_reflected(w):
    w.sysctl("ipv4/tcp_reflect_tos", 1)
    w.listen()
    p = w.peer(tos=0xB9)
    p.syn()
    w.watch(p, 1.0, first=True)
    w.watch(p, 1.5)
    p.ack()
    w.accept()


@scenario("O-11", families=(4,))
def ttl_of_the_listener(w):
    w.listen([(socket.IPPROTO_IP, socket.IP_TTL, 42)])
    w.handshake_to_synack()


@scenario("O-11", families=(6,))
def hop_limit_of_the_listener(w):
    w.listen([(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 42)])
    w.handshake_to_synack()


@scenario("O-11", families=(4,), native=True)
def ttl_below_the_minimum_is_dropped(w):
    w.listen([(socket.IPPROTO_IP, 21, 255)])        # IP_MINTTL
    p = w.peer(ttl=254)
    p.syn()
    w.watch(p, 0.3)


@scenario("O-11", families=(4,))
def ttl_at_the_minimum_is_served(w):
    w.listen([(socket.IPPROTO_IP, 21, 255)])
    p = w.handshake_to_synack(ttl=255)
    p.ack()
    w.accept()


@scenario("O-12 O-13")
def mark_and_priority_of_the_listener(w):
    w.listen([(SOL, socket.SO_MARK, 7), (SOL, socket.SO_PRIORITY, 5)])
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


@scenario("O-12")
def mark_of_the_syn_is_accepted(w):
    w.sysctl("ipv4/tcp_fwmark_accept", 1)
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


@scenario("O-15")
def small_receive_buffer(w):
    w.listen([(SOL, socket.SO_RCVBUF, 8192)])
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


@scenario("O-15")
def large_receive_buffer(w):
    w.listen([(SOL, socket.SO_RCVBUF, 1 << 20)])
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


@scenario("O-15")
def window_clamp(w):
    w.listen([(TCP, socket.TCP_WINDOW_CLAMP, 5000)])
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


@scenario("O-16")
def maxseg(w):
    w.listen([(TCP, socket.TCP_MAXSEG, 1000)])
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


@scenario("O-25")
def congestion_control(w):
    w.listen([(TCP, socket.TCP_CONGESTION, b"reno")])
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


@scenario("O-21")
def options_are_inherited(w):
    w.listen([(TCP, socket.TCP_NODELAY, 1), (SOL, socket.SO_KEEPALIVE, 1),
              (TCP, 18, 5000), (SOL, socket.SO_OOBINLINE, 1)])
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


@scenario("O-44")
def defer_accept(w):
    w.listen([(TCP, socket.TCP_DEFER_ACCEPT, 3)])
    p = w.handshake_to_synack()
    p.ack()
    w.accept(what="bare ack")
    p.data(b"hello")
    w.accept(what="data")
    w.watch(p, 0.1)


@scenario("O-22", native=True)
def save_syn(w):
    listener = w.listen([(TCP, 27, 1)])     # TCP_SAVE_SYN
    p = w.handshake_to_synack()
    p.ack()
    s = w.accept(listener)
    if s:
        w.note("saved %d bytes" % len(s.getsockopt(TCP, 28, 200)))


@scenario("P-59 O-45", native=True)
def fast_open_request(w):
    w.sysctl("ipv4/tcp_fastopen", 3)
    w.listen([(TCP, socket.TCP_FASTOPEN, 16)])
    p = w.peer()
    p.syn(opts=MSS(1460) + opt(34))
    s = p.recv(1.0)
    w.note("cookie of %s bytes" % (s and s.opt(34) and len(s.opt(34))))


@scenario("P-85", families=(4,))
def mapped_on_a_dual_stack_listener(w):
    w.listen(family="dual")
    p = w.handshake_to_synack()
    p.ack()
    s = w.accept()
    if s:
        s.send(b"hello")
    w.watch(p, 0.1)


@scenario("O-23", families=(6,))
def listener_wants_packet_info(w):
    w.listen([(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)])
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


def fill_accept_queue(w):
    """Two connections fill backlog 1 (O-39), the third has its SYN-ACK already."""
    listener = w.listen(backlog=1)
    first = w.handshake_to_synack()
    first.ack()
    second = w.handshake_to_synack()
    third = w.handshake_to_synack()
    second.ack()
    w.watch(second, 0.1)
    third.ack()
    w.watch(third, 0.2)
    return listener, third


@scenario("O-39 O-40")
def accept_queue_full_with_abort(w):
    w.sysctl("ipv4/tcp_abort_on_overflow", 1)
    listener, third = fill_accept_queue(w)
    w.accept(listener, "first")
    w.watch(third, 0.01)
    third.ack()
    w.watch(third, 0.2)


@scenario("O-38")
def many_are_accepted_in_order(w):
    listener = w.listen()
    peers = [w.handshake_to_synack() for _ in range(10)]
    for p in peers:
        p.ack()
    for _ in peers:
        w.accept(listener)


@scenario("P-62", native=True)
def time_wait_is_left_to_the_stack(w):
    listener = w.listen()
    w.srv(write, MODE, 0)
    p = w.handshake_to_synack()
    p.ack()
    s = w.accept(listener)
    s.close()
    w.sockets.remove(s)
    w.watch(p, 0.2)
    p.fin()
    w.watch(p, 0.2)
    w.srv(write, MODE, w.mode)
    p.syn(seq=(p.seq + 100000) & 0xFFFFFFFF, opts=LINUX_OPTS(tsval=90000))
    p.synack = None
    s = p.recv(0.5)
    w.note("answer %s" % (s and s.flag_text))
