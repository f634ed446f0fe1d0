#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""What selftests/bench printed, for bench.sh:

    bench.py table TITLE LOG [BASE_LOG]     for people
    bench.py tsv LOG                        for machines
    bench.py picture LOG                    for gnuplot
    bench.py check FIGURES LOG...           TAP: nothing is 2 % above FIGURES
"""

import os
import sys

ALLOWED = 0.02
# the difference of two figures of 11,000 has some of them by chance
ALLOWED_LEAST = 12

# What is compared with what else than its native namesake, and the goals: at
# most so many times that, or so much.
COOKIES = "{family} native cookies SYN"
TIMES = {
    "ipv4 stateful SYN": 0.33,
    "ipv4 stateless SYN": 0.28,
    "ipv6 stateful SYN": 0.40,
    "ipv6 stateless SYN": 0.40,
    "ipv4 connection": 1.02,
    "ipv4 connection in mode 0": 1.002,
    "ipv4 SYN at 1000000 entries": 1.15,
}
AT_LEAST = {
    "ipv4 stateful SYN, both CPUs": 180,
}
AT_MOST = {
    "ipv4 ingress SYN": 1500,
    "ipv4 pass of a hook": 115,
    "ipv4 pass of a hook, filtered": 25,
    "ipv4 half-open connection": 80,
    "ipv6 half-open connection": 112,
}


def read(paths):
    """{name: (value, unit)}, the least of each."""
    figures = {}
    for path in paths:
        with open(path, encoding="ascii") as file:
            for line in file:
                words = line.rstrip("\n").split("\t")
                if words[0] != "figure":
                    continue
                name, value, unit = words[1], int(words[2]), words[3]
                if name not in figures or value < figures[name][0]:
                    figures[name] = value, unit
    if not figures:
        sys.exit(f"bench.py: no figures in {' '.join(paths)}")
    return figures


def native_of(name, figures):
    """What it is to be compared with."""
    family, rest = name.split(" ", 1)
    if rest.endswith(" entries"):
        other = f"{family} SYN at 1000 entries"
    elif rest.endswith(" SYN"):
        other = COOKIES.format(family=family)
    else:
        what = rest.replace("stateless ", "").replace(" in mode 0", "")
        other = f"{family} native {what}"
    return other if other in figures else None


def wanted(name, value, unit, times):
    """The goal in words, and whether it is met; of time there is none."""
    if name in TIMES and times is not None and unit == "instructions":
        return f"<= {TIMES[name]}", times <= TIMES[name]
    if name in AT_MOST:
        return f"<= {AT_MOST[name]}", value <= AT_MOST[name]
    if name in AT_LEAST:
        return f">= {AT_LEAST[name]}", value >= AT_LEAST[name]
    return "", None


def table(title, path, base_path=None):
    figures = read([path])
    base = {}
    if base_path and os.path.exists(base_path):
        base = read([base_path])
    head = ["base", "change"] if base else []
    row = "{:<44}{:>12}" + "{:>12}{:>9}" * bool(base) + "{:>9}{:>10} {}"
    print(f"\n{title}; SYNs past LOCAL_IN; x: times native (SYNs: cookies; "
          "entries: 1000)\n")
    print(row.format("", "this", *head, "x", "limit", ""))
    for name, (value, unit) in figures.items():
        other = native_of(name, figures)
        times = value / figures[other][0] if other else None
        limit, met = wanted(name, value, unit, times)
        change = []
        if base and name in base:
            was = base[name][0]
            change = [was, f"{100 * (value - was) / was:+.1f} %" if was else ""]
        elif base:
            change = ["", ""]
        print(row.format(name + ("" if unit == "instructions" else f" ({unit})"), value,
                         *change, "" if times is None else f"{times:.3f}",
                         limit, {None: "", True: "met", False: "NOT met"}[met])
              .rstrip())


def tsv(path):
    for name, (value, unit) in read([path]).items():
        print(name, value, unit, sep="\t")


def picture(path):
    figures = read([path])
    for kind in ("native queue", "native cookies", "SYNPROXY", "stateful",
                 "stateless", "ingress"):
        values = [figures.get(f"{family} {kind} SYN", ("",))[0]
                  for family in ("ipv4", "ipv6")]
        if any(values):
            print(kind, *values, sep="\t")


def in_check(name):
    """Neither what is native nor what takes long."""
    return not ("native" in name or "SYNPROXY" in name or "idle" in name or
                "insmod" in name or name.endswith(" entries") or
                name.endswith("half-open connection") or
                # 280 more or less, and the kernel's own is the same then
                "stray" in name)


def check(known_path, *paths):
    known = {}
    with open(known_path, encoding="ascii") as file:
        for line in file:
            if not line.startswith("#"):
                name, value, unit = line.rstrip("\n").split("\t")
                known[name] = int(value), unit
    figures = read(paths)
    results = []
    for name in [n for n in known if in_check(n)]:
        was, unit = known[name]
        most = was + max(int(was * ALLOWED), ALLOWED_LEAST)
        value = figures.get(name, (None,))[0]
        results.append((value is not None and value <= most,
                        f"{name} {value} {unit}, at most {most}",
                        value is not None and 2 * was - most > value))
    for name in figures:
        if name not in known:
            results.append((False, f"{name} is not in figures.tsv: "
                            "make bench UPDATE=y", False))
    for number, (good, text, less) in enumerate(results, 1):
        print(f"{'' if good else 'not '}ok {number} - bench: {text}")
        if less:
            print("# that is less than it was: make bench UPDATE=y keeps it so")
    print(f"1..{len(results)}")
    sys.exit(not all(good for good, _, _ in results))


COMMANDS = {"table": table, "tsv": tsv, "picture": picture, "check": check}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
