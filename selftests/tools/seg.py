# SPDX-License-Identifier: GPL-2.0
"""Single TCP segments, built and read byte by byte.

A Peer is one end of one connection at a spoofed address: nothing on this host
answers for it, so the test decides every segment.  Frames are sent and received
with a packet socket on the client's end of the veth pair (lib.sh, the network).

    from seg import Peer, ACK, MSS, WSCALE, LINUX

    p = Peer(dport=80)
    p.syn(opts=LINUX)
    synack = p.recv(1.0)
    p.ack()                     # completes the handshake
    for s in p.collect(70):     # everything until then, with time stamps
        print(s)

Standard library only; IPv4 and IPv6 differ in the address that is given.
"""

import select
import socket
import struct
import time

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << i for i in range(8))
FLAG_NAMES = "FSRPAUEW"

ETH_IP, ETH_IPV6 = 0x0800, 0x86DD
SRV_MAC = "02:00:00:00:00:01"
GW_MAC = "02:00:00:00:00:fe"
SRV = {4: "10.0.0.1", 6: "fd00::1"}
# Not configured anywhere, behind the gateway; outside of what floods use.
PEER = {4: "203.0.113.7", 6: "2001:db9::7"}

# --- options: (kind, payload) pairs, or ready bytes ---------------------------

NOP = b"\x01"
EOL = b"\x00"
SACK_PERM = b"\x04\x02"


def opt(kind, payload=b""):
    return bytes((kind, len(payload) + 2)) + payload


def MSS(value):
    return opt(2, struct.pack("!H", value))


def WSCALE(shift):
    return opt(3, bytes((shift,)))


def TS(val, ecr=0):
    return opt(8, struct.pack("!II", val & 0xFFFFFFFF, ecr & 0xFFFFFFFF))


def LINUX_OPTS(tsval=1000, mss=1460, wscale=7):
    """What Linux sends: MSS, SACK permitted, TS, NOP, window scale."""
    return MSS(mss) + SACK_PERM + TS(tsval) + NOP + WSCALE(wscale)


LINUX = LINUX_OPTS()


def pad(opts):
    return opts + EOL * (-len(opts) % 4)


def parse_opts(raw):
    """A list of (kind, payload); NOP is (1, b""); stops at EOL or nonsense."""
    out = []
    while raw:
        kind = raw[0]
        if kind == 0:
            break
        if kind == 1:
            out.append((1, b""))
            raw = raw[1:]
            continue
        if len(raw) < 2 or raw[1] < 2 or raw[1] > len(raw):
            out.append((kind, None))
            break
        out.append((kind, raw[2:raw[1]]))
        raw = raw[raw[1]:]
    return out


# --- one segment ---------------------------------------------------------------

def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def add(seq, n):
    """Sequence numbers wrap."""
    return (seq + n) & 0xFFFFFFFF


class Seg:
    """A received segment.  time is time.monotonic() of its arrival.

    src dst sport dport seq ack flags win urg opts raw_opts data
    ttl tos (traffic class) df ip_id flow (IPv6 label) frame ip tcp (bytes)
    """

    def __init__(self, frame, when):
        self.time = when
        self.frame = frame
        proto = struct.unpack_from("!H", frame, 12)[0]
        self.ip = frame[14:]
        if proto == ETH_IP:
            self._ipv4()
        elif proto == ETH_IPV6:
            self._ipv6()
        else:
            raise ValueError("not IP")
        self._tcp()

    def _ipv4(self):
        ip = self.ip
        if ip[9] != socket.IPPROTO_TCP:
            raise ValueError("not TCP")
        self.family = 4
        self.tos, total, self.ip_id, frag = struct.unpack_from("!xBHHH", ip)
        self.df = bool(frag & 0x4000)
        self.ttl = ip[8]
        self.flow = None
        self.src = socket.inet_ntop(socket.AF_INET, ip[12:16])
        self.dst = socket.inet_ntop(socket.AF_INET, ip[16:20])
        self.ip_opts = ip[20:(ip[0] & 15) * 4]
        self.tcp = ip[(ip[0] & 15) * 4:total]
        self.pseudo = ip[12:20] + struct.pack("!HH", 6, len(self.tcp))

    def _ipv6(self):
        ip = self.ip
        if ip[6] != socket.IPPROTO_TCP:
            raise ValueError("not TCP")
        self.family = 6
        first, length = struct.unpack_from("!IH", ip)
        self.tos = first >> 20 & 0xFF
        self.flow = first & 0xFFFFF
        self.ip_id = self.df = None
        self.ttl = ip[7]
        self.src = socket.inet_ntop(socket.AF_INET6, ip[8:24])
        self.dst = socket.inet_ntop(socket.AF_INET6, ip[24:40])
        self.ip_opts = b""
        self.tcp = ip[40:40 + length]
        self.pseudo = ip[8:40] + struct.pack("!II", len(self.tcp), 6)

    def _tcp(self):
        tcp = self.tcp
        if len(tcp) < 20:
            raise ValueError("short")
        (self.sport, self.dport, self.seq, self.ack, off, self.flags,
         self.win, self.check, self.urg) = struct.unpack_from("!HHIIBBHHH",
                                                              tcp)
        hlen = (off >> 4) * 4
        self.raw_opts = tcp[20:hlen]
        self.opts = parse_opts(self.raw_opts)
        self.data = tcp[hlen:]

    @property
    def check_ok(self):
        """False too where the sender left the checksum to the device."""
        return checksum(self.pseudo + self.tcp) == 0

    def opt(self, kind):
        """The payload of an option, None if it is not there."""
        for k, payload in self.opts:
            if k == kind:
                return payload
        return None

    @property
    def mss(self):
        raw = self.opt(2)
        return struct.unpack("!H", raw)[0] if raw else None

    @property
    def wscale(self):
        raw = self.opt(3)
        return raw[0] if raw else None

    @property
    def ts(self):
        """(TSval, TSecr) or None."""
        raw = self.opt(8)
        return struct.unpack("!II", raw) if raw else None

    @property
    def sack_ok(self):
        return self.opt(4) is not None

    @property
    def flag_text(self):
        return "".join(c for i, c in enumerate(FLAG_NAMES)
                       if self.flags & 1 << i)

    def is_synack(self):
        return self.flags & (SYN | ACK) == SYN | ACK

    def is_rst(self):
        return bool(self.flags & RST)

    def __str__(self):
        return "%.3f %s.%d>%s.%d %s seq=%u ack=%u win=%u len=%d opts=%s" % (
            self.time, self.src, self.sport, self.dst, self.dport,
            self.flag_text, self.seq, self.ack, self.win, len(self.data),
            self.raw_opts.hex() or "-")


# --- one peer ------------------------------------------------------------------

class Peer:
    """One side of one connection.

    family     4 or 6 (or from src / dst)
    ifname     where frames go out and come in
    mac        destination MAC address

    After a SYN-ACK was received, ack() and data() continue from it: seq is the
    next sequence number to send, rcv_nxt the next one expected, ts_recent the
    last TSval.
    """

    def __init__(self, ifname="cli0", src=None, dst=None, sport=None,
                 dport=80, family=None, mac=SRV_MAC, isn=None, ttl=64, tos=0):
        text = src or dst
        if family is None:
            family = 6 if text and ":" in text else 4
        self.family = family
        self.src = src or PEER[family]
        self.dst = dst or SRV[family]
        self.sport = sport or _next_port()
        self.dport = dport
        self.ttl = ttl
        self.tos = tos
        self.win = 64240
        self.isn = _next_isn() if isn is None else isn
        self.seq = self.isn
        self.rcv_nxt = 0
        self.ts_recent = None
        self.tsval = 1000
        self.synack = None
        self.mac = bytes.fromhex(mac.replace(":", ""))
        self.gw = bytes.fromhex(GW_MAC.replace(":", ""))
        # The filter is in Python: a few segments, not a load.  Both ends of
        # the pair are seen: what this socket sends is PACKET_OUTGOING.
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                  socket.htons(3))
        self.sock.bind((ifname, 3))
        self.sent = []

    # building

    def _addr(self, text):
        return socket.inet_pton(
            socket.AF_INET if self.family == 4 else socket.AF_INET6, text)

    def build(self, flags, seq, ack=0, data=b"", opts=b"", win=None, urg=0,
              ttl=None, tos=None, df=True, flow=0, ip_id=0, ip_opts=b"",
              bad_csum=False, doff=None, sport=None, dport=None, res=0):
        """The IP packet as bytes; every field can be overridden."""
        opts = pad(opts)
        if doff is None:
            doff = 5 + len(opts) // 4
        ttl = self.ttl if ttl is None else ttl
        tos = self.tos if tos is None else tos
        win = self.win if win is None else win
        tcp = struct.pack("!HHIIBBHHH", sport or self.sport,
                          dport or self.dport, seq & 0xFFFFFFFF,
                          ack & 0xFFFFFFFF, doff << 4 | res, flags, win, 0,
                          urg) + opts + data
        src, dst = self._addr(self.src), self._addr(self.dst)
        if self.family == 4:
            pseudo = src + dst + struct.pack("!HH", 6, len(tcp))
        else:
            pseudo = src + dst + struct.pack("!II", len(tcp), 6)
        csum = checksum(pseudo + tcp) ^ (0x5555 if bad_csum else 0)
        tcp = tcp[:16] + struct.pack("!H", csum) + tcp[18:]
        if self.family == 6:
            return struct.pack("!IHBB", 6 << 28 | tos << 20 | flow, len(tcp),
                               6, ttl) + src + dst + tcp
        ip_opts = pad(ip_opts)
        hlen = 20 + len(ip_opts)
        ip = struct.pack("!BBHHHBBH", 4 << 4 | hlen // 4, tos,
                         hlen + len(tcp), ip_id, 0x4000 if df else 0, ttl, 6,
                         0) + src + dst + ip_opts
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        return ip + tcp

    def send_ip(self, packet):
        """Any IP packet of our family (ICMP, fragments, broken ones)."""
        proto = ETH_IP if packet[0] >> 4 == 4 else ETH_IPV6
        self.sock.send(self.mac + self.gw + struct.pack("!H", proto) + packet)

    # sending

    def send(self, flags, seq=None, ack=None, data=b"", opts=b"", **kw):
        """One segment; seq and ack default to where the connection is."""
        seq = self.seq if seq is None else seq
        if ack is None:
            ack = self.rcv_nxt if flags & ACK else 0
        packet = self.build(flags, seq, ack, data, opts, **kw)
        self.send_ip(packet)
        self.sent.append((time.monotonic(), packet))
        return packet

    def syn(self, opts=LINUX, seq=None, flags=SYN, **kw):
        """A SYN (by default the first one again: a retransmission)."""
        seq = self.isn if seq is None else seq
        packet = self.send(flags, seq, opts=opts, **kw)
        self.isn = seq
        self.seq = add(seq, 1)
        for kind, payload in parse_opts(pad(opts)):
            if kind == 8 and payload and len(payload) == 8:
                self.tsval = struct.unpack("!II", payload)[0]
        return packet

    def _ts(self):
        """Timestamps belong in every segment once they were agreed on."""
        if self.ts_recent is None:
            return b""
        return NOP + NOP + TS(self.tsval, self.ts_recent)

    def ack(self, **kw):
        kw.setdefault("opts", self._ts())
        return self.send(ACK, **kw)

    def data(self, payload, flags=PSH | ACK, **kw):
        kw.setdefault("opts", self._ts())
        packet = self.send(flags, data=payload, **kw)
        self.seq = add(self.seq, len(payload))
        return packet

    def fin(self, **kw):
        kw.setdefault("opts", self._ts())
        packet = self.send(FIN | ACK, **kw)
        self.seq = add(self.seq, 1)
        return packet

    def rst(self, **kw):
        return self.send(RST, **kw)

    # receiving

    def _mine(self, seg):
        return (seg.src, seg.dst, seg.sport, seg.dport) == (
            self.dst, self.src, self.dport, self.sport)

    def _frame(self, timeout):
        """(seg, when) of the next frame for us, None after timeout."""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if not select.select([self.sock], [], [], max(left, 0))[0]:
                return None
            frame, addr = self.sock.recvfrom(65536)
            when = time.monotonic()
            if addr[2] == socket.PACKET_OUTGOING:
                continue
            try:
                seg = Seg(frame, when)
            except (ValueError, struct.error, IndexError):
                continue
            if self._mine(seg):
                return seg

    def _note(self, seg):
        """Follow the connection, so that ack() and data() need no numbers."""
        if seg.is_rst():
            return
        if seg.is_synack():
            self.synack = seg
            self.rcv_nxt = add(seg.seq, 1)
        elif seg.seq == self.rcv_nxt:
            self.rcv_nxt = add(seg.seq, len(seg.data) +
                               bool(seg.flags & FIN))
        if seg.ts:
            self.ts_recent = seg.ts[0]

    def recv(self, timeout=1.0):
        """The next segment for this peer, or None."""
        seg = self._frame(timeout)
        if seg:
            self._note(seg)
        return seg

    def collect(self, seconds):
        """All segments of that time."""
        end = time.monotonic() + seconds
        out = []
        while True:
            seg = self.recv(max(end - time.monotonic(), 0))
            if seg is None:
                return out
            out.append(seg)

    def expect_none(self, seconds=0.3):
        seg = self.recv(seconds)
        if seg:
            raise AssertionError("unexpected: %s" % seg)

    def expect_synack(self, timeout=2.0):
        seg = self.recv(timeout)
        if seg is None or not seg.is_synack():
            raise AssertionError("no SYN-ACK but %s" % seg)
        return seg

    def connect(self, opts=LINUX, timeout=2.0, **kw):
        """The whole handshake; returns the SYN-ACK."""
        self.syn(opts=opts, **kw)
        seg = self.expect_synack(timeout)
        self.ack()
        return seg

    def close(self):
        self.sock.close()


# --- ICMP errors about a packet --------------------------------------------------

def icmp_error(peer, kind, code, quoted, rest=0, src=None, length=None):
    """An ICMP (or ICMPv6) error from src to the server that quotes a packet.

    quoted is the packet that the server is said to have sent: take ip of a
    received segment.  rest is the second word (the MTU).
    """
    src = src or peer.src
    quoted = quoted[:length or (548 if peer.family == 4 else 1200)]
    body = struct.pack("!BBHI", kind, code, 0, rest) + quoted
    s, d = peer._addr(src), peer._addr(peer.dst)
    if peer.family == 6:
        csum = checksum(s + d + struct.pack("!II", len(body), 58) + body)
        body = body[:2] + struct.pack("!H", csum) + body[4:]
        return struct.pack("!IHBB", 6 << 28, len(body), 58, 64) + s + d + body
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, 1,
                     0) + s + d
    return ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] + body


_ports = iter(range(20000, 65000))
_isns = iter(range(1000000, 4000000000, 1000003))


def _next_port():
    return next(_ports)


def _next_isn():
    return next(_isns)


# --- TAP, as in lib.sh -----------------------------------------------------------

class Tap:
    """For tests that are a Python program: check(name, ok, why), then done()."""

    def __init__(self):
        self.count = self.failed = 0

    def check(self, name, ok, why=""):
        self.count += 1
        self.failed += not ok
        print("%sok %d - %s" % ("" if ok else "not ", self.count, name),
              flush=True)
        if not ok and str(why):
            for line in str(why).splitlines():
                print("#   " + line, flush=True)
        return ok

    def equal(self, name, got, want):
        return self.check(name, got == want,
                          "got %r, want %r" % (got, want))
