# SPDX-License-Identifier: GPL-2.0
"""What the server put on the wire, written so that two runs can be compared.

A Wire sees all frames of an interface, both ways, with the kernel's time stamps.
lines() gives each frame of the server as one line: in words, then its headers in hex
with nothing masked but what is random in each connection, and that is rewritten:

    ports               0: the line names the peer
    seq, ack, SACK      relative to the two ISNs; seq=new: another ISN than before
    TSval               0: the line says "ts=clock", or by how many ms it is off
    MD5 signature       0
    IPv4 ID             0, or by how much it grew ("id=first" at first)
    IPv6 flow label     a letter for each label of a connection; 0 is 0, "peer" the
                        peer's own
    checksums           0: the line says whether they are right
"""

import socket
import struct
import time
import zlib

import seg

SO_TIMESTAMPNS = 35
SOL_PACKET, PACKET_STATISTICS = 263, 6
# the client's own stack: real programs, not peers
OWN = ("10.0.0.2", "fd00::2")


class Wire:
    def __init__(self, ifname):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                  socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # RCVBUFFORCE
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.sock.bind((ifname, 3))
        self.sock.setblocking(False)
        self.clock = time.time() - time.monotonic()

    def frames(self):
        """(when, to the server?, bytes) of all frames so far."""
        out = []
        while True:
            try:
                frame, aux, _, addr = self.sock.recvmsg(1 << 17, 64)
            except BlockingIOError:
                break
            sec, nsec = struct.unpack("qq", aux[0][2])
            out.append((sec + nsec / 1e9 - self.clock,
                        addr[2] == socket.PACKET_OUTGOING, frame))
        drops = struct.unpack("II", self.sock.getsockopt(
            SOL_PACKET, PACKET_STATISTICS, 8))[1]
        if drops:
            raise OSError("%d frames were not captured" % drops)
        return out


class Flow:
    """What is random in one connection."""

    def __init__(self, name, isn):
        self.name = name
        self.isn = isn          # the peer's
        self.base = None        # the server's
        self.ended = False
        self.clock = None       # (TSval, when)
        self.labels = []
        self.theirs = {0}
        self.ip_id = None

    def sent(self, s):
        self.ended |= s.is_rst()
        self.theirs.add(s.flow)

    def _label(self, label):
        if label in self.theirs:
            return "peer" if label else "0"
        if label not in self.labels:
            self.labels.append(label)
        return "ABCDEFGHIJ"[self.labels.index(label)]

    def _seq(self, s):
        if s.is_synack():
            isn = seg.add(s.ack, -1)
            if isn != self.isn or (self.ended and s.seq != self.base):
                self.isn, self.base, self.clock = isn, s.seq, None
                self.ended = False
                self.labels = []
                return "seq=new", 0
        if self.base is None and (s.flags & seg.SYN or not s.is_rst()):
            self.base = s.seq
            return "seq=first", 0
        if s.is_rst() and (self.base is None or not s.seq):
            return "seq=%d" % s.seq, s.seq
        return "seq=%+d" % diff(s.seq, self.base), seg.add(s.seq, -self.base)

    def _ack(self, s):
        if not s.flags & seg.ACK:
            return "ack=%d" % s.ack, s.ack
        return "ack=%+d" % diff(s.ack, self.isn), seg.add(s.ack, -self.isn)

    def _timestamp(self, val, when):
        if self.clock is None:
            self.clock = (val, when)
        off = diff(val, self.clock[0]) - (when - self.clock[1]) * 1000
        # a scheduler may send it a tick after it was stamped
        return "ts=clock" if abs(off) <= 5 else "ts=clock%+d" % off

    def _options(self, s, when):
        """(words, the option bytes rewritten)."""
        words, raw = [], bytearray(s.raw_opts)
        off = 0
        for kind, payload in s.opts:
            if kind == 8 and len(payload) == 8:
                val, ecr = struct.unpack("!II", payload)
                words.append("%s,ecr=%d" % (self._timestamp(val, when), ecr))
                raw[off + 2:off + 6] = bytes(4)
            elif kind == 5:
                edges = struct.unpack("!%dI" % (len(payload) // 4), payload)
                words.append("sack:" + ",".join(
                    "%+d" % diff(e, self.isn) for e in edges))
                for i, edge in enumerate(edges):
                    struct.pack_into("!I", raw, off + 2 + 4 * i,
                                     seg.add(edge, -self.isn))
            elif kind == 19:
                words.append("signed")
                raw[off + 2:off + 18] = bytes(16)
            else:
                words.append("%d:%s" % (kind, payload.hex()) if payload
                             else str(kind))
            off += 1 if kind == 1 else 2 + len(payload or b"")
        return " ".join(words), bytes(raw)

    def _ip(self, s):
        """(words, the IP header rewritten)."""
        if s.family == 6:
            first = struct.unpack_from("!I", s.ip)[0] & 0xFFF00000
            return "class=%#x hops=%d flow=%s" % (
                s.tos, s.ttl, self._label(s.flow)), \
                struct.pack("!I", first) + s.ip[4:8]
        hlen = (s.ip[0] & 15) * 4
        if not s.ip_id:
            ident = "0"
        elif self.ip_id is None:
            ident = "first"
        else:
            ident = "%+d" % (s.ip_id - self.ip_id & 0xFFFF)
        self.ip_id = s.ip_id or self.ip_id
        right = seg.checksum(s.ip[:hlen]) == 0
        return "tos=%#x ttl=%d df=%d id=%s ipsum=%s" % (
            s.tos, s.ttl, s.df, ident, "ok" if right else "WRONG"), \
            s.ip[:4] + b"\0\0" + s.ip[6:10] + b"\0\0" + s.ip[20:hlen]

    def line(self, s, when):
        """A segment of the server."""
        seq, seq_raw = self._seq(s)
        ack, ack_raw = self._ack(s)
        opts, opts_raw = self._options(s, when)
        ip, ip_raw = self._ip(s)
        self.ended |= s.is_rst()
        tcp = struct.pack("!IIBBHHH", seq_raw, ack_raw, s.tcp[12], s.flags,
                          s.win, 0, s.urg) + opts_raw
        data = "%d" % len(s.data)
        if s.data:
            data += ":%08x" % zlib.crc32(s.data)
        return "%s %s %s win=%d len=%s [%s] %s sum=%s %s" % (
            s.flag_text, seq, ack, s.win, data, opts, ip,
            sum_state(s), (ip_raw + tcp).hex())


def sum_state(s):
    """Right, too, if it is left to the device: then the pseudo header is in it."""
    pseudo = ~seg.checksum(s.pseudo) & 0xFFFF
    return "ok" if s.check_ok or s.check == pseudo else "WRONG"


def diff(a, b):
    d = (a - b) & 0xFFFFFFFF
    return d - (1 << 32) if d & 1 << 31 else d


def _icmp(frame):
    """(destination, words) of an ICMP error, None for everything else."""
    proto = struct.unpack_from("!H", frame, 12)[0]
    ip = frame[14:]
    if proto == seg.ETH_IP and ip[9] == socket.IPPROTO_ICMP:
        body = ip[(ip[0] & 15) * 4:]
        if body[0] in (3, 4, 5, 11, 12):
            return socket.inet_ntop(socket.AF_INET, ip[16:20]), \
                "ICMP %d/%d len=%d" % (body[0], body[1], len(body))
    if proto == seg.ETH_IPV6 and ip[6] == socket.IPPROTO_ICMPV6 and \
            ip[40] < 128:
        return socket.inet_ntop(socket.AF_INET6, ip[24:40]), \
            "ICMPv6 %d/%d len=%d" % (ip[40], ip[41], len(ip) - 40)
    return None


def lines(peers, frames):
    """(when, who, text) of the server's frames; text None for one to the server."""
    flows = {}
    for i, p in enumerate(peers):
        flows[p.src, p.dst, p.sport, p.dport] = Flow("peer %d" % i, p.isn)
    isns = set()
    for when, sent, frame in frames:
        try:
            s = seg.Seg(frame, when)
        except (ValueError, struct.error, IndexError):
            s = None
        if sent:
            key = s and (s.src, s.dst, s.sport, s.dport)
            if key in flows:
                if s.flags & seg.SYN and key not in isns:
                    isns.add(key)
                    flows[key].isn = s.seq
                flows[key].sent(s)
            yield when, None, None
            continue
        if s is None:
            error = _icmp(frame)
            if error and error[0] not in OWN:
                yield when, "", error[1]
            continue
        flow = flows.get((s.dst, s.src, s.dport, s.sport))
        if flow:
            yield when, flow.name, flow.line(s, when)
        elif s.dst not in OWN and not s.dst.startswith("fe80:"):
            yield when, "", "to %s, who is no peer: %s" % (s.dst, s.flag_text)
