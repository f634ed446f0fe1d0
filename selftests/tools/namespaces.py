# SPDX-License-Identifier: GPL-2.0
"""Network namespaces that come, serve, and go under a flood that does not stop.

    namespaces.py DEVICE COUNT RULES

Each gets a macvlan "srv0" on DEVICE, with the addresses of lib.sh's server, a
listener for both families, a real client of each, and half-open connections of
the flood; every fourth also the nft rules in the file RULES.  Then it goes, and
what the kernel's cleanup_net() takes is read from the probes begins and ends.

The last line: "COUNT removals MEAN ms MAX ms", or what went wrong.

Standard library only.
"""

import ctypes
import os
import socket
import struct
import subprocess
import sys
import time

import seg

CLONE_NEWNET = 0x40000000
TRACING = "/sys/kernel/tracing/"
ENTRIES = 50                # of each family
PATIENCE_S = 30

RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWNEIGH = 16, 20, 24, 28
NLM_F_REQUEST, NLM_F_ACK, NLM_F_CREATE = 1, 4, 0x400
NLMSG_ERROR = 2
IFF_UP = 1
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINK, IFLA_LINKINFO, IFLA_NET_NS_FD = \
    1, 3, 5, 18, 28
MACVLAN_MODE_PRIVATE = 1
IFA_F_NODAD = 2
NUD_PERMANENT = 0x80

libc = ctypes.CDLL(None, use_errno=True)


class Trouble(Exception):
    pass


def call(fn, *args):
    if fn(*args):
        raise OSError(ctypes.get_errno(), fn.__name__)


def attr(kind, payload):
    raw = struct.pack("HH", 4 + len(payload), kind) + payload
    return raw + bytes(-len(raw) % 4)


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


class Rtnetlink:
    """Of the namespace in which it was made."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)

    def ask(self, kind, body):
        self.sock.send(struct.pack(
            "IHHII", 16 + len(body), kind,
            NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE, 1, 0) + body)
        reply = self.sock.recv(65536)
        error = -struct.unpack_from("i", reply, 16)[0]
        if error:
            raise OSError(error, "rtnetlink %d" % kind)

    def macvlan(self, index, ns):
        data = attr(1, struct.pack("I", MACVLAN_MODE_PRIVATE))
        self.ask(RTM_NEWLINK, struct.pack("BxHiII", 0, 0, 0, 0, 0) +
                 attr(IFLA_IFNAME, b"srv0\0") +
                 attr(IFLA_ADDRESS, mac(seg.SRV_MAC)) +
                 attr(IFLA_LINK, struct.pack("I", index)) +
                 attr(IFLA_NET_NS_FD, struct.pack("I", ns)) +
                 attr(IFLA_LINKINFO, attr(1, b"macvlan\0") + attr(2, data)))

    def up(self, index):
        self.ask(RTM_NEWLINK,
                 struct.pack("BxHiII", 0, 0, index, IFF_UP, IFF_UP))

    def address(self, family, index, addr, length):
        self.ask(RTM_NEWADDR, struct.pack(
            "BBBBI", family, length, IFA_F_NODAD, 0, index) +
            attr(1, addr) + attr(2, addr))

    def neighbour(self, family, index, addr):
        self.ask(RTM_NEWNEIGH, struct.pack(
            "BxxxiHBB", family, index, NUD_PERMANENT, 0, 0) +
            attr(1, addr) + attr(2, mac(seg.GW_MAC)))

    def default_route(self, family, index, gateway):
        # main table, protocol static, unicast
        self.ask(RTM_NEWROUTE, struct.pack(
            "BBBBBBBBI", family, 0, 0, 0, 254, 4, 0, 1, 0) +
            attr(4, struct.pack("I", index)) + attr(5, gateway))

    def close(self):
        self.sock.close()


FAMILIES = (
    (socket.AF_INET, 24, seg.SRV[4], "10.0.0.254"),
    (socket.AF_INET6, 64, seg.SRV[6], "fd00::fe"),
)


def read(path):
    with open(path) as f:
        return f.read()


def patiently(what, done):
    end = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > end:
            raise Trouble("no " + what)
        time.sleep(0.01)


def removals():
    for line in read(TRACING + "kprobe_profile").splitlines():
        if line.split()[0] == "ends":
            return int(line.split()[1])
    raise Trouble("no probe")


def removal_times():
    """Milliseconds of each cleanup_net()."""
    begin, out = None, []
    for line in read(TRACING + "trace").splitlines():
        words = line.split()
        for when, name in zip(words, words[1:]):
            if name == "begins:":
                begin = float(when.rstrip(":"))
            elif name == "ends:" and begin is not None:
                out.append((float(when.rstrip(":")) - begin) * 1000)
    return out


def half_open():
    """Of IPv4 and of IPv6, in this namespace."""
    path = "/proc/thread-self/net/halfopen"
    if os.path.exists(path):
        lines = read(path).splitlines()
        return (sum(" 198.1" in line for line in lines),
                sum(" [2001:" in line for line in lines))
    # one dual-stack listener; the state is SYN_RECV, the peer mapped or not
    peers = [line.split()[2] for line in
             read("/proc/thread-self/net/tcp6").splitlines()
             if line.split()[3] == "03"]
    mapped = sum(peer.startswith("0" * 16) for peer in peers)
    return mapped, len(peers) - mapped


class Namespace:
    """We are in it between __init__ and leave()."""

    def __init__(self, base, index, rules):
        self.base = base
        link = Rtnetlink()
        call(libc.unshare, CLONE_NEWNET)
        self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        link.macvlan(index, self.fd)
        link.close()
        link = Rtnetlink()
        link.up(1)
        own = socket.if_nametoindex("srv0")
        link.up(own)
        for family, length, addr, gateway in FAMILIES:
            addr = socket.inet_pton(family, addr)
            gateway = socket.inet_pton(family, gateway)
            link.address(family, own, addr, length)
            link.neighbour(family, own, gateway)
            link.default_route(family, own, gateway)
        link.close()
        if rules:
            subprocess.run(["nft", "-f", rules], check=True)
        self.listener = socket.create_server(
            ("::", 80), family=socket.AF_INET6, backlog=1024,
            dualstack_ipv6=True)
        self.listener.settimeout(PATIENCE_S)

    def leave(self):
        call(libc.setns, self.base, CLONE_NEWNET)

    def serve(self):
        """Real clients, from outside."""
        for family, _, addr, _ in FAMILIES:
            client = socket.socket(family)
            client.settimeout(PATIENCE_S)
            client.connect((addr, 80))
            child = self.listener.accept()[0]
            child.send(b"hello")
            if client.recv(5) != b"hello":
                raise Trouble("no service")
            # no TIME_WAIT that the next namespace would be asked for
            child.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
            child.close()
            client.close()

    def remove(self):
        before = removals()
        self.listener.close()
        os.close(self.fd)
        patiently("removal", lambda: removals() > before)


def main(device, count, rules):
    base = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    index = socket.if_nametoindex(device)
    with open(TRACING + "trace", "w"):
        pass
    removal_ms = []
    for i in range(int(count)):
        ns = Namespace(base, index, rules if i % 4 == 3 else None)
        patiently("entries", lambda: min(half_open()) >= ENTRIES)
        ns.leave()
        ns.serve()
        ns.remove()
        if i % 100 == 99:       # before the ring of the trace is full
            removal_ms += removal_times()
            print("after %d: %d ms" % (i + 1, max(removal_ms)), flush=True)
            with open(TRACING + "trace", "w"):
                pass
    removal_ms += removal_times()
    print("%d removals %d ms %d ms" % (
        len(removal_ms), sum(removal_ms) / len(removal_ms), max(removal_ms)))


try:
    main(*sys.argv[1:])
except (Trouble, OSError, subprocess.CalledProcessError) as e:
    sys.exit("failed: %s" % e)
