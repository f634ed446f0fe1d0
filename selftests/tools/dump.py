# SPDX-License-Identifier: GPL-2.0
"""The records of /proc/net/halfopen_dump as lines of /proc/net/halfopen.

  dump.py <RECORDS   (the timer, which moves, is left out)
"""
import socket
import struct
import sys

# struct halfopen_conn of include/uapi/halfopen.h, addresses and ports big-endian
RECORD = struct.Struct("=HH16s16s2s2sIIIHHBBBB")
WSCALE, TS, SACK, ECN, ACKED = (1 << bit for bit in range(5))


def address(raw, port, iif):
    port = int.from_bytes(port, "big")
    if raw[:12] == b"\0" * 10 + b"\xff\xff":
        return "%s:%d" % (socket.inet_ntop(socket.AF_INET, raw[12:]), port)
    return "[%s]%s:%d" % (socket.inet_ntop(socket.AF_INET6, raw),
                          "%%%d" % iif if iif else "", port)


def line(rec):
    (_, flags, laddr, raddr, lport, rport, iif, _, age_ms, mss, win, snd_wscale,
     rcv_wscale, timeouts, retrans) = rec
    assert age_ms < 3600000, rec
    words = ["SYN-RECV 0 0", address(laddr, lport, iif), address(raddr, rport, iif),
             str(timeouts), "retrans:%d mss:%d win:%d" % (retrans, mss, win)]
    if flags & WSCALE:
        words.append("wscale:%d,%d" % (snd_wscale, rcv_wscale))
    words += [word for bit, word in ((TS, "ts"), (SACK, "sack"), (ECN, "ecn"),
                                     (ACKED, "acked")) if flags & bit]
    return " ".join(words)


def main():
    data = sys.stdin.buffer.read()
    at = 0
    while at < len(data):
        rec = RECORD.unpack_from(data, at)
        assert rec[0] >= RECORD.size, rec
        at += rec[0]
        print(line(rec))


main()
