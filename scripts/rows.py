#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The table of all rows: is the handshake the same with halfopen (rows P and O), and
does nothing of what killed others happen here (B)?

    rows.py LOG...

Rows are in selftests/rows.txt.  What showed them is in the logs, TAP of selftests on
one kernel or several: what fails on one of them has failed.  A scenario names its
rows ("name ipv4 (P-17 O-50)", and "(P-63 differs)" where the scenario proves that
there is a difference), and a line "# rows: ..." in a selftest says what the test as
a whole shows.  Why something differs is in README.md: items
of "What differs from the native handshake" end with their rows in brackets.  Why
something cannot happen is in rows.txt.

Prints TAP, the table as comments.
"""

import collections
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
SECTION = "What differs from the native handshake"
WANTED = 120

ROW = r"[A-Z]-\d+"
ROW_LINE = re.compile(r"(%s) (.*?)(?:; (unobservable|cannot happen): (.*))?$" % ROW)
RESULT = re.compile(r"(not )?ok \d+ - (?:debug: )?(\w+)(?::? (.*))?$")
SCENARIO = re.compile(r"(\w+) ipv\d \((%s(?: %s)*)( differs)?\)$" % (ROW, ROW))


class Row:
    def __init__(self, name, title, kind, why):
        self.title = title
        self.good = "tested" if name.startswith("B") else "same"
        self.unobservable = why if kind == "unobservable" else ""
        self.impossible = why if kind == "cannot happen" else ""
        self.reason = ""            # README.md: why it differs
        self.same = set()           # what showed that nothing differs,
        self.differs = set()        # that something does,
        self.shown = set()          # or tested the row without comparing
        self.failed = set()

    def verdict(self):
        if self.failed:
            return "FAILED: " + self.names(self.failed)
        if self.unobservable:
            return "not observable: " + self.unobservable
        if self.reason:
            return "differs on purpose: " + self.reason
        if self.impossible:
            return "cannot happen: " + self.impossible
        return self.good if self.same or self.shown else "NONE"

    def by(self):
        return self.same | self.differs | self.shown

    def contradiction(self):
        if self.unobservable and (self.by() or self.reason):
            return "not observable, but shown or in README.md"
        if self.differs and not self.reason:
            return "differs in %s, README.md does not say why" % self.names(
                self.differs)
        if self.reason and self.same and not self.differs | self.shown:
            return "differs says README.md, the same says %s" % self.names(
                self.same)
        return ""

    @staticmethod
    def names(tests):
        return " ".join(sorted(tests))


def read_rows():
    rows = {}
    for line in (TOP / "selftests/rows.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        row, title, kind, why = ROW_LINE.match(line).groups("")
        if row in rows:
            raise SystemExit("rows.txt: %s twice" % row)
        rows[row] = Row(row, title, kind, why)
    return rows


def readme_items():
    """(rows, text) of each item of the section."""
    text = (TOP / "README.md").read_text()
    section = text.partition(SECTION)[2].partition("\n#")[0]
    for item in re.split(r"^- ", section, flags=re.M)[1:]:
        item = " ".join(item.partition("\n\n")[0].split())
        found = re.search(r"\s*\[(%s(?:,? %s)*)\]$" % (ROW, ROW), item)
        if found:
            yield re.findall(ROW, found[1]), item[:found.start()]


def headers():
    """{selftest: its rows}"""
    out = {}
    for path in (TOP / "selftests").glob("*.sh"):
        found = re.findall(r"^# rows: (.*)$", path.read_text(), flags=re.M)
        if found:
            out[path.stem] = " ".join(found).split()
    return out


class Table:
    def __init__(self):
        self.rows = read_rows()
        self.unknown = []
        for names, text in readme_items():
            for row in self.known(names, "README.md"):
                row.reason = "; ".join(filter(None, (row.reason, text)))

    def known(self, names, where):
        for name in names:
            if name in self.rows:
                yield self.rows[name]
            else:
                self.unknown.append("%s: %s" % (where, name))

    def read_log(self, path, tests):
        if not path.exists():
            raise SystemExit("no %s: scripts/check.sh makes it" % path)
        for line in path.read_text(errors="replace").splitlines():
            found = RESULT.match(line)
            if not found:
                continue
            bad, test, name = found[1], found[2], found[3] or ""
            name, skipped, _ = name.partition(" # SKIP")
            tests[test].append(not bad and not skipped)
            found = SCENARIO.match(name)
            if not found or skipped:
                continue
            for row in self.known(found[2].split(), "%s: %s" % (test, name)):
                (row.failed if bad else row.differs if found[3] else
                 row.same).add(found[1])

    def read_logs(self, paths):
        tests = collections.defaultdict(list)
        for path in paths:
            self.read_log(path, tests)
        for test, names in headers().items():
            for row in self.known(names, test + ".sh"):
                if tests[test]:
                    (row.shown if all(tests[test]) else
                     row.failed).add(test + ".sh")


class Tap:
    count = failed = 0

    def check(self, name, complaints):
        self.count += 1
        self.failed += bool(complaints)
        print("%sok %d - %s" % ("not " if complaints else "", self.count,
                                name))
        for line in complaints:
            print("#   " + line)


def main(logs):
    table = Table()
    table.read_logs(pathlib.Path(log) for log in logs)
    rows = table.rows
    print("TAP version 13")
    for name, row in rows.items():
        print("# %s %s: %s%s" % (name, row.title, row.verdict(),
                                 row.by() and " [%s]" % row.names(row.by())
                                 or ""))
    shown = [row for name, row in rows.items()
             if row.by() and not row.failed and name[0] != "B"]
    verdicts = [row.verdict().partition(":")[0] for row in rows.values()]
    print("# %d rows, %d of P and O shown by a scenario: %s" % (
        len(rows), len(shown), ", ".join(
            "%s %d" % (v, verdicts.count(v)) for v in sorted(set(verdicts)))))
    tap = Tap()
    tap.check("every_row_has_a_verdict", [
        "%s %s: %s" % (name, row.title, row.verdict())
        for name, row in rows.items() if row.verdict() == "NONE" or row.failed])
    tap.check("no_two_verdicts_contradict", [
        "%s: %s" % (name, row.contradiction()) for name, row in rows.items()
        if row.contradiction()])
    tap.check("no_unknown_row_is_named", sorted(set(table.unknown)))
    tap.check("%d_rows_or_more_are_shown_by_a_scenario" % WANTED,
              ["only %d" % len(shown)] if len(shown) < WANTED else [])
    print("1..%d" % tap.count)
    return bool(tap.failed)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__.strip())
    sys.exit(main(sys.argv[1:]))
