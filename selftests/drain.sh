#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# rows: B-53
#
# How to unload without losing anybody: mode 0, wait until no entry is left, then
# rmmod.  Who is in the middle of a handshake completes it or has his full time.
. "${0%/*}/lib.sh"
setup
start_server -p 80 || exit 1
start_server -p 86 -6 1 || exit 1

cat >"$tmp/peers.py" <<'END'
"""Handshakes that begin before mode 0 and after it; all end after it, and are used
once more when the module is gone."""
import sys

from seg import Peer


def step(text):
    print(text, flush=True)
    sys.stdin.readline()


def begin(count):
    peers = [Peer(dport=port, family=family)
             for family, port in ((4, 80), (6, 86)) for _ in range(count)]
    for p in peers:
        p.syn()
    for p in peers:
        p.expect_synack(5)
    return peers


def answered(peers, request):
    for p in peers:
        p.data(request)
    return sum(s is not None and not s.is_rst()
               for s in [p.recv(3) for p in peers])


def silent(count):
    """Who never says another word, and how many SYN-ACKs he gets."""
    peers = [Peer(dport=80) for _ in range(count)]
    for p in peers:
        p.syn()
    return peers


before, lost = begin(10), silent(5)
step("began")
after = begin(10)
for p in before + after:
    p.ack()
print("answered", answered(before + after, b"one"))
step("completed")
print("again", answered(before + after, b"two"))
print("SYN-ACKs", *sorted({len([s for s in p.collect(0.1) if s.is_synack()])
                           for p in lost}))
END

mkfifo "$tmp/go"
seg "$tmp/peers.py" <"$tmp/go" >"$tmp/peers" 2>&1 &
peers=$!
exec 9>"$tmp/go"
wait_for 20 grep -q began "$tmp/peers" || exit 1
check_num "handshakes_have_begun" "$(half_open)" -eq 25
ho_sysctl mode 0
taken=$(ho_stat syn_taken)
echo go >&9
wait_for 30 grep -q completed "$tmp/peers" || cat "$tmp/peers" >&2
check_str "who_began_and_who_came_later_is_served" \
    "$(grep answered "$tmp/peers")" "answered 40"
check_num "new_syns_are_not_taken" "$(ho_stat syn_taken)" -eq "$taken"
check_num "the_others_keep_their_time" "$(half_open)" -eq 5
check "the_table_is_empty_within_a_lifetime" wait_for 65 is -eq 0 half_open
check_num "they_had_all_of_it" "$(ho_stat expired)" -eq 5
check_oracle
check "module_unloads_then" rmmod halfopen
echo go >&9
exec 9>&-
wait $peers
check_str "connections_go_on_without_it" "$(grep again "$tmp/peers")" "again 40"
check_str "six_synacks_were_sent_to_the_silent" \
    "$(grep SYN-ACKs "$tmp/peers")" "SYN-ACKs 6"
srv=
finish
