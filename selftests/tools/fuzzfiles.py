# SPDX-License-Identifier: GPL-2.0
"""Random bytes into every file of /proc/sys/net/halfopen, and odd reads of those in
/proc/net.  Prints TAP for seg_tap of lib.sh.

    fuzzfiles.py write SEED COUNT       each file in turn, in the namespace it runs in
    fuzzfiles.py read SEED SECONDS      as often as it can

A write is refused and changes nothing, or accepted and read back as what was meant:
meaning() says what that is.
"""

import errno
import os
import random
import sys
import threading
import time

SYSCTLS = "/proc/sys/net/halfopen"
REFUSALS = {errno.EINVAL, errno.ERANGE, errno.EBUSY}
# name -> (least, most); cookie_key and lifetime_ms are no numbers to write
BOUNDS = {
    "mode": (0, 2), "max_backlog": (0, 1 << 22), "max_port_backlog": (0, 1 << 22),
    "max_source_backlog": (0, 1 << 22), "source_prefix_v4": (0, 32),
    "source_prefix_v6": (0, 128), "source_synack_rate": (0, 1000000),
    "pressure_low_pct": (1, 75), "pressure_high_pct": (50, 100),
    "synack_retries": (0, 15), "synack_timeout_ms": (100, 120000),
    "synack_timeout_max_ms": (100, 120000), "max_memory_bytes": (0, (1 << 31) - 1),
    "verify_synack": (0, 1),
}
SPACE = b" \t\n\v\f\r"
EDGES = [0, 1, 2, 15, 16, 32, 33, 64, 100, 101, 128, 129, 255, 256, 4096, 65535,
         65536, 120000, 120001, 1 << 22, (1 << 22) + 1, (1 << 31) - 1, 1 << 31,
         (1 << 32) - 1, 1 << 32, (1 << 32) + 1, 1 << 63, (1 << 64) - 1, 1 << 64,
         10 ** 30]


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, name, wrong):
        self.count += 1
        self.failed += bool(wrong)
        print("%s %d - %s" % ("not ok" if wrong else "ok", self.count, name))
        for line in wrong[:5]:
            print("#   " + line)

    def end(self):
        print("1..%d" % self.count)
        return self.failed > 0


def read(path):
    with open(path, "rb", buffering=0) as f:
        return f.read(65536)


def number(rnd, bounds):
    value = rnd.choice(EDGES) + rnd.choice((0, 0, 0, 1, -1))
    if rnd.random() < 0.5:
        value = max(0, rnd.choice(bounds) + rnd.choice((-1, 0, 1)))
    elif rnd.random() < 0.3:
        value = rnd.getrandbits(rnd.choice((3, 8, 17, 24, 33, 65)))
    return value


def text(rnd, bounds=(0, 1)):
    """Mostly nearly a number."""
    value = number(rnd, bounds)
    form = rnd.choice(("%d", "%d", "%d", "0x%x", "0x%X", "0%o", "-%d", "+%d", "%d.0",
                       "%de3", "%d\0", "%d x", "%d\n\n", " %d", "\t%d\n", "%d %d",
                       "x%d", "%d,", "0b%d"))
    raw = (form % ((value,) * form.count("%"))).encode()
    how = rnd.random()
    if how < 0.1:
        raw = bytes(rnd.randrange(256) for _ in range(rnd.randrange(40)))
    elif how < 0.15:
        raw = raw * rnd.choice((0, 2, 100))
    elif how < 0.18:
        raw = rnd.choice((b"", b"\0", b"\n", b" ", b"\0" * 4096, b"9" * 4095,
                          b" " * 4090 + raw, b"7" * 65536, raw + b"\0" * 65000,
                          b"\n" + raw, raw + b" " * 5000))
    elif how < 0.5:
        raw += b"\n"
    return raw


def meaning(raw):
    """What a number stands for, or None: a leading 0 is octal, 0x hexadecimal."""
    token = raw.lstrip(SPACE)
    end = 0
    while end < len(token) and token[end:end + 1] not in SPACE and token[end]:
        end += 1
    token = token[:end]
    if not token or not token[:1].isdigit():
        return None
    try:
        if token[:2].lower() == b"0x":
            return int(token[2:], 16) if token[2:].isalnum() else None
        if token[0] == 0x30 and len(token) > 1:
            return int(token, 8) if token.isdigit() else None
        return int(token) if token.isdigit() else None
    except ValueError:
        return None


def put(path, raw, seek):
    """0, or the error."""
    fd = os.open(path, os.O_WRONLY)
    try:
        if seek:
            os.lseek(fd, seek, os.SEEK_SET)
        return 0 if os.write(fd, raw) >= 0 else -1
    except OSError as e:
        return e.errno
    finally:
        os.close(fd)


def write_one(name, rnd):
    """One write; what is wrong with its outcome."""
    path = "%s/%s" % (SYSCTLS, name)
    raw = text(rnd, BOUNDS[name])
    seek = rnd.choice((0, 0, 0, 0, 1, 7, 4096, 1 << 40))
    before = read(path)
    error = put(path, raw, seek)
    after = read(path)
    what = "%r at %d: " % (raw[:60], seek)
    if error:
        if error not in REFUSALS:
            return what + os.strerror(error)
        return what + "refused, but changed" if after != before else None
    if not after.strip().isdigit() or not after.endswith(b"\n"):
        return what + "reads as %r" % after
    least, most = BOUNDS[name]
    if not least <= int(after) <= most:
        return what + "out of bounds: %r" % after
    # sysctl_writes_strict: behind the beginning of the file nothing is written
    want = int(before) if seek or not raw else meaning(raw)
    if int(after) != want:
        return what + "accepted as %r" % after
    return None


def write_key(rnd):
    """The key: what is accepted has one of three forms."""
    word = lambda n: bytes(rnd.choice(b"0123456789abcdefABCDEF") for _ in range(n))
    raw = rnd.choice((word(32), word(31), word(33), word(32) + b" " + word(32),
                      word(64), b"auto", word(32) + b" " * rnd.randrange(9) + word(32),
                      text(rnd), word(32) + b"\0" + word(32), b"auto\0", word(0)))
    raw = rnd.choice((b"", b" ", b"\n")) + raw + rnd.choice((b"", b" ", b"\n", b"\n\n"))
    if rnd.random() < 0.2 and raw:
        at = rnd.randrange(len(raw))
        raw = raw[:at] + bytes((rnd.randrange(256),)) + raw[at + 1:]
    error = put(SYSCTLS + "/cookie_key", raw, rnd.choice((0, 0, 0, 1)))
    # a space for the kernel: that without break, of Latin-1
    parts = raw.split(b"\0")[0].replace(b"\xa0", b" ").split()
    good = parts == [b"auto"] or (len(parts) in (1, 2) and all(
        len(p) == 32 and not p.strip(b"0123456789abcdefABCDEF") for p in parts))
    if error == 0 and not good and raw:
        return "%r accepted" % raw[:90]
    if error not in REFUSALS | {0}:
        return "%r: %s" % (raw[:90], os.strerror(error))
    return None


def writes(rnd, count):
    tap = Tap()
    for name, (least, most) in sorted(BOUNDS.items()):
        path = "%s/%s" % (SYSCTLS, name)
        default = read(path)
        wrong = [w for w in (write_one(name, rnd) for _ in range(count)) if w]
        tap.check("%s_takes_what_it_says_or_nothing" % name, wrong)
        put(path, default, 0)
        tap.check("%s_can_be_restored" % name,
                  [] if read(path) == default else [repr(read(path))])
    wrong = [w for w in (write_key(rnd) for _ in range(count)) if w]
    tap.check("cookie_key_takes_keys_or_nothing", wrong)
    put(SYSCTLS + "/cookie_key", b"auto", 0)
    tap.check("lifetime_ms_cannot_be_written", write_lifetime())
    tap.check("writers_and_readers_at_once", together(count))
    return tap.end()


def write_lifetime():
    path = SYSCTLS + "/lifetime_ms"
    try:
        put(path, b"1", 0)
        return ["it can be opened for writing"]
    except PermissionError:
        return [] if read(path) == b"63000\n" else [repr(read(path))]


def together(count):
    """Two writers and two readers of a file: only values that somebody wrote."""
    path = SYSCTLS + "/max_backlog"
    default = read(path)
    wrong = []
    values = [b"1000\n", b"2000000\n", b"77\n"]
    stop = threading.Event()

    def reader():
        while not stop.is_set():
            got = read(path)
            if got not in values + [default]:
                wrong.append("read %r" % got)

    def writer(mine):
        for _ in range(count):
            put(path, mine, 0)
            put(path, b"x", 0)

    readers = [threading.Thread(target=reader) for _ in range(2)]
    writers = [threading.Thread(target=writer, args=(v,)) for v in values]
    for t in readers + writers:
        t.start()
    for t in writers:
        t.join()
    stop.set()
    for t in readers:
        t.join()
    put(path, default, 0)
    return wrong


# /proc/net files: how a whole line begins
LINES = {
    "halfopen": (b"SYN-RECV 0 0 ", 1000000),
    "halfopen_ports": (b"", 65536),
    "halfopen_limits": (b"", 4),
    "halfopen_status": (b"", 4),
    "stat/halfopen": (b"", 1000),
    "stat/halfopen_declined": (b"", 1000),
    "stat/halfopen_overload": (b"", 1000),
    "stat/halfopen_fastpath": (b"", 1000),
}
RECORD = 60     # bytes of struct halfopen_conn


def odd_read(fd, rnd):
    """Some bytes from somewhere; nothing but the end or bytes may come."""
    size = rnd.choice((0, 1, 2, 7, 13, 64, 511, 4095, 4096, 4097, 65536))
    where = rnd.choice((0, 0, 1, rnd.randrange(1 << 16), 1 << 31, 1 << 62))
    try:
        if rnd.random() < 0.5:
            return os.pread(fd, size, where)
        os.lseek(fd, where, os.SEEK_SET)
        return os.read(fd, size)
    except OSError as e:
        # beyond what a position can be
        return b"" if e.errno in (errno.EINVAL, errno.EOVERFLOW) else str(e).encode()


def odd_reads(path, rnd):
    fd = os.open(path, os.O_RDONLY)
    for _ in range(20):
        odd_read(fd, rnd)
    os.close(fd)


def whole_in_pieces(path, size):
    fd = os.open(path, os.O_RDONLY)
    got = b""
    while True:
        piece = os.read(fd, size)
        if not piece:
            break
        got += piece
    os.close(fd)
    return got


def records_wrong(data):
    """What is wrong with the records of /proc/net/halfopen_dump."""
    if len(data) % RECORD:
        return ["%d bytes" % len(data)]
    sizes = {int.from_bytes(data[at:at + 2], sys.byteorder)
             for at in range(0, len(data), RECORD)}
    return ["a record of %d bytes" % size for size in sizes - {RECORD}]


def reads(rnd, seconds):
    tap = Tap()
    wrong = {name: [] for name in (*LINES, "halfopen_dump")}
    rounds = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rounds += 1
        for name, (prefix, most) in LINES.items():
            path = "/proc/thread-self/net/" + name
            odd_reads(path, rnd)
            size = rnd.choice((37, 500, 4096, 70000))
            if name == "halfopen" and size < 500:
                size = 500      # a line a call would take minutes
            text_read = whole_in_pieces(path, size)
            lines = text_read.split(b"\n")
            if lines and lines[-1]:
                wrong[name].append("ends in the middle: %r" % lines[-1][-60:])
            for line in lines[:-1]:
                if not line.startswith(prefix) or b"\0" in line:
                    wrong[name].append("%r" % line[:80])
                    break
            if len(lines) - 1 > most:
                wrong[name].append("%d lines" % len(lines))
        path = "/proc/thread-self/net/halfopen_dump"
        odd_reads(path, rnd)
        wrong["halfopen_dump"] += records_wrong(
            whole_in_pieces(path, rnd.choice((500, 4096, 70000))))
    for name, found in wrong.items():
        tap.check("%s_is_read_whole" % name.replace("/", "_"), found)
    tap.check("files_were_read_more_than_once",
              [] if rounds > 1 else ["%d rounds" % rounds])
    print("# %d rounds" % rounds)
    return tap.end()


def main(what, seed, much):
    rnd = random.Random(int(seed))
    if what == "write":
        return writes(rnd, int(much))
    return reads(rnd, float(much))


sys.exit(main(*sys.argv[1:]))
