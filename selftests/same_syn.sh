#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# rows: P-64 B-05
# timeout: 900
#
# The same SYNs from two CPUs at the same time, natively and through halfopen:
# all SYN-ACKs of one SYN have one sequence number, and both copies are one
# connection.
. "${0%/*}/lib.sh"
setup
native=4000
count=4000
[ -z "${HO_LONG:-}" ] || count=100000
# a listener whose queue holds them all
srv_write core/somaxconn 65535
nginx_backlog=65535
start_nginx || exit 1

cat >"$tmp/watch.py" <<'END'
"""SYN-ACKs of a port until no new peer had one for two seconds: how many sequence
numbers a peer was told at most."""
import sys
import time

import wire

port = int(sys.argv[1]).to_bytes(2, "big")
w = wire.Wire("cli0")
print("ready", flush=True)
numbers, last = {}, time.monotonic() + 5
while time.monotonic() < last + 2:
    before = len(numbers)
    for _, sent, frame in w.frames():
        # there are hundreds of thousands: IPv4 without options, TCP, SYN and ACK
        if not sent and frame[12:15] == b"\x08\x00\x45" and frame[23] == 6 and \
                frame[34:36] == port and frame[47] & 0x12 == 0x12:
            peer = frame[30:34] + frame[36:38]
            numbers.setdefault(peer, set()).add(frame[38:42])
    if len(numbers) > before:
        last = time.monotonic()
    time.sleep(0.02)
print("peers", len(numbers), "numbers", max(map(len, numbers.values())))
END

cat >"$tmp/on_cpu.py" <<'END'
import os
import sys

os.sched_setaffinity(0, {int(sys.argv[1])})
os.execv(sys.argv[2], sys.argv[2:])
END

# same_syns NAME PORT COUNT: as many SYNs from each CPU; of this seed a hundred
# thousand are all different.
same_syns() {
	local name="$1" port="$2" count="$3" cpu pids
	seg_exec "$tmp/watch.py" "$port" >"$tmp/seen" &
	pids=$!
	wait_for 10 grep -q ready "$tmp/seen"
	for cpu in 0 1; do
		seg_exec "$tmp/on_cpu.py" "$cpu" "$tools/synflood" -i cli0 \
		    -m "$srv_mac" -S "$flood4" -d "$srv4" -p "$port" \
		    -n "$count" -r 1000 -s 2 -q >/dev/null &
		pids="$pids $!"
	done
	# shellcheck disable=SC2086 # one word per process
	wait $pids
	check_str "${name}_each_syn_has_one_number" \
	    "$(tail -n 1 "$tmp/seen")" "peers $count numbers 1"
}

check_num "there_are_two_cpus" "$(nproc)" -ge 2
ho_sysctl mode 0
same_syns native $http_port $native
ho_sysctl mode 1
# all of them stay to be counted
ho_sysctl synack_timeout_ms 120000
ho_sysctl max_backlog 200000
ho_sysctl max_port_backlog 200000
same_syns halfopen $http_port_dual $count
check_num "each_syn_is_taken_once" "$(ho_stat syn_taken)" -eq $count
# now and then a queue of the veth drops one
check_num "and_comes_twice" "$(ho_stat syn_dup)" -gt $((count * 9 / 10))
check_num "both_are_one_connection" "$(half_open)" -eq $count
finish
