# SPDX-License-Identifier: GPL-2.0
"""What a shell cannot see of halfopenctl.

  ctl.py json DIRECTORY               documents N.json with N.expr and N.want each; prints TAP
  ctl.py metrics <TEXT                check OpenMetrics text, print samples as NAME VALUE
  ctl.py terminal PROGRAM ARGUMENT... top on a terminal that changes its size; prints TAP
  ctl.py capture FILE PROGRAM ...     that program's screen after two seconds, into FILE
"""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

class Tap:
    def __init__(self):
        self.count = 0

    def check(self, name, ok, why=""):
        self.count += 1
        print("%sok %d - %s" % ("" if ok else "not ", self.count, name))
        if not ok:
            print("\n".join("#   " + line for line in str(why).split("\n")))


# --- JSON ----------------------------------------------------------------------


def read(name):
    with open(name, encoding="ascii") as text:
        return text.read()


def documents(directory):
    """What an expression finds in the document d is what is wanted."""
    tap = Tap()
    for number in range(1, 1 + len(os.listdir(directory)) // 3):
        base = "%s/%d." % (directory, number)
        name, want = read(base + "want").rstrip("\n").split("\n")
        text = read(base + "json")
        try:
            got = eval("(%s)" % read(base + "expr"), {"d": json.loads(text)})
            got = " ".join(map(str, got)) if isinstance(got, (list, tuple)) else str(got)
        except (ValueError, LookupError, TypeError) as error:
            got = "%s in %s" % (error, text[:500])
        tap.check(name, got == want, "got '%s', want '%s'" % (got, want))
    print("1..%d" % tap.count)


# --- OpenMetrics ---------------------------------------------------------------

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(r"(%s)(\{%s(?:,%s)*\})? (-?[0-9]+(?:\.[0-9]+)?)$" % (NAME, LABEL, LABEL))
SUFFIX = {"counter": "_total", "gauge": ""}


class Families:
    """Each family once, in one piece, its metadata before its samples."""

    def __init__(self):
        self.name = self.type = self.sampled = None
        self.seen = {}
        self.samples = {}

    def metadata(self, line):
        _, word, name, rest = line.split(" ", 3)
        if word == "TYPE":
            assert name not in self.seen, "family twice: " + line
            assert rest in SUFFIX, "type: " + line
            assert not name.endswith("_total"), "suffix: " + line
            self.close()
            self.name, self.type, self.sampled = name, rest, False
            self.seen[name] = {"TYPE"}
            return
        assert name == self.name and not self.sampled, "metadata of another: " + line
        assert word in ("UNIT", "HELP") and word not in self.seen[name], line
        assert word != "UNIT" or name.endswith("_" + rest), "unit: " + line
        assert rest.strip() and not re.search(r'(^|[^\\])"', rest), "text: " + line
        self.seen[name].add(word)

    def sample(self, line):
        match = SAMPLE.match(line)
        assert match, "no sample: " + line
        name, labels, value = match.groups()
        assert name == self.name + SUFFIX[self.type], "sample of another: " + line
        assert self.type == "gauge" or not value.startswith("-"), "falls: " + line
        key = name + (labels or "")
        assert key not in self.samples, "twice: " + line
        self.samples[key] = value
        self.sampled = True

    def close(self):
        assert self.sampled in (None, True), "nothing in " + str(self.name)


def metrics():
    text = sys.stdin.read()
    families = Families()
    assert text.endswith("\n# EOF\n"), "no end"
    assert text.count("# EOF") == 1, "two ends"
    for line in text.split("\n")[:-2]:
        if line.startswith("# "):
            families.metadata(line)
        else:
            families.sample(line)
    families.close()
    for name, words in families.seen.items():
        assert "HELP" in words, "no help: " + name
    for key, value in families.samples.items():
        print(key, value)


# --- a terminal ----------------------------------------------------------------

ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
ESCAPE = re.compile(r"\x1b\[[?0-9;]*([A-Za-z])")


class Terminal:
    """A program on a terminal; the screen as the escape sequences make it."""

    def __init__(self, args, rows, columns):
        self.raw = b""
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.pid = os.fork()
        if not self.pid:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.execv(args[0], args)

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                return
            self.raw += os.read(self.master, 65536)

    def read_until(self, what, seconds=10):
        end = time.monotonic() + seconds
        while what not in self.raw and time.monotonic() < end:
            self.read(0.05)
        return what in self.raw

    def frames(self):
        """Whole ones: lines of visible characters."""
        parts = self.raw.decode("utf-8", "strict").split("\x1b[H")[1:]
        return [[line.rstrip("\r") for line in ESCAPE.sub("", part).split("\n")]
                for part in parts[:-1]]

    def fits(self):
        """All whole frames since the last forget() fit; there has to be one."""
        frames = [f for f in self.frames() if any(f)]
        return bool(frames) and all(
            len(f) <= self.rows and max(map(len, f)) <= self.columns for f in frames)

    def forget(self):
        self.raw = b""

    def send(self, data):
        os.write(self.master, data)

    def end(self, seconds=10):
        """The exit status, or None if it does not end."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.read(0.05)
                return status
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None

    def is_restored(self):
        return (self.raw.rfind(LEAVE) > self.raw.rfind(ENTER) and
                self.raw.rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l") and
                termios.tcgetattr(self.slave) == self.before)


def ends(tap, name, args, how):
    t = Terminal(args, 24, 80)
    began = t.read_until(b"SOURCE")
    raw = termios.tcgetattr(t.slave) != t.before
    how(t)
    status = t.end()
    tap.check("top_ends_cleanly_by_" + name,
              began and raw and status == 0 and t.is_restored(),
              (began, raw, status, t.raw[-200:]))


def suspended(tap, args):
    t = Terminal(args, 24, 80)
    t.read_until(b"SOURCE")
    os.kill(t.pid, signal.SIGTSTP)
    stopped = os.waitpid(t.pid, os.WUNTRACED)[1]
    t.read(0.1)
    tap.check("top_gives_the_terminal_back_while_it_is_stopped",
              os.WIFSTOPPED(stopped) and t.is_restored(), (stopped, t.raw[-200:]))
    t.forget()
    os.kill(t.pid, signal.SIGCONT)
    again = t.read_until(b"SOURCE") and ENTER in t.raw
    t.send(b"q")
    tap.check("and_takes_it_again", again and t.end() == 0 and t.is_restored(), t.raw[-200:])


def terminal(args):
    tap = Tap()
    t = Terminal(args, 24, 80)
    tap.check("top_takes_the_screen", t.read_until(ENTER) and t.read_until(b"SOURCE"), t.raw)
    t.read(1)
    tap.check("frames_fit_24x80", t.fits(), t.frames())
    for rows, columns in ((10, 40), (1, 1), (60, 200)):
        t.resize(rows, columns)
        t.read(0.3)
        t.forget()
        t.read(1)
        tap.check("frames_fit_%dx%d" % (rows, columns), t.fits(), t.frames())
    t.forget()
    t.resize(24, 100)
    t.read(0.05)
    frame = t.raw.decode()
    tap.check("new_size_is_drawn_at_once", "halfopen" in frame, frame)
    t.send(b"q")
    tap.check("top_ends_by_q", t.end() == 0 and t.is_restored(), t.raw[-200:])
    ends(tap, "escape", args, lambda t: t.send(b"\x1b"))
    ends(tap, "interrupt_key", args, lambda t: t.send(b"\x03"))
    ends(tap, "SIGTERM", args, lambda t: os.kill(t.pid, signal.SIGTERM))
    suspended(tap, args)
    print("1..%d" % tap.count)


def capture(name, args):
    t = Terminal(args, 24, 80)
    t.read(2.5)
    t.send(b"q")
    t.end()
    with open(name, "w", encoding="utf-8") as out:
        out.write("\n".join(line.rstrip() for line in t.frames()[-1]).rstrip() + "\n")


def main():
    what, args = sys.argv[1], sys.argv[2:]
    if what == "json":
        documents(args[0])
    elif what == "metrics":
        metrics()
    elif what == "terminal":
        terminal(args)
    elif what == "capture":
        capture(args[0], args[1:])
    else:
        sys.exit(__doc__)


main()
