# SPDX-License-Identifier: GPL-2.0
"""The same packets twice: answered natively, then by halfopen.

A scenario is a function of a World.  It sends segments, and everything that can be
seen from outside goes into a transcript: each frame of the server byte by byte
(wire.py), when it came, what accept() returned with its TCP_INFO and socket options,
edges of epoll and queues of the listeners, and by how much the kernel's counters moved.
The scenario runs once with net.halfopen.mode=0 and once with 1, and the two transcripts
must be equal, times to a tenth.

    @scenario("P-17")
    def exact_rst_is_silent(w):
        p = w.handshake_to_synack()
        p.rst(seq=p.seq)
        w.watch(p, 0.3)

Times count from the last thing that happened before: a segment to the server, or a
note.
"""

import collections
import ctypes
import gc
import itertools
import os
import select
import socket
import struct
import subprocess
import sys

import seg
import wire
from nft import Nft

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)

# All counters of /proc/net/snmp, netstat and snmp6 must move as they do natively,
# but for these.
UNSTABLE = {
    # for two minutes after jiffies wrap, five minutes after boot, a listener that
    # never overflowed takes a stray ACK for a cookie
    "TcpExt.SyncookiesFailed",
}

# struct tcp_info: name -> (offset, format).  What a clock alone decides is compared
# with the tolerance of times, in units per second (TIMED).  Not pacing_rate and
# delivery_rate: a quotient of cwnd and rtt, which are here.
TCP_INFO = {
    "state": (0, "B"), "ca_state": (1, "B"), "retransmits": (2, "B"),
    "probes": (3, "B"), "backoff": (4, "B"), "options": (5, "B"),
    "wscales": (6, "B"), "app_limited": (7, "B"), "rto": (8, "I"),
    "ato": (12, "I"),
    "snd_mss": (16, "I"), "rcv_mss": (20, "I"), "unacked": (24, "I"),
    "sacked": (28, "I"), "lost": (32, "I"), "retrans": (36, "I"),
    "last_data_sent": (44, "I"), "last_data_recv": (52, "I"),
    "last_ack_recv": (56, "I"), "pmtu": (60, "I"), "rcv_ssthresh": (64, "I"),
    "rtt": (68, "I"),
    "rttvar": (72, "I"), "snd_ssthresh": (76, "I"), "snd_cwnd": (80, "I"),
    "advmss": (84, "I"), "reordering": (88, "I"), "rcv_rtt": (92, "I"),
    "rcv_space": (96, "I"), "total_retrans": (100, "I"),
    "max_pacing_rate": (112, "Q"), "bytes_acked": (120, "Q"),
    "bytes_received": (128, "Q"), "segs_out": (136, "I"), "segs_in": (140, "I"),
    "notsent_bytes": (144, "I"), "min_rtt": (148, "I"),
    "data_segs_in": (152, "I"), "data_segs_out": (156, "I"),
    "busy_time": (168, "Q"), "rwnd_limited": (176, "Q"),
    "sndbuf_limited": (184, "Q"), "delivered": (192, "I"),
    "delivered_ce": (196, "I"), "bytes_sent": (200, "Q"),
    "bytes_retrans": (208, "Q"), "dsack_dups": (216, "I"),
    "reord_seen": (220, "I"), "rcv_ooopack": (224, "I"),
    "snd_wnd": (228, "I"), "rcv_wnd": (232, "I"), "rehash": (236, "I"),
    "total_rto": (240, "H"), "total_rto_recoveries": (242, "H"),
    "total_rto_time": (244, "I"),
}
TIMED = {
    "rto": 1e6, "ato": 1e6, "rtt": 1e6, "rttvar": 1e6, "min_rtt": 1e6,
    "rcv_rtt": 1e6, "last_data_sent": 1e3, "last_data_recv": 1e3,
    "last_ack_recv": 1e3, "busy_time": 1e6, "rwnd_limited": 1e6,
    "sndbuf_limited": 1e6, "total_rto_time": 1e3,
}
# Two runs differ by a tick (HZ=250): a timer waits for it, a soft interrupt may.
# Without one it is 0.15 ms at most, under the clock that counts instructions.  Long
# times differ by the slack of the timer wheel, which is an eighth; a kernel with slower
# ticks (debug-init.sh) has that of each of two waits in one.  A handover takes a kernel
# that looks for mistakes a millisecond.
SLOW = int(os.environ.get("HO_SLOW", "1"))
NOISE = 0.005 * SLOW
SLACK = float(os.environ.get("HO_SLACK", "0.1"))

SO_MEMINFO = 55
MEMINFO = ("rmem_alloc", "rcvbuf", "wmem_alloc", "sndbuf", "fwd_alloc",
           "wmem_queued", "optmem", "backlog")

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


class Scenario:
    def __init__(self, fn, rows, families, native, differs):
        self.fn = fn
        self.rows = rows
        self.families = families
        self.native = native
        self.differs = differs

    def title(self, family):
        return "%s ipv%d (%s%s)" % (self.fn.__name__, family, self.rows,
                                    " differs" if self.differs else "")


def scenario(rows, families=(4, 6), native=False, differs=False):
    """rows: of rows.txt.  native: halfopen must not take these SYNs.  differs: the
    transcripts must not be equal, and README.md says why."""
    def add(fn):
        SCENARIOS.append(Scenario(fn, rows, families, native, differs))
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


MIBS = ("snmp", "netstat", "snmp6")
STATS = ("stat/halfopen", "stat/halfopen_declined", "stat/halfopen_overload")


def read_all(names):
    """The text of these files of /proc/net: most scenarios move few counters, so
    what did not change is not even parsed."""
    return [read("/proc/thread-self/net/" + name) for name in names]


def pairs_of(name, text):
    """(counter, value) of a file of MIBS."""
    lines = text.splitlines()
    if name == "snmp6":
        for line in lines:
            counter, value = line.split()
            yield "Ip6." + counter, int(value)
        return
    for names, values in zip(lines[::2], lines[1::2]):
        prefix, *counters = names.split()
        for counter, value in zip(counters, values.split()[1:]):
            yield "%s.%s" % (prefix[:-1], counter), int(value)


def changed_lines(name, before, after):
    """Both texts without lines that are the same in both; a line of counters goes
    with the one that names them."""
    step = 1 if name == "snmp6" else 2
    a, b = before.splitlines(True), after.splitlines(True)
    if len(a) != len(b):
        return before, after
    differ = [i for i in range(step - 1, len(a), step)
              if a[i] != b[i] or a[i - step + 1] != b[i - step + 1]]
    return ["".join("".join(text[i - step + 1:i + 1]) for i in differ)
            for text in (a, b)]


def moved_mibs(before, after):
    """{counter: by how much}, those that moved."""
    out = {}
    for name, a, b in zip(MIBS, before, after):
        if a == b:
            continue
        a, b = changed_lines(name, a, b)
        old = dict(pairs_of(name, a))
        out.update((k, v - old.get(k, 0)) for k, v in pairs_of(name, b)
                   if v != old.get(k, 0) and k not in UNSTABLE)
    return out


def sum_of_cpus(text):
    out = {}
    rows = text.splitlines()
    for row in rows[1:]:
        for column, value in zip(rows[0].split(), row.split()):
            out[column] = out.get(column, 0) + int(value, 16)
    return out


def moved_stats(before, after):
    """The same of halfopen's own counters."""
    out = collections.Counter()
    for a, b in zip(before, after):
        if a != b:
            old = sum_of_cpus(a)
            out.update({k: v - old[k] for k, v in sum_of_cpus(b).items()
                        if v != old[k]})
    return out


class World:
    """Two namespaces, and what happened in them."""

    def __init__(self, srv, family, mode):
        self.srv = srv
        self.mode = mode
        self.family = family
        self.start = seg.time.monotonic()
        self.notes = []
        self.sockets = []
        self.listeners = []     # (socket, its epoll)
        self.peers = []
        self.wires = None
        self.anonymous = False  # which peer it is does not matter
        self.quiet = False      # the frames do not matter, the notes do
        self.undo = []
        self.rules = None       # see nft()
        self.port = 80

    def record(self):
        """From now on every frame counts."""
        self.wires = {"cli0": wire.Wire("cli0")}

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

    def nft(self, text, undo=""):
        """The same of nftables' commands."""
        if self.rules is None:
            self.rules = self.srv(Nft)
            self.undo.append(self.rules.close)
        if undo:
            self.undo.append(lambda: self.nft(undo))
        self.srv(self.rules, text)

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
        # not a second: that is when a SYN-ACK is sent again
        s.settimeout(0.9)
        return s

    def listen(self, opts=(), backlog=128, family=None):
        s = self.srv(self._socket, family or self.family, opts, backlog)
        self.sockets.append(s)
        edge = select.epoll()
        edge.register(s, select.EPOLLIN | select.EPOLLET)
        self.listeners.append((s, edge))
        return s

    def peer(self, **kw):
        kw.setdefault("dport", self.port)
        ifname = kw.get("ifname", "cli0")
        if self.wires is not None and ifname not in self.wires:
            self.wires[ifname] = wire.Wire(ifname)
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

    def note(self, text, timed=None):
        """timed: {name: seconds}, compared as times are."""
        self.notes.append((seg.time.monotonic(), text, timed or {}))

    def note_first(self, text):
        """The next frame is later: where computing takes no time it would be as
        old."""
        self.note(text)
        seg.time.sleep(0.001)

    def watch(self, p, seconds, first=False):
        """Wait that long, or for one segment.  It is noted anyway."""
        end = seg.time.monotonic() + seconds
        while p.recv(max(end - seg.time.monotonic(), 0)) and not first:
            pass
        self.edges()

    def edges(self):
        """Which listeners woke somebody up since the last look."""
        for i, (s, edge) in enumerate(self.listeners):
            if s.fileno() >= 0 and edge.poll(0):
                self.note_first("listener %d is ready" % i)

    def queues(self):
        """What "ss -lm" shows of the listeners."""
        for i, (s, _) in enumerate(self.listeners):
            if s.fileno() < 0:
                continue
            info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
            self.note("listener %d: queue %d of %d, %s" % (
                i, *struct.unpack_from("II", info, 24), meminfo(s)))

    def name(self, addr):
        for i, p in enumerate(self.peers):
            text = p.src if ":" in p.src or ":" not in addr[0] else \
                "::ffff:" + p.src
            if (text, p.sport) == (addr[0].partition("%")[0], addr[1]):
                return "peer %d, %s%s" % (i, addr[0], addr[2:] or "")
        return addr[0]

    def accept(self, listener=None, what="accepted", state=True):
        listener = listener or self.sockets[0]
        try:
            s, addr = listener.accept()
        except (socket.timeout, TimeoutError):
            self.note(what + ": nothing")
            self.edges()
            return None
        self.sockets.append(s)
        self.note("%s from %s" % (what, self.name(addr)))
        if not state:
            return s
        exact, timed = [meminfo(s)], {}
        for name, value in socket_state(s):
            if name in TIMED:
                timed[name] = value / TIMED[name]
            else:
                exact.append("%s=%s" % (name, value))
        self.note("%s %s" % (what, " ".join(exact)), timed)
        self.edges()
        return s

    def transcript(self):
        """Two lists of (seconds since what was before, text, timed values): the
        server's frames, and the notes.  Frames to the server are numbered, and each
        line begins with the number of the last one.  Between two of them the peers
        are sorted: timers that are due at the same time have no order."""
        frames = []
        for w in self.wires.values():
            frames += wire.lines(self.peers, w.frames())
        if self.quiet:
            frames = [frame for frame in frames if frame[2] is None]
        events = [(when, 0, who, text, {}) for when, who, text in frames] + \
            [(when, 1, "", text, timed) for when, text, timed in self.notes]
        out = [], []
        before = [self.start, self.start]
        count = 0
        for when, kind, who, text, timed in sorted(events, key=lambda e: e[0]):
            if text is None:
                count += 1
                before = [when, when]
                continue
            if who:
                text = "%s: %s" % ("a peer" if self.anonymous else who, text)
            key = count, "" if self.anonymous else who
            out[kind].append((key, (when - before[kind], "%d> %s" % (
                count, text), timed)))
            if kind:
                before[1] = when
        out[0].sort(key=lambda e: e[0])
        return [[event for _, event in part] for part in out]

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
        for _, edge in self.listeners:
            edge.close()
        for w in (self.wires or {}).values():
            w.sock.close()
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


def meminfo(s):
    values = struct.unpack("8I", s.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 32))
    return " ".join("%s=%d" % pair for pair in zip(MEMINFO, values))


def run(fn, srv, family, mode):
    """One pass: (transcript, how the kernel's counters moved, how halfopen's did)."""
    srv(write, MODE, mode)
    w = World(srv, family, mode)
    w.record()
    mibs, stats = srv(read_all, MIBS), srv(read_all, STATS)
    try:
        fn(w)
    except Abandoned:
        pass
    except (OSError, subprocess.CalledProcessError, AssertionError) as e:
        w.note("failed: %r" % e)
    w.edges()
    w.queues()
    mibs = moved_mibs(mibs, srv(read_all, MIBS))
    stats = moved_stats(stats, srv(read_all, STATS))
    out = w.transcript()
    w.close()
    seg.time.sleep(0.02)
    return out, mibs, stats


def same_time(a, b):
    return abs(a - b) <= NOISE + SLACK * max(a, b)


def other_times(a, b):
    """Timed values of two events, where they are too far from each other."""
    return {k: v for k, v in a[2].items()
            if not b or not same_time(v, b[2].get(k, 0))}


def same(a, b):
    return a[1] == b[1] and same_time(a[0], b[0]) and not other_times(a, b)


def words(event, other):
    """An event, long ones without the words that the other has too."""
    if event is None:
        return "-"
    text = event[1].split(" ")
    if other and len(text) > 9:
        same_words = set(other[1].split(" ")) - set(text[:3])
        text = [word for word in text if word not in same_words]
    return " ".join(["%.6f" % event[0], *text] + [
        "%s=%.6f" % pair for pair in other_times(event, other).items()])


def compare(native, ours):
    """Lines of difference, native first."""
    out = []
    for a, b in itertools.zip_longest(native, ours):
        if not a or not b or not same(a, b):
            out += ["native   " + words(a, b), "halfopen " + words(b, a)]
    return out


def compare_mibs(native, ours):
    """A counter of an ICMP type exists from its first use on."""
    return ["%s: native %+d, halfopen %+d" % (
        k, native.get(k, 0), ours.get(k, 0)) for k in sorted({*native, *ours})
        if native.get(k, 0) != ours.get(k, 0)]


def only_late(native, ours):
    """Nothing differs but times."""
    return all([e[1] for e in a] == [e[1] for e in b]
               for a, b in zip(native, ours))


def both(s, srv, family):
    """Both passes: (wrong at once, differences)."""
    native, mibs, stats = run(s.fn, srv, family, 0)
    if stats["syn_taken"] + stats["cookie_sent"]:
        return "mode 0 took a SYN", []
    ours, our_mibs, stats = run(s.fn, srv, family, 1)
    failed = [text for _, text, _ in native[1] + ours[1] if "> failed:" in text]
    if failed:
        return "\n".join(failed), []
    if not mibs:
        return "nothing was seen: the scenario shows nothing", []
    diff = compare(native[0], ours[0]) + compare(native[1], ours[1])
    moved = compare_mibs(mibs, our_mibs)
    if diff and not moved and only_late(native, ours):
        return None, diff
    taken = stats["syn_taken"] + stats["cookie_sent"]
    if bool(taken) == s.native and not s.differs:
        moved.append("SYNs taken: %d; declined: %s" % (
            taken, {k: v for k, v in stats.items() if v and "decl" in k}))
    return "", diff + moved


def verdict(s, srv, family):
    """What is wrong, "" if nothing is.  Where only times differ, something else may
    have had the CPU, or the timer wheel has rounded up by an eighth: again."""
    for _ in range(3):
        wrong, diff = both(s, srv, family)
        if wrong is not None:
            break
    if wrong:
        return wrong
    if s.differs:
        return "" if diff else "nothing differs"
    return "\n".join(diff)


def stable_verdict(s, srv, family):
    """What is wrong twice.  A difference that does not come again is shown, as what a
    machine does beside the test is in no transcript."""
    text = verdict(s, srv, family)
    if not text:
        return text
    again = verdict(s, srv, family)
    if not again:
        print("# once: %s: %s" % (s.title(family), text.replace("\n", "; ")))
    return again


def main(srv_name, wanted):
    gc.disable()            # a collection takes as long as a round trip
    srv = Namespace(srv_name)
    tap = seg.Tap()
    seg.time.sleep(5)       # until both ends have announced themselves
    for s in SCENARIOS:
        if wanted and s.fn.__name__ not in wanted:
            continue
        for family in s.families:
            text = stable_verdict(s, srv, family)
            tap.check(s.title(family), not text, text)
    print("1..%d" % tap.count)
    return tap.failed


if __name__ == "__main__":
    # scenarios register themselves with the module of this name
    sys.modules["differential"] = sys.modules["__main__"]
    for module in sys.argv[2].split(","):
        __import__(module)
    sys.exit(bool(main(sys.argv[1], sys.argv[3:])))
