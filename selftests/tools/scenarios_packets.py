# SPDX-License-Identifier: GPL-2.0
"""The SYN-ACK as an IP packet, odd packets on the way in, connections without a
network between the ends, and who is woken (protocol.md 1.6, 2.2 to 2.4)."""

import hashlib
import itertools
import select
import socket
import struct
import threading

import seg
from differential import scenario
from seg import (ACK, CWR, ECE, FIN, LINUX, MSS, NOP, PSH, RST, SYN, add,
                 icmp_error, opt)

TCP = socket.IPPROTO_TCP
SOL = socket.SOL_SOCKET
IP6 = socket.IPPROTO_IPV6
HDR = {4: 20, 6: 40}
idents = itertools.count(1)     # of fragmented packets
# IPv6 wants the whole TCP header in the first fragment (RFC 7112)
FRAGMENTS = {4: (8, 16, 24, 32), 6: (24, 32)}


def server_socket(w, port, addr=None):
    """A socket of the server that is bound and does not listen."""
    def make():
        s = socket.socket(socket.AF_INET if w.family == 4 else socket.AF_INET6)
        s.setsockopt(SOL, socket.SO_REUSEADDR, 1)
        s.bind((addr or seg.SRV[w.family], port))
        s.setblocking(False)
        return s
    s = w.srv(make)
    w.sockets.append(s)
    return s


# --- SYN-RECEIVED of a socket that connects -----------------------------------------


def simultaneous_open(w):
    """The server connects, the peer answers with a SYN of its own."""
    s = server_socket(w, 8081)
    p = w.peer(dport=8081)
    s.connect_ex((p.src, p.sport))
    first = p.recv(1.0)
    w.note("server sends %s" % (first and first.flag_text))
    p.syn(win=64240)
    w.watch(p, 0.3, first=True)
    return s, p


@scenario("P-31", native=True)
def simultaneous_open_is_the_stacks(w):
    s, p = simultaneous_open(w)
    p.ack()
    w.watch(p, 0.1)
    w.note("error %d" % s.getsockopt(SOL, socket.SO_ERROR))
    s.send(b"hello")
    w.watch(p, 0.1)


@scenario("P-31", native=True)
def simultaneous_open_beside_a_listener(w):
    w.port = 8081
    w.listen([(SOL, socket.SO_REUSEPORT, 1)])
    w.sockets.pop().close()
    w.port = 80
    w.listen()
    simultaneous_open(w)


@scenario("P-32", native=True)
def reset_tells_who_connects(w):
    s, p = simultaneous_open(w)
    p.rst(seq=p.seq)
    w.watch(p, 0.1)
    w.note("error %d" % s.getsockopt(SOL, socket.SO_ERROR))


@scenario("P-32")
def reset_does_not_tell_who_listens(w):
    p = w.handshake_to_synack()
    p.rst(seq=p.seq)
    w.watch(p, 0.1)
    s = w.sockets[0]
    w.note("error %d, readable: %s" % (
        s.getsockopt(SOL, socket.SO_ERROR),
        bool(select.select([s], [], [], 0)[0])))


# --- a 4-tuple again ----------------------------------------------------------------


def time_wait(w, p, listener):
    """The server closes first and is left in TIME_WAIT."""
    p.ack()
    s = w.accept(listener, state=False)
    w.sockets.remove(s)
    s.close()
    w.watch(p, 0.1)
    p.fin()
    w.watch(p, 0.1)


@scenario("O-52 P-62")
def rst_and_syn_to_time_wait(w):
    for rfc1337 in (0, 1):
        w.sysctl("ipv4/tcp_rfc1337", rfc1337)
        w.listen()
        p = w.handshake_to_synack()
        time_wait(w, p, w.listeners[-1][0])
        p.rst(seq=p.seq)
        w.watch(p, 0.05)
        p.ack()
        w.watch(p, 0.05)
        w.port += 1


# --- IP -----------------------------------------------------------------------------


@scenario("P-79 P-81")
def sizes_df_and_id(w):
    w.listen()
    for mtu in (600, 1280, 1500):
        w.command("ip", "link", "set", "srv0", "mtu", str(max(mtu, 1280)),
                  undo=("ip", "link", "set", "srv0", "mtu", "1500"))
        for opts in (b"", LINUX, LINUX + NOP * 20):
            p = w.peer()
            p.syn(opts=opts)
            w.watch(p, 0.05)
            p.rst(seq=p.seq)


@scenario("P-79", families=(4,))
def df_without_path_mtu_discovery(w):
    w.sysctl("ipv4/ip_no_pmtu_disc", 1)
    p = w.handshake_to_synack()
    p.ack()
    s = w.accept()
    if s:
        s.send(b"hello")
    w.watch(p, 0.1)


@scenario("P-78")
def path_mtu_of_an_accepted_connection(w):
    flush = ("ip", "-%d" % w.family, "route", "flush", "cache")
    w.command(*flush, undo=flush)
    p = w.handshake_to_synack()
    p.ack()
    s = w.accept()
    if not s:
        return
    s.send(b"x" * 1400)
    big = p.recv(1.0)
    kind, rest = ((3, 4), 1000) if w.family == 4 else ((2, 0), 1280)
    p.send_ip(icmp_error(p, *kind, big.ip, rest=rest))
    w.watch(p, 0.5)
    p.send(ACK, ack=add(p.synack.seq, 1401), opts=p._ts())
    w.note("mtu %d" % s.getsockopt(socket.IPPROTO_IP if w.family == 4 else IP6,
                                   14 if w.family == 4 else 24))


@scenario("P-79", families=(4,))
def source_address_is_the_destination_of_the_syn(w):
    w.command("ip", "addr", "add", "10.0.0.77/24", "dev", "srv0",
              undo=("ip", "addr", "del", "10.0.0.77/24", "dev", "srv0"))
    w.listen()
    p = w.peer(dst="10.0.0.77")
    p.syn()
    w.watch(p, 1.0, first=True)
    p.ack()
    w.accept()


# --- IPv6 flow labels, extension headers --------------------------------------------


def conversation(w, listener=None, **kw):
    """A handshake with a repeated SYN-ACK, then data both ways."""
    p = w.peer()
    p.syn(**kw)
    w.watch(p, 1.5)
    p.ack(**kw)
    s = w.accept(listener, state=False)
    p.data(b"hello", **kw)
    if s:
        s.send(b"hello")
        w.note("sent")
    w.watch(p, 0.1)
    p.rst(seq=p.seq)


@scenario("P-82 O-17", families=(6,))
def flow_labels_of_a_connection(w):
    w.listen()
    conversation(w)


@scenario("P-82", families=(6,))
def flow_labels_by_sysctl(w):
    for value in (0, 1, 2, 3):
        w.sysctl("ipv6/auto_flowlabels", value)
        w.listen()
        conversation(w, w.listeners[-1][0])
        w.port += 1


@scenario("P-82", families=(6,))
def flow_labels_by_socket(w):
    for value in (0, 1):
        w.listen([(IP6, 70, value)])        # IPV6_AUTOFLOWLABEL
        conversation(w, w.listeners[-1][0])
        w.port += 1


@scenario("P-82", families=(6,))
def flow_label_of_the_peer_by_sysctl(w):
    for value in (1, 2, 3):
        w.sysctl("ipv6/flowlabel_reflect", value)
        w.listen()
        conversation(w, w.listeners[-1][0], flow=0x12345)
        w.port += 1


@scenario("P-82", families=(6,), native=True)
def flow_label_of_the_peer_by_socket(w):
    # IPV6_FLOWLABEL_MGR: get, with IPV6_FL_F_REFLECT
    request = struct.pack("!16sIBBHHHI", b"", 0, 0, 0, 0, 0, 0, 0)
    request = request[:20] + struct.pack("=BBHHHI", 0, 0, 4, 0, 0, 0)
    w.sysctl("ipv6/flowlabel_consistency", 0)
    w.listen([(IP6, 32, request)])
    conversation(w, flow=0x12345)


@scenario("O-17", families=(6,))
def no_new_hash_for_a_repeated_synack(w):
    w.listen([(SOL, 74, 0)])                # SO_TXREHASH
    conversation(w)


def behind(packet, headers, next_header):
    """The packet with extension headers."""
    return packet[:4] + struct.pack("!HB", len(packet) - 40 + len(headers),
                                    next_header) + packet[7:40] + headers + \
        packet[40:]


def with_headers(w, headers, next_header):
    """The SYN behind extension headers."""
    w.listen()
    p = w.peer()
    p.send_ip(behind(p.build(SYN, p.isn, opts=LINUX), headers, next_header))
    p.seq = add(p.isn, 1)
    w.watch(p, 0.3, first=True)
    if p.synack:
        p.ack()
        w.accept()


@scenario("P-83", families=(6,), native=True)
def hop_by_hop_options_before_tcp(w):
    with_headers(w, bytes((6, 0, 1, 4, 0, 0, 0, 0)), 0)


@scenario("P-83", families=(6,), native=True)
def destination_options_before_tcp(w):
    with_headers(w, bytes((6, 0, 1, 4, 0, 0, 0, 0)), 60)


@scenario("P-83", families=(6,), native=True)
def routing_header_before_tcp(w):
    with_headers(w, bytes((6, 2, 0, 0)) + bytes(20), 43)


@scenario("P-83", families=(6,))
def destination_options_before_the_final_ack(w):
    p = w.handshake_to_synack()
    p.send_ip(behind(p.build(ACK, p.seq, p.rcv_nxt, opts=p._ts()),
                     bytes((6, 0, 1, 4, 0, 0, 0, 0)), 60))
    w.accept()


# --- fragments, paged and merged segments -------------------------------------------


def fragments(p, packet, size):
    """The IP packet in two or more, size bytes of payload in each but the last."""
    head, body = packet[:HDR[p.family]], packet[HDR[p.family]:]
    ident = next(idents)
    for off in range(0, len(body), size):
        part = body[off:off + size]
        more = off + size < len(body)
        if p.family == 6:
            yield head[:4] + struct.pack("!HB", 8 + len(part), 44) + head[7:] + \
                struct.pack("!BxHI", 6, off | more, ident) + part
            continue
        ip = head[:2] + struct.pack("!HHH", 20 + len(part), ident,
                                    off // 8 | more << 13) + head[8:10] + \
            b"\0\0" + head[12:]
        yield ip[:10] + struct.pack("!H", seg.checksum(ip)) + ip[12:] + part


def fragmented_syn(w):
    w.listen()
    for size in FRAGMENTS[w.family]:
        p = w.peer()
        for part in fragments(p, p.build(SYN, p.isn, opts=LINUX), size):
            p.send_ip(part)
        p.seq = add(p.isn, 1)
        w.watch(p, 0.3, first=True)
        if p.synack:
            p.ack()
            w.accept()


scenario("O-54", families=(4,))(fragmented_syn)
scenario("O-54 P-83", families=(6,), native=True)(fragmented_syn)


@scenario("O-54")
def fragmented_first_data(w):
    p = w.handshake_to_synack()
    packet = p.build(PSH | ACK, p.seq, p.rcv_nxt, b"x" * 1000, p._ts())
    for part in fragments(p, packet, 24):
        p.send_ip(part)
    s = w.accept()
    if s:
        w.note("read %d" % len(s.recv(5000)))


def send_paged(p, packet, linear, gso_size=0):
    """Only so many bytes in the head of the packet, the rest in pages.  With
    gso_size it is several segments that a device has merged."""
    head = HDR[p.family]
    kind = 0 if not gso_size else 1 if p.family == 4 else 4
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind(("cli0", 3))
    s.setsockopt(263, 15, 1)                # PACKET_VNET_HDR
    offset = 14 + head
    csum = packet[head + 16:head + 18]
    if gso_size:
        # the device has the checksum to do: the pseudo header's is there
        pseudo = packet[8:40] + struct.pack("!II", len(packet) - head, 6) \
            if p.family == 6 else \
            packet[12:20] + struct.pack("!HH", 6, len(packet) - head)
        csum = struct.pack("!H", ~seg.checksum(pseudo) & 0xFFFF)
    packet = packet[:head + 16] + csum + packet[head + 18:]
    proto = seg.ETH_IP if p.family == 4 else seg.ETH_IPV6
    s.send(struct.pack("=BBHHHH", bool(gso_size), kind, linear, gso_size,
                       offset if gso_size else 0, 16 if gso_size else 0) +
           p.mac + p.gw + struct.pack("!H", proto) + packet)
    s.close()


def sniffer():
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind(("srv0", 3))
    s.settimeout(0.1)
    return s


def frames_of(s):
    try:
        while True:
            yield s.recv(2048)
    except TimeoutError:
        s.close()


@scenario("O-54")
def sniffed_syn(w):
    """Who looks at the device sees it as it came: its memory is not ours."""
    w.listen()
    s = w.srv(sniffer)
    p = w.peer()
    syn = p.build(SYN, p.isn, opts=LINUX)
    p.send_ip(syn)
    p.seq = add(p.isn, 1)
    w.watch(p, 0.3, first=True)
    w.note("seen %d" % sum(f.endswith(syn) for f in frames_of(s)))
    if p.synack:
        p.ack()
        w.accept()


@scenario("O-54")
def paged_syn(w):
    """The TCP header, or half of it, is not in the head of the packet."""
    w.listen()
    for linear in (14, 14 + HDR[w.family], 14 + HDR[w.family] + 10,
                   14 + HDR[w.family] + 20, 14 + HDR[w.family] + 30):
        p = w.peer()
        send_paged(p, p.build(SYN, p.isn, opts=LINUX), linear)
        p.seq = add(p.isn, 1)
        w.watch(p, 0.3, first=True)
        if p.synack:
            send_paged(p, p.build(ACK, p.seq, p.rcv_nxt, opts=p._ts()), linear)
            w.accept()


@scenario("O-54 P-27")
def merged_segments_complete(w):
    """Four segments that GRO has made one, with the ACK that completes."""
    p = w.handshake_to_synack()
    packet = p.build(PSH | ACK, p.seq, p.rcv_nxt, b"x" * 4000, p._ts())
    send_paged(p, packet, 14 + HDR[w.family] + 32, 1000)
    s = w.accept()
    if s:
        w.note("read %d" % len(s.recv(9000)))
    w.watch(p, 0.1)


# --- routes, sockets of the SYN-ACK -------------------------------------------------


def unreachable(w, action, p):
    """A route to the peer that refuses."""
    w.command("ip", "-%d" % w.family, "route", action, "unreachable", p.src)


@scenario("O-19", native=True)
def no_route_back(w):
    w.listen()
    p = w.peer()
    unreachable(w, "add", p)
    p.syn()
    w.watch(p, 0.3)
    unreachable(w, "del", p)


@scenario("O-19", differs=True)
def route_lost_when_the_synack_is_repeated(w):
    p = w.handshake_to_synack()
    unreachable(w, "add", p)
    w.watch(p, 2.0)
    unreachable(w, "del", p)
    p.ack()
    w.watch(p, 0.1)
    w.accept(state=False)


@scenario("O-18", differs=True)
def rule_for_the_user_of_the_synack(w):
    w.nft("add table inet t; add chain inet t out { type filter hook output "
          "priority 0; }; add rule inet t out tcp sport 80 meta skuid 0 drop",
          undo="delete table inet t")
    w.listen()
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("O-18")
def synacks_do_not_fill_the_listeners_buffer(w):
    """SO_SNDBUF of the least size: the SYN-ACKs are charged to nobody there."""
    w.listen([(SOL, socket.SO_SNDBUF, 1)])
    for _ in range(20):
        p = w.peer()
        p.syn()
    for p in w.peers:
        w.watch(p, 0.2, first=True)


# --- signatures ---------------------------------------------------------------------


def md5_key(p, key):
    """struct tcp_md5sig"""
    if p.family == 4:
        addr = struct.pack("=HH4s", socket.AF_INET, 0, p._addr(p.src))
    else:
        addr = struct.pack("=HHI16s", socket.AF_INET6, 0, 0, p._addr(p.src))
    return addr.ljust(128, b"\0") + struct.pack("=BBHi", 0, 0, len(key),
                                                0) + key.ljust(80, b"\0")


def signed(p, key, flags, seq, ack, opts):
    """Options with a signature behind them (RFC 2385 2)."""
    length = len(seg.pad(opts + bytes(18))) + 20
    header = struct.pack("!HHIIBBHHH", p.sport, p.dport, seq, ack,
                         length // 4 << 4, flags, p.win, 0, 0)
    if p.family == 4:
        pseudo = p._addr(p.src) + p._addr(p.dst) + struct.pack("!HH", 6, length)
    else:
        pseudo = p._addr(p.src) + p._addr(p.dst) + struct.pack("!II", length, 6)
    digest = hashlib.md5(pseudo + header + key, usedforsecurity=False).digest()
    return opts + opt(19, digest)


@scenario("P-56 P-60", native=True)
def no_timestamps_beside_sack_and_signature(w):
    key = b"secret"
    p = w.peer()
    w.listen([(TCP, 14, md5_key(p, key))])      # TCP_MD5SIG
    syn = MSS(1460) + seg.SACK_PERM + seg.TS(1000)
    p.syn(opts=signed(p, key, SYN, p.isn, 0, syn))
    w.watch(p, 1.0, first=True)
    p.send(ACK, opts=signed(p, key, ACK, p.seq, p.rcv_nxt, NOP + NOP))
    w.accept()


@scenario("P-60", native=True)
def unsigned_segment_to_a_keyed_listener(w):
    p = w.peer()
    w.listen([(TCP, 14, md5_key(p, b"secret"))])
    p.syn()
    w.watch(p, 0.3)


# --- over loopback ------------------------------------------------------------------


def talk(w, a, b):
    """A few bytes each way, then a closes first."""
    a.setblocking(True)
    a.send(b"hello")
    w.note("read %r" % b.recv(100))
    b.send(b"world")
    w.note("read %r" % a.recv(100))


@scenario("O-55")
def connection_over_loopback(w):
    listener = w.listen()
    for host in ("127.0.0.1", seg.SRV[4]) if w.family == 4 else \
            ("::1", seg.SRV[6]):
        c = server_socket(w, 0, host)
        c.connect_ex((host, w.port))
        s = w.accept(listener)
        talk(w, c, s)


@scenario("O-55", native=True)
def connection_to_itself(w):
    s = server_socket(w, 8082)
    s.connect_ex((seg.SRV[w.family], 8082))
    s.setblocking(True)
    s.send(b"hello")
    w.note("read %r" % s.recv(100))


@scenario("O-55")
def refused_over_loopback(w):
    """Beside a connection that is served."""
    w.listen()
    s = server_socket(w, 8083)
    w.note("connect: %d" % s.connect_ex((seg.SRV[w.family], 9)))
    w.note("error %d" % s.getsockopt(SOL, socket.SO_ERROR))
    p = w.handshake_to_synack()
    p.ack()
    w.accept()


# --- who is woken -------------------------------------------------------------------


@scenario("O-38 O-41")
def an_edge_for_each_connection(w):
    w.listen()
    peers = [w.handshake_to_synack() for _ in range(20)]
    for p in peers:
        w.edges()
        p.ack()
        w.edges()
    for _ in peers:
        w.accept(state=False)
    p = w.handshake_to_synack()
    w.edges()
    p.data(b"hello")
    w.edges()
    w.accept(state=False)


@scenario("O-38 O-41")
def who_waits_in_accept_is_woken(w):
    """Without a timeout, so that the process sleeps in the kernel."""
    listener = w.listen()
    listener.settimeout(None)
    p = w.handshake_to_synack()
    woken = []

    def wait():
        s, addr = listener.accept()
        woken.append((seg.time.monotonic(), s))
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    seg.time.sleep(0.2)
    w.note("asleep: %s" % (not woken))
    p.ack()
    sent = seg.time.monotonic()
    thread.join(1.0)
    if woken:
        w.sockets.append(woken[0][1])
    w.note("woken: %s" % bool(woken),
           {"within": woken[0][0] - sent} if woken else None)


@scenario("O-39 O-50")
def queues_of_the_listener(w):
    """What "ss -lt" shows while connections complete and are accepted."""
    listener = w.listen(backlog=5)
    peers = [w.handshake_to_synack() for _ in range(4)]
    w.queues()
    for p in peers:
        p.ack()
        w.queues()
    for _ in peers:
        w.accept(listener, state=False)
        w.queues()


@scenario("O-50")
def drops_of_the_listener(w):
    """The "d" of "ss -lm": segments that end in SYN-RECEIVED count there."""
    listener = w.listen()

    def count(what):
        memory = listener.getsockopt(SOL, 55, 36)       # SO_MEMINFO
        w.note("%s: %d dropped" % (what, struct.unpack("9I", memory)[8]))
    p = w.handshake_to_synack()
    count("SYN")
    p.syn()
    count("SYN again")
    p.send(ACK, seq=add(p.seq, 1 << 20), opts=p._ts())
    count("outside the window")
    p.ack(ack=add(p.rcv_nxt, 1))
    count("wrong ACK")
    p.send(PSH, data=b"x", opts=p._ts())
    count("no ACK")
    p.rst(seq=add(p.seq, 9))
    count("RST in the window")
    p.rst(seq=p.seq)
    count("RST")
    p = w.handshake_to_synack()
    p.send(SYN, seq=add(p.seq, 9))
    count("SYN in the window")
    p = w.handshake_to_synack()
    p.ack()
    w.accept(state=False)
    count("ACK")


@scenario("O-37 O-41")
def first_state_after_data_and_fin(w):
    """Counts and windows when the program comes late."""
    p = w.handshake_to_synack()
    p.data(b"x" * 1000)
    p.data(b"y" * 1000)
    p.send(FIN | ACK, opts=p._ts())
    w.watch(p, 0.2)
    s = w.accept()
    if s:
        w.note("read %d" % len(s.recv(5000)))


@scenario("O-37 O-41")
def reset_before_accept(w):
    p = w.handshake_to_synack()
    p.ack()
    w.watch(p, 0.05)
    p.send(RST, seq=p.seq)
    w.watch(p, 0.05)
    s = w.accept()
    if s:
        w.note("error %d" % s.getsockopt(SOL, socket.SO_ERROR))


@scenario("P-05 P-57 O-50")
def counters_of_a_busy_minute(w):
    """Many kinds of segments in one go; all counters are compared."""
    w.listen()
    for flags, good in ((SYN, True), (SYN | ECE | CWR, True), (SYN, False),
                        (SYN | PSH, True), (SYN, False)):
        p = w.peer()
        p.syn(flags=flags)
        w.watch(p, 0.2, first=True)
        p.send(ACK, ack=add(p.rcv_nxt, 7), opts=p._ts())
        p.send(ACK, seq=add(p.seq, 1 << 20), opts=p._ts())
        p.rst(seq=add(p.seq, 9))
        p.send(PSH, data=b"x", opts=p._ts())
        p.send(ACK, opts=p._ts(), bad_csum=True)
        if good:
            p.data(b"hello")
            w.accept(state=False)
        else:
            w.watch(p, 3.5)
            p.rst(seq=p.seq)
    w.watch(p, 0.1)
