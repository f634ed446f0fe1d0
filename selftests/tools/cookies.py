# SPDX-License-Identifier: GPL-2.0
"""SYN cookies: what a connection keeps of its SYN, and which ACK is believed.

    cookies.py SERVER_NAMESPACE

Every SYN is answered statelessly (max_backlog is 0), devices have MTU, and the
stack's own cookies are off: whoever connects here does so by halfopen's.
"""

import collections
import itertools
import socket
import sys
import time

from differential import Namespace, World, read, socket_state, write
from seg import (ACK, CWR, ECE, FIN, LINUX, LINUX_OPTS, MSS, NOP, PEER, PSH,
                 SACK_PERM, SYN, TS, WSCALE, Tap, add)

MTU = 9216                      # so that each step below shows in TCP_INFO
HEADERS = {4: 40, 6: 60}
STEPS = {4: (48, 536, 1220, 1360, 1400, 1440, 1460, 8960),
         6: (48, 536, 1220, 1340, 1380, 1420, 1440, 8940)}
NO_MSS = {4: 536, 6: 1220}      # what the stack assumes
RESIDUAL_MAX = 8191             # what fits into a timestamp
SCALES = (None, *range(15))
WITHOUT_TS = MSS(1460) + NOP + WSCALE(7) + NOP + NOP + SACK_PERM

PORT = 1080
OTHER_PORT = 1090
QUIET = {4: 1081, 6: 1083}      # no SYN before their test says so
OPT_TS, OPT_SACK, OPT_WSCALE, OPT_ECN = 1, 2, 4, 8     # tcpi_options
ECN_SYN = SYN | ECE | CWR

KEY = "00112233445566778899aabbccddeeff"
OTHER_KEY = "ffeeddccbbaa99887766554433221100"
KNOB = "/proc/sys/net/halfopen/"

TESTS = []


def test(fn):
    TESTS.append(fn)
    return fn


Case = collections.namedtuple("Case", "mss wscale sack ts ecn",
                              defaults=(1460, 7, True, False, False))


def syn_options(c):
    opts = b"" if c.mss is None else MSS(c.mss)
    opts += SACK_PERM if c.sack else b""
    opts += TS(1000) if c.ts else b""
    return opts + (b"" if c.wscale is None else NOP + WSCALE(c.wscale))


def wanted(family, c, echo):
    """What must be in the SYN-ACK and in the accepted socket.

    echo: the client's timestamps bring back what we said in ours.
    """
    mss = c.mss or NO_MSS[family]
    step = max([s for s in STEPS[family] if s <= mss] or STEPS[family][:1])
    if not echo:
        mss = step
    mss = min(mss, step + RESIDUAL_MAX, MTU - HEADERS[family])
    ecn = c.ecn and echo
    return {
        "synack": (c.wscale is not None, c.sack, c.ts, ecn),
        "options": c.ts * OPT_TS | c.sack * OPT_SACK | ecn * OPT_ECN |
                   (c.wscale is not None) * OPT_WSCALE,
        "snd_wscale": c.wscale or 0,
        "snd_mss": max(mss, STEPS[family][0]) - 12 * c.ts,
        "retrans": 0,
    }


def seen(synack, info):
    return {
        "synack": (synack.wscale is not None, synack.sack_ok,
                   synack.ts is not None, bool(synack.flags & ECE)),
        "options": info["options"] & 15,
        "snd_wscale": info["wscales"] & 15,
        "snd_mss": info["snd_mss"],
        "retrans": info["total_retrans"],
    }


class Server(World):
    """The server, its listeners, and what it counted."""

    def __init__(self, srv, family, tap):
        super().__init__(srv, family, 1)
        self.tap = tap
        self.port = PORT
        self.listener = self.listen()

    def listen_at(self, port):
        self.port = port
        try:
            return self.listen()
        finally:
            self.port = PORT

    def check(self, what, ok, why=""):
        self.tap.check("ipv%d_%s" % (self.family, what), ok, why)

    def equal(self, what, got, want):
        self.check(what, got == want, "got %r, want %r" % (got, want))

    def knob(self, name, value):
        self.srv(write, KNOB + name, value)

    def counters(self):
        """Of cookies: halfopen's own and the kernel's."""
        rows = self.srv(read, "/proc/thread-self/net/stat/halfopen_overload")
        names, *rows = [row.split() for row in rows.splitlines()]
        out = collections.Counter()
        for row in rows:
            for name, value in zip(names, row):
                if name.startswith("cookie_"):
                    out[name] += int(value, 16)
        lines = self.srv(read, "/proc/thread-self/net/netstat").splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            for name, value in zip(names.split(), values.split()):
                if name.startswith("Syncookies"):
                    out[name] = int(value)
        return out

    def answered(self, opts=LINUX, flags=SYN, **kw):
        """A peer that has its SYN-ACK."""
        p = self.peer(**kw)
        p.syn(opts=opts, flags=flags)
        p.expect_synack()
        return p

    def accepted(self, listener=None, seconds=1.0):
        listener = listener or self.listener
        listener.settimeout(seconds)
        s, _ = listener.accept()
        s.settimeout(1.0)
        self.sockets.append(s)
        return s

    def connected(self, opts=LINUX, flags=SYN, wait=0):
        """A peer and the accepted socket."""
        p = self.answered(opts, flags)
        time.sleep(wait)
        p.tsval += int(wait * 1000)
        p.ack()
        return p, self.accepted()

    def hang_up(self, p, s):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     b"\1\0\0\0\0\0\0\0")
        s.close()
        p.close()
        self.sockets.remove(s)
        self.peers.remove(p)

    def verdict(self, p, listener=None, **kw):
        """What became of an ACK, and which counters moved."""
        before = self.counters()
        p.ack(**kw)
        answer = p.recv(0.2)
        moved = dict(self.counters() - before)
        try:
            self.accepted(listener, 0.01)
            return "accepted", moved
        except (socket.timeout, TimeoutError):
            pass
        if answer is None:
            return "silence", moved
        # as the stack resets what belongs to nobody: RFC 9293 3.10.7.1
        exact = answer.seq == kw.get("ack", p.rcv_nxt) and \
            not answer.flags & ACK
        return "reset" if answer.is_rst() and exact else str(answer), moved

    def believed(self, what, p):
        self.equal(what, self.verdict(p), ("accepted", {
            "cookie_checked": 1, "cookie_accepted": 1, "SyncookiesRecv": 1}))

    def refused(self, what, p, **kw):
        self.equal(what, self.verdict(p, **kw), ("reset", {
            "cookie_checked": 1, "cookie_failed": 1, "SyncookiesFailed": 1}))

    def not_checked(self, what, p, **kw):
        self.equal(what, self.verdict(p, **kw), ("reset", {}))

    def posing_as(self, p, **kw):
        """Another peer with what this one knows."""
        kw = {"src": p.src, "sport": p.sport, "dport": p.dport, **kw}
        other = self.peer(**kw)
        for name in ("isn", "seq", "rcv_nxt", "ts_recent", "tsval"):
            setattr(other, name, getattr(p, name))
        return other


def transfer(p, s):
    """Data in both directions; returns the server's segment."""
    p.data(b"ping")
    got = s.recv(100)
    if got != b"ping":
        raise AssertionError("the server read %r" % got)
    s.send(b"pong")
    while True:
        answer = p.recv(1.0)
        if answer is None or answer.data not in (b"", b"pong"):
            raise AssertionError("no pong but %s" % answer)
        if answer.data:
            p.ack()
            return answer


def handshakes(w, what, cases, offset=True):
    """Each of them; one result for all, with the first that are wrong.

    offset: our timestamps have one.
    """
    cases = list(cases)
    before = w.counters()
    wrong = []
    for c in cases:
        want = wanted(w.family, c, c.ts and offset)
        try:
            p, s = w.connected(syn_options(c), ECN_SYN if c.ecn else SYN)
            got = seen(p.synack, dict(socket_state(s)))
            transfer(p, s)
        except (AssertionError, OSError) as e:
            wrong.append("%s: %r" % (c, e))
            continue
        w.hang_up(p, s)
        if got != want:
            wrong.append("%s: got %s, want %s" % (c, got, want))
    w.check(what, not wrong, "%d of %d\n%s" % (
        len(wrong), len(cases), "\n".join(wrong[:8])))
    n = len(cases)
    w.equal(what + "_and_is_counted", dict(w.counters() - before), {
        "cookie_sent": n, "cookie_backlog": n, "cookie_checked": n,
        "cookie_accepted": n, "SyncookiesSent": n, "SyncookiesRecv": n})


# --- what a connection keeps -------------------------------------------------------

# Around every step, the default, and what is out of bounds.
def announced(family):
    return sorted({mss for step in STEPS[family]
                   for mss in (step - 1, step, step + 1)} |
                  {1, 1300, 1452, 9000, 9216, 65535}) + [None]


@test
def every_scale_sack_and_mss_step_without_timestamps(w):
    """All 2^8 values of a cookie's data."""
    handshakes(w, "every_scale_sack_and_mss_step_survives_in_the_isn",
               (Case(*c) for c in itertools.product(
                   STEPS[w.family], SCALES, (False, True))))


@test
def mss_without_timestamps(w):
    handshakes(w, "mss_is_rounded_down_to_a_step_without_timestamps",
               (Case(mss) for mss in announced(w.family)))


@test
def mss_with_timestamps(w):
    handshakes(w, "mss_is_exact_with_timestamps",
               (Case(mss, ts=True) for mss in announced(w.family)))


@test
def ecn(w):
    handshakes(w, "ecn_survives_beside_any_mss_and_scale_with_timestamps",
               (Case(mss, wscale, sack, True, True)
                for mss, wscale, sack in itertools.product(
                    (None, 536, 1300, 1460, 9000), (None, 0, 14),
                    (False, True))))
    handshakes(w, "ecn_is_not_agreed_on_without_timestamps",
               (Case(mss, ecn=True) for mss in (None, 1300, 1460)))


@test
def timestamps_without_an_offset(w):
    """tcp_timestamps=2: the bare clock says nothing about the SYN."""
    w.sysctl("ipv4/tcp_timestamps", 2)
    handshakes(w, "timestamps_without_an_offset_say_nothing",
               (Case(mss, ts=True, ecn=ecn) for mss, ecn in itertools.product(
                   (None, 1300, 1460), (False, True))), offset=False)


@test
def data_comes_with_the_ack(w):
    for what, opts in (("with", LINUX), ("without", WITHOUT_TS)):
        p = w.answered(opts)
        p.data(b"first ")
        s = w.accepted()
        p.data(b"second")
        w.equal("data_on_the_first_segment_arrives_%s_timestamps" % what,
                s.recv(100), b"first second")
    p = w.answered()
    p.data(b"all", flags=FIN | PSH | ACK)
    s = w.accepted()
    w.equal("fin_on_the_first_segment_arrives",
            (s.recv(100), s.recv(100)), (b"all", b""))


def one_clock(w, what, p, answer):
    ticks = answer.ts[0] - p.synack.ts[0] & 0xFFFFFFFF
    ms = (answer.time - p.synack.time) * 1000
    w.check(what, abs(ticks - ms) < 5, "%d in %d ms" % (ticks, ms))


@test
def round_trip_and_clock(w):
    wait = 0.1
    for what, opts in (("with", LINUX), ("without", WITHOUT_TS)):
        p, s = w.connected(opts, wait=wait)
        info = dict(socket_state(s))
        # nobody remembers when the SYN-ACK left, unless its echo tells
        w.check("handshake_rtt_is_measured_or_unknown_%s_timestamps" % what,
                info["rtt"] == 0 or 95000 <= info["rtt"] <= 130000,
                "rtt %d us" % info["rtt"])
        # 3 s without a measurement: RFC 6298 5.7
        w.check("rto_is_sane_%s_timestamps" % what, 200000 <= info["rto"] <=
                (400000 if info["rtt"] else 3000000), "%d us" % info["rto"])
        s.send(b"hello")
        answer = p.recv(1.0)
        time.sleep(wait)
        p.ack()
        rtt = dict(socket_state(s))["rtt"]
        w.check("rtt_is_measured_%s_timestamps" % what,
                95000 <= rtt <= 130000, "rtt %d us" % rtt)
        if what == "with":
            one_clock(w, "timestamps_go_on_from_the_synack", p, answer)
            w.equal("echo_is_that_of_the_ack", answer.ts[1], p.tsval)


# --- what is sent --------------------------------------------------------------------

@test
def nothing_stays_behind(w):
    p = w.peer()
    before = w.counters()
    p.syn()
    synacks = [s for s in p.collect(8) if s.is_synack()]
    w.equal("synack_is_not_repeated", len(synacks), 1)
    w.equal("there_is_no_entry",
            w.srv(read, "/proc/thread-self/net/halfopen"), "")
    w.equal("synack_is_counted", dict(w.counters() - before), {
        "cookie_sent": 1, "cookie_backlog": 1, "SyncookiesSent": 1})


@test
def repeated_syn(w):
    at_minute(w, 0)
    for what, opts in (("with", LINUX), ("without", WITHOUT_TS)):
        p = w.answered(opts)
        first = p.synack
        time.sleep(1)
        p.syn(opts=opts)
        second = p.expect_synack()
        w.equal("repeated_syn_gets_the_same_isn_%s_timestamps" % what,
                second.seq, first.seq)
        p.syn(opts=opts, seq=add(p.isn, 100000))
        third = p.expect_synack()
        w.check("another_syn_gets_another_isn_%s_timestamps" % what,
                third.seq != first.seq)
        w.believed("which_counts_as_well_%s_timestamps" % what, p)


# --- which ACK is believed ------------------------------------------------------------

_next_minute = itertools.count(29000000, 10)


def at_minute(w, n):
    """Minute n of a new stretch of the wall clock, the period of a set key."""
    if n == 0:
        at_minute.base = next(_next_minute)
        w.knob("cookie_key", KEY)
    time.clock_settime(time.CLOCK_REALTIME, (at_minute.base + n) * 60 + 1)


@test
def stolen_cookie(w):
    other = w.listen_at(OTHER_PORT)
    at_minute(w, 0)
    p = w.answered()
    w.answered(dport=OTHER_PORT)
    w.refused("cookie_of_another_port_is_refused",
              w.posing_as(p, dport=OTHER_PORT), listener=other)
    w.refused("cookie_of_another_source_port_is_refused",
              w.posing_as(p, sport=p.sport + 10000))
    src = PEER[w.family]
    w.refused("cookie_of_another_source_is_refused",
              w.posing_as(p, src=src[:-1] + "8"))
    w.refused("cookie_with_another_client_isn_is_refused", p,
              seq=add(p.seq, 1))
    w.refused("cookie_off_by_a_bit_of_its_mac_is_refused", p,
              ack=p.rcv_nxt ^ 1 << 20)
    w.believed("cookie_is_believed_where_it_belongs", p)


@test
def age_by_wall_clock(w):
    for what, opts in (("with", LINUX), ("without", WITHOUT_TS)):
        at_minute(w, 0)
        young, old = w.answered(opts), w.answered(opts)
        at_minute(w, 1)
        w.believed("cookie_counts_in_the_next_minute_%s_timestamps" % what,
                   young)
        at_minute(w, 2)
        w.refused("cookie_is_refused_two_minutes_later_%s_timestamps" % what,
                  old)


@test
def age_by_uptime(w):
    for what, opts in (("with", LINUX), ("without", WITHOUT_TS)):
        young, old = w.answered(opts), w.answered(opts)
        time.sleep(60)
        w.believed("random_key_counts_after_60_s_%s_timestamps" % what, young)
        w.answered()            # the port still needs cookies
        time.sleep(60.1)
        w.refused("random_key_does_not_after_120_s_%s_timestamps" % what, old)


@test
def key_changes(w):
    at_minute(w, 0)
    p, q, r, t = (w.answered(LINUX_OPTS(mss=1300)) for _ in range(4))
    w.knob("cookie_key", OTHER_KEY + " " + KEY)
    w.believed("cookie_of_the_previous_key_is_believed", p)
    t.ack()
    s = w.accepted()
    w.equal("mss_is_exact_under_the_previous_key",
            dict(socket_state(s))["snd_mss"], 1288)
    one_clock(w, "timestamps_go_on_under_another_key", t, transfer(t, s))
    w.knob("cookie_key", OTHER_KEY)
    w.refused("cookie_of_a_forgotten_key_is_refused", q)
    w.knob("cookie_key", KEY)
    w.believed("cookie_is_believed_when_its_key_is_back", q)
    w.knob("cookie_key", "auto")
    w.refused("cookie_of_a_set_key_is_refused_after_auto", r)


@test
def where_no_cookies_were_needed(w):
    """CVE-2001-0851: the way in through one port is none into another."""
    quiet = QUIET[w.family]
    listener = w.listen_at(quiet)
    stray = w.peer(dport=quiet)
    stray.rcv_nxt = 0x12345678
    w.not_checked("stray_ack_on_a_quiet_port_is_not_checked", stray,
                  listener=listener)
    p = w.answered()
    w.not_checked("cookie_of_another_port_is_not_checked_on_a_quiet_one",
                  w.posing_as(p, dport=quiet), listener=listener)
    w.believed("while_it_is_believed_on_its_own", p)
    w.answered(dport=quiet)
    w.refused("stray_ack_is_checked_once_cookies_were_needed", stray,
              listener=listener)

    quiet += 1
    listener = w.listen_at(quiet)
    stray = w.peer(dport=quiet)
    stray.rcv_nxt = 0x12345678
    w.knob("cookie_key", KEY)
    w.refused("set_key_makes_every_port_check", stray, listener=listener)
    w.knob("cookie_key", "auto")
    w.not_checked("random_key_does_not", stray, listener=listener)


@test
def gate_closes(w):
    p = w.answered()
    p.rcv_nxt = add(p.rcv_nxt, 1 << 20)
    time.sleep(110)
    w.refused("port_checks_110_s_after_its_last_cookie", p)
    time.sleep(11)
    w.not_checked("port_checks_no_more_121_s_after_its_last_cookie", p)
    w.answered()
    w.refused("port_checks_again_after_the_next_cookie", p)


def main(srv_name):
    srv = Namespace(srv_name)
    tap = Tap()
    for family in (4, 6):
        for fn in TESTS:
            w = Server(srv, family, tap)
            try:
                fn(w)
            except (AssertionError, OSError) as e:
                w.check(fn.__name__ + "_ends_early", False, repr(e))
            w.knob("cookie_key", "auto")
            w.close()
    print("1..%d" % tap.count)
    return tap.failed


sys.exit(main(sys.argv[1]) != 0)
