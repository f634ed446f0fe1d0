# SPDX-License-Identifier: GPL-2.0
"""The same packets twice: answered natively, then by halfopen.

A scenario is a function of a World.  It sends segments, and everything that can be
seen from outside goes into a transcript: each segment that came back, when, what
accept() returned with its TCP_INFO and socket options, and by how much the kernel's
counters moved.  The scenario runs once with net.halfopen.mode=0 and once with 1, and
the two transcripts must be equal, times to a tenth.

    @scenario("P-17")
    def exact_rst_is_silent(w):
        p = w.handshake_to_synack()
        p.rst(seq=p.seq)
        w.watch(p, 0.3)

Sequence numbers are shown relative to both ISNs, timestamps relative to the SYN-ACK's.
"""

import ctypes
import os
import socket
import struct
import subprocess
import sys

import seg

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)

# What an operator graphs; halfopen must move each as the stack does.  Not
# SyncookiesFailed: for two minutes after jiffies wrap, five minutes after boot, a
# listener that never overflowed takes a stray ACK for a cookie.
MIBS = {
    "Ip": "InReceives InHdrErrors InAddrErrors InDiscards InDelivers OutRequests "
          "OutNoRoutes",
    "Icmp": "InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds",
    "Tcp": "ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs "
           "OutSegs RetransSegs InErrs OutRsts InCsumErrors",
    "TcpExt": "SyncookiesSent SyncookiesRecv EmbryonicRsts "
              "OutOfWindowIcmps PAWSEstab ListenOverflows ListenDrops "
              "TCPTimeouts TCPReqQFullDoCookies TCPReqQFullDrop TCPSynRetrans "
              "TCPACKSkippedSynRecv TCPACKSkippedChallenge TCPChallengeACK "
              "TCPMinTTLDrop TCPDeferAcceptDrop TCPAbortOnData TCPBacklogDrop "
              "TCPSpuriousRTOs TCPOFOQueue TCPPureAcks TCPHPAcks",
    "Ip6": "Ip6InReceives Ip6InHdrErrors Ip6InDelivers Ip6OutRequests",
    "Icmp6": "Icmp6InMsgs Icmp6InErrors Icmp6InCsumErrors",
}
MIB_NAMES = {name for names in MIBS.values() for name in names.split()}

# struct tcp_info: name -> (offset, format).  What a clock alone decides is compared
# with a tolerance (TIMED) or not at all (the last_* fields).
TCP_INFO = {
    "state": (0, "B"), "ca_state": (1, "B"), "retransmits": (2, "B"),
    "probes": (3, "B"), "backoff": (4, "B"), "options": (5, "B"),
    "wscales": (6, "B"), "rto": (8, "I"), "ato": (12, "I"),
    "snd_mss": (16, "I"), "rcv_mss": (20, "I"), "unacked": (24, "I"),
    "sacked": (28, "I"), "lost": (32, "I"), "retrans": (36, "I"),
    "pmtu": (60, "I"), "rcv_ssthresh": (64, "I"), "rtt": (68, "I"),
    "rttvar": (72, "I"), "snd_ssthresh": (76, "I"), "snd_cwnd": (80, "I"),
    "advmss": (84, "I"), "reordering": (88, "I"), "rcv_space": (96, "I"),
    "total_retrans": (100, "I"), "bytes_acked": (120, "Q"),
    "bytes_received": (128, "Q"), "segs_out": (136, "I"), "segs_in": (140, "I"),
    "min_rtt": (148, "I"), "data_segs_in": (152, "I"),
    "data_segs_out": (156, "I"), "delivered": (192, "I"),
    "bytes_retrans": (208, "Q"), "rcv_ooopack": (224, "I"),
    "snd_wnd": (228, "I"), "rcv_wnd": (232, "I"), "rehash": (236, "I"),
    "total_rto": (240, "H"), "total_rto_recoveries": (242, "H"),
    "total_rto_time": (244, "I"),
}
TIMED = {"rto", "rtt", "rttvar", "min_rtt", "total_rto_time"}

SOCKOPTS = [
    (socket.SOL_SOCKET, name) for name in (
        "SO_RCVBUF", "SO_SNDBUF", "SO_MARK", "SO_PRIORITY", "SO_KEEPALIVE",
        "SO_REUSEADDR", "SO_REUSEPORT", "SO_OOBINLINE", "SO_ERROR",
        "SO_INCOMING_CPU")
] + [
    (socket.IPPROTO_TCP, name) for name in (
        "TCP_MAXSEG", "TCP_NODELAY", "TCP_QUICKACK", "TCP_WINDOW_CLAMP",
        "TCP_DEFER_ACCEPT", "TCP_SYNCNT", "TCP_USER_TIMEOUT")
]

MODE = "/proc/sys/net/halfopen/mode"

SCENARIOS = []


def scenario(rows, families=(4, 6), native=False):
    """rows: of protocol.md; native: halfopen must not take these SYNs."""
    def add(fn):
        SCENARIOS.append((fn, rows, families, native))
        return fn
    return add


class Namespace:
    """Run a function in a network namespace: sockets stay where they were made."""

    def __init__(self, name):
        self.fd = os.open("/run/netns/" + name, os.O_RDONLY)

    def __call__(self, fn, *args):
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            self._enter(self.fd)
            return fn(*args)
        finally:
            self._enter(back)
            os.close(back)

    @staticmethod
    def _enter(fd):
        if libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def read(path):
    with open(path) as f:
        return f.read()


def write(path, value):
    with open(path, "w") as f:
        f.write(str(value))


def read_mibs():
    out = {}
    for path in ("/proc/thread-self/net/snmp", "/proc/thread-self/net/netstat"):
        lines = read(path).splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            prefix = names.split(":")[0]
            for name, value in zip(names.split()[1:], values.split()[1:]):
                out["%s.%s" % (prefix, name)] = int(value)
    for line in read("/proc/thread-self/net/snmp6").splitlines():
        name, value = line.split()
        out["Ip6." + name] = int(value)
    return {k: v for k, v in out.items() if k.split(".")[1] in MIB_NAMES}


def read_stats():
    out = {}
    for name in ("halfopen", "halfopen_declined"):
        rows = read("/proc/thread-self/net/stat/" + name).splitlines()
        for row in rows[1:]:
            for column, value in zip(rows[0].split(), row.split()):
                out[column] = out.get(column, 0) + int(value, 16)
    return out


class World:
    """Two namespaces, and what happened in them."""

    def __init__(self, srv, family, mode):
        self.srv = srv
        self.mode = mode
        self.family = family
        self.start = seg.time.monotonic()
        self.events = []
        self.sockets = []
        self.peers = []
        self.undo = []
        self.port = 80

    # what the scenario sets up

    def sysctl(self, name, value):
        """Of the server; restored after the scenario."""
        path = "/proc/sys/net/" + name
        before = self.srv(read, path).strip()
        self.undo.append(lambda: self.srv(write, path, before))
        self.srv(write, path, value)

    def command(self, *argv, undo=()):
        """In the server; undo is another one, run after the scenario."""
        if undo:
            self.undo.append(lambda: self.command(*undo))
        self.srv(lambda: subprocess.run(argv, check=True))

    def _socket(self, family, opts, backlog):
        s = socket.socket(socket.AF_INET6 if family != 4 else socket.AF_INET)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family != 4:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY,
                         family == 6)
        for level, name, value in opts:
            s.setsockopt(level, name, value)
        s.bind(("::" if family != 4 else "0.0.0.0", self.port))
        s.listen(backlog)
        s.settimeout(1.0)
        return s

    def listen(self, opts=(), backlog=128, family=None):
        s = self.srv(self._socket, family or self.family, opts, backlog)
        self.sockets.append(s)
        return s

    def peer(self, **kw):
        kw.setdefault("dport", self.port)
        p = seg.Peer(family=self.family, **kw)
        self.peers.append(p)
        return p

    def handshake_to_synack(self, opts=seg.LINUX, **kw):
        """A listener, a peer, its SYN and the answer."""
        if not self.sockets:
            self.listen()
        p = self.peer(**kw)
        p.syn(opts=opts)
        self.watch(p, 1.0, first=True)
        if p.synack is None:
            self.note("no SYN-ACK")
            raise Abandoned
        return p

    # what the transcript gets

    def note(self, text, when=None):
        when = seg.time.monotonic() if when is None else when
        self.events.append((when - self.start, text))

    def watch(self, p, seconds, first=False):
        """Note all segments of that time, or the first one."""
        end = seg.time.monotonic() + seconds
        while True:
            s = p.recv(max(end - seg.time.monotonic(), 0))
            if s is None:
                return
            self.note(describe(p, s), s.time)
            if first:
                return

    def accept(self, listener=None, what="accepted"):
        listener = listener or self.sockets[0]
        try:
            s, addr = listener.accept()
        except (socket.timeout, TimeoutError):
            self.note(what + ": nothing")
            return None
        self.sockets.append(s)
        self.note("%s from %s" % (what, addr[0]))
        for name, value in socket_state(s):
            self.note("%s %s=%s" % (what, name, value))
        return s

    def close(self):
        """Nothing of this scenario may be heard in the next one."""
        for p in self.peers:
            if p.sock.fileno() >= 0:
                p.rst(seq=seg.add(p.isn, 1))
                p.close()
        for s in reversed(self.sockets):
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
            except OSError:
                pass
            s.close()
        for undo in reversed(self.undo):
            undo()


class Abandoned(Exception):
    """Nothing more to see: the transcript so far says why."""


def socket_state(s):
    raw = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
    for name, (off, fmt) in TCP_INFO.items():
        if off + struct.calcsize(fmt) <= len(raw):
            yield name, struct.unpack_from("<" + fmt, raw, off)[0]
    for level, name in SOCKOPTS:
        number = getattr(socket, name, None)
        if number is not None:
            yield name, s.getsockopt(level, number)
    if s.family == socket.AF_INET:
        yield "IP_TOS", s.getsockopt(socket.IPPROTO_IP, socket.IP_TOS)
        yield "IP_TTL", s.getsockopt(socket.IPPROTO_IP, socket.IP_TTL)
    else:
        yield "IPV6_TCLASS", s.getsockopt(socket.IPPROTO_IPV6,
                                          socket.IPV6_TCLASS)
    yield "congestion", s.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION,
                                     16).split(b"\0")[0].decode()


def describe(p, s):
    """A segment without what is random: ISN, TSval, flow label, checksum."""
    base = p.synack.seq if p.synack else s.seq
    if s.is_rst() and not s.flags & seg.ACK:
        seq = "seq=%d" % s.seq if p.synack is None else \
            "seq=%+d" % diff(s.seq, base)
    else:
        seq = "seq=%+d" % diff(s.seq, base) if s.seq else "seq=0"
    opts = []
    for kind, payload in s.opts:
        if kind == 8:
            opts.append("ts:ecr=%d" % struct.unpack("!II", payload)[1])
        elif kind == 5:
            edges = struct.unpack("!%dI" % (len(payload) // 4), payload)
            opts.append("sack:" + ",".join("%+d" % diff(e, p.isn)
                                           for e in edges))
        else:
            opts.append("%d:%s" % (kind, payload.hex() if payload else ""))
    ip = "tos=%#x ttl=%d df=%s id=%s ipopts=%s" % (
        s.tos, s.ttl, s.df,
        "0" if not s.ip_id else "set", s.ip_opts.hex())
    if s.family == 6:
        ip += " flow=%s" % ("set" if s.flow else "0")
    return "%s %s ack=%+d win=%d len=%d [%s] %s" % (
        s.flag_text, seq, diff(s.ack, p.isn) if s.flags & seg.ACK else s.ack,
        s.win, len(s.data), " ".join(opts), ip)


def diff(a, b):
    d = (a - b) & 0xFFFFFFFF
    return d - (1 << 32) if d & 1 << 31 else d


def run(fn, srv, family, mode):
    """One pass: (transcript, how the kernel's counters moved, how halfopen's did)."""
    srv(write, MODE, mode)
    mibs, stats = srv(read_mibs), srv(read_stats)
    w = World(srv, family, mode)
    try:
        fn(w)
    except Abandoned:
        pass
    except (OSError, subprocess.CalledProcessError, AssertionError) as e:
        w.note("failed: %r in mode %d" % (e, mode))
    after = srv(read_mibs)
    own = srv(read_stats)
    w.close()
    seg.time.sleep(0.02)
    # neighbour discovery goes on beside us: only the family under test counts
    other = ("Ip.", "Icmp.") if family == 6 else ("Ip6.",)
    moved = {k: after[k] - mibs[k] for k in after if not k.startswith(other)}
    return w.events, moved, {k: own[k] - stats[k] for k in own}


def same_time(a, b):
    return abs(a - b) <= 0.15 + 0.1 * max(a, b)


def same_text(a, b):
    if a == b:
        return True
    # accepted rtt=...: the clock's, to a fifth or 20 ms
    (la, _, va), (lb, _, vb) = a.partition("="), b.partition("=")
    if la != lb or la.split(" ")[-1] not in TIMED:
        return False
    va, vb = int(va), int(vb)
    scale = 1 if la.endswith(("rtt", "rttvar")) else 1000
    return abs(va - vb) <= max(va, vb) / 5 + 20000 / scale


def compare(native, ours):
    """Lines of difference, native first."""
    out = []
    for i in range(max(len(native), len(ours))):
        a = native[i] if i < len(native) else None
        b = ours[i] if i < len(ours) else None
        if a and b and same_text(a[1], b[1]) and same_time(a[0], b[0]):
            continue
        out.append("native   %s" % ("%.3f %s" % a if a else "-"))
        out.append("halfopen %s" % ("%.3f %s" % b if b else "-"))
    return "\n".join(out)


def compare_mibs(native, ours):
    return "".join("\n%s: native %+d, halfopen %+d" % (k, native[k], ours[k])
                   for k in native if native[k] != ours[k])


def main(srv_name, wanted):
    srv = Namespace(srv_name)
    tap = seg.Tap()
    seg.time.sleep(5)       # until both ends have announced themselves
    for fn, rows, families, native_only in SCENARIOS:
        for family in families:
            name = "%s ipv%d (%s)" % (fn.__name__, family, rows)
            if wanted and fn.__name__ not in wanted:
                continue
            native, mibs, stats = run(fn, srv, family, 0)
            if stats["syn_taken"]:
                tap.check(name, False, "mode 0 took a SYN")
                continue
            ours, our_mibs, stats = run(fn, srv, family, 1)
            text = compare(native, ours) + compare_mibs(mibs, our_mibs)
            if not native and not any(mibs.values()):
                text = "nothing was seen: the scenario shows nothing"
            if bool(stats["syn_taken"]) == native_only:
                text += "\nSYNs taken: %d; declined: %s" % (
                    stats["syn_taken"],
                    {k: v for k, v in stats.items() if v and "decl" in k})
            tap.check(name, not text, text)
    print("1..%d" % tap.count)
    return tap.failed


if __name__ == "__main__":
    # scenarios register themselves with the module of this name
    sys.modules["differential"] = sys.modules["__main__"]
    for module in sys.argv[2].split(","):
        __import__(module)
    sys.exit(bool(main(sys.argv[1], sys.argv[3:])))
