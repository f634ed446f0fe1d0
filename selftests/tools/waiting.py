# SPDX-License-Identifier: GPL-2.0
"""Complete connections that wait for room in the accept queue.

    waiting.py SERVER_NAMESPACE PART...

Peers never send anything twice, so whoever is served was not forgotten.  Time is
one clock for both ends: the listeners are sockets of this process.
"""

import collections
import itertools
import select
import socket
import subprocess
import sys
import time

from differential import SLOW, Namespace, World, read, socket_state, write
from seg import ACK, FIN, LINUX, PSH, Tap, add

BACKLOG = 4
ROOM = BACKLOG + 1              # the stack lets in one more
FULL_S = 2.0
LATE_S = 0.020 * SLOW           # from room in the queue to accept()
STALL_S = 0.100 * SLOW
SEGMENT = 1400
FLIGHT = 10                     # segments of an initial window, RFC 6928
TABLE = 40                      # entries, where it has to be full
DELAY_S = 0.1                   # of what a real client sends
PROC = "/proc/thread-self/net/"
SYN_RECV = "03"                 # in /proc/net/tcp

TESTS = {}


def test(fn):
    TESTS[fn.__name__] = fn
    return fn


# --- what a client says: all of it once, and returns the bytes ----------------------

def text(p, n):
    return (b"%05d " % p.sport * (n // 6 + 1))[:n]


def bare_ack(p):
    p.ack()
    return b""


def ack_then_data(p):
    p.ack()
    p.data(text(p, 100))
    return text(p, 100)


def data_with_the_ack(p):
    p.data(text(p, 100))
    return text(p, 100)


def two_segments(p):
    said = text(p, 1000)
    p.ack()
    p.data(said[:400])
    p.data(said[400:])
    return said


def first_flight(p):
    said = text(p, SEGMENT * FLIGHT)
    p.ack()
    for at in range(0, len(said), SEGMENT):
        p.data(said[at:at + SEGMENT])
    return said


def data_and_fin(p):
    p.ack()
    p.data(text(p, 100))
    p.fin()
    return text(p, 100)


def data_with_fin(p):
    p.data(text(p, 100), flags=FIN | PSH | ACK)
    p.seq = add(p.seq, 1)
    return text(p, 100)


def speak(peers):
    """Each in one of the ways; returns {port: bytes} and how many segments."""
    said, segments = {}, 0
    for p, way in zip(peers, itertools.cycle(WAYS)):
        before = len(p.sent)
        said[p.sport] = way(p)
        p.acked = p.sent[before][0]
        segments += len(p.sent) - before
    return said, segments


WAYS = (bare_ack, ack_then_data, data_with_the_ack, two_segments, first_flight,
        data_and_fin, data_with_fin)


# --- the server -----------------------------------------------------------------------

class Server(World):
    def __init__(self, srv, family, tap):
        super().__init__(srv, family, 1)
        self.tap = tap
        self.prefix = "ipv%d_" % family

    def check(self, what, ok, why=""):
        self.tap.check(self.prefix + what, ok, why)

    def equal(self, what, got, want):
        self.check(what, got == want, "got %r, want %r" % (got, want))

    def knob(self, name, value):
        """Restored after the test."""
        self.sysctl("halfopen/" + name, value)

    def counters(self):
        out = collections.Counter()
        for name in ("halfopen", "halfopen_overload"):
            rows = self.srv(read, PROC + "stat/" + name).splitlines()
            for row in rows[1:]:
                for column, value in zip(rows[0].split(), row.split()):
                    out[column] += int(value, 16)
        return out

    def entries(self):
        return self.srv(read, PROC + "halfopen").splitlines()

    def used(self, what):
        for line in self.srv(read, PROC + "halfopen_limits").splitlines():
            name, used, _ = line.split()
            if name == what:
                return int(used)
        raise AssertionError("no %s in halfopen_limits" % what)

    def _socket(self, family, opts, backlog):
        if not self.addr:
            return super()._socket(family, opts, backlog)
        s = socket.create_server((self.addr, self.port), backlog=backlog,
                                 family=socket.AF_INET if family == 4 else
                                 socket.AF_INET6)
        s.settimeout(1.0)
        return s

    def listen(self, backlog, addr=None):
        self.addr = addr
        return super().listen(backlog=backlog)

    def clients(self, n):
        """Each has its SYN-ACK."""
        out = [self.peer() for _ in range(n)]
        for p in out:
            p.syn()
        for p in out:
            p.expect_synack()
        return out

    def fill(self, n, listener=None):
        """A full accept queue and n clients that have their SYN-ACK."""
        self.listener = listener or self.listen(backlog=BACKLOG)
        out = self.clients(ROOM + n)
        for p in out[:ROOM]:
            p.ack()
        return out[:ROOM], out[ROOM:]

    def native_half_open(self):
        return sum(line.split()[3] == SYN_RECV for name in ("tcp", "tcp6")
                   for line in self.srv(read, PROC + name).splitlines()[1:])

    def until(self, what, fn, seconds=1.0):
        self.check(what, becomes(fn, seconds))

    def accept_all(self, n, listener=None):
        """[(socket, port, time)]: at once, as long as there are any."""
        listener = listener or self.listener
        out = []
        try:
            while len(out) < n:
                s, addr = listener.accept()
                out.append((s, addr[1], time.monotonic()))
        except (socket.timeout, TimeoutError):
            pass
        self.sockets += [s for s, _, _ in out]
        return out

    def leave(self):
        """The next test finds nothing of this one."""
        self.close()
        if not becomes(lambda: not self.entries() and
                       not self.used("waiting"), 1.0):
            self.check("all_is_clean_again", False, "\n".join(self.entries()))


def becomes(fn, seconds):
    end = time.monotonic() + seconds
    while not fn():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def everything(s):
    """What can be read from a socket now."""
    s.setblocking(False)
    out = b""
    try:
        while True:
            got = s.recv(65536)
            if not got:
                return out
            out += got
    except BlockingIOError:
        return out


def lateness(times):
    """Who came after ROOM others had to wait for one of them to leave."""
    return sorted(b - a for a, b in zip(times, times[ROOM:])) or [0.0]


def in_time(times):
    """In one of ten runs the guest stands still for some 30 ms, wherever it is:
    those of one look may be late by that."""
    late = lateness(times)
    return late[-min(len(late), ROOM + 1)] <= LATE_S and late[-1] <= STALL_S


def heard(peers):
    return [str(s) for p in peers for s in p.collect(0)]


def are_served(w, late, said):
    """The program accepts again."""
    got = w.accept_all(ROOM + len(late))
    w.equal("all_are_accepted_without_a_retransmission", len(got),
            ROOM + len(late))
    times = [when for _, _, when in got]
    print("# %sslowest of %d who wait: %.1f ms after room for him, "
          "the last one %.1f ms after the first accept()" % (
              w.prefix, len(late), lateness(times)[-1] * 1000,
              (times[-1] - times[0]) * 1000))
    w.check("each_within_20_ms_of_room",
            len(got) > 2 * ROOM and in_time(times), times)
    w.equal("in_the_order_in_which_they_came",
            [port for _, port, _ in got[ROOM:]], [p.sport for p in late])
    time.sleep(0.05)
    by_port = {port: s for s, port, _ in got}
    mine = [(p, by_port[p.sport]) for p in late if p.sport in by_port]
    heard_all = [p.sport for p, s in mine if everything(s) == said[p.sport]]
    w.equal("what_they_said_arrives_complete_and_in_order", heard_all,
            [p.sport for p in late])
    # from the SYN to the ACK: the SYN-ACK came a little later
    slow = [(info["rtt"], p.acked - p.sent[0][0]) for p, info in (
        (p, dict(socket_state(s))) for p, s in mine)
        if info["rtt"] > (p.acked - p.sent[0][0]) * 1e6 + 20000]
    w.check("their_rtt_is_without_the_wait", mine and not slow, slow)
    for _, s in mine:
        s.send(b"served")
    time.sleep(0.05)
    # who does not acknowledge may hear it twice
    answers = [b"".join(s.data for s in p.collect(0))[:6] for p in late]
    w.equal("they_hear_the_program", answers.count(b"served"), len(late))
    w.equal("nobody_waits_any_more", (w.used("waiting"), w.entries()), (0, []))


@test
def served(w):
    _, late = w.fill(3 * len(WAYS))
    before = w.counters()
    said, segments = speak(late)
    time.sleep(FULL_S)
    moved = w.counters() - before
    w.equal("they_hear_nothing_while_they_wait", heard(late), [])
    w.equal("nothing_waits_in_the_listener", w.native_half_open(), 0)
    w.equal("each_waits_in_its_entry_as_acked",
            [" acked" in line for line in w.entries()], [True] * len(late))
    w.equal("waiting_is_shown", w.used("waiting"), len(late))
    w.equal("acceptq_full_is_counted", moved["acceptq_full"], len(late))
    w.equal("each_segment_is_counted",
            (moved["waiting"], moved["waiting_cut"], moved["waiting_full"]),
            (segments, 0, 0))
    are_served(w, late, said)
    moved = w.counters() - before
    w.equal("each_is_counted_when_handed_over",
            (moved["waited"], moved["handover"]), (len(late), len(late)))


@test
def served_without_an_entry(w):
    """Of these only the ISN is left, until they have proven themselves."""
    w.knob("max_backlog", 0)
    _, late = w.fill(3 * len(WAYS))
    before = w.counters()
    said, _ = speak(late)
    time.sleep(FULL_S)
    w.equal("waiting_is_shown_without_room_for_entries", w.used("waiting"),
            len(late))
    are_served(w, late, said)
    w.equal("each_is_counted_without_room_for_entries",
            (w.counters() - before)["waited"], len(late))


@test
def served_beside_a_full_table(w):
    """Every entry is somebody else's, who had a timeout or is young."""
    w.knob("max_backlog", TABLE)
    for what, age_s in (("young", 0), ("old", 1.5)):
        w.listener = w.listener if age_s else w.listen(backlog=BACKLOG)
        others = w.clients(TABLE)
        _, late = w.fill(len(WAYS), w.listener)
        time.sleep(age_s)
        said, _ = speak(late)
        time.sleep(0.1)
        got = w.accept_all(ROOM + len(late))
        time.sleep(0.05)
        by_port = {port: everything(s) for s, port, _ in got}
        w.equal("all_are_served_beside_a_table_full_of_%s_entries" % what,
                [p.sport for p in late if by_port.get(p.sport) ==
                 said[p.sport]], [p.sport for p in late])
        for p in others:
            p.rst(seq=add(p.isn, 1))


@test
def real_client(w):
    """A socket of a kernel, which sends its first flight as it likes."""
    w.listener = w.listen(backlog=BACKLOG)
    subprocess.run(["tc", "qdisc", "add", "dev", "cli0", "root", "netem",
                    "delay", "%dms" % (DELAY_S * 1000)], check=True)
    try:
        others = w.clients(ROOM)
        c = socket.socket(socket.AF_INET if w.family == 4 else
                          socket.AF_INET6)
        w.sockets.append(c)
        c.setblocking(False)
        c.connect_ex((others[0].dst, w.port))
        time.sleep(DELAY_S / 2)
        for p in others:
            p.ack()             # is there between its SYN and its ACK
        c.settimeout(1.0)
        said = b"0123456789" * (SEGMENT * FLIGHT // 10)
        select.select([], [c], [], 1.0)
        c.sendall(said)
        time.sleep(DELAY_S + 0.03)
        w.equal("real_client_waits", w.used("waiting"), 1)
        got = w.accept_all(ROOM + 1)
        w.equal("and_is_accepted", len(got), ROOM + 1)
        time.sleep(0.02)
        w.equal("with_all_he_sent", everything(got[-1][0]) == said, True)
        time.sleep(2 * DELAY_S)
        w.equal("and_sends_nothing_again",
                dict(socket_state(c))["total_retrans"], 0)
    finally:
        subprocess.run(["tc", "qdisc", "del", "dev", "cli0", "root"])


@test
def reset_ends_it(w):
    _, late = w.fill(3)
    bare, data, stays = late
    for p in late:
        p.ack()
    data.data(b"hello")
    time.sleep(0.02)
    w.equal("three_wait", w.used("waiting"), 3)
    bare.rst()
    w.until("reset_of_a_waiting_client_ends_it",
            lambda: w.used("waiting") == 2 and len(w.entries()) == 2)
    # the window begins before the data, as natively: RFC 5961 asks back
    data.rst()
    challenge = data.recv(0.5)
    w.check("reset_after_data_is_asked_back",
            challenge and not challenge.is_rst(), challenge)
    data.rst(seq=challenge.ack)
    w.until("and_ends_it_then",
            lambda: w.used("waiting") == 1 and len(w.entries()) == 1)
    got = w.accept_all(ROOM + 1)
    w.equal("the_other_one_is_served", got[-1][1], stays.sport)
    w.equal("and_nobody_else", len(got), ROOM + 1)


@test
def abort_on_overflow(w):
    w.sysctl("ipv4/tcp_abort_on_overflow", 1)
    for what, entries in (("with", 1000), ("without", 0)):
        w.knob("max_backlog", entries)
        listener = w.listen(backlog=BACKLOG) if what == "with" else w.listener
        _, late = w.fill(2, listener)
        for p in late:
            p.ack()
        w.equal("abort_on_overflow_resets_%s_an_entry" % what,
                [str(s and s.flag_text) for s in (p.recv(0.5) for p in late)],
                ["R", "R"])
        w.equal("and_nobody_waits_%s_an_entry" % what,
                (w.used("waiting"), w.entries()), (0, []))
        w.accept_all(ROOM)


@test
def too_much_data(w):
    _, late = w.fill(1)
    p = late[0]
    p.ack()
    said = text(p, 40 * 1024)
    before = w.counters()
    for at in range(0, len(said), SEGMENT):
        p.data(said[at:at + SEGMENT])
    time.sleep(0.05)
    cut = (w.counters() - before)["waiting_cut"]
    w.check("more_than_32_kb_is_cut", 0 < cut < len(said) // SEGMENT, cut)
    s = w.accept_all(ROOM + 1)[-1][0]
    time.sleep(0.05)
    got = everything(s)
    w.check("a_first_flight_is_not", len(got) >= SEGMENT * FLIGHT, len(got))
    w.check("what_arrives_is_the_beginning", got and said.startswith(got),
            len(got))
    acks = [x.ack for x in p.collect(0)]
    w.check("and_acknowledged",
            acks and (acks[-1] - p.isn - 1) & 0xFFFFFFFF == len(got),
            (acks, len(got)))
    p.seq = add(p.isn, 1 + len(got))
    for at in range(len(got), len(said), SEGMENT):
        p.data(said[at:at + SEGMENT])
    time.sleep(0.05)
    w.equal("the_rest_comes_again", got + everything(s) == said, True)


@test
def no_memory_to_wait(w):
    """As natively: the SYN-ACK is repeated, and the client's ACK too."""
    _, late = w.fill(1)
    p = late[0]
    before = w.counters()
    w.knob("max_memory_bytes", 1)
    p.ack()
    time.sleep(0.02)
    w.equal("no_room_to_wait_is_counted",
            (w.counters() - before)["waiting_full"], 1)
    w.equal("nobody_waits", w.used("waiting"), 0)
    w.equal("the_entry_is_as_before", [" acked" in l for l in w.entries()],
            [False])
    w.knob("max_memory_bytes", 16 << 20)
    s = p.recv(1.5)
    w.check("synack_is_repeated", s and s.is_synack(), s)
    w.accept_all(ROOM)
    p.ack()
    w.equal("next_ack_is_served", len(w.accept_all(1)), 1)


@test
def no_memory_to_wait_without_an_entry(w):
    """Who came by cookie has no entry beyond the limit either."""
    w.knob("max_backlog", 0)
    _, late = w.fill(1)
    # enough for an entry, not for a segment beside it
    w.knob("max_memory_bytes", w.used("memory_bytes") + 200)
    late[0].ack()
    time.sleep(0.02)
    w.equal("nobody_waits_without_room", w.used("waiting"), 0)
    w.equal("and_no_entry_is_left", w.entries(), [])
    w.knob("max_memory_bytes", 16 << 20)
    w.knob("max_backlog", 65536)
    w.accept_all(ROOM)
    late[0].ack()
    w.equal("next_ack_is_served_by_cookie", len(w.accept_all(1)), 1)


@test
def expiry(w):
    time.sleep(0.1)             # what others used is free
    memory = w.used("memory_bytes")
    w.knob("synack_timeout_ms", 200)
    w.knob("synack_retries", 2)         # 200 + 400 + 800 ms
    _, late = w.fill(12)
    before = w.counters()
    start = time.monotonic()
    speak(late)
    time.sleep(0.02)
    w.check("waiting_uses_memory", w.used("memory_bytes") - memory >
            12 * 1000, w.used("memory_bytes") - memory)
    time.sleep(0.8)
    w.equal("who_waits_stays_until_then", w.used("waiting"), len(late))
    w.until("all_expire", lambda: w.used("waiting") == 0 and not w.entries(),
            2.0)
    w.check("in_time", 1.2 < time.monotonic() - start < 1.6,
            time.monotonic() - start)
    w.equal("each_is_counted", (w.counters() - before)["expired"], len(late))
    w.until("their_memory_is_free", lambda: w.used("memory_bytes") == memory)
    w.equal("no_synack_was_repeated", heard(late), [])
    w.equal("those_in_the_queue_are_served", len(w.accept_all(ROOM)), ROOM)


@test
def expiry_behind_another(w):
    """Who came later may have to go sooner."""
    w.knob("synack_timeout_ms", 1000)
    w.knob("synack_retries", 0)
    w.listener = w.listen(backlog=BACKLOG)
    early = w.clients(3)
    time.sleep(0.6)
    _, late = w.fill(1, w.listener)
    late[0].ack()
    for p in early:
        first_flight(p)
    time.sleep(0.02)
    w.equal("all_wait", w.used("waiting"), 4)
    full = w.used("memory_bytes")
    time.sleep(0.6)
    w.equal("three_expired", len(w.entries()), 1)
    w.equal("and_wait_no_longer", w.used("waiting"), 1)
    w.check("nor_use_memory", full - w.used("memory_bytes") > 3 * 14000,
            full - w.used("memory_bytes"))


@test
def listener_closes(w):
    _, late = w.fill(4)
    speak(late)
    time.sleep(0.05)
    w.equal("four_wait", w.used("waiting"), 4)
    w.listener.close()
    answers = [p.recv(0.5) for p in late]
    w.equal("closed_listener_resets_who_waits",
            [s and s.is_rst() for s in answers], [True] * 4)
    w.until("and_nothing_is_left",
            lambda: w.used("waiting") == 0 and not w.entries())


@test
def retransmitted_synack(w):
    """The ACK that ends the wait answers a second SYN-ACK."""
    w.listener = w.listen(backlog=BACKLOG)
    p = w.peer()
    p.syn()
    p.expect_synack()
    p.expect_synack(1.5)
    w.fill(0, w.listener)
    p.ack()
    time.sleep(FULL_S)
    s = w.accept_all(ROOM + 1)[-1][0]
    info = dict(socket_state(s))
    w.equal("repeated_synack_is_known", info["total_retrans"], 1)


@test
def two_listeners_of_a_port(w):
    """That one does not accept is no reason for the other's clients to wait."""
    here, there = {4: ("10.0.0.1", "10.0.0.3/24"),
                   6: ("fd00::1", "fd00::3/64")}[w.family]
    nodad = ["nodad"] if w.family == 6 else []
    w.command("ip", "addr", "add", there, "dev", "srv0", *nodad,
              undo=["ip", "addr", "del", there, "dev", "srv0"])
    listeners = []
    for addr in (here, there.split("/")[0]):
        listeners.append(w.listen(backlog=BACKLOG, addr=addr))
        peers = [w.peer(dst=addr) for _ in range(ROOM + 3)]
        for p in peers:
            p.syn()
        for p in peers:
            p.expect_synack()
        for p in peers:
            p.ack()
    time.sleep(0.1)
    w.equal("clients_of_two_listeners_wait", w.used("waiting"), 6)
    stuck, busy = listeners
    got = w.accept_all(ROOM + 3, busy)
    w.equal("the_one_that_accepts_gets_all_its_clients", len(got), ROOM + 3)
    w.check("within_20_ms_of_room_too",
            in_time([when for _, _, when in got]))
    w.equal("and_later_the_other_one", len(w.accept_all(ROOM + 3, stuck)),
            ROOM + 3)


def main(srv_name, wanted):
    srv = Namespace(srv_name)
    tap = Tap()
    time.sleep(5)               # until both ends have announced themselves
    for name, fn in TESTS.items():
        for family in (4, 6):
            if wanted and name not in wanted:
                continue
            w = Server(srv, family, tap)
            try:
                fn(w)
            except (AssertionError, OSError, IndexError, AttributeError) as e:
                w.check(name + "_runs", False, "%r at line %d" % (
                    e, e.__traceback__.tb_next.tb_lineno))
            w.leave()
    print("1..%d" % tap.count)
    return tap.failed


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1], sys.argv[2:])))
