# SPDX-License-Identifier: GPL-2.0
"""What a remote prober makes of the host, natively and with halfopen.

nmap's probes and p0f's signature of the SYN-ACK, and whether sequence numbers and
timestamps of many connections have something in common.
"""

import math
import re
import subprocess
import sys

import seg
from differential import MODE, STATS, Namespace, moved_stats, read_all, write
from seg import (CWR, ECE, EOL, LINUX, MSS, NOP, PSH, SACK_PERM, SYN, TS, URG,
                 WSCALE)

RUNS = 4
# (family, address, open port, closed port)
TARGETS = ((4, "10.0.0.1", 80, 81), (6, "fd00::1", 86, 87))

# nmap's measures of how sequence numbers spread: logarithms in steps of an eighth.
# Its database gives each system about ten steps, and divisors up to 6.  TS is the
# logarithm of how fast timestamps grow; as each connection has a random offset, it is
# that of a random number.
SPREAD = {"SP": 10, "ISR": 10, "GCD": 5, "TS": 3}
# Without these something was not probed.
TESTS = {4: ["SEQ.SP", "OPS.O6", "WIN.W6", "ECN.CC", "T1.R", "T2.R", "T3.R", "T4.R",
             "T5.R", "T6.R", "T7.R", "U1.R", "IE.R"],
         6: ["S1.P", "S6.P", "TECN.P", "T4.P", "T5.P", "T6.P", "T7.P", "IE1.P"]}


def nmap(family, addr, opened, closed):
    """{test.field: value} and the lines that name systems."""
    out = subprocess.run(
        ["nmap", "-%d" % family, "-n", "-Pn", "-sS", "-p", "%d,%d" % (opened, closed),
         "-O", "-d", "-vv", "--max-os-tries", "1", "--osscan-guess", addr],
        check=True, capture_output=True, text=True).stdout
    text = "".join(line[3:] for line in out.splitlines() if line.startswith("OS:"))
    fields = {}
    for test, body in re.findall(r"(\w+)\((.*?)\)(?=[A-Z]|$)", text):
        for part in body.split("%") if test != "SCAN" else ():
            name, _, value = part.partition("=")
            if name == "P":
                value = masked(value)
            # RT, ST: when a probe was answered, when it was sent
            if name not in ("RT", "ST"):
                fields["%s.%s" % (test, name)] = value
    # the best guess only: how sequence numbers spread sorts the others
    guesses = [line.split(" (")[0] for line in out.splitlines()
               if re.match(r"(Aggressive )?OS (guesses|details)|Running|No exact|"
                           r"IP ID Seq|Network Dist", line)]
    return fields, guesses


def masked(packet):
    """An IPv6 packet of nmap's, "XX{32}" is 32 bytes, without what is random."""
    raw = re.sub(r"(..)\{(\d+)\}", lambda m: m[1] * int(m[2]), packet)
    raw = raw[:3] + "-" * 5 + raw[8:]           # flow label
    if raw[12:14] != "06":
        return raw[:80]
    # destination port, sequence numbers, checksum, TSval
    for start, end in ((42, 52), (56, 58)):
        raw = raw[:2 * start] + "--" * (end - start) + raw[2 * end:]
    return re.sub(r"080a.{8}", "080a" + "-" * 8, raw)


def probe(tap, srv, target):
    family = target[0]
    seen = {}
    for mode in (0, 1):
        srv(write, MODE, mode)
        before = srv(read_all, STATS)
        seen[mode] = [nmap(*target) for _ in range(RUNS)]
        taken = moved_stats(before, srv(read_all, STATS))["syn_taken"]
        tap.check("nmap_ipv%d_reached_mode_%d" % (family, mode),
                  bool(taken) == bool(mode), "%d SYNs taken" % taken)
    names = sorted({name for fields, _ in seen[0] + seen[1] for name in fields})
    tap.check("nmap_ipv%d_fingerprint_has_all_tests" % family,
              set(TESTS[family]) <= set(names), names)
    for name in names:
        native, ours = ([fields.get(name) for fields, _ in seen[mode]]
                        for mode in (0, 1))
        tap.check("nmap_ipv%d_%s" % (family, name), alike(name, native, ours),
                  "native %s, halfopen %s" % (native, ours))
    native, ours = ({line for _, lines in seen[mode] for line in lines}
                    for mode in (0, 1))
    # which of two close guesses is the best is up to the random fields of a run
    guesses = {line for line in native | ours if "guesses" in line}
    tap.check("nmap_ipv%d_names_the_same_system" % family,
              ours - guesses == native - guesses and
              (not guesses or ours & native & guesses),
              "native\n%s\nhalfopen\n%s" % (
                  "\n".join(sorted(native)), "\n".join(sorted(ours))))


def alike(name, native, ours):
    spread = SPREAD.get(name.partition(".")[2])
    if spread is None:
        return set(ours) == set(native) if len(set(native)) == 1 else \
            bool(set(ours) & set(native))
    native, ours = ([int(value, 16) for value in values]
                    for values in (native, ours))
    return min(native) - spread <= min(ours) and max(ours) <= max(native) + spread


# --- p0f: ver:ittl:olen:mss:wsize,scale:olayout:quirks:pclass ---------------------

LAYOUT = {0: "eol+0", 1: "nop", 2: "mss", 3: "ws", 4: "sok", 5: "sack", 8: "ts"}


def layout(s):
    raw, out = s.raw_opts, []
    for kind, _ in s.opts:
        out.append(LAYOUT.get(kind, "?%d" % kind))
    used = sum(1 if kind == 1 else 2 + len(payload or b"") for kind, payload in s.opts)
    if used < len(raw):
        out.append("eol+%d" % (len(raw) - used - 1))
    return ",".join(out)


def quirks(s):
    out = []
    if s.family == 4:
        out += ["df"] * s.df + ["id+"] * (s.df and s.ip_id != 0) + \
            ["id-"] * (not s.df and s.ip_id == 0) + ["0+"] * bool(s.ip[6] & 0x80)
    else:
        out += ["flow"] * bool(s.flow)
    out += ["ecn"] * bool(s.tos & 3 or s.flags & (ECE | CWR))
    out += ["seq-"] * (s.seq == 0) + ["ack-"] * (s.ack == 0)
    out += ["uptr+"] * (s.urg != 0 and not s.flags & URG)
    out += ["urgf+"] * bool(s.flags & URG) + ["pushf+"] * bool(s.flags & PSH)
    out += ["ts1-"] * (s.ts is not None and s.ts[0] == 0)
    out += ["exws"] * ((s.wscale or 0) > 14)
    out += ["bad"] * any(payload is None for _, payload in s.opts)
    return ",".join(out)


def p0f(s):
    ittl = next(limit for limit in (32, 64, 128, 255) if s.ttl <= limit)
    return "%d:%d+%d:%d:%s:%d,%s:%s:%s:%s" % (
        s.family, ittl, ittl - s.ttl, len(s.ip_opts), s.mss or "0", s.win,
        s.wscale or 0, layout(s), quirks(s), "+" if s.data else "0")


CLIENTS = {
    "linux": (LINUX, SYN),
    "linux_with_ecn": (LINUX, SYN | ECE | CWR),
    "windows": (MSS(1460) + NOP + WSCALE(8) + NOP + NOP + SACK_PERM, SYN),
    "macos": (MSS(1460) + NOP + WSCALE(6) + NOP + NOP + TS(77) + SACK_PERM + EOL,
              SYN),
    "freebsd": (MSS(1460) + NOP + WSCALE(6) + SACK_PERM + TS(5), SYN),
    "scanner": (MSS(1460), SYN),
    "nothing": (b"", SYN),
    "timestamps_only": (TS(1), SYN),
    "zero_timestamp": (MSS(1460) + TS(0) + SACK_PERM, SYN),
    "tunnel": (MSS(1360) + SACK_PERM + TS(9) + NOP + WSCALE(2), SYN),
    "shift_of_15": (MSS(1460) + WSCALE(15) + SACK_PERM, SYN),
    "nmap_6": (MSS(265) + SACK_PERM + TS(0xFFFFFFFF), SYN),
}


def synack(family, port, opts=LINUX, flags=SYN):
    p = seg.Peer(family=family, dport=port)
    p.syn(opts=opts, flags=flags)
    s = p.expect_synack()
    p.rst(seq=p.seq)
    p.close()
    return s


def signatures(tap, srv, family, port):
    for name, client in CLIENTS.items():
        seen = []
        for mode in (0, 1):
            srv(write, MODE, mode)
            seen.append(p0f(synack(family, port, *client)))
        tap.equal("p0f_ipv%d_%s" % (family, name), seen[1], seen[0])
        print("# %s %s" % (name, seen[0]), flush=True)


# --- random numbers ------------------------------------------------------------------

CONNECTIONS = 64


def rank(numbers):
    """Of their differences as bit vectors: 32 if no sum of bits is the same in all."""
    basis = []
    for n in numbers[1:]:
        n ^= numbers[0]
        for b in basis:
            n = min(n, n ^ b)
        if n:
            basis.append(n)
    return len(basis)


def randomness(tap, srv, family, port):
    for mode, who in ((0, "native"), (1, "halfopen")):
        srv(write, MODE, mode)
        got = [synack(family, port) for _ in range(CONNECTIONS)]
        for what, numbers in (("isn", [s.seq for s in got]),
                              ("timestamp", [s.ts[0] for s in got])):
            name = "%s_ipv%d_%s" % (what, family, who)
            tap.equal(name + "_has_no_sum_of_bits_in_common", rank(numbers), 32)
            tap.equal(name + "_has_no_divisor",
                      math.gcd(*(abs(n - numbers[0]) for n in numbers[1:])), 1)
            tap.check(name + "_does_not_repeat",
                      len(set(numbers)) == CONNECTIONS, numbers)


def main(srv_name):
    srv = Namespace(srv_name)
    tap = seg.Tap()
    seg.time.sleep(5)       # until both ends have announced themselves
    for target in TARGETS:
        family, _, opened, _ = target
        signatures(tap, srv, family, opened)
        randomness(tap, srv, family, opened)
    for target in TARGETS:
        probe(tap, srv, target)
    print("1..%d" % tap.count)
    return tap.failed


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1])))
