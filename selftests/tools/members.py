# SPDX-License-Identifier: GPL-2.0
"""Listeners that change all the time, and clients that count what they got.

    members.py group PORT...        SO_REUSEPORT groups of three: every 100 ms the
                                    oldest member is closed, after a new one came
    members.py alone PORT...        one listener a port, closed and made again at
                                    once every 100 ms
    members.py clients ADDR RATE SECONDS PORT...

Servers say their own port number and close; before a listener is closed, what has
been accepted is served.  They run until SIGTERM and print "changes N accepted N".
Clients print "served N wrong N refused N lost N": refused are those whose SYN met no
listener.

Standard library only.
"""

import collections
import errno
import select
import signal
import socket
import sys
import time

PERIOD_S = 0.1
PATIENCE_S = 20


class Server:
    def __init__(self, members, ports):
        self.poll = select.epoll()
        self.ports = ports
        self.listeners = {}
        self.groups = {port: collections.deque() for port in ports}
        self.accepted = 0
        self.changes = 0
        self.alone = members == 1
        for port in ports:
            for _ in range(members):
                self.add(self.bound(port), port)

    @staticmethod
    def bound(port):
        s = socket.socket(socket.AF_INET6)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.setblocking(False)
        s.bind(("::", port))
        return s

    def add(self, s, port):
        s.listen(1024)
        self.listeners[s.fileno()] = s, port
        self.groups[port].append(s)
        self.poll.register(s, select.EPOLLIN)

    def serve(self, listener, port):
        while True:
            try:
                s = listener.accept()[0]
            except BlockingIOError:
                return
            self.accepted += 1
            try:
                s.send(b"%d" % port)
            except OSError:
                pass
            s.close()

    def remove_oldest(self, port):
        s = self.groups[port].popleft()
        self.poll.unregister(s)
        del self.listeners[s.fileno()]
        self.serve(s, port)
        s.close()
        self.changes += 1

    def change(self):
        for port in self.ports:
            new = self.bound(port)
            if self.alone:
                self.remove_oldest(port)
                self.add(new, port)
            else:
                self.add(new, port)
                self.remove_oldest(port)

    def run(self):
        due = time.monotonic() + PERIOD_S
        while True:
            left = due - time.monotonic()
            if left <= 0:
                self.change()
                due += PERIOD_S
            for fd, _ in self.poll.poll(max(left, 0)):
                self.serve(*self.listeners[fd])


class Clients:
    def __init__(self, addr):
        self.addr = addr
        self.family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        self.poll = select.epoll()
        self.open = {}          # fd: (socket, port, start, connected)
        self.count = collections.Counter()

    def begin(self, port):
        s = socket.socket(self.family)
        s.setblocking(False)
        s.connect_ex((self.addr, port))
        self.open[s.fileno()] = [s, port, time.monotonic(), False]
        self.poll.register(s, select.EPOLLOUT)

    def end(self, fd, how):
        self.open.pop(fd)[0].close()
        self.count[how] += 1

    def step(self, fd):
        s, port, _, connected = self.open[fd]
        if not connected:
            error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self.end(fd, "refused" if error == errno.ECONNREFUSED
                         else "lost")
                return
            self.open[fd][3] = True
            self.poll.modify(s, select.EPOLLIN)
            return
        try:
            got = s.recv(100)
        except OSError:
            got = b""
        self.end(fd, "served" if got == b"%d" % port else
                 "wrong" if got else "lost")

    def run(self, rate, seconds, ports):
        start = time.monotonic()
        begun, total = 0, int(rate * seconds)
        while begun < total or self.open:
            now = time.monotonic()
            while begun < total and begun / rate <= now - start:
                self.begin(ports[begun % len(ports)])
                begun += 1
            for fd, _ in self.poll.poll(0.005):
                self.step(fd)
            for fd in [fd for fd, c in self.open.items()
                       if now - c[2] > PATIENCE_S]:
                self.end(fd, "lost")


def main(what, *args):
    if what == "clients":
        clients = Clients(args[0])
        clients.run(float(args[1]), float(args[2]),
                    [int(port) for port in args[3:]])
        print(*("%s %d" % (name, clients.count[name])
                for name in ("served", "wrong", "refused", "lost")))
        return
    server = Server(3 if what == "group" else 1, [int(p) for p in args])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    print("listening", flush=True)
    try:
        server.run()
    finally:
        print("changes %d accepted %d" % (server.changes, server.accepted),
              flush=True)


main(*sys.argv[1:])
