# SPDX-License-Identifier: GPL-2.0
"""LISTEN and SYN-RECEIVED, segment by segment (protocol.md 1.1, 1.2, 1.6)."""

import socket

from differential import scenario
from seg import (ACK, CWR, ECE, FIN, LINUX, MSS, NOP, PSH, RST, SYN, TS, URG,
                 add, icmp_error)

# --- LISTEN ---------------------------------------------------------------------


def listening_peer(w):
    w.listen()
    return w.peer()


@scenario("P-01", native=True)
def rst_to_listener(w):
    p = listening_peer(w)
    p.rst()
    w.watch(p, 0.3)


@scenario("P-02 P-65", native=True)
def ack_to_listener(w):
    p = listening_peer(w)
    p.send(ACK, seq=17, ack=34)
    w.watch(p, 0.3)


@scenario("P-03", native=True)
def synack_to_listener(w):
    p = listening_peer(w)
    p.send(SYN | ACK, seq=17, ack=34)
    w.watch(p, 0.3)


@scenario("P-04", native=True)
def syn_rst_to_listener(w):
    p = listening_peer(w)
    p.send(SYN | RST, seq=17)
    w.watch(p, 0.3)


@scenario("P-06", native=True)
def syn_fin_to_listener(w):
    p = listening_peer(w)
    p.send(SYN | FIN, seq=17, opts=LINUX)
    w.watch(p, 0.3)


@scenario("P-07", native=True)
def no_flags_to_listener(w):
    p = listening_peer(w)
    p.send(0, seq=17)
    p.send(FIN, seq=17)
    p.send(PSH, seq=17, data=b"x" * 10)
    w.watch(p, 0.3)


@scenario("P-05 P-79 O-14")
def syn_gets_synack(w):
    w.handshake_to_synack()


@scenario("P-08")
def data_on_syn_is_not_acknowledged(w):
    p = listening_peer(w)
    p.send(SYN, opts=LINUX, data=b"x" * 100)
    w.watch(p, 0.3)


@scenario("P-09")
def urg_psh_and_reserved_bits_are_ignored(w):
    w.listen()
    for flags, res in ((SYN | URG, 0), (SYN | PSH, 0), (SYN, 2), (SYN, 14),
                       (SYN | ECE, 0), (SYN | CWR, 0)):
        p = w.peer()
        p.send(flags, opts=LINUX, res=res, urg=5)
        w.watch(p, 0.1)


@scenario("P-12", native=True)
def bad_checksum_is_silent(w):
    p = listening_peer(w)
    p.send(SYN, opts=LINUX, bad_csum=True)
    w.watch(p, 0.3)


@scenario("P-13", native=True)
def bad_header_length_is_silent(w):
    p = listening_peer(w)
    for doff in (0, 4, 15):
        p.send(SYN, doff=doff)
    w.watch(p, 0.3)


@scenario("P-14", native=True)
def no_listener_resets(w):
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("P-80", families=(4,), native=True)
def ip_options_go_the_native_way(w):
    p = listening_peer(w)
    p.send(SYN, opts=LINUX, ip_opts=b"\x01\x01\x01\x01")
    w.watch(p, 0.3)


@scenario("P-60", native=True)
def md5_option_goes_the_native_way(w):
    p = listening_peer(w)
    p.send(SYN, opts=MSS(1460) + bytes([19, 18]) + b"\0" * 16)
    w.watch(p, 0.3)


# --- SYN-RECEIVED -----------------------------------------------------------------


@scenario("P-16")
def left_of_window_is_acked(w):
    p = w.handshake_to_synack()
    p.send(ACK, seq=add(p.seq, -10), data=b"x", opts=p._ts())
    w.watch(p, 0.3)
    p.ack()
    w.accept()


@scenario("P-60")
def signed_segments_are_not_the_requests(w):
    """Its SYN was not: all that carry TCP-AO are dropped, if the kernel knows it."""
    p = w.handshake_to_synack()
    ao = bytes([29, 20]) + b"\x01\x01" + b"\0" * 16
    p.send(ACK, ack=add(p.rcv_nxt, 1000), opts=ao)
    p.send(SYN, seq=add(p.seq, -1), opts=ao)
    p.send(ACK, seq=add(p.seq, -10), data=b"x", opts=ao, bad_csum=True)
    w.watch(p, 0.3)
    p.ack()
    w.accept()


@scenario("P-16")
def right_of_window_is_acked(w):
    p = w.handshake_to_synack()
    p.send(ACK, seq=add(p.seq, 70000), opts=p._ts())
    w.watch(p, 0.3)
    p.ack()
    w.accept()


@scenario("P-16")
def right_edge_completes(w):
    p = w.handshake_to_synack()
    p.send(ACK, seq=add(p.seq, p.synack.win), opts=p._ts())
    w.watch(p, 0.3)
    w.accept()


@scenario("P-16")
def answers_are_rate_limited(w):
    p = w.handshake_to_synack()
    for _ in range(5):
        p.send(ACK, seq=add(p.seq, 70000), opts=p._ts())
    w.watch(p, 0.3)
    w.watch(p, 0.4)
    p.send(ACK, seq=add(p.seq, 70000), opts=p._ts())
    w.watch(p, 0.2)


@scenario("P-17")
def exact_rst_is_silent_and_final(w):
    p = w.handshake_to_synack()
    p.rst(seq=p.seq)
    w.watch(p, 0.2)
    p.ack()
    w.watch(p, 0.3)


@scenario("P-18")
def rst_in_window_is_challenged(w):
    p = w.handshake_to_synack()
    p.rst(seq=add(p.seq, 1))
    p.rst(seq=add(p.seq, 1000))
    w.watch(p, 0.3)
    p.ack()
    w.accept()


@scenario("P-19")
def rst_outside_window_is_ignored(w):
    p = w.handshake_to_synack()
    p.rst(seq=add(p.seq, 70000))
    p.rst(seq=add(p.seq, -1000))
    w.watch(p, 0.2)
    p.ack()
    w.accept()


@scenario("P-20")
def ack_field_of_a_rst_does_not_matter(w):
    p = w.handshake_to_synack()
    p.send(RST | ACK, seq=p.seq, ack=12345)
    w.watch(p, 0.2)
    p.ack()
    w.watch(p, 0.3)


@scenario("P-21")
def syn_in_window_is_reset(w):
    p = w.handshake_to_synack()
    p.send(SYN, seq=add(p.seq, 100), opts=LINUX)
    w.watch(p, 0.2)
    p.ack()
    w.watch(p, 0.2)


@scenario("P-21")
def syn_ack_in_window_is_reset(w):
    p = w.handshake_to_synack()
    p.send(SYN | ACK, seq=add(p.seq, 100))
    w.watch(p, 0.2)


@scenario("P-22")
def duplicate_syn_gets_the_synack_again(w):
    p = w.handshake_to_synack()
    p.syn()
    w.watch(p, 0.2)
    p.syn()
    w.watch(p, 0.4)
    p.syn()
    w.watch(p, 0.2)
    p.ack()
    w.accept()


@scenario("P-22")
def duplicate_syn_restarts_the_timer(w):
    p = w.handshake_to_synack()
    w.watch(p, 0.7)
    p.syn()
    w.watch(p, 1.6)


@scenario("P-23")
def older_syn_is_acked(w):
    p = w.handshake_to_synack()
    p.send(SYN, seq=add(p.isn, -1000), opts=LINUX)
    w.watch(p, 0.3)
    p.ack()
    w.accept()


@scenario("P-24")
def segment_without_ack_is_dropped(w):
    p = w.handshake_to_synack()
    p.send(PSH, data=b"hello", opts=p._ts())
    p.send(FIN, opts=p._ts())
    w.watch(p, 0.2)
    p.ack()
    w.accept()


@scenario("P-25 O-50")
def wrong_ack_is_reset_and_kept(w):
    p = w.handshake_to_synack()
    p.ack(ack=add(p.rcv_nxt, 1))
    p.ack(ack=add(p.rcv_nxt, -1))
    w.watch(p, 0.2)
    p.ack()
    w.accept()


@scenario("P-26 O-37 O-41")
def ack_completes(w):
    p = w.handshake_to_synack()
    p.ack()
    s = w.accept()
    if s:
        s.send(b"hello")
    w.watch(p, 0.1)


@scenario("P-27")
def data_completes(w):
    p = w.handshake_to_synack()
    p.data(b"GET /")
    s = w.accept()
    if s:
        w.note("read %r" % s.recv(100))
    w.watch(p, 0.1)


@scenario("P-27")
def fin_completes(w):
    p = w.handshake_to_synack()
    p.fin()
    w.watch(p, 0.1)         # acknowledged at the next tick
    s = w.accept()
    if s:
        w.note("read %r" % s.recv(100))
    w.watch(p, 0.1)


@scenario("P-28")
def reordered_first_segment_completes(w):
    p = w.handshake_to_synack()
    p.send(PSH | ACK, seq=add(p.seq, 5), data=b"world", opts=p._ts())
    s = w.accept()
    p.send(PSH | ACK, data=b"hello", opts=p._ts())
    w.watch(p, 0.2)
    if s:
        w.note("read %r" % s.recv(100))


@scenario("P-29")
def urgent_data_completes(w):
    p = w.handshake_to_synack()
    p.send(PSH | ACK | URG, data=b"0123456789", urg=5, opts=p._ts())
    s = w.accept()
    if s:
        w.note("oob %r" % s.recv(1, 1))     # MSG_OOB
    w.watch(p, 0.1)


@scenario("P-34 O-52")
def duplicate_syn_after_establishment(w):
    p = w.handshake_to_synack()
    p.ack()
    w.accept()
    p.send(SYN, seq=p.isn, opts=LINUX)
    w.watch(p, 0.3)


@scenario("P-35")
def listener_gone_resets(w):
    p = w.handshake_to_synack()
    w.sockets.pop().close()
    p.ack()
    w.watch(p, 0.3)


@scenario("P-52")
def older_timestamp_is_acked(w):
    p = w.handshake_to_synack()
    p.send(ACK, opts=NOP + NOP + TS(p.tsval - 10, p.ts_recent))
    w.watch(p, 0.3)
    p.rst(seq=p.seq, opts=NOP + NOP + TS(p.tsval - 10, p.ts_recent))
    w.watch(p, 0.2)
    p.ack()
    w.accept()


@scenario("P-53")
def final_ack_without_timestamp_completes(w):
    p = w.handshake_to_synack()
    p.ack(opts=b"")
    w.accept()
    w.watch(p, 0.1)


@scenario("P-54")
def ts_recent_comes_from_the_final_ack(w):
    p = w.handshake_to_synack()
    p.tsval += 500
    p.ack()
    s = w.accept()
    if s:
        s.send(b"hello")
    w.watch(p, 0.1)


@scenario("P-33")
def several_at_once(w):
    w.listen()
    peers = [w.peer() for _ in range(3)]
    for p in peers:
        p.syn()
    for p in peers:
        w.watch(p, 0.5, first=True)
    for p in reversed(peers):
        p.ack()
        w.accept()


@scenario("P-12")
def bad_checksum_on_the_final_ack(w):
    p = w.handshake_to_synack()
    p.send(ACK, opts=p._ts(), bad_csum=True)
    w.watch(p, 0.2)
    p.rst(seq=p.seq, bad_csum=True)
    w.watch(p, 0.1)
    p.ack()
    w.accept()


# --- ICMP -------------------------------------------------------------------------


def icmp(w, kind, code, seq_off=0):
    """An error about the SYN-ACK, then the final ACK: is anybody there?"""
    p = w.handshake_to_synack()
    quoted = bytearray(p.synack.ip)
    off = 20 if w.family == 4 else 40
    wrong = add(p.synack.seq, seq_off)
    quoted[off + 4:off + 8] = wrong.to_bytes(4, "big")
    p.send_ip(icmp_error(p, kind, code, bytes(quoted), src=p.src))
    w.watch(p, 0.2)
    p.ack()
    w.watch(p, 0.2)
    w.accept()


@scenario("P-73", families=(4,))
def icmp_host_unreachable_ends(w):
    icmp(w, 3, 1)


@scenario("P-73", families=(4,))
def icmp_net_unreachable_ends(w):
    icmp(w, 3, 0)


@scenario("P-73", families=(4,))
def icmp_time_exceeded_ends(w):
    icmp(w, 11, 0)


@scenario("P-73", families=(4,))
def icmp_parameter_problem_ends(w):
    icmp(w, 12, 0)


@scenario("P-73", families=(4,))
def icmp_with_wrong_sequence_is_ignored(w):
    icmp(w, 3, 1, seq_off=1)


@scenario("P-74", families=(4,))
def icmp_port_unreachable_is_ignored(w):
    icmp(w, 3, 3)


@scenario("P-75", families=(4,))
def icmp_fragmentation_needed_is_ignored(w):
    icmp(w, 3, 4)


@scenario("P-77", families=(4,))
def icmp_source_quench_is_ignored(w):
    icmp(w, 4, 0)


@scenario("P-76", families=(6,))
def icmp6_prohibited_ends(w):
    icmp(w, 1, 1)


@scenario("P-76", families=(6,))
def icmp6_no_route(w):
    icmp(w, 1, 0)


@scenario("P-75", families=(6,))
def icmp6_too_big_is_ignored(w):
    icmp(w, 2, 0)


@scenario("P-76", families=(6,))
def icmp6_with_wrong_sequence_is_ignored(w):
    icmp(w, 1, 1, seq_off=-1)


# --- retransmission ----------------------------------------------------------------


@scenario("P-36 P-37 P-38 P-39 P-45")
def unanswered_synack_is_repeated_and_given_up(w):
    p = w.handshake_to_synack()
    w.watch(p, 70)
    p.ack()
    w.watch(p, 0.5)


@scenario("P-38", differs=True)
def synack_retries_of_the_stack(w):
    """net.halfopen.synack_retries counts instead."""
    w.sysctl("ipv4/tcp_synack_retries", 1)
    p = w.handshake_to_synack()
    w.watch(p, 5)


@scenario("P-38", families=(4,))
def tcp_syncnt_limits_retransmissions(w):
    w.listen([(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 2)])
    p = w.handshake_to_synack()
    w.watch(p, 9)


def complete_late(w, seconds):
    p = w.handshake_to_synack()
    w.watch(p, seconds)
    p.ack()
    s = w.accept()
    if s:
        s.send(b"x" * 20000)
    w.watch(p, 0.1)


@scenario("P-41 P-44")
def completed_after_one_retransmission(w):
    complete_late(w, 1.6)


@scenario("P-41 P-43")
def completed_after_two_retransmissions(w):
    complete_late(w, 3.6)


@scenario("P-42")
def spurious_retransmission_is_undone(w):
    p = w.handshake_to_synack()
    first = p.ts_recent
    w.watch(p, 3.6)
    p.ts_recent = first
    p.ack()
    s = w.accept()
    if s:
        s.send(b"x" * 20000)
    w.watch(p, 0.1)


@scenario("P-44")
def slow_handshake_gives_the_rtt(w):
    p = w.handshake_to_synack()
    w.watch(p, 0.3)
    p.ack()
    w.accept()
