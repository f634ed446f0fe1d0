# SPDX-License-Identifier: GPL-2.0
"""Clients that connect all at once and speak when they are told to.

    batch.py ADDR PORT FIRST COUNT [greeted]

Real sockets with the source ports FIRST, FIRST + 1, ...  "connected N": so many
have a SYN-ACK, no more are expected.  At SIGUSR1 each sends a request and waits
for the answer of "tcpserver -w", then a line for each says how it ended, and
"end" that this is all:

    PORT answered|reset|closed|silent|EXXX

With "greeted" they wait for what "tcpserver -g" says and send nothing, and the
connections stay.  At another SIGUSR1 they send something all the same; lines as
above say what becomes of it.

Standard library only.
"""

import errno
import select
import signal
import socket
import sys
import time

REQUEST = b"GET / HTTP/1.0\r\n\r\n"
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
GREETING = b"hello\n"
CONNECT_S = 10
ANSWER_S = 20
RESETS = (errno.ECONNRESET, errno.ECONNREFUSED, errno.EPIPE)


class Client:
    def __init__(self, addr, port, sport, greeted):
        self.sport = sport
        self.greeted = greeted
        self.got = b""
        self.state = "connecting"
        self.sock = socket.socket(
            socket.AF_INET6 if ":" in addr else socket.AF_INET)
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(("", sport))
        self.failed(self.sock.connect_ex((addr, port)))

    def failed(self, error):
        if error in (0, errno.EINPROGRESS):
            return
        self.state = ("reset" if error in RESETS else errno.errorcode[error])
        self.sock.close()

    def connected(self):
        self.state = "silent"
        self.failed(self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))

    def speak(self):
        self.state = "silent"
        try:
            self.sock.send(REQUEST)
        except OSError as e:
            self.failed(e.errno)

    def listen(self):
        try:
            data = self.sock.recv(4096)
        except OSError as e:
            self.failed(e.errno)
            return
        self.got += data
        if self.greeted and self.got == GREETING:
            self.got = b""
            self.state = "answered"
        elif not data:
            self.state = "answered" if self.got == ANSWER else "closed"
            self.sock.close()


def wait(clients, state, event, seconds, act):
    """act(client) at every event of those that are in that state."""
    poll = select.poll()
    left = {c.sock.fileno(): c for c in clients if c.state == state}
    for fd in left:
        poll.register(fd, event)
    end = time.monotonic() + seconds
    while left and time.monotonic() < end:
        for fd, _ in poll.poll(max(end - time.monotonic(), 0) * 1000):
            act(left[fd])
            if left[fd].state != state:
                poll.unregister(fd)
                del left[fd]


def exchange(clients, state, speak):
    """Wait for the signal and for what comes after it, and print that."""
    signal.sigwait({signal.SIGUSR1})
    for c in clients:
        if speak and c.state == state:
            c.speak()
    wait(clients, "silent", select.POLLIN, ANSWER_S, Client.listen)
    for c in clients:
        print(c.sport, c.state)
    print("end", flush=True)


def main(addr, port, first, count, greeted=None):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    clients = [Client(addr, int(port), int(first) + i, greeted)
               for i in range(int(count))]
    wait(clients, "connecting", select.POLLOUT, CONNECT_S, Client.connected)
    print("connected", sum(c.state == "silent" for c in clients), flush=True)
    exchange(clients, "silent", not greeted)
    if greeted:
        exchange(clients, "answered", True)


main(*sys.argv[1:])
