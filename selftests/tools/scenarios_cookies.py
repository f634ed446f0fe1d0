# SPDX-License-Identifier: GPL-2.0
"""Sequence numbers, SYN cookies, and what limits half-open connections.

With cookies() both give one for every SYN: the kernel for tcp_syncookies=2, halfopen
for max_backlog=0.
"""

import os
import socket
import struct

from differential import read, scenario
from seg import (ACK, CWR, ECE, LINUX, LINUX_OPTS, MSS, NOP, SACK_PERM, SYN, TS,
                 WSCALE, add)
from wire import diff

NO_TIMESTAMPS = MSS(1400) + SACK_PERM + NOP + NOP + NOP + WSCALE(7)


def cookies(w):
    w.sysctl("ipv4/tcp_syncookies", 2)
    w.sysctl("halfopen/max_backlog", 0)
    # the comparison at the handover makes a SYN-ACK of its own
    w.sysctl("halfopen/verify_synack", 0)
    w.listen()


def by_cookie(w, opts=LINUX, wait=0.01, flags=SYN):
    """A handshake by cookie."""
    cookies(w)
    p = w.peer()
    p.syn(opts=opts, flags=flags)
    w.watch(p, 1.0, first=True)
    w.watch(p, wait)
    p.ack()
    w.watch(p, 0.1)
    return p


# --- sequence numbers ---------------------------------------------------------------


@scenario("P-63", differs=True)
def isn_of_a_4_tuple_grows_with_a_clock(w):
    """As seen by who reconnects: here it is a cookie, the same for a minute."""
    w.listen()
    p = w.peer()
    isns = []
    for _ in range(3):
        p.syn()
        w.watch(p, 0.3, first=True)
        isns.append(p.synack.seq)
        p.rst(seq=p.seq)
        w.watch(p, 0.1)
    w.note("grows: %s" % all(diff(b, a) > 0 for a, b in zip(isns, isns[1:])))


@scenario("P-33 P-51 P-63")
def neighbours_say_nothing_about_each_other(w):
    """ISNs and timestamp offsets of 64 neighbouring 4-tuples, 64 peers' ISNs."""
    w.listen()
    isns, offsets = [], []
    for i in range(64):
        p = w.peer(sport=40000 + i, isn=1000 * i)
        p.syn()
        w.watch(p, 0.3, first=True)
        isns.append(p.synack.seq)
        offsets.append(p.synack.ts[0])
        p.rst(seq=p.seq)
    for name, values in ("ISN", isns), ("TSval", offsets):
        gaps = {diff(b, a) for a, b in zip(values, values[1:])}
        w.note("%s: %d different, %d gaps, near: %d" % (
            name, len(set(values)), len(gaps),
            sum(abs(gap) < 1 << 12 for gap in gaps)))


@scenario("P-64")
def same_syn_twice_in_a_row(w):
    w.listen()
    for _ in range(20):
        p = w.peer()
        p.syn()
        p.syn()
        w.watch(p, 0.02)
        p.ack()
        w.accept()


# --- cookies: what is the same ------------------------------------------------------


@scenario("P-65 P-69", native=True)
def quiet_port_believes_no_cookie(w):
    w.listen()
    for number in (1, 1 << 24, 1 << 31, 0xFFFFFFFF):
        p = w.peer()
        p.send(ACK, seq=add(p.isn, 1), ack=number, opts=NOP + NOP + TS(1000, 5))
        w.watch(p, 0.05)


@scenario("P-69")
def ack_that_is_no_cookie_is_reset(w):
    cookies(w)
    p = w.peer()
    p.syn()
    w.watch(p, 1.0, first=True)
    # the lowest bits are the MSS: they may change
    for off in (1 << 9, 1 << 12, 1 << 20, 1 << 31):
        p.ack(ack=add(p.rcv_nxt, off))
        w.watch(p, 0.02)
    p.ack(seq=add(p.seq, 1 << 20))
    w.watch(p, 0.02)
    p.ack()
    w.accept(state=False)


@scenario("P-70")
def synack_with_a_cookie_is_not_repeated(w):
    cookies(w)
    p = w.peer()
    p.syn()
    w.watch(p, 10)


@scenario("P-66")
def cookie_counts_for_a_while(w):
    by_cookie(w, wait=50)
    w.accept(state=False)


@scenario("P-66")
def old_cookie_is_reset(w):
    by_cookie(w, wait=130)


@scenario("P-71")
def timestamp_of_a_cookie_is_not_ahead(w):
    """The clock of a 4-tuple is known from a handshake without a cookie."""
    w.quiet = True
    w.listen()
    p = w.peer()
    p.syn()
    w.watch(p, 1.0, first=True)
    clock = p.synack.ts[0], p.synack.time
    p.rst(seq=p.seq)
    w.watch(p, 0.2)
    w.sysctl("ipv4/tcp_syncookies", 2)
    w.sysctl("halfopen/max_backlog", 0)
    for opts in (LINUX, LINUX_OPTS(mss=1400), LINUX_OPTS(wscale=14)):
        p.syn(opts=opts)
        s = p.recv(1.0)
        ahead = diff(s.ts[0], clock[0]) - (s.time - clock[1]) * 1000
        w.note("not ahead: %s, behind by 128 ms at most: %s" % (
            ahead <= 2, ahead >= -128))


@scenario("P-72", families=(4,), native=True)
def ip_options_beside_a_cookie(w):
    """What the SYN had is taken from the ACK."""
    w.sysctl("ipv4/tcp_syncookies", 2)
    w.sysctl("halfopen/max_backlog", 0)
    w.listen()
    p = w.peer()
    # with timestamps it would be up to 64 ms late, by the clock
    p.send(SYN, opts=MSS(1460), ip_opts=b"\x07\x07\x04\0\0\0\0\0")
    w.watch(p, 1.0, first=True)
    p.seq = add(p.isn, 1)
    p.ack(ip_opts=b"\x07\x07\x04\0\0\0\0\0")
    w.watch(p, 0.1)
    s = w.accept(state=False)
    if s:
        s.send(b"hello")
        w.note("sent")


# --- cookies: what differs ----------------------------------------------------------


@scenario("P-66", differs=True)
def mss_in_a_cookie_is_exact(w):
    by_cookie(w, LINUX_OPTS(mss=1400))
    s = w.accept()
    if s:
        s.send(b"x" * 5000)
        w.note("sends")


@scenario("P-67 P-72", differs=True)
def options_in_a_cookie_without_timestamps(w):
    by_cookie(w, NO_TIMESTAMPS)
    w.accept()


@scenario("P-67", differs=True)
def options_in_a_cookie_with_timestamps(w):
    w.sysctl("ipv4/tcp_ecn", 1)
    by_cookie(w, flags=SYN | ECE | CWR)
    s = w.accept()
    if s:
        s.send(b"hello")
        w.note("sent")


@scenario("P-68", differs=True)
def option_of_a_cookie_switched_off(w):
    cookies(w)
    for name in ("tcp_sack", "tcp_window_scaling", "tcp_timestamps"):
        p = w.peer()
        p.syn()
        w.watch(p, 1.0, first=True)
        w.sysctl("ipv4/" + name, 0)
        p.ack()
        w.watch(p, 0.1)
        w.accept(what=name)
        w.sysctl("ipv4/" + name, 1)


# --- how many may be half open ------------------------------------------------------


def silent(w, count, **kw):
    for _ in range(count):
        p = w.peer(**kw)
        p.syn()
        w.watch(p, 0.02)
    return w.peers


@scenario("O-42", differs=True)
def backlog_limits_half_open_connections(w):
    w.sysctl("ipv4/tcp_syncookies", 0)
    w.listen(backlog=4)
    silent(w, 12)


@scenario("O-42 P-65", differs=True)
def full_backlog_gives_cookies(w):
    w.listen(backlog=4)
    silent(w, 12)
    w.watch(w.peers[0], 1.5)


@scenario("O-42")
def room_for_half_open_connections(w):
    """As long as the listener's backlog would do, nothing differs."""
    w.listen(backlog=4)
    for p in silent(w, 5):
        p.ack()
        w.accept()


def syn_flood_lines():
    fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    lines = []
    while True:
        try:
            lines.append(os.read(fd, 8192))
        except BlockingIOError:
            break
    os.close(fd)
    return sum(b"Possible SYN flooding" in line for line in lines)


@scenario("O-43", differs=True)
def tcp_syncookies_by_sysctl(w):
    for value in (0, 1, 2):
        w.sysctl("ipv4/tcp_syncookies", value)
        before = syn_flood_lines()
        listener = w.listen(backlog=1)
        silent(w, 5)
        w.note("%d lines in the log" % (syn_flood_lines() - before))
        listener.close()
        w.port += 1


@scenario("P-40")
def old_connections_go_early_under_pressure(w):
    """Half of the queue is full of old ones; halfopen's queue is max_backlog, and
    no other limit of its own comes first."""
    w.anonymous = True
    w.sysctl("halfopen/max_backlog", 16)
    w.sysctl("halfopen/pressure_high_pct", 100)
    w.sysctl("halfopen/pressure_low_pct", 100)
    w.listen(backlog=16)
    silent(w, 12)
    w.watch(w.peers[0], 40)


def half_open_in_proc():
    """/proc/net/tcp, tcp6: local port 80, state SYN-RECV."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in
            read("/proc/thread-self/net/" + name).splitlines()[1:]]
    return sum(row[1].endswith(":0050") and row[3] == "03" for row in rows)


@scenario("O-49", differs=True)
def half_open_connections_in_proc(w):
    w.handshake_to_synack()
    w.note("%d in SYN-RECV" % w.srv(half_open_in_proc))


@scenario("O-49")
def established_connections_in_proc(w):
    p = w.handshake_to_synack()
    p.ack()
    s = w.accept()
    w.note("%d in SYN-RECV" % w.srv(half_open_in_proc))
    if s:
        own = s.getsockopt(socket.SOL_SOCKET, 57, 8)      # SO_COOKIE
        w.note("cookie %s" % (struct.unpack("Q", own)[0] > 0))
