# SPDX-License-Identifier: GPL-2.0
"""Allocations that fail on purpose (CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC).

    point = FailPoint("failslab")
    point.arm(module_text(module), space=PLENTY, times=0)
    ...                         # what asks for memory with halfopen on its stack
    point.disarm()
    print(point.space())        # less by the size of each of these allocations

An allocation fails if less than it needs is left of "space", so the last one of a run
is found by the sum of a run before, and the one before it by what that run had left.
Which function asked is read from the stack that the kernel then prints.

Standard library only.
"""

import collections
import functools
import os
import re
import struct

DEBUGFS = "/sys/kernel/debug/"
SECTIONS = "/sys/module/halfopen/sections/"
PLENTY = 1 << 30
DEPTH = 32                      # the most that the kernel looks at
EVERYWHERE = 2 ** 64 - 1

# a frame that the kernel is sure of; "? " before a name says that it is not
FRAME = re.compile(r"^ *(?:\[<[0-9a-f]+>\] )?([A-Za-z_][\w.]*)\+0x([0-9a-f]+)/"
                   r"0x[0-9a-f]+(?: \[(\w+)\])?$")
# functions that hand out memory, or register what needs some
ALLOCATES = re.compile(
    r"k[mvz]*alloc|kmem_cache_(alloc|create)|__kmem_cache_create|kmemdup|kstrdup|"
    r"alloc_skb|skb_(copy|clone)$|pskb_copy|pskb_expand|skb_ext_add|pcpu_alloc|"
    r"alloc_pages|vmalloc|proc_create|register_net_sysctl|nf_register|"
    r"register_pernet|ip_route_output|dst_lookup|inet_csk_clone|nf_ct_")

Site = collections.namedtuple("Site", "function allocator")


class FailPoint:
    """One of the two, by its directory in debugfs."""

    def __init__(self, name):
        self.name = name
        self._set("probability", 0)
        self._set("verbose_ratelimit_interval_ms", 0)
        self._set("verbose", 2)
        self._set("interval", 1)
        self._set("stacktrace-depth", DEPTH)
        self._set("task-filter", "N")
        self._set("ignore-gfp-wait", "N")
        if name == "fail_page_alloc":
            self._set("ignore-gfp-highmem", "N")
            self._set("min-order", 0)

    def _set(self, knob, value):
        with open(DEBUGFS + self.name + "/" + knob, "w") as f:
            f.write(str(value))

    def _get(self, knob):
        with open(DEBUGFS + self.name + "/" + knob) as f:
            return int(f.read(), 0)

    def reject(self, text):
        """Never fail what has this on its stack."""
        self._set("reject-start", text[0])
        self._set("reject-end", text[1])

    def arm(self, text, space, times):
        """text: addresses, one of which must be on the stack.  times: how many fail, 0
        for none, although they are counted, -1 for all."""
        self._set("require-start", text[0])
        self._set("require-end", text[1])
        self._set("space", space)
        self._set("times", times or -1)
        self._set("probability", 100)

    def disarm(self):
        self._set("probability", 0)
        # the kernel shows stacks for a filter only
        self._set("require-start", 0)
        self._set("require-end", EVERYWHERE)

    def space(self):
        return self._get("space")

    def times(self):
        return self._get("times")


class KernelLog:
    """What the kernel says from now on."""

    def __init__(self):
        self.fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.fd, 0, os.SEEK_END)

    def lines(self):
        out = []
        while True:
            try:
                record = os.read(self.fd, 8192).decode(errors="replace")
            except BlockingIOError:
                return out
            except BrokenPipeError:     # some were overwritten
                continue
            out.append(record.split(";", 1)[-1].splitlines()[0])

    def failures(self):
        """[[(function, offset, module), ...]]: a stack for each."""
        out = []
        for line in self.lines():
            if line.startswith("FAULT_INJECTION: forcing a failure"):
                out.append([])
            m = FRAME.match(line)
            if m and out:
                out[-1].append((m[1], int(m[2], 16), m[3]))
        return out


def site(stack):
    """Where in halfopen that was, and what it called.  None if it was not there."""
    for below, (function, _, module) in zip(stack, stack[1:]):
        if module == "halfopen":
            return Site(function, below[0])
    return None


@functools.lru_cache(None)
def kernel_text(*functions):
    """Where the first of these lies that the kernel has."""
    with open("/proc/kallsyms") as f:
        rows = [line.split() for line in f]
    # those of modules have a fourth column
    text = sorted((int(r[0], 16), r[2]) for r in rows
                  if len(r) == 3 and r[1] in "tT")
    where = {name: at for at, name in reversed(text)}
    for function in functions:
        if function in where:
            start = where[function]
            return start, next(at for at, _ in text if at > start)
    raise LookupError("no %s in /proc/kallsyms" % (functions,))


def module_text(module):
    """Where the loaded module's code lies."""
    with open(SECTIONS + ".text") as f:
        start = int(f.read(), 16)
    return start, start + module.text_size


class Module:
    """What can be seen in halfopen.ko itself."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.raw = f.read()
        shoff, = struct.unpack_from("<Q", self.raw, 40)
        size, count, names = struct.unpack_from("<HHH", self.raw, 58)
        self.sections = [struct.unpack_from("<IIQQQQIIQQ", self.raw, shoff + i * size)
                         for i in range(count)]
        self.names = self.sections[names][4]
        self.text_size = sum(s[5] for s in self.sections
                             if self._text(self.names, s[0]) == ".text")
        self._symbols()

    def _text(self, table, at):
        return self.raw[table + at:self.raw.index(b"\0", table + at)].decode()

    def _symbols(self):
        """self.symbols[n] = (name, section); self.functions[section] = sorted list."""
        self.symbols = []
        self.functions = collections.defaultdict(list)
        table = next(s for s in self.sections if s[1] == 2)
        strings = self.sections[table[6]][4]
        source = ""
        for at in range(table[4], table[4] + table[5], 24):
            name, info, _, section, value, size = struct.unpack_from(
                "<IBBHQQ", self.raw, at)
            name = self._text(strings, name)
            self.symbols.append((name, section))
            if info & 15 == 4:
                source = name
            elif info & 15 == 2:
                # what is global comes after all files
                self.functions[section].append(
                    (value, size, name, source if info >> 4 == 0 else ""))
        for functions in self.functions.values():
            functions.sort()

    def _function(self, section, at):
        for value, size, name, _ in self.functions[section]:
            if value <= at < value + size:
                return name
        return None

    def sites(self):
        """Every function that calls one that allocates."""
        out = set()
        for s in self.sections:
            target = s[7]
            if s[1] != 4 or not self.sections[target][2] & 4:
                continue
            for at in range(s[4], s[4] + s[5], 24):
                where, info = struct.unpack_from("<QQ", self.raw, at)
                name, section = self.symbols[info >> 32]
                if section == 0 and ALLOCATES.search(name) and name not in (
                        "kmalloc_caches",) and not name.startswith("unregister"):
                    out.add(Site(self._function(target, where), name))
        return out
