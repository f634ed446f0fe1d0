# SPDX-License-Identifier: GPL-2.0
"""BPF programs, tracepoints and LSMs around the handshake (protocol.md 2.1, 2.3)."""

import array
import fcntl
import os
import socket
import struct

import bpf
import seg
from bpf import (R0, R1, R2, R3, R4, R6, R7, R10, B, H, W, DW, add, and_, be16,
                 call, exit_, jeq, jgt, jne, jump, ld, load_map, mov, st)
from differential import read, scenario, write
from seg import ACK, CWR, ECE, LINUX, PSH, SYN
from serving import (OTHER_SOCKOPS_IS_NATIVE, REUSE, SOCKOPS_IS_NATIVE, SOL,
                     ASSIGNED_IS_NATIVE, documented, not_counted, serve,
                     who_accepts)

SO_COOKIE = 57
SO_INCOMING_NAPI_ID = 56
SO_ATTACH_BPF = 50

PASS, DROP = 1, 0       # SK_PASS, SK_DROP; cgroup programs likewise


def closing(w, *fds):
    """Closed after the scenario."""
    for fd in fds:
        w.undo.append(lambda fd=fd: os.close(fd))
    return fds[0]


def socket_map(w, kind, sockets):
    fd = closing(w, bpf.create_map(kind, entries=8))
    for i, s in enumerate(sockets):
        bpf.set_elem(fd, i, s.fileno())
    return fd


def counter_map(w, entries=64):
    return closing(w, bpf.create_map(bpf.ARRAY, entries=entries))


# --- the listener is chosen by a program: O-02, O-04, O-05, O-06 ----------------


def group(w, count):
    return [w.listen([REUSE]) for _ in range(count)]


def attach_to_group(w, s, insns, attach_type=bpf.AT_REUSEPORT):
    prog = closing(w, bpf.load(bpf.SK_REUSEPORT, insns, attach_type))
    s.setsockopt(SOL, bpf.SO_ATTACH_REUSEPORT_EBPF, prog)


def select(fd, key):
    """bpf_sk_select_reuseport(ctx, map, &key, 0); the context is in R6."""
    return [st(W, R10, -4, key), mov(R1, R6), *load_map(R2, fd), mov(R3, R10),
            add(R3, -4), mov(R4, 0), call(bpf.F_sk_select_reuseport)]


@scenario("O-02")
def reuseport_ebpf_chooses(w):
    """By the source port's low bits; data starts at the TCP header."""
    listeners = group(w, 4)
    socks = socket_map(w, bpf.SOCKARRAY, listeners)
    attach_to_group(w, listeners[0], [
        mov(R6, R1), ld(DW, R2, R6, 0), ld(DW, R3, R6, 8), mov(R4, R2),
        add(R4, 4), jgt(R4, R3, "short"),
        ld(H, R7, R2, 0), be16(R7), and_(R7, 3), *select(socks, R7),
        mov(R0, PASS), exit_(),
        "short", mov(R0, DROP), exit_()])
    for sport in range(30000, 30006):
        p = w.handshake_to_synack(sport=sport)
        p.ack()
        w.watch(p, 0.02)
        w.note("member %r" % who_accepts(w, listeners, p))


@scenario("O-02", native=True)
def reuseport_ebpf_refuses(w):
    listeners = group(w, 2)
    attach_to_group(w, listeners[0], [mov(R0, DROP), exit_()])
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("O-04")
def migration_program_chooses(w):
    """Who is asked to migrate gives member 1, a SYN gets member 0."""
    not_counted(w, "TcpExt.TCPMigrateReqSuccess")
    first, second = group(w, 2)
    socks = socket_map(w, bpf.SOCKARRAY, [first, second])
    attach_to_group(w, first, [
        mov(R6, R1), mov(R7, 0),
        ld(DW, R2, R6, 48), jeq(R2, 0, "new"),      # migrating_sk
        mov(R7, 1),
        "new", *select(socks, R7), mov(R0, PASS), exit_()],
        bpf.AT_REUSEPORT_OR_MIGRATE)
    p = w.handshake_to_synack(sport=30001)
    w.sockets.remove(first)
    first.close()
    p.ack()
    w.accept(second)
    w.watch(p, 0.1)


def lookup_program(w, socks, port, verdict):
    """sk_lookup: that local port is given to member 0, or refused."""
    choose = [*bpf.lookup(socks, 0), jeq(R0, 0, "pass"), mov(R7, R0),
              mov(R1, R6), mov(R2, R7), mov(R3, 0), call(bpf.F_sk_assign),
              mov(R1, R7), call(bpf.F_sk_release)] if verdict == PASS else \
        [mov(R0, DROP), exit_()]
    prog = closing(w, bpf.load(bpf.SK_LOOKUP, [
        mov(R6, R1), ld(W, R2, R6, 60), jne(R2, port, "pass"), *choose,
        "pass", mov(R0, PASS), exit_()], bpf.AT_SK_LOOKUP))
    closing(w, bpf.link(prog, w.srv.fd, bpf.AT_SK_LOOKUP))


@scenario("O-05")
def sk_lookup_steers_to_another_port(w):
    s = w.listen()
    lookup_program(w, socket_map(w, bpf.SOCKMAP, [s]), 7777, PASS)
    serve(w, w.peer(dport=7777), s)
    serve(w, w.peer(), s)


@scenario("O-05", native=True)
def sk_lookup_refuses(w):
    s = w.listen()
    lookup_program(w, socket_map(w, bpf.SOCKMAP, [s]), 80, DROP)
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("O-05", differs=True)
def sk_lookup_is_asked_twice(w):
    """At the SYN and at the ACK; the one that the ACK gets is the listener."""
    s = w.listen()
    hits = counter_map(w)
    prog = closing(w, bpf.load(bpf.SK_LOOKUP, [
        *bpf.count(hits, 0), mov(R0, PASS), exit_()], bpf.AT_SK_LOOKUP))
    closing(w, bpf.link(prog, w.srv.fd, bpf.AT_SK_LOOKUP))
    serve(w, w.peer(), s)
    documented(w, "lookups", bpf.get_elem(hits, 0), native=1, ours=2)


@scenario("O-06", native=ASSIGNED_IS_NATIVE)
def tc_assigns_the_listener(w):
    """bpf_sk_assign() at ingress: SYNs to port 7777 carry the listener."""
    s = w.listen()
    socks = socket_map(w, bpf.SOCKMAP, [s])
    tcp = 34 if w.family == 4 else 54
    proto = 23 if w.family == 4 else 20
    prog = closing(w, bpf.load(bpf.SCHED_CLS, [
        mov(R6, R1), ld(W, R2, R6, 76), ld(W, R3, R6, 80), mov(R4, R2),
        add(R4, tcp + 20), jgt(R4, R3, "pass"),
        ld(B, R4, R2, proto), jne(R4, 6, "pass"),
        ld(H, R4, R2, tcp + 2), be16(R4), jne(R4, 7777, "pass"),
        ld(B, R4, R2, tcp + 13), jne(R4, SYN, "pass"),
        *bpf.lookup(socks, 0), jeq(R0, 0, "pass"), mov(R7, R0),
        mov(R1, R6), mov(R2, R7), mov(R3, 0), call(bpf.F_sk_assign),
        mov(R1, R7), call(bpf.F_sk_release),
        "pass", mov(R0, 0), exit_()]))
    pinned = bpf.mount_point("bpf", "/run/bpf") + "/assign"
    bpf.pin(prog, pinned)
    w.undo.append(lambda: os.unlink(pinned))
    w.command("tc", "qdisc", "add", "dev", "srv0", "clsact",
              undo=("tc", "qdisc", "del", "dev", "srv0", "clsact"))
    w.command("tc", "filter", "add", "dev", "srv0", "ingress", "bpf", "da",
              "object-pinned", pinned)
    serve(w, w.peer(dport=7777), s)


# --- what hangs on the listener: O-29, O-27, O-31 -------------------------------


@scenario("O-29")
def storage_is_cloned(w):
    btf = closing(w, bpf.int_btf())
    storage = closing(w, bpf.create_map(
        bpf.SK_STORAGE, value_len=4, entries=0,
        flags=bpf.F_NO_PREALLOC | bpf.F_CLONE, btf=(btf, 1, 1)))
    s = w.listen()
    bpf.set_elem(storage, s.fileno(), 4711, size=4)
    child = serve(w, w.peer(), s)
    if child:
        w.note("storage %d" % bpf.get_elem(storage, child.fileno(), size=4))


@scenario("O-29")
def listener_is_in_a_sockmap(w):
    """The child is in none, and its functions are TCP's own again."""
    s = w.listen()
    socket_map(w, bpf.SOCKMAP, [s])
    child = serve(w, w.peer(), s)
    if child:
        socket_map(w, bpf.SOCKMAP, [child])


@scenario("O-27")
def cookies_are_unique(w):
    s = w.listen()
    seen = {struct.unpack("Q", s.getsockopt(SOL, SO_COOKIE, 8))[0]}
    for _ in range(3):
        child = serve(w, w.peer(), s)
        if child:
            first, again = (struct.unpack("Q", child.getsockopt(
                SOL, SO_COOKIE, 8))[0] for _ in range(2))
            w.note("cookie %s" % ("stable" if first and first == again else
                                  "changes"))
            seen.add(first)
    w.note("%d cookies" % len(seen))


@scenario("O-31")
def ebpf_filter_of_the_listener(w):
    """What it lets pass it also cuts: no data is left on the ACK.  Short enough
    for its checksum to be verified before: natively a cut segment that is not
    fails the check."""
    s = w.listen()
    prog = closing(w, bpf.load(1, [mov(R0, 32), exit_()]))
    s.setsockopt(SOL, SO_ATTACH_BPF, prog)
    p = w.peer()
    p.send(SYN, opts=LINUX, data=b"x" * 30)
    p.seq = seg.add(p.isn, 1)
    w.watch(p, 0.2, first=True)
    p.send(PSH | ACK, data=b"y" * 30, opts=p._ts())
    w.watch(p, 0.1)
    child = w.accept(s)
    if child:
        child.settimeout(0.1)
        try:
            w.note("read %d" % len(child.recv(1000)))
        except (socket.timeout, TimeoutError):
            w.note("read nothing")
    w.watch(p, 0.3)


class Group:
    """A control group with one program, for sockets made by listen()."""

    def __init__(self, w, kind, insns, attach_type):
        self.w = w
        self.cgroup = bpf.Cgroup()
        w.undo.append(self.cgroup.close)
        self.cgroup.attach(bpf.load(kind, insns, attach_type), attach_type)

    def listen(self, *args, **kw):
        with self.cgroup:
            return self.w.listen(*args, **kw)


def by_flags(w, hits, drop=None):
    """Counts packets of port 80 by TCP flags; those with exactly drop end here."""
    tcp = 20 if w.family == 4 else 40
    return [
        mov(R6, R1),
        mov(R2, tcp + 13), mov(R3, R10), add(R3, -8), mov(R4, 1),
        call(bpf.F_skb_load_bytes), jne(R0, 0, "pass"),
        ld(B, R7, R10, -8), *bpf.count(hits, R7),
        jne(R7, 0xff if drop is None else drop, "pass"),
        mov(R0, DROP), exit_(),
        "pass", mov(R0, PASS), exit_()]


def seen(hits):
    """By the letters of seg.py."""
    return " ".join("%s:%d" % ("".join(
        c for i, c in enumerate(seg.FLAG_NAMES) if flags & 1 << i), times)
        for flags, times in bpf.counters(hits).items())


def ingress(w, drop=None):
    hits = counter_map(w)
    return hits, Group(w, bpf.CGROUP_SKB, by_flags(w, hits, drop),
                       bpf.AT_CGROUP_INGRESS)


@scenario("O-31")
def cgroup_ingress_sees_each_segment_once(w):
    hits, cgroup = ingress(w)
    s = cgroup.listen()
    p = w.peer()
    serve(w, p, s)
    p.data(b"hello")
    w.watch(p, 0.1)
    w.note("ingress " + seen(hits))


@scenario("O-31", native=True)
def cgroup_ingress_drops_the_syn(w):
    hits, cgroup = ingress(w, SYN)
    cgroup.listen()
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)
    w.note("ingress " + seen(hits))


@scenario("O-31")
def cgroup_ingress_drops_the_ack(w):
    """Data gets through, and completes."""
    hits, cgroup = ingress(w, ACK)
    s = cgroup.listen()
    p = w.handshake_to_synack()
    p.ack()
    w.accept(s, "bare ack")
    p.data(b"hello")
    w.accept(s, "data")
    w.watch(p, 0.1)
    w.note("ingress " + seen(hits))


@scenario("O-31")
def cgroup_ingress_drops_a_reset(w):
    hits, cgroup = ingress(w, seg.RST)
    s = cgroup.listen()
    p = w.handshake_to_synack()
    p.rst(seq=p.seq)
    w.watch(p, 0.1)
    p.ack()
    w.accept(s)
    w.note("ingress " + seen(hits))


@scenario("O-31")
def cgroup_ingress_of_others_sees_nothing(w):
    hits, _ = ingress(w, SYN)
    s = w.listen()
    serve(w, w.peer(), s)
    w.note("ingress " + seen(hits))


def egress(w, drop=None):
    hits = counter_map(w)
    return hits, Group(w, bpf.CGROUP_SKB, by_flags(w, hits, drop),
                       bpf.AT_CGROUP_EGRESS)


@scenario("O-18", families=(4,), differs=True)
def cgroup_egress_and_the_synack(w):
    """The SYN-ACK belongs to no socket, so to no control group.  Over IPv6 it does
    not natively either before 6.12."""
    hits, cgroup = egress(w)
    s = cgroup.listen()
    p = w.peer()
    serve(w, p, s)
    got = bpf.counters(hits)
    documented(w, "SYN-ACKs seen", got.pop(SYN | ACK, 0), native=1, ours=0)
    w.note("the rest %r" % got)


# --- sockops: O-33 --------------------------------------------------------------

(TIMEOUT_INIT, RWND_INIT, PASSIVE_ESTABLISHED, NEEDS_ECN, STATE_CB, LISTEN_CB,
 HDR_OPT_LEN, WRITE_HDR_OPT) = 1, 2, 5, 6, 10, 11, 14, 15
STATE_FLAG, WRITE_FLAG = 1 << 2, 1 << 6
OP, REPLY = 0, 4
# kind 254, length 6, an experiment's number, two bytes
OPTION = b"\xfe\x06\xeb\x9f\x12\x34"


def reply(op, value):
    """The answer to one question."""
    label = "not%d" % op
    return [jne(R7, op, label), mov(R2, value), st(W, R6, REPLY, R2), jump("out"),
            label]


def sockops(w, *cases):
    """A control group whose program counts questions and answers some."""
    hits = counter_map(w)
    return hits, Group(w, bpf.SOCK_OPS, [
        mov(R6, R1), ld(W, R7, R6, OP), *bpf.count(hits, R7),
        *(insn for case in cases for insn in case),
        mov(R2, -1), st(W, R6, REPLY, R2),
        "out", mov(R0, 1), exit_()], bpf.AT_CGROUP_SOCK_OPS)


def asked(hits):
    return "asked %r" % bpf.counters(hits)


@scenario("O-33", native=SOCKOPS_IS_NATIVE)
def sockops_are_asked(w):
    hits, cgroup = sockops(w, [
        jne(R7, PASSIVE_ESTABLISHED, "more"), mov(R1, R6), mov(R2, STATE_FLAG),
        call(bpf.F_sock_ops_cb_flags_set), "more"])
    s = cgroup.listen()
    serve(w, w.peer(), s)
    w.note(asked(hits))


@scenario("O-33 P-36", native=SOCKOPS_IS_NATIVE)
def sockops_set_the_timeout(w):
    """500 jiffies are 2 s with Debian's 250 a second."""
    hits, cgroup = sockops(w, reply(TIMEOUT_INIT, 500))
    cgroup.listen()
    p = w.handshake_to_synack()
    w.watch(p, 7)
    w.note(asked(hits))


@scenario("O-33 O-15", native=SOCKOPS_IS_NATIVE)
def sockops_set_the_window(w):
    hits, cgroup = sockops(w, reply(RWND_INIT, 4))
    serve(w, w.peer(), cgroup.listen())
    w.note(asked(hits))


@scenario("O-33 P-57", native=SOCKOPS_IS_NATIVE)
def sockops_want_ecn(w):
    """ECN is agreed on although the sysctl is off."""
    w.sysctl("ipv4/tcp_ecn", 0)
    hits, cgroup = sockops(w, reply(NEEDS_ECN, 1))
    s = cgroup.listen()
    p = w.peer(tos=2)
    p.syn(flags=SYN | ECE | CWR)
    w.watch(p, 0.5, first=True)
    p.ack()
    w.accept(s)
    w.note(asked(hits))


@scenario("O-33", native=SOCKOPS_IS_NATIVE)
def sockops_write_an_option(w):
    """Room for it is asked for first; the listener wants to be asked."""
    word = struct.unpack("<IH", OPTION)
    hits, cgroup = sockops(
        w,
        [jne(R7, LISTEN_CB, "length"), mov(R1, R6), mov(R2, WRITE_FLAG),
         call(bpf.F_sock_ops_cb_flags_set),
         "length", jne(R7, HDR_OPT_LEN, "write"), mov(R1, R6),
         mov(R2, len(OPTION)), mov(R3, 0), call(bpf.F_reserve_hdr_opt),
         "write", jne(R7, WRITE_HDR_OPT, "none"),
         st(W, R10, -8, struct.unpack("<i", OPTION[:4])[0]),
         st(H, R10, -4, word[1]),
         mov(R1, R6), mov(R2, R10), add(R2, -8), mov(R3, len(OPTION)),
         mov(R4, 0), call(bpf.F_store_hdr_opt), "none"])
    s = cgroup.listen()
    serve(w, w.peer(), s)
    w.note(asked(hits))


@scenario("O-33", native=OTHER_SOCKOPS_IS_NATIVE)
def sockops_of_others(w):
    hits, _ = sockops(w)
    s = w.listen()
    serve(w, w.peer(), s)
    w.note(asked(hits))


# --- LSM: O-30 ------------------------------------------------------------------


# found once: it takes a second
LSM_HOOK = bpf.kernel_function("bpf_lsm_inet_conn_request")


def lsm(w, verdict):
    """security_inet_conn_request(): counted, and answered."""
    hits = counter_map(w)
    prog = closing(w, bpf.load(
        bpf.LSM, [*bpf.count(hits, 0), mov(R0, verdict), exit_()], bpf.AT_LSM,
        LSM_HOOK))
    closing(w, bpf.attach_lsm(prog))
    return hits


@scenario("O-30 P-30", differs=True)
def lsm_is_asked_once(w):
    """At the SYN natively, at the handover through halfopen."""
    hits = lsm(w, 0)
    p = w.handshake_to_synack()
    documented(w, "asked before the ACK", bpf.get_elem(hits, 0), 1, 0)
    p.ack()
    w.accept()
    w.note("asked %d" % bpf.get_elem(hits, 0))


@scenario("O-30 P-30", differs=True)
def lsm_refuses(w):
    """Silence natively; a SYN-ACK, and then silence, through halfopen."""
    hits = lsm(w, -1)
    s = w.listen()
    p = w.peer()
    p.syn()
    answer = p.collect(0.2)
    documented(w, "answers", [s.flag_text for s in answer], [], ["SA"])
    if answer:
        p.ack()
    w.watch(p, 0.2)
    s.settimeout(0.2)
    w.accept(s)
    w.note("asked %d" % bpf.get_elem(hits, 0))


# --- tracepoints: O-51 ----------------------------------------------------------

TRACING = "/sys/kernel/tracing/"
EVENTS = ("tcp/tcp_retransmit_synack", "tcp/tcp_send_reset",
          "sock/inet_sock_set_state")


class Trace:
    """What the kernel's own tracepoints of TCP said, by their names."""

    def __init__(self, w):
        write(TRACING + "trace", "")
        for event in EVENTS:
            self._enable(event, 1)
            w.undo.append(lambda event=event: self._enable(event, 0))

    @staticmethod
    def _enable(event, on):
        write(TRACING + "events/%s/enable" % event, on)

    @staticmethod
    def lines(event):
        return [line.split(event + ": ")[1]
                for line in read(TRACING + "trace").splitlines()
                if " %s: " % event in line]

    def states(self):
        return [" ".join(word for word in line.split() if "state=" in word)
                for line in self.lines("inet_sock_set_state")
                if "sport=80 " in line]


@scenario("O-51")
def trace_of_states(w):
    s = w.listen()
    t = Trace(w)
    child = serve(w, w.peer(), s)
    if child:
        child.close()
        w.sockets.remove(child)
    for state in t.states():
        w.note(state)


@scenario("O-51")
def trace_of_a_reset(w):
    """A wrong ACK is reset by the stack in both cases."""
    t = Trace(w)
    p = w.handshake_to_synack()
    p.ack(ack=seg.add(p.rcv_nxt, 5))
    w.watch(p, 0.1)
    w.note("resets traced %d" % len(t.lines("tcp_send_reset")))


@scenario("O-51", differs=True)
def trace_of_a_reset_in_the_handshake(w):
    """A SYN inside the window: halfopen sends this one itself."""
    t = Trace(w)
    p = w.handshake_to_synack()
    p.send(SYN, seq=seg.add(p.seq, 100), opts=LINUX)
    w.watch(p, 0.1)
    documented(w, "resets traced", len(t.lines("tcp_send_reset")), 1, 0)


@scenario("O-51", differs=True)
def trace_of_retransmissions(w):
    t = Trace(w)
    p = w.handshake_to_synack()
    w.watch(p, 3.5)
    documented(w, "retransmissions traced",
               len(t.lines("tcp_retransmit_synack")), 2, 0)


# --- which CPU, which queue: O-34 -----------------------------------------------

SIOCETHTOOL, ETHTOOL_GGRO, ETHTOOL_SGRO = 0x8946, 0x2b, 0x2c


def gro(on):
    """With GRO a veth device has a queue with a number, as hardware has."""
    value = struct.pack("II", ETHTOOL_SGRO, on)
    buf = array.array("B", value)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCETHTOOL, struct.pack("16sP", b"srv0",
                                                buf.buffer_info()[0]))


@scenario("O-34")
def queue_and_cpu_are_known(w):
    w.undo.append(lambda: w.srv(gro, 0))
    w.srv(gro, 1)
    s = w.listen()
    child = serve(w, w.peer(), s)
    if child:
        w.note("queue %s" % ("known" if child.getsockopt(
            SOL, SO_INCOMING_NAPI_ID) else "unknown"))
        w.note("cpu %d" % child.getsockopt(SOL, socket.SO_INCOMING_CPU))
