# SPDX-License-Identifier: GPL-2.0
"""What the administrator changes between SYN and ACK: the child has what its SYN-ACK
promised, and everything else that it has natively."""

from differential import scenario, write
from seg import CWR, ECE, LINUX, MSS, NOP, SACK_PERM, SYN, TS, WSCALE

SYNS = {
    "linux": LINUX,
    "no_timestamps": MSS(1400) + NOP + WSCALE(5) + SACK_PERM,
    "timestamps_only": NOP + NOP + TS(7),
    "bare": b"",
}
# name, which SYNs, value before the SYN, value before the ACK
STACK = [(name, tuple(SYNS), before, after) for name, before, after in (
    ("tcp_timestamps", 1, 0), ("tcp_timestamps", 0, 1), ("tcp_timestamps", 2, 1),
    ("tcp_sack", 1, 0), ("tcp_sack", 0, 1),
    ("tcp_window_scaling", 1, 0), ("tcp_window_scaling", 0, 1),
)] + [(name, ("linux",), before, after) for name, before, after in (
    ("tcp_ecn", 1, 0), ("tcp_ecn", 0, 1), ("tcp_ecn", 2, 0),
    ("tcp_rmem", "4096 131072 6291456", "4096 8192 16384"),
    ("tcp_rmem", "4096 8192 16384", "4096 131072 6291456"),
    ("tcp_wmem", "4096 16384 4194304", "4096 8192 16384"),
    ("tcp_adv_win_scale", 1, -2),
    ("tcp_reflect_tos", 0, 1), ("tcp_reflect_tos", 1, 0),
    ("tcp_fwmark_accept", 0, 1),
    ("tcp_synack_retries", 5, 0),
    ("tcp_syncookies", 1, 0), ("tcp_syncookies", 0, 2),
    ("tcp_max_syn_backlog", 1024, 1),
    ("tcp_abort_on_overflow", 0, 1),
    ("tcp_fastopen", 0, 3), ("tcp_fastopen", 3, 0),
    ("tcp_congestion_control", "cubic", "reno"),
    ("tcp_migrate_req", 0, 1),
    ("tcp_invalid_ratelimit", 500, 0),
    ("ip_default_ttl", 64, 33),
)]
# name, values in turn between SYN and ACK, and the one to return to
OWN = (
    ("mode", (0, 2), None),
    ("max_backlog", (0, 1), 65536),
    ("max_port_backlog", (0, 1), 49152),
    ("max_source_backlog", (0, 1), 4096),
    ("source_prefix_v4", (0,), 24),
    ("source_prefix_v6", (0,), 64),
    ("source_synack_rate", (1, 0), 2000),
    ("pressure_low_pct", (1,), 50),
    ("pressure_high_pct", (100,), 75),
    ("max_memory_bytes", (0,), 16777216),
    ("synack_retries", (0, 15), 5),
    ("synack_timeout_ms", (120000,), 1000),
    ("synack_timeout_max_ms", (100,), 120000),
    ("verify_synack", (0, 1), 0),
    ("cookie_key", ("00112233445566778899aabbccddeeff",), "auto"),
)


def begin(w, opts, **kw):
    if not w.sockets:
        w.listen()
    p = w.peer()
    p.syn(opts=opts, **kw)
    w.watch(p, 0.5, first=True)
    return p


def end(w, p, what):
    """The ACK, and data each way: what was agreed on shows there, too."""
    p.ack()
    s = w.accept(what=what)
    p.data(b"question")
    w.watch(p, 0.02)
    if s:
        w.note("read %d" % len(s.recv(100)))
        s.send(b"answer")
        w.watch(p, 0.02, first=True)
        p.ack()


def of_the_stack(name, syns, before, after):
    def fn(w):
        # what the stack would build now is another SYN-ACK
        w.sysctl("halfopen/verify_synack", 0)
        for what in syns:
            w.sysctl("ipv4/" + name, before)
            p = begin(w, SYNS[what], tos=0x2C,
                      flags=SYN | ECE | CWR if name == "tcp_ecn" else SYN)
            w.sysctl("ipv4/" + name, after)
            end(w, p, what)
    fn.__name__ = "%s_from_%s_to_%s" % (
        name, *(str(v).replace(" ", "_") for v in (before, after)))
    return fn


def of_halfopen(name, values, default):
    def fn(w):
        def put(value):
            w.srv(write, "/proc/sys/net/halfopen/" + name, value)

        back = w.mode if default is None else default
        w.undo.append(lambda: put(back))
        for what in ("linux", "bare"):
            p = begin(w, SYNS[what])
            for value in values:
                put(value)
            end(w, p, what)
            put(back)
    fn.__name__ = "own_" + name
    return fn


def everything_at_once(w):
    """From all on to all off, and back."""
    w.sysctl("halfopen/verify_synack", 0)
    knobs = "tcp_timestamps", "tcp_sack", "tcp_window_scaling", "tcp_ecn"
    for before in 1, 0:
        for what, opts in SYNS.items():
            for name in knobs:
                w.sysctl("ipv4/" + name, before)
            p = begin(w, opts, flags=SYN | ECE | CWR)
            for name in knobs:
                w.sysctl("ipv4/" + name, 1 - before)
            end(w, p, what)


for flip in STACK:
    scenario("O-53")(of_the_stack(*flip))
for flip in OWN:
    scenario("O-53")(of_halfopen(*flip))
scenario("O-53")(everything_at_once)
