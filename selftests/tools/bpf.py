# SPDX-License-Identifier: GPL-2.0
"""BPF programs of a few instructions, by the bpf() system call alone.

    prog = bpf.load(bpf.SK_LOOKUP, [bpf.mov(R0, 1), bpf.exit_()],
                    attach_type=bpf.AT_SK_LOOKUP)
    link = bpf.link(prog, netns_fd, bpf.AT_SK_LOOKUP)

A program is a list of instructions; a string in it is a label, and jumps name one.
Descriptors are plain numbers: os.close() detaches a link and frees the rest.
"""

import ctypes
import os
import struct
import subprocess
import tempfile

libc = ctypes.CDLL(None, use_errno=True)

SYS_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280}[os.uname().machine]

(MAP_CREATE, MAP_LOOKUP, MAP_UPDATE, PROG_LOAD, OBJ_PIN, PROG_ATTACH, PROG_DETACH,
 RAW_TRACEPOINT_OPEN, BTF_LOAD, LINK_CREATE) = 0, 1, 2, 5, 6, 8, 9, 17, 18, 28

# map types
ARRAY, SOCKMAP, SOCKARRAY, SK_STORAGE = 2, 15, 20, 24
F_NO_PREALLOC, F_CLONE = 1, 1 << 9

# program types
(SCHED_CLS, CGROUP_SKB, SOCK_OPS, SK_REUSEPORT, LSM,
 SK_LOOKUP) = 3, 8, 13, 21, 29, 30

# attach types
(AT_CGROUP_INGRESS, AT_CGROUP_EGRESS, AT_CGROUP_SOCK_OPS, AT_LSM, AT_SK_LOOKUP,
 AT_REUSEPORT, AT_REUSEPORT_OR_MIGRATE) = 0, 1, 3, 27, 36, 39, 40

# helpers
(F_map_lookup_elem, F_skb_load_bytes, F_sock_ops_cb_flags_set,
 F_sk_select_reuseport, F_sk_release, F_sk_assign, F_store_hdr_opt,
 F_reserve_hdr_opt) = 1, 26, 59, 82, 86, 124, 143, 144

SO_ATTACH_REUSEPORT_EBPF = 52


# --- instructions --------------------------------------------------------------

class Reg(int):
    """So that mov(R1, R2) is not mov(R1, 2)."""


R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, R10 = (Reg(i) for i in range(11))
B, H, W, DW = 0x10, 0x08, 0x00, 0x18        # sizes


def _alu(code, dst, value):
    if isinstance(value, Reg):
        return (code | 0x08, dst, value, 0, 0)
    return (code, dst, 0, 0, value)


def mov(dst, value):
    return _alu(0xb7, dst, value)


def add(dst, value):
    return _alu(0x07, dst, value)


def and_(dst, value):
    return _alu(0x57, dst, value)


def be16(dst):
    """To or from the network's order."""
    return (0xdc, dst, 0, 0, 16)


def ld(size, dst, src, off=0):
    return (0x61 | size, dst, src, off, 0)


def st(size, dst, off, value):
    if isinstance(value, Reg):
        return (0x63 | size, dst, value, off, 0)
    return (0x62 | size, dst, 0, off, value)


def load_map(dst, fd):
    """Two slots."""
    return (0x18, dst, 1, 0, fd), (0, 0, 0, 0, 0)


def jump(label):
    return (0x05, 0, 0, label, 0)


def _jump(code, a, value, label):
    if isinstance(value, Reg):
        return (code | 0x08, a, value, label, 0)
    return (code, a, 0, label, value)


def jeq(a, value, label):
    return _jump(0x15, a, value, label)


def jne(a, value, label):
    return _jump(0x55, a, value, label)


def jgt(a, value, label):
    return _jump(0x25, a, value, label)


def call(helper):
    return (0x85, 0, 0, 0, helper)


def exit_():
    return (0x95, 0, 0, 0, 0)


def lookup(fd, key):
    """R0 = address of the value or socket; key is a number or R6 to R9."""
    return [st(W, R10, -4, key), mov(R2, R10), add(R2, -4), *load_map(R1, fd),
            call(F_map_lookup_elem)]


_count_labels = iter(range(1 << 30))


def count(fd, key):
    """map[key] += 1; R0 to R5 are lost."""
    done = "counted%d" % next(_count_labels)
    return [*lookup(fd, key), jeq(R0, 0, done), mov(R1, 1),
            (0xdb, R0, R1, 0, 0),       # lock *(u64 *)R0 += R1
            done]


def assemble(insns):
    labels, out = {}, []
    for insn in insns:
        if isinstance(insn, str):
            labels[insn] = len(out)
        else:
            out.append(insn)
    return b"".join(
        struct.pack("<BBhi", code, dst | src << 4,
                    labels[off] - at - 1 if isinstance(off, str) else off, imm)
        for at, (code, dst, src, off, imm) in enumerate(out))


# --- the system call -------------------------------------------------------------

def bpf(cmd, attr):
    buf = ctypes.create_string_buffer(attr.ljust(128, b"\0"), 128)
    ret = libc.syscall(SYS_BPF, cmd, buf, len(buf))
    if ret < 0:
        err = ctypes.get_errno()
        raise OSError(err, "bpf(%d): %s" % (cmd, os.strerror(err)))
    return ret


def _address(buf):
    return ctypes.addressof(buf)


def create_map(kind, key_len=4, value_len=8, entries=64, flags=0, btf=(0, 0, 0)):
    return bpf(MAP_CREATE, struct.pack("<5I", kind, key_len, value_len, entries,
                                       flags).ljust(48, b"\0") +
               struct.pack("<3I", *btf))


def _elem(cmd, fd, key, value):
    k = ctypes.create_string_buffer(struct.pack("<I", key), 4)
    bpf(cmd, struct.pack("<IxxxxQQQ", fd, _address(k), _address(value), 0))


def set_elem(fd, key, value, size=8):
    _elem(MAP_UPDATE, fd, key,
          ctypes.create_string_buffer(value.to_bytes(size, "little"), size))


def get_elem(fd, key, size=8):
    value = ctypes.create_string_buffer(size)
    _elem(MAP_LOOKUP, fd, key, value)
    return int.from_bytes(value.raw, "little")


def counters(fd, entries=64):
    """{key: value} of an array, without zeros."""
    values = ((key, get_elem(fd, key)) for key in range(entries))
    return {key: value for key, value in values if value}


def load(kind, insns, attach_type=0, btf_id=0):
    code = assemble(insns)
    insns_buf = ctypes.create_string_buffer(code, len(code))
    licence = ctypes.create_string_buffer(b"GPL")
    log = ctypes.create_string_buffer(1 << 16)
    attr = struct.pack("<IIQQIIQ", kind, len(code) // 8, _address(insns_buf),
                       _address(licence), 1, len(log), _address(log))
    attr = attr.ljust(68, b"\0") + struct.pack("<I", attach_type)
    attr = attr.ljust(108, b"\0") + struct.pack("<I", btf_id)
    try:
        return bpf(PROG_LOAD, attr)
    except OSError as e:
        raise OSError(e.errno, "%s: %s" % (e.strerror, log.value.decode())) from e


def link(prog, target, attach_type):
    return bpf(LINK_CREATE, struct.pack("<4I", prog, target, attach_type, 0))


def attach(prog, target, attach_type):
    bpf(PROG_ATTACH, struct.pack("<4I", target, prog, attach_type, 0))


def detach(prog, target, attach_type):
    bpf(PROG_DETACH, struct.pack("<4I", target, prog, attach_type, 0))


def pin(fd, path):
    name = ctypes.create_string_buffer(path.encode())
    bpf(OBJ_PIN, struct.pack("<QI", _address(name), fd))


# --- type information ---------------------------------------------------------------

def int_btf():
    """A BTF object whose type 1 is a 32-bit int: maps of sockets want types."""
    strings = b"\0int\0"
    types = struct.pack("<4I", 1, 1 << 24, 4, 1 << 24 | 32)
    raw = struct.pack("<HBB5I", 0xeb9f, 1, 0, 24, 0, len(types), len(types),
                      len(strings)) + types + strings
    buf = ctypes.create_string_buffer(raw, len(raw))
    return bpf(BTF_LOAD, struct.pack("<QQI", _address(buf), 0, len(raw)))


def kernel_function(name):
    """The number of a function in the kernel's own BTF."""
    with open("/sys/kernel/btf/vmlinux", "rb") as f:
        raw = f.read()
    head, type_off, type_len, str_off = struct.unpack_from("<4I", raw, 4)
    # a whole name, so between two zeros
    want = raw.index(b"\0%s\0" % name.encode(), head + str_off) + 1 - head - str_off
    at, end, number = head + type_off, head + type_off + type_len, 0
    # what follows the three common words, by kind: fixed, or per member
    fixed = {1: 4, 3: 12, 14: 4, 17: 4}
    each = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
    unpack = struct.Struct("<2I").unpack_from
    while at < end:
        number += 1
        name_off, info = unpack(raw, at)
        kind = info >> 24 & 31
        if kind == 12 and name_off == want:
            return number
        at += 12 + fixed.get(kind, 0) + each.get(kind, 0) * (info & 0xFFFF)
    raise OSError("no function %s" % name)


def attach_lsm(prog):
    return bpf(RAW_TRACEPOINT_OPEN, struct.pack("<QI", 0, prog))


# --- where programs live ---------------------------------------------------------

def mount_point(kind, at):
    """Where the file system is, mounted if it is not yet."""
    with open("/proc/self/mounts") as f:
        for line in f:
            if line.split()[2] == kind:
                return line.split()[1]
    os.makedirs(at, exist_ok=True)
    subprocess.run(["mount", "-t", kind, kind, at], check=True)
    return at


class Cgroup:
    """A new control group; sockets made in a with block belong to it."""

    def __init__(self):
        self.top = mount_point("cgroup2", "/run/cgroup2")
        self.path = tempfile.mkdtemp(prefix="halfopen-", dir=self.top)
        self.fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        self.attached = []

    def _move_to(self, path):
        with open(path + "/cgroup.procs", "w") as f:
            f.write(str(os.getpid()))

    def __enter__(self):
        self._move_to(self.path)
        return self

    def __exit__(self, *why):
        self._move_to(self.top)

    def attach(self, prog, attach_type):
        attach(prog, self.fd, attach_type)
        self.attached.append((prog, attach_type))

    def close(self):
        for prog, attach_type in self.attached:
            detach(prog, self.fd, attach_type)
            os.close(prog)
        os.close(self.fd)
        os.rmdir(self.path)
