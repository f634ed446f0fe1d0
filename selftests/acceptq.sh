#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# The accept queue is full when the final ACKs arrive: nobody is lost, all are
# accepted once the program accepts again.
. "${0%/*}/lib.sh"
setup

# Peers that behave as a client's TCP: they acknowledge the SYN-ACK, and every
# repetition of it.  All SYNs are out before the first ACK.
cat >"$tmp/peers.py" <<'END'
import select
import signal
import sys
from seg import Peer

family, port, count = map(int, sys.argv[1:])
peers = [Peer(dport=port, family=family) for i in range(count)]
for p in peers:
    p.syn()
for p in peers:
    p.expect_synack(5)
for p in peers:
    p.ack()
print("acked", flush=True)
resets = 0


def done(*_):
    print("resets", resets, flush=True)
    sys.exit(0)


signal.signal(signal.SIGTERM, done)
while True:
    for sock in select.select([p.sock for p in peers], [], [])[0]:
        peer = next(q for q in peers if q.sock is sock)
        seg = peer.recv(0)
        if seg is None:
            continue
        resets += seg.is_rst()
        if seg.is_synack():
            peer.ack()
END

accepted() {
	grep -c '^accepted' "$tmp/server"
}

# overflow NAME FAMILY PORT: 12 clients, a queue for 4.
overflow() {
	local name="$1" family="$2" port="$3" pid
	seg_exec "$tmp/peers.py" "$family" "$port" 12 >"$tmp/peers" 2>&1 &
	pid=$!
	wait_for 20 grep -q acked "$tmp/peers" || {
		fail "${name}_handshakes_start" "$(cat "$tmp/peers")"
		return
	}
	check "${name}_full_queue_is_noticed" \
	    wait_for 5 is -ge 7 ho_stat acceptq_full
	check_num "${name}_waiting_ones_stay_with_halfopen" \
	    "$(half_open)" -ge 7
	check_num "${name}_nothing_waits_in_the_listener" \
	    "$(native_half_open)" -eq 0
	kill -USR1 "$server_pid"
	check "${name}_all_are_accepted_in_the_end" \
	    wait_for 20 is -eq 12 accepted
	kill $pid
	wait $pid
	check_str "${name}_nobody_is_reset" "$(grep resets "$tmp/peers")" \
	    "resets 0"
	stop_server
}

start_server -p 81 -b 4 -s || exit 1
overflow ipv4 4 81
start_server -p 82 -6 1 -b 4 -s || exit 1
overflow ipv6 6 82
finish
