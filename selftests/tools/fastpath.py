# SPDX-License-Identifier: GPL-2.0
"""Frames that Peer does not make, and answers without what is random."""

import os
import struct

from seg import ETH_IP, ETH_IPV6, Peer, checksum

VLAN = 0x8100


def peer(**kw):
    """A Peer whose port no other process of the test has."""
    return Peer(sport=1024 + os.getpid() % 60000, **kw)


def frame(p, packet, tag=None):
    """Send bytes behind an Ethernet header, with a VLAN tag or without."""
    proto = ETH_IP if packet[0] >> 4 == 4 else ETH_IPV6
    head = struct.pack("!H", proto)
    if tag is not None:
        head = struct.pack("!HH", VLAN, tag) + head
    p.sock.send(p.mac + p.gw + head + packet)


def with_flags(packet, flags):
    """An IPv4 packet with other fragment flags and offset."""
    packet = packet[:6] + struct.pack("!H", flags) + packet[8:10] + bytes(2) \
        + packet[12:]
    return packet[:10] + struct.pack("!H", checksum(packet[:20])) + packet[12:]


def extended(packet, kind, header):
    """An IPv6 packet with an extension header; its first byte says TCP."""
    length = struct.unpack("!H", packet[4:6])[0] + len(header)
    return packet[:4] + struct.pack("!HB", length, kind) + packet[7:40] \
        + header + packet[40:]


def fixed(seg):
    """An answer as text, without what is random: sequence numbers, ports,
    timestamps, checksum, flow label."""
    opts = [(kind, b"" if kind == 8 else payload) for kind, payload in seg.opts]
    return "%s win=%d ttl=%d tos=%d df=%s id=%s flow=%s urg=%d len=%d %s" % (
        seg.flag_text, seg.win, seg.ttl, seg.tos, seg.df, seg.ip_id,
        bool(seg.flow), seg.urg, len(seg.ip), opts)
