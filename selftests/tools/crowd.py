# SPDX-License-Identifier: GPL-2.0
"""Many spoofed peers behind one socket, for tests that count.

    from crowd import Crowd

    c = Crowd("203.0.113.", 100)    # 203.0.113.1 to .100, a port each
    c.syns()
    c.watch(64)                     # what comes within 64 s
    print(c.answered(), c.synacks())
    c.acks()                        # of all who have a SYN-ACK
"""

import socket

from seg import ACK, LINUX, NOP, SYN, TS, Peer, add

SO_RCVBUFFORCE = 33


class Crowd(Peer):
    """COUNT peers whose addresses begin with PREFIX, 250 to a port.

    seen: for each (address, port) the seconds since syns() at which SYN-ACKs
    came; resets: who got a RST.
    """

    def __init__(self, prefix, count, port=20000, **kw):
        super().__init__(src=prefix + "1", **kw)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        self.members = ["%s%x" % (prefix, i % 250 + 1) if self.family == 6
                        else "%s%d" % (prefix, i % 250 + 1)
                        for i in range(count)]
        self.members = {(addr, port + i // 250): self.isn + i * 100000
                        for i, addr in enumerate(self.members)}
        self.seen = {m: [] for m in self.members}
        self.last = {}
        self.resets = set()
        self.start = None

    def _mine(self, seg):
        return (seg.dst, seg.dport) in self.members

    def _note(self, seg):
        member = seg.dst, seg.dport
        if seg.is_synack():
            self.seen[member].append(seg.time - self.start)
            self.last[member] = seg
        elif seg.is_rst():
            self.resets.add(member)

    def syns(self, opts=LINUX, flags=SYN):
        """A SYN from each; the same ones again if called again."""
        for (self.src, sport), isn in self.members.items():
            self.send(flags, isn & 0xFFFFFFFF, opts=opts, sport=sport)
        if self.start is None:
            self.start = self.sent[0][0]

    def acks(self):
        for (self.src, sport), synack in self.last.items():
            opts = b""
            if synack.ts:
                opts = NOP + NOP + TS(1000, synack.ts[0])
            self.send(ACK, synack.ack, add(synack.seq, 1), opts=opts,
                      sport=sport)

    def watch(self, seconds):
        self.collect(seconds)

    def answered(self):
        """How many have a SYN-ACK."""
        return len(self.last)

    def synacks(self):
        """How many SYN-ACKs came in all."""
        return sum(map(len, self.seen.values()))
