# SPDX-License-Identifier: GPL-2.0
"""Handshakes that stop halfway and end when a line comes.

halfway.py FAMILY PORT COUNT [FIRST]: so many, from port FIRST on.  Says
"half-open" once each has its SYN-ACK and, after a line from stdin, "answered N":
how many got something else than a RST for their ACK and data."""
import sys

from seg import Peer


def main():
    family, port, count, *first = map(int, sys.argv[1:])
    peers = [Peer(dport=port, family=family,
                  sport=first[0] + i if first else None)
             for i in range(count)]
    for p in peers:
        p.syn()
    for p in peers:
        p.expect_synack(5)
    print("half-open", flush=True)
    sys.stdin.readline()
    for p in peers:
        p.ack()
        p.data(b"hello")
    answers = [p.recv(3) for p in peers]
    print("answered", sum(a is not None and not a.is_rst() for a in answers),
          flush=True)


main()
