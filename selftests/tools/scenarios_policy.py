# SPDX-License-Identifier: GPL-2.0
"""Conntrack and what decides about packets: nft, NFQUEUE, tc, XFRM (protocol.md).

Each scenario loads rules that count, and notes what each of them counted and what
conntrack knows in the end: the same packets must have met the same rules.
"""

import json
import os
import socket
import subprocess
import time

import nfnetlink
import seg
from differential import Abandoned, scenario
from nft import JSON, Nft

SYNACK = "tcp flags & (syn | ack) == syn | ack"
BARE_SYN = "tcp flags & (fin | syn | rst | ack) == syn"
IS_ACK = "tcp flags & (syn | ack) == ack"

# Its SYN is what tells halfopen, once, that conntrack follows some here.
FIRST = {4: "198.51.100.9", 6: "2001:db9:1::9"}

# Rules as distributions ship them, and stricter: nothing is dropped by the last
# rules of "in" and "out" unless somebody took a packet for what it is not.
STRICT = """
table inet t {
    chain pre {
        type filter hook prerouting priority mangle;
        ct state invalid counter drop
    }
    chain in {
        type filter hook input priority filter; policy drop;
        meta l4proto != tcp accept
        ct state invalid counter drop
        ct state new %s tcp dport 80 counter accept
        ct state established counter accept
        ct state related counter accept
        ct state untracked counter
        ct state new counter
        counter
    }
    chain out {
        type filter hook output priority filter; policy drop;
        meta l4proto != tcp accept
        ct state invalid counter drop
        ct state established ct direction reply counter accept
        ct state related counter accept
        ct state untracked counter
        ct state new counter
        counter
    }
    chain post {
        type filter hook postrouting priority srcnat + 10;
        meta l4proto tcp ct state established counter
        meta l4proto tcp ct state != established counter
    }
}""" % BARE_SYN


def rules(w, text, first=True):
    """first: the SYNs that follow are such that halfopen takes."""
    w.nft(text)
    w.undo.append(lambda: w.srv(forget))
    w.undo.append(lambda: w.nft("delete table inet t"))
    w.sysctl("netfilter/nf_conntrack_acct", 1)
    if first:
        if not w.sockets:
            w.listen()
        p = w.peer(src=FIRST[w.family])
        p.syn()
        if p.recv(1.0) is None:
            w.note("no SYN-ACK for the first")
            raise Abandoned
        p.rst(seq=p.seq)
        time.sleep(0.2)


def chain(name, hook, body, priority="filter", policy="accept"):
    return ("chain %s { type filter hook %s priority %s; policy %s; %s\n}\n" %
            (name, hook, priority, policy, "\n".join(("", *body))))


def table(*chains):
    return "table inet t {\n" + "".join(chains) + "}"


def forget():
    ct = nfnetlink.Conntrack()
    ct.flush()
    ct.close()


def note_conntrack(w, what="ct"):
    """Ports and ids differ from pass to pass; timeouts to ten seconds."""
    def entries():
        ct = nfnetlink.Conntrack()
        out = list(ct.entries())
        ct.close()
        return out
    for e in sorted(w.srv(entries), key=lambda e: (e["src"], e["sport"])):
        if e["src"] == FIRST[w.family]:
            continue
        e["status"] = ",".join(e["status"])
        e["timeout"] = round(e["timeout"], -1)
        w.note(what + " %(src)s>%(dst)s:%(dport)d %(rsrc)s:%(rsport)d>%(rdst)s "
               "%(state)s %(status)s timeout=%(timeout)d wscales=%(wscales)s "
               "flags=%(flags)s mark=%(mark)#x zone=%(zone)d labels=%(labels)s "
               "helper=%(helper)s orig=%(orig)s reply=%(reply)s" % e)


def ruleset(w):
    def listed():
        nft = Nft(JSON)
        text = nft("list ruleset")
        nft.close()
        return text
    return json.loads(w.srv(listed))["nftables"]


def note_rules(w):
    at = {}
    for item in ruleset(w):
        rule = item.get("rule")
        if not rule:
            continue
        at[rule["chain"]] = at.get(rule["chain"], 0) + 1
        for expr in rule["expr"]:
            if "counter" in expr:
                w.note("rule %s %d: %d packets, %d bytes" % (
                    rule["chain"], at[rule["chain"]],
                    expr["counter"]["packets"], expr["counter"]["bytes"]))


def note_all(w):
    note_conntrack(w)
    note_rules(w)


def converse(w, p, s):
    """A request, an answer, and the end from both sides."""
    p.data(b"x" * 100)
    w.watch(p, 0.1)
    if s:
        w.note("read %d" % len(s.recv(1000)))
        s.send(b"y" * 200)
    w.watch(p, 0.1)
    p.ack()
    note_conntrack(w, "talking")
    p.fin()
    w.watch(p, 0.1)
    if s:
        s.close()
    w.watch(p, 0.1)
    p.ack()
    time.sleep(0.05)


# --- strict rulesets -------------------------------------------------------------


@scenario("O-47 P-86")
def strict_rules_pass_a_connection(w):
    rules(w, STRICT)
    p = w.handshake_to_synack()
    p.ack()
    s = w.accept()
    note_conntrack(w, "accepted")
    converse(w, p, s)
    note_all(w)


@scenario("O-47 P-86")
def strict_rules_pass_a_connection_not_loose(w):
    w.sysctl("netfilter/nf_conntrack_tcp_loose", 0)
    strict_rules_pass_a_connection(w)


@scenario("O-47", differs=True)
def strict_rules_pass_a_client_without_options(w):
    rules(w, STRICT)
    p = w.handshake_to_synack(opts=b"")
    p.ack()
    converse(w, p, w.accept())
    note_all(w)


@scenario("O-47 P-28")
def strict_rules_pass_data_that_completes(w):
    rules(w, STRICT)
    p = w.handshake_to_synack()
    p.data(b"x" * 100)
    s = w.accept()
    if s:
        w.note("read %d" % len(s.recv(1000)))
    w.watch(p, 0.1)
    note_all(w)


@scenario("O-47 P-37")
def strict_rules_pass_repeated_synacks(w):
    rules(w, STRICT)
    p = w.handshake_to_synack()
    w.watch(p, 3.5)
    p.ack()
    converse(w, p, w.accept())
    note_all(w)


@scenario("O-47", differs=True)
def strict_rules_pass_a_repeated_syn(w):
    rules(w, STRICT)
    p = w.handshake_to_synack()
    w.watch(p, 0.6)
    p.syn()
    w.watch(p, 0.3)
    p.ack()
    converse(w, p, w.accept())
    note_all(w)


@scenario("O-47 P-17")
def strict_rules_pass_a_reset(w):
    rules(w, STRICT)
    p = w.handshake_to_synack()
    p.rst(seq=p.seq)
    w.watch(p, 1.5)
    note_rules(w)


@scenario("O-47 P-18")
def strict_rules_meet_a_blind_reset(w):
    """Conntrack takes it for the end, halfopen's client is spared that."""
    rules(w, STRICT)
    p = w.handshake_to_synack()
    p.rst(seq=seg.add(p.seq, 100))
    w.watch(p, 0.3)
    p.ack()
    w.accept()
    note_rules(w)


@scenario("O-47 P-25")
def strict_rules_meet_a_wrong_ack(w):
    rules(w, STRICT)
    p = w.handshake_to_synack()
    p.ack(ack=seg.add(p.rcv_nxt, 1000))
    w.watch(p, 0.3)
    p.ack()
    w.accept()
    note_all(w)


@scenario("O-47 P-16")
def strict_rules_meet_a_segment_outside_the_window(w):
    rules(w, STRICT)
    p = w.handshake_to_synack()
    p.ack(seq=seg.add(p.seq, 10000000))
    w.watch(p, 0.3)
    p.ack()
    w.accept()
    note_all(w)


@scenario("O-47 P-02", native=True)
def strict_rules_meet_a_stray_ack(w):
    w.sysctl("netfilter/nf_conntrack_tcp_loose", 0)
    rules(w, STRICT, first=False)
    w.listen()
    p = w.peer()
    p.rcv_nxt = 1000
    p.ack()
    w.watch(p, 0.3)
    note_rules(w)


@scenario("O-47 P-73")
def strict_rules_pass_a_related_icmp_error(w):
    """Host unreachable, or no route: both end a half-open connection."""
    rules(w, STRICT.replace("meta l4proto != tcp accept",
                            "meta l4proto { icmp, icmpv6 } ct state related "
                            "counter accept; meta l4proto icmp drop"))
    p = w.handshake_to_synack()
    kind, code = (3, 1) if w.family == 4 else (1, 0)
    p.send_ip(seg.icmp_error(p, kind, code, p.synack.ip))
    w.watch(p, 1.5)
    note_rules(w)


@scenario("O-47")
def clients_beside_each_other_keep_their_entries(w):
    rules(w, STRICT)
    peers = [w.handshake_to_synack(sport=30000 + i) for i in range(5)]
    for p in reversed(peers):
        p.ack()
        w.watch(p, 0.05)
    for _ in peers:
        w.accept()
    note_all(w)


# --- verdicts ----------------------------------------------------------------------


@scenario("P-86 O-47", native=True)
def input_drops_the_syn(w):
    rules(w, table(chain("in", "input", ("ct state new " + BARE_SYN +
                                         " counter drop", "counter"))),
          first=False)
    w.listen()
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)
    note_all(w)


@scenario("P-86 O-47", native=True)
def input_rejects_the_syn(w):
    rules(w, table(chain("in", "input", (
        "ct state new tcp sport 30000 counter reject with tcp reset",
        "ct state new " + BARE_SYN + " counter reject", "counter"))),
          first=False)
    w.listen()
    for sport in (30000, 30001):
        p = w.peer(sport=sport)
        p.syn()
        w.watch(p, 0.3)
    note_all(w)


@scenario("P-86 O-47")
def input_drops_the_ack(w):
    rules(w, table(chain("in", "input", (IS_ACK + " counter drop", "counter")),
                   chain("out", "output", ("ct state established counter",
                                           "ct state != established counter"))))
    p = w.handshake_to_synack()
    p.ack()
    w.accept()
    note_conntrack(w)
    w.watch(p, 2.5)
    note_all(w)


@scenario("P-86 O-47")
def input_drops_the_first_ack(w):
    """The next one, after a repeated SYN-ACK, gets through."""
    rules(w, table(chain("in", "input", (
        IS_ACK + " limit rate over 1/minute burst 1 packets counter accept",
        IS_ACK + " counter drop", "counter"))))
    p = w.handshake_to_synack()
    p.ack()
    w.watch(p, 1.5)
    p.ack()
    w.accept()
    note_all(w)


@scenario("P-86 O-47")
def output_drops_the_synack(w):
    """What comes after differs on purpose: txerror.sh."""
    rules(w, table(chain("in", "input", ("ct state new counter",
                                         "ct state established counter")),
                   chain("out", "output", (
                       "ip daddr != 198.51.100.9 " + SYNACK + " counter drop"
                       if w.family == 4 else
                       "ip6 daddr != 2001:db9:1::9 " + SYNACK + " counter drop",
                       "counter"))))
    p = w.peer()
    p.syn()
    w.watch(p, 0.9)
    note_rules(w)


@scenario("O-47")
def new_syns_are_limited(w):
    rules(w, table(chain("in", "input", (
        "ct state new limit rate 1/minute burst 4 packets counter accept",
        "ct state new counter drop", "ct state established counter accept",
        "counter drop"))))
    for i in range(6):
        p = w.peer(sport=30000 + i)
        p.syn()
        w.watch(p, 0.2)
        if p.synack:
            p.ack()
            w.accept()
    note_all(w)


@scenario("O-47")
def mark_of_the_syn_is_kept(w):
    """Set in PREROUTING, used by INPUT, OUTPUT and the accepted socket."""
    w.sysctl("ipv4/tcp_fwmark_accept", 1)
    rules(w, table(
        chain("pre", "prerouting", ("ct state new ct mark set 0x17",
                                    "meta mark set ct mark"), "mangle"),
        chain("in", "input", ("ct mark 0x17 counter", "ct mark != 0x17 counter",
                              "meta mark 0x17 counter")),
        chain("out", "output", ("ct mark 0x17 counter",
                                "ct mark != 0x17 counter",
                                "meta mark 0x17 counter",
                                "meta mark set ct mark"))))
    p = w.handshake_to_synack()
    w.watch(p, 1.5)
    p.ack()
    converse(w, p, w.accept())
    note_all(w)


@scenario("O-47")
def mark_set_by_input_is_kept(w):
    rules(w, table(chain("in", "input", ("ct state new ct mark set 0x18",
                                         "ct mark 0x18 counter")),
                   chain("out", "output", ("ct mark 0x18 counter",
                                           "ct mark != 0x18 counter"))))
    p = w.handshake_to_synack()
    w.watch(p, 1.5)
    p.ack()
    w.accept()
    note_all(w)


@scenario("O-47", differs=True)
def mark_set_on_the_synack_is_kept(w):
    rules(w, table(chain("in", "input", ("ct state established ct mark 0x19 "
                                         "counter",)),
                   chain("out", "output", (SYNACK + " ct mark 0 counter "
                                           "ct mark set 0x19",
                                           "ct mark 0x19 counter"))))
    p = w.handshake_to_synack()
    w.watch(p, 1.5)
    p.ack()
    w.accept()
    note_all(w)


@scenario("O-47")
def zones_are_kept(w):
    rules(w, table(chain("pre", "prerouting", ("ct zone set 5",), "raw"),
                   chain("preout", "output", ("ct zone set 5",), "raw"),
                   chain("in", "input", ("ct state new counter",
                                         "ct state established counter",
                                         "ct state invalid counter")),
                   chain("out", "output", ("ct state new counter",
                                           "ct state established counter",
                                           "ct state invalid counter"))))
    p = w.handshake_to_synack()
    w.watch(p, 1.5)
    p.ack()
    converse(w, p, w.accept())
    note_all(w)


@scenario("O-47", native=True)
def helper_is_kept(w):
    rules(w, """table inet t {
        ct helper h { type "ftp" protocol tcp; }
        chain pre {
            type filter hook prerouting priority filter;
            ct state new ct helper set "h" counter
        }
        chain in {
            type filter hook input priority filter;
            ct state established ct helper "ftp" counter
            ct state established ct helper != "ftp" counter
        }
    }""", first=False)
    p = w.handshake_to_synack()
    p.ack()
    w.accept()
    note_all(w)


@scenario("O-47", native=True)
def timeout_policy_is_kept(w):
    rules(w, """table inet t {
        ct timeout x { protocol tcp; policy = { established : 300 }; }
        chain pre {
            type filter hook prerouting priority filter;
            ct state new ct timeout set "x" counter
        }
    }""", first=False)
    p = w.handshake_to_synack()
    p.ack()
    w.accept()
    note_all(w)


@scenario("O-47", native=True)
def labels_are_kept(w):
    rules(w, table(chain("in", "input", ("ct state new ct label set 5 counter",
                                         "ct label 5 counter")),
                   chain("out", "output", ("ct label 5 counter",))), first=False)
    p = w.handshake_to_synack()
    p.ack()
    w.accept()
    note_all(w)


@scenario("P-86 O-47")
def sets_filled_by_the_syn_admit_the_ack(w):
    """As port knocking and blacklists do it."""
    saddr = "ip saddr" if w.family == 4 else "ip6 saddr"
    kind = "ipv4_addr" if w.family == 4 else "ipv6_addr"
    rules(w, "table inet t { set s { type %s; flags dynamic; timeout 1h; }; "
          "set m { type %s; flags dynamic; size 100; }; "
          "chain in { type filter hook input priority filter; "
          "%s update @s { %s } counter; "
          "%s add @m { %s limit rate over 1/minute burst 2 packets } "
          "counter drop; %s %s @s counter; %s %s != @s counter drop; }; }" %
          (kind, kind, BARE_SYN, saddr, BARE_SYN, saddr, IS_ACK, saddr,
           IS_ACK, saddr))
    for i in range(3):
        p = w.peer(sport=30000 + i)
        p.syn()
        w.watch(p, 0.2)
        if p.synack:
            p.ack()
            w.accept()
    for item in ruleset(w):
        if "set" in item:
            w.note("set %s: %d elements" % (
                item["set"]["name"], len(item["set"].get("elem", ()))))
    note_all(w)


@scenario("O-06 P-86")
def socket_expression_finds_the_listener(w):
    w.listen([(socket.SOL_SOCKET, socket.SO_MARK, 7)])
    rules(w, table(chain("in", "input", (
        BARE_SYN + " socket mark 7 counter",
        BARE_SYN + " socket wildcard 1 counter",
        BARE_SYN + " socket transparent 0 counter",
        "counter"))))
    p = w.handshake_to_synack()
    p.ack()
    w.accept()
    note_all(w)


@scenario("P-86")
def log_lines_are_the_same(w):
    kmsg = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    os.lseek(kmsg, 0, os.SEEK_END)
    rules(w, table(chain("in", "input", ("tcp dport 80 log prefix \"in \"",)),
                   chain("out", "output", ("tcp sport 80 log prefix "
                                           "\"out \"",))))
    p = w.handshake_to_synack(sport=30000)
    p.ack()
    w.accept()
    time.sleep(0.1)
    n = {"in": 0, "out": 0}
    while True:
        try:
            line = os.read(kmsg, 8192).decode()
        except BlockingIOError:
            break
        text = line.partition(";")[2].splitlines()[0]
        if text.split(" ")[0] in n and "PT=30000" in text:
            n[text.split(" ")[0]] += 1
            w.note(" ".join(f for f in text.split()
                            if not f.startswith(("ID=", "FLOWLBL="))))
    os.close(kmsg)
    w.note("%(in)d lines in, %(out)d out" % n)


# --- NFQUEUE ------------------------------------------------------------------------


def queue(w, num):
    q = w.srv(nfnetlink.Queue, num)
    w.undo.append(q.close)
    return q


@scenario("P-86")
def queue_accepts_the_whole_handshake(w):
    q = queue(w, 7)
    q.start()
    rules(w, table(
        chain("pre", "prerouting", ("tcp dport 80 counter queue num 7",),
              "mangle"),
        chain("in", "input", ("tcp dport 80 counter queue num 7",)),
        chain("out", "output", ("tcp sport 80 counter queue num 7",)),
        chain("post", "postrouting", ("tcp sport 80 counter queue num 7",),
              "mangle")))
    p = w.handshake_to_synack()
    p.ack()
    converse(w, p, w.accept())
    note_rules(w)


@scenario("P-86 O-47")
def queue_accepts_what_is_tracked(w):
    q = queue(w, 7)
    q.start()
    rules(w, table(
        chain("in", "input", ("ct state new,established counter queue num 7",
                              "counter")),
        chain("out", "output", ("ct state established counter queue num 7",
                                "counter"))))
    p = w.handshake_to_synack()
    w.watch(p, 1.5)
    p.ack()
    converse(w, p, w.accept())
    note_all(w)


@scenario("P-86")
def queue_holds_the_syn_and_the_ack(w):
    q = queue(w, 7)
    rules(w, table(chain("in", "input", ("tcp sport 30000 queue num 7",))),
          first=False)
    w.listen()
    p = w.peer(sport=30000)
    p.syn()
    w.watch(p, 0.3)
    w.note("%d in the queue" % q.receive(0.1))
    q.release()
    w.watch(p, 0.3)
    p.ack()
    w.note("%d in the queue" % q.receive(0.1))
    w.watch(p, 1.5)
    q.release()
    w.accept()
    w.watch(p, 0.1)


@scenario("P-86", native=True)
def queue_drops_the_syn(w):
    q = queue(w, 7)
    rules(w, table(chain("in", "input", ("tcp dport 80 queue num 7",))),
          first=False)
    w.listen()
    p = w.peer()
    p.syn()
    w.note("%d in the queue" % q.receive(0.1))
    q.release(accept=False)
    w.watch(p, 0.3)


@scenario("P-86 O-47")
def queue_without_a_program_is_bypassed(w):
    rules(w, table(chain("in", "input", ("tcp dport 80 counter queue num 9 "
                                         "bypass",)),
                   chain("out", "output", ("ct state established counter "
                                           "queue num 9 bypass",))))
    p = w.handshake_to_synack()
    p.ack()
    w.accept()
    note_all(w)


# --- tc, XFRM, cgroups ---------------------------------------------------------------


def tc(w, *argv):
    w.command("tc", "qdisc", "add", "dev", "srv0", "clsact",
              undo=("tc", "qdisc", "del", "dev", "srv0", "clsact"))
    proto = "ip" if w.family == 4 else "ipv6"
    w.command("tc", "filter", "add", "dev", "srv0", argv[0], "protocol", proto,
              *argv[1:])


def note_tc(w, where):
    """How many packets each action saw."""
    text = w.srv(lambda: subprocess.run(
        ("tc", "-s", "filter", "show", "dev", "srv0", where), check=True,
        capture_output=True, text=True).stdout)
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["Sent"]:
            w.note("tc %s: %s" % (where, " ".join(words)))


@scenario("P-86")
def tc_ingress_drops_everything(w):
    """The first SYN; the second one comes when the filter is gone."""
    w.listen()
    tc(w, "ingress", "matchall", "action", "drop")
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)
    note_tc(w, "ingress")
    w.command("tc", "filter", "del", "dev", "srv0", "ingress")
    p.syn()
    w.watch(p, 0.3)


@scenario("P-86")
def tc_egress_drops_the_synack(w):
    """What comes after differs on purpose: txerror.sh."""
    w.listen()
    tc(w, "egress", "matchall", "action", "drop")
    p = w.peer()
    p.syn()
    w.watch(p, 0.5)
    note_tc(w, "egress")


@scenario("P-86")
def tc_egress_polices(w):
    """Room for two SYN-ACKs, no more."""
    w.listen()
    tc(w, "egress", "matchall", "action", "police", "rate", "8bit", "burst",
       "200" if w.family == 4 else "240", "conform-exceed", "drop/pipe",
       "action", "ok")
    for i in range(4):
        p = w.peer(sport=30000 + i)
        p.syn()
        w.watch(p, 0.2)
    note_tc(w, "egress")


@scenario("P-86")
def tc_edits_what_goes_out(w):
    """TOS or hop limit of what goes out."""
    w.listen()
    if w.family == 4:
        edit = ("ip", "tos", "set", "0x40")
    else:
        edit = ("ip6", "hoplimit", "set", "33")
    tc(w, "egress", "matchall", "action", "pedit", "ex", "munge", *edit,
       "pipe", "action", "csum", *(("ip4h",) if w.family == 4 else ("tcp",)))
    p = w.handshake_to_synack()
    w.watch(p, 0.2)
    p.ack()
    w.accept()
    note_tc(w, "egress")


@scenario("P-86")
def tc_mirrors_the_synack(w):
    w.command("ip", "link", "add", "mirror0", "type", "dummy",
              undo=("ip", "link", "del", "mirror0"))
    w.command("ip", "link", "set", "mirror0", "arp", "off", "up")
    before = w.srv(tx_packets, "mirror0")
    w.listen()
    tc(w, "egress", "matchall", "action", "mirred", "egress", "mirror", "dev",
       "mirror0")
    p = w.handshake_to_synack()
    p.ack()
    w.accept()
    note_tc(w, "egress")
    w.note("mirrored %d" % (w.srv(tx_packets, "mirror0") - before))


def tx_packets(dev):
    with open("/proc/thread-self/net/dev") as f:
        for line in f:
            name, _, values = line.partition(":")
            if name.strip() == dev:
                return int(values.split()[9])
    return 0


XFRM_NET = {4: ("203.0.113.0/24", "10.0.0.0/24"),
            6: ("2001:db9::/32", "fd00::/64")}


@scenario("O-32 P-86", native=True)
def xfrm_policy_blocks_synacks(w):
    peers, own = XFRM_NET[w.family]
    w.command("ip", "xfrm", "policy", "add", "dir", "out", "src", own, "dst",
              peers, "action", "block", undo=("ip", "xfrm", "policy", "flush"))
    w.listen()
    p = w.peer()
    p.syn()
    w.watch(p, 0.5)


@scenario("O-32", native=True)
def xfrm_policy_blocks_syns_in(w):
    peers, own = XFRM_NET[w.family]
    w.command("ip", "xfrm", "policy", "add", "dir", "in", "src", peers, "dst",
              own, "action", "block", undo=("ip", "xfrm", "policy", "flush"))
    w.listen()
    p = w.peer()
    p.syn()
    w.watch(p, 0.3)


@scenario("O-32")
def xfrm_policy_comes_in_mid_handshake(w):
    """The SYN was let in, the ACK is not."""
    peers, own = XFRM_NET[w.family]
    p = w.handshake_to_synack()
    w.command("ip", "xfrm", "policy", "add", "dir", "in", "src", peers, "dst",
              own, "action", "block", undo=("ip", "xfrm", "policy", "flush"))
    p.ack()
    w.accept()
    w.watch(p, 1.5)


# --- NAT ----------------------------------------------------------------------------


def nat(w, hook, body, priority="dstnat"):
    rules(w, "table inet t { chain nat { type nat hook %s priority %s; %s; }; }" %
          (hook, priority, body), first=False)


@scenario("O-47 O-56", native=True)
def redirected_port_works(w):
    nat(w, "prerouting", "tcp dport 81 counter redirect to :80")
    p = w.handshake_to_synack(dport=81)
    p.ack()
    converse(w, p, w.accept())
    note_all(w)


@scenario("O-47 O-56", native=True)
def dnat_to_a_local_address_works(w):
    addr, rule = {4: ("10.7.0.1/32", "dnat ip to 10.7.0.1:80"),
                  6: ("fd07::1/128", "dnat ip6 to [fd07::1]:80")}[w.family]
    w.command("ip", "addr", "add", addr, "dev", "lo",
              undo=("ip", "addr", "del", addr, "dev", "lo"))
    nat(w, "prerouting", "tcp dport 81 counter " + rule)
    p = w.handshake_to_synack(dport=81)
    p.ack()
    converse(w, p, w.accept())
    note_all(w)


@scenario("O-47", differs=True)
def nat_of_another_port_leaves_this_one(w):
    rules(w, "table inet t { chain nat { type nat hook prerouting priority "
          "dstnat; tcp dport 81 counter redirect to :80; }; "
          "chain post { type nat hook postrouting priority srcnat; "
          "oifname nothing masquerade; }; "
          "chain in { type filter hook input priority filter; ct state new "
          "counter; ct state established counter; ct status dnat counter; }; }")
    p = w.handshake_to_synack()
    p.ack()
    converse(w, p, w.accept())
    note_all(w)


@scenario("O-47 O-56", native=True)
def source_nat_on_the_way_in_works(w):
    """The program sees another peer."""
    rule = {4: "snat ip to 10.0.0.77", 6: "snat ip6 to fd00::77"}[w.family]
    nat(w, "input", "tcp dport 80 counter " + rule, "100")
    p = w.handshake_to_synack()
    p.ack()
    converse(w, p, w.accept())
    note_all(w)


# --- rules that count; last, because with them tracked SYNs go the native way ----


def count_connections(w):
    """halfopen looks every ten seconds whether there can be such rules."""
    def forget():
        """A table that was deleted may still be going."""
        for _ in range(50):
            if not subprocess.run(["modprobe", "-rq", "nft_connlimit"]).returncode:
                return
            time.sleep(0.1)
    w.undo.append(forget)
    w.command("modprobe", "nft_connlimit")
    time.sleep(11)


@scenario("O-47", native=True)
def connections_are_counted(w):
    """Two and no more: the third SYN is refused."""
    count_connections(w)
    rules(w, table(chain("in", "input", (
        "ct state new ct count over 2 counter reject with tcp reset",
        "ct state new counter accept", "ct state established counter"))))
    for i in range(4):
        p = w.peer(sport=30000 + i)
        p.syn()
        w.watch(p, 0.2)
        if p.synack:
            p.ack()
            w.accept()
    note_all(w)


@scenario("O-47", native=True)
def half_open_connections_are_counted(w):
    """Two and no more, although none is complete when the third comes."""
    count_connections(w)
    rules(w, table(chain("in", "input", (
        "ct state new ct count over 2 counter reject with tcp reset",
        "ct state new counter accept", "ct state established counter"))))
    peers = [w.peer(sport=30000 + i) for i in range(4)]
    for p in peers:
        p.syn()
        w.watch(p, 0.2)
    for p in peers:
        if p.synack:
            p.ack()
            w.watch(p, 0.1)
    note_all(w)
