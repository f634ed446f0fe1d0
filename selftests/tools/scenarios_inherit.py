# SPDX-License-Identifier: GPL-2.0
"""What a listener passes on to its connections, option by option (protocol.md 2.3).

Every option of every level is tried on a fresh listener with several values.  Where the
kernel takes one, a client connects and says something, and all that can be read of the
accepted socket is noted: each option of each level, TCP_INFO, what inet_diag tells.
Noted is what differs from the connection of a plain listener, so that a difference
between native and halfopen names the option that causes it.
"""

import copy
import ctypes
import socket
import struct

from differential import (
    STATS, TCP_INFO, TIMED, moved_stats, read_all, scenario)
from seg import PEER
from sockopt import getsockopt

SOL = socket.SOL_SOCKET
IP = socket.IPPROTO_IP
IPV6 = socket.IPPROTO_IPV6
TCP = socket.IPPROTO_TCP
LEVELS = {SOL: "SO_", IP: "IP_", IPV6: "IPV6_", TCP: "TCP_"}
SO_PEERNAME = 28
NUMBERS = range(1, 131)

# Those that the socket module does not know, of linux/{socket,in,in6,tcp}.h.
NAMES = {
    (SOL, 20): "SO_RCVTIMEO", (SOL, 21): "SO_SNDTIMEO",
    (SOL, 26): "SO_ATTACH_FILTER", (SOL, 32): "SO_SNDBUFFORCE",
    (SOL, 33): "SO_RCVBUFFORCE", (SOL, 37): "SO_TIMESTAMPING",
    (SOL, 40): "SO_RXQ_OVFL", (SOL, 44): "SO_LOCK_FILTER",
    (SOL, 46): "SO_BUSY_POLL", (SOL, 47): "SO_MAX_PACING_RATE",
    (SOL, 51): "SO_ATTACH_REUSEPORT_CBPF", (SOL, 60): "SO_ZEROCOPY",
    (SOL, 61): "SO_TXTIME", (SOL, 62): "SO_BINDTOIFINDEX",
    (SOL, 66): "SO_RCVTIMEO_NEW", (SOL, 67): "SO_SNDTIMEO_NEW",
    (SOL, 69): "SO_PREFER_BUSY_POLL", (SOL, 70): "SO_BUSY_POLL_BUDGET",
    (SOL, 72): "SO_BUF_LOCK", (SOL, 73): "SO_RESERVE_MEM",
    (SOL, 74): "SO_TXREHASH", (SOL, 75): "SO_RCVMARK",
    (IP, 8): "IP_PKTINFO", (IP, 9): "IP_PKTOPTIONS", (IP, 10): "IP_MTU_DISCOVER",
    (IP, 17): "IP_XFRM_POLICY", (IP, 21): "IP_MINTTL",
    (IPV6, 6): "IPV6_2292PKTOPTIONS", (IPV6, 11): "IPV6_FLOWINFO",
    (IPV6, 32): "IPV6_FLOWLABEL_MGR", (IPV6, 33): "IPV6_FLOWINFO_SEND",
    (IPV6, 35): "IPV6_XFRM_POLICY", (IPV6, 70): "IPV6_AUTOFLOWLABEL",
    (IPV6, 73): "IPV6_MINHOPCOUNT",
    (TCP, 14): "TCP_MD5SIG", (TCP, 19): "TCP_REPAIR", (TCP, 24): "TCP_TIMESTAMP",
    (TCP, 27): "TCP_SAVE_SYN", (TCP, 28): "TCP_SAVED_SYN", (TCP, 31): "TCP_ULP",
    (TCP, 32): "TCP_MD5SIG_EXT", (TCP, 33): "TCP_FASTOPEN_KEY",
    (TCP, 35): "TCP_ZEROCOPY_RECEIVE", (TCP, 36): "TCP_INQ",
    (TCP, 37): "TCP_TX_DELAY", (TCP, 38): "TCP_AO_ADD_KEY",
}

# Not compared byte by byte, and why.
UNREADABLE = {
    (SOL, 57),      # SO_COOKIE: another one for each socket
    (TCP, 11),      # TCP_INFO: field by field
    (TCP, 21),      # TCP_QUEUE_SEQ: the ISN, readable with TCP_REPAIR
    (TCP, 24),      # TCP_TIMESTAMP: a clock with a random offset
    (TCP, 26),      # TCP_CC_INFO: what BBR measured
    (TCP, 35),      # TCP_ZEROCOPY_RECEIVE: does something
}

INTS = (0, 1, 2, 100, 70000, 0x7fffffff, -1)


def known_names():
    out = {}
    for name, number in vars(socket).items():
        for level, prefix in LEVELS.items():
            if name.startswith(prefix) and "DEFAULT" not in name and \
                    "MAX" not in name:
                out[level, number] = name
    return {**out, **NAMES}


KNOWN = known_names()


def name_of(level, number):
    return KNOWN.get((level, number), "%s%d" % (LEVELS[level], number))


def cbpf(*code):
    """(struct sock_fprog, what it points to)."""
    insns = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *insn) for insn in code))
    return struct.pack("HxxxxxxP", len(code), ctypes.addressof(insns)), insns


def addr(family, text):
    return socket.inet_pton(socket.AF_INET if family == 4 else socket.AF_INET6,
                            text)


def sockaddr(family, text):
    """struct sockaddr_storage"""
    if family == 4:
        raw = struct.pack("=HH4s", socket.AF_INET, 0, addr(4, text))
    else:
        raw = struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, addr(6, text), 0)
    return raw.ljust(128, b"\0")


# struct xfrm_userpolicy_info: selector, lifetimes, priority, index, direction,
# action (0: allow), flags, share.
def policy(family, direction):
    selector = struct.pack("=16s16sHHHHHBBBxxxiI", b"", b"", 0, 0, 0, 0,
                           socket.AF_INET if family == 4 else socket.AF_INET6,
                           0, 0, 0, 0, 0)
    return selector + b"\xff" * 32 + b"\0" * 32 + b"\0" * 32 + struct.pack(
        "=IIBBBBxxxx", 0, 0, direction, 0, 0, 0)


ACCEPT_ALL, _KEEP = cbpf((0x06, 0, 0, 0xFFFFFFFF))
HOP = b"\0\0\x01\x04\0\0\0\0"              # one header of padding


def structured(level, family):
    """Options that are more than an int."""
    other = "198.51.100.1" if family == 4 else "2001:db8::1"
    if level == SOL:
        for number in (20, 21, 66, 67):
            yield number, struct.pack("qq", 3, 500000)
        yield 13, struct.pack("ii", 1, 5)
        yield 13, struct.pack("ii", 1, 0)
        yield 25, b"srv0"
        yield 26, ACCEPT_ALL
        yield 47, struct.pack("Q", 1 << 33)
        yield 61, struct.pack("iI", 1, 0)
        yield 61, struct.pack("iI", 11, 3)
        yield 37, struct.pack("ii", 0x18, 0)
        yield 65, struct.pack("ii", 0x18, 0)
    elif level == IP:
        yield 4, b"\x01\x01\x01\x00"
        yield 4, b"\x07\x07\x04\0\0\0\0\0"
        yield 17, policy(4, 0)
        yield 17, policy(4, 1)
        yield 50, struct.pack("!I", 1)
        yield 51, struct.pack("HH", 40000, 50000)
    elif level == IPV6:
        yield 6, struct.pack("=QII", 20, IPV6, 67) + struct.pack("=i4x", 0x28)
        yield 11, struct.pack("!I", 0x28)
        # label 0x12345 for anybody, to be created
        yield 32, addr(6, PEER[6]) + b"\0\x01\x23\x45" + struct.pack(
            "=BBHHHI", 0, 255, 1, 0, 0, 0)
        yield 35, policy(6, 0)
        yield 35, policy(6, 1)
        yield 50, addr(6, "fd00::1") + struct.pack("=i", 0)
        yield 54, HOP
        yield 55, HOP
        yield 57, struct.pack("=BBBBI", 0, 2, 4, 0, 0) + addr(6, "fd00::2")
        yield 59, HOP
    else:
        for name in (b"reno", b"cubic", b"dctcp", b"bbr"):
            yield 13, name
        md5 = sockaddr(family, other) + struct.pack("=BBHiI80s", 0, 0, 3, 0, 0,
                                                    b"key")
        yield 14, md5
        yield 32, md5
        yield 33, bytes(range(16))
        yield 33, bytes(range(32))
        yield 38, sockaddr(family, other) + b"cmac(aes128)".ljust(64, b"\0") + \
            struct.pack("=iIIBBBBBBBB80s", 0, 0, 0,
                        32 if family == 4 else 128, 1, 1, 0, 0, 16, 0, 0,
                        b"k" * 16)


# --- the state of a socket ---------------------------------------------------


def options_of(s, readable):
    return {key: getsockopt(s, *key) for key in readable}


def readable_options(*socks):
    return [(level, number) for level in LEVELS for number in NUMBERS
            if (level, number) not in UNREADABLE and
            any(getsockopt(s, level, number) != "ENOPROTOOPT" for s in socks)]


def tcp_info_of(s):
    raw = s.getsockopt(TCP, socket.TCP_INFO, 512)
    return {name: struct.unpack_from("<" + fmt, raw, off)[0]
            for name, (off, fmt) in TCP_INFO.items()
            if name not in TIMED and off + struct.calcsize(fmt) <= len(raw)}


def diag_of(w, s):
    """inet_diag's view: timer, queues, uid, and each attribute but TCP_INFO."""
    mapped = s.family == socket.AF_INET6 and w.family == 4
    pad = (lambda raw: b"\0" * 10 + b"\xff\xff" + raw) if mapped else \
        lambda raw: raw
    src = pad(addr(w.family, s.getsockname()[0].replace("::ffff:", "")))
    dst = pad(addr(w.family, s.getpeername()[0].replace("::ffff:", "")))
    ident = struct.pack("!HH16s16s", s.getsockname()[1], s.getpeername()[1],
                        src, dst) + struct.pack("=III", 0, 0xffffffff,
                                                0xffffffff)
    req = struct.pack("=BBBxI", s.family, TCP, 0xff, 0xffffffff) + ident
    nl = w.srv(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, 4)
    try:
        nl.send(struct.pack("=IHHII", 16 + len(req), 20, 1, 1, 0) + req)
        raw = nl.recv(65536)
    finally:
        nl.close()
    if struct.unpack_from("=H", raw, 4)[0] != 20:
        return {"diag": "error %d" % struct.unpack_from("=i", raw, 16)[0]}
    family, state, timer, retrans = raw[16:20]
    out = {"diag timer": timer, "diag retrans": retrans, "diag state": state,
           "diag queues": struct.unpack_from("=II", raw, 16 + 56),
           "diag uid": struct.unpack_from("=I", raw, 16 + 64)[0]}
    off = 16 + 72
    while off + 4 <= len(raw):
        size, kind = struct.unpack_from("=HH", raw, off)
        if kind not in (2, 16):         # INET_DIAG_INFO, INET_DIAG_BBRINFO
            out["diag %d" % kind] = raw[off + 4:off + size].hex()
        off += max((size + 3) & ~3, 4)
    return out


# --- one connection ----------------------------------------------------------


def listener(w, family, level, number, value):
    """None if the kernel does not take the option."""
    s = w.srv(socket.socket,
              socket.AF_INET if family == 4 else socket.AF_INET6)
    s.setsockopt(SOL, socket.SO_REUSEADDR, 1)
    if family != 4:
        s.setsockopt(IPV6, socket.IPV6_V6ONLY, family == 6)
    early = number is None or try_option(s, level, number, value)
    try:
        s.bind(("::" if family != 4 else "0.0.0.0", w.port))
        s.listen(16)
    except OSError:
        s.close()
        return None
    if not early and not try_option(s, level, number, value):
        s.close()
        return None
    s.settimeout(0.5)
    return s


def try_option(s, level, number, value):
    try:
        s.setsockopt(level, number, value)
        return True
    except OSError:
        return False


def connection(w, first, lsk):
    """A client that connects and sends one byte: (peer, SYN-ACK, child or None)."""
    p = copy.copy(first)
    p.sport += len(w.peers)
    w.peers.append(p)
    p.syn()
    s = p.recv(0.5)
    if s is None or not s.is_synack():
        # an answer that went elsewhere shall not be repeated
        p.rst()
        return p, "no SYN-ACK", None
    p.ack()
    p.data(b"x")
    try:
        child, _ = lsk.accept()
    except (OSError, TimeoutError):
        child = None
    # in the transcript anyway; here for the name of the option
    return p, "win=%d mss=%s wscale=%s tos=%#x ttl=%d" % (
        s.win, s.mss, s.wscale, s.tos, s.ttl), child


def abort(p, *socks):
    for s in socks:
        if s:
            try_option(s, SOL, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
    while p.recv(0.002):
        pass


def state_of(w, child, readable):
    return {**options_of(child, readable), **tcp_info_of(child),
            **diag_of(w, child)}


def settings(level, family):
    for number in NUMBERS:
        for value in INTS:
            yield number, value
    yield from structured(level, family)


def show(value):
    return value[:24].hex() if isinstance(value, bytes) else str(value)


def show_item(key, value):
    return "%s=%s" % (key if isinstance(key, str) else name_of(*key), show(value))


def differences(now, plain):
    return [show_item(k, now[k]) for k in now
            if now[k] != plain.get(k) and k != (SOL, SO_PEERNAME)]


def sweep(w, level, family):
    """family: of the listener."""
    first = w.peer(sport=10000)
    lsk = listener(w, family, None, None, None)
    p, synack, child = connection(w, first, lsk)
    readable = readable_options(lsk, child)
    plain = state_of(w, child, readable)
    # reading takes longer than noting: times count from the last segment
    p.fin()
    w.note(" ".join(["plain:", synack] + [show_item(k, plain[k]) for k in plain]))
    abort(p, child, lsk)

    before = w.srv(read_all, STATS)
    tried, accepted = set(), 0
    for number, value in settings(level, family):
        lsk = listener(w, family, level, number, value)
        if lsk is None:
            continue
        accepted += 1
        # 100 may mean no more than 1 did
        same = getsockopt(lsk, level, number)
        same = (number, value if isinstance(same, str) else same)
        if same in tried:
            lsk.close()
            continue
        tried.add(same)
        p, synack, child = connection(w, first, lsk)
        seen = [synack]
        if child:
            seen += differences(state_of(w, child, readable), plain)
        p.fin()
        w.note("%s = %s: %s" % (name_of(level, number), show(value),
                                "; ".join(seen)))
        abort(p, child, lsk)
    if w.mode:
        report(w, LEVELS[level], family, len({n for n, _ in tried}), accepted,
               len(tried), before)


def report(w, level, family, options, accepted, distinct, before):
    moved = moved_stats(before, w.srv(read_all, STATS))
    declined = ["%s %d" % (k[9:], v) for k, v in sorted(moved.items())
                if k.startswith("declined_")]
    print("# %s* on %s listeners: %d options, %d values, %d of them distinct; "
          "%d SYNs taken, declined: %s" % (
              level, family, options, accepted, distinct,
              moved["syn_taken"], ", ".join(declined) or "none"),
          flush=True)


@scenario("O-21 O-22 O-24 O-44")
def inherits_socket_options(w):
    sweep(w, SOL, w.family)


@scenario("O-10 O-11 O-21 O-24 O-32")
def inherits_ip_options(w):
    sweep(w, IP, w.family)


@scenario("O-10 O-11 O-21 O-23 O-32", families=(6,))
def inherits_ipv6_options(w):
    sweep(w, IPV6, 6)


@scenario("O-15 O-16 O-21 O-22 O-25 O-26 O-44")
def inherits_tcp_options(w):
    sweep(w, TCP, w.family)


@scenario("P-85 O-21", families=(4,))
def mapped_inherits_ip_options(w):
    sweep(w, IP, "dual")


@scenario("P-85 O-21 O-23", families=(4,))
def mapped_inherits_ipv6_options(w):
    sweep(w, IPV6, "dual")
