# SPDX-License-Identifier: GPL-2.0
"""What conntrack knows, and an NFQUEUE program, over nfnetlink.

    for entry in Conntrack().entries():
        print(entry["src"], entry["state"], entry["status"])
    Conntrack().flush()

    q = Queue(7)            # packets of "queue num 7" wait until
    q.release()             # they are all accepted, or
    q.start()               # accept whatever comes, in a thread

Sockets belong to the network namespace in which they were made.  As a program:

    nfnetlink.py list           one line for each entry
    nfnetlink.py flush
    nfnetlink.py queue NUM      accepts whatever comes, until it is killed

Standard library only.
"""

import select
import socket
import struct
import sys
import threading

NETLINK_NETFILTER = 12
SOL_NETLINK, NETLINK_NO_ENOBUFS = 270, 5
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300

CTNETLINK, QUEUE = 1 << 8, 3 << 8
CT_GET, CT_DELETE = CTNETLINK | 1, CTNETLINK | 2
Q_PACKET, Q_VERDICT, Q_CONFIG = QUEUE, QUEUE | 1, QUEUE | 2

TCP_STATES = ("NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT",
              "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2")
STATUS = ("EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED", "SRC_NAT",
          "DST_NAT", "SEQ_ADJUST", "SRC_NAT_DONE", "DST_NAT_DONE", "DYING",
          "FIXED_TIMEOUT", "TEMPLATE", "UNTRACKED", "HELPER", "OFFLOAD",
          "HW_OFFLOAD")


def attrs(raw):
    """{type: payload} of a row of attributes."""
    out = {}
    while len(raw) >= 4:
        length, kind = struct.unpack_from("HH", raw)
        if length < 4:
            break
        out[kind & 0x3FFF] = raw[4:length]
        raw = raw[length + 3 & ~3:]
    return out


def attr(kind, payload):
    raw = struct.pack("HH", 4 + len(payload), kind) + payload
    return raw + bytes(-len(raw) % 4)


class Nfnetlink:
    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                  NETLINK_NETFILTER)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.bind((0, 0))

    def close(self):
        self.sock.close()

    def send(self, kind, flags, body, family=socket.AF_UNSPEC, res=0):
        body = struct.pack("!BBH", family, 0, res) + body
        self.sock.send(struct.pack("IHHII", 16 + len(body), kind,
                                   NLM_F_REQUEST | flags, 1, 0) + body)

    def messages(self):
        """(type, body behind the nfgenmsg) of what was received at once."""
        raw = self.sock.recv(1 << 20)
        while raw:
            length, kind = struct.unpack_from("IH", raw)
            if kind == NLMSG_ERROR:
                error = -struct.unpack_from("i", raw, 16)[0]
                if error:
                    raise OSError(error, "nfnetlink")
            yield kind, raw[20:length]
            raw = raw[length + 3 & ~3:]

    def ask(self, kind, body=b"", **kw):
        self.send(kind, NLM_F_ACK, body, **kw)
        for _ in self.messages():
            pass

    def dump(self, kind):
        self.send(kind, NLM_F_DUMP, b"")
        while True:
            for what, body in self.messages():
                if what == NLMSG_DONE:
                    return
                yield body


class Conntrack(Nfnetlink):
    def entries(self):
        """TCP only; a dictionary for each, keys as below."""
        for body in self.dump(CT_GET):
            entry = self._entry(attrs(body))
            if entry:
                yield entry

    @staticmethod
    def _tuple(raw):
        ip, proto = attrs(attrs(raw)[1]), attrs(attrs(raw)[2])
        if proto[1] != bytes((socket.IPPROTO_TCP,)):
            return None
        family = socket.AF_INET if 1 in ip else socket.AF_INET6
        src, dst = (ip[1], ip[2]) if 1 in ip else (ip[3], ip[4])
        return (socket.inet_ntop(family, src), struct.unpack("!H", proto[2])[0],
                socket.inet_ntop(family, dst), struct.unpack("!H", proto[3])[0])

    def _entry(self, a):
        orig = self._tuple(a[1])
        if not orig:
            return None
        out = dict(zip(("src", "sport", "dst", "dport"), orig))
        out.update(zip(("rsrc", "rsport", "rdst", "rdport"), self._tuple(a[2])))
        bits = struct.unpack("!I", a[3])[0]
        out["status"] = [n for i, n in enumerate(STATUS) if bits >> i & 1]
        tcp = attrs(attrs(a.get(4, b"")).get(1, b""))
        out["state"] = TCP_STATES[tcp[1][0]] if 1 in tcp else "-"
        out["wscales"] = [tcp[k][0] for k in (2, 3) if k in tcp]
        out["flags"] = ["%#x" % tcp[k][0] for k in (4, 5) if k in tcp]
        out["helper"] = attrs(a.get(5, b"")).get(1, b"").rstrip(b"\0").decode()
        out["timeout"] = struct.unpack("!I", a.get(7, bytes(4)))[0]
        out["mark"] = struct.unpack("!I", a.get(8, bytes(4)))[0]
        out["zone"] = struct.unpack("!H", a.get(18, bytes(2)))[0]
        out["labels"] = a.get(22, b"").hex()
        for name, kind in (("orig", 9), ("reply", 10)):
            counters = attrs(a.get(kind, b""))
            out[name] = [struct.unpack("!Q", counters[k])[0]
                         for k in (1, 2) if k in counters]
        return out

    def flush(self):
        self.ask(CT_DELETE)


class Queue(Nfnetlink):
    """Packets wait in self.waiting until they are released."""

    def __init__(self, num):
        super().__init__()
        self.num = num
        self.waiting = []
        self.thread = None
        self.stop, self._stopped = socket.socketpair()
        # what finds no room is lost, and no reason to end
        self.sock.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
        self.ask(Q_CONFIG, attr(1, struct.pack("!BxH", 1, 0)), res=num)
        self.ask(Q_CONFIG, attr(2, struct.pack("!IB", 128, 2)), res=num)

    def receive(self, seconds):
        """Take in what comes within that time; how many wait."""
        while select.select([self.sock], [], [], seconds)[0]:
            for kind, body in self.messages():
                if kind == Q_PACKET:
                    self.waiting.append(attrs(body)[1][:4])
        return len(self.waiting)

    def release(self, accept=True):
        for ident in self.waiting:
            self.send(Q_VERDICT, 0, attr(2, struct.pack("!I", accept) + ident),
                      res=self.num)
        self.waiting = []

    def run(self):
        while True:
            ready = select.select([self.sock, self._stopped], [], [])[0]
            if self._stopped in ready:
                return
            self.receive(0)
            self.release()

    def start(self):
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        if self.thread:
            self.stop.send(b"x")
            self.thread.join()
        self.stop.close()
        self._stopped.close()
        super().close()


def main(what, num=None):
    if what == "list":
        for e in Conntrack().entries():
            print("%(src)s:%(sport)d %(dst)s:%(dport)d %(state)s" % e,
                  ",".join(e["status"]), "mark=%d" % e["mark"])
    elif what == "flush":
        Conntrack().flush()
    elif what == "queue":
        q = Queue(int(num))
        print("listening", flush=True)
        q.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
