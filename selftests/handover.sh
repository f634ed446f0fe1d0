#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
#
# The handover where something is in its way: the stack's own SYN-ACK does not
# reach halfopen's hook, the stack refuses, nobody listens any more.
. "${0%/*}/lib.sh"
setup
modprobe -a nf_tables || exit 1

# to_synack ACTION: a handshake up to the SYN-ACK, then the action in the server,
# then the ACK and some data; what came back after it is in $tmp/answer.
cat >"$tmp/peer.py" <<'END'
import subprocess, sys
from seg import Peer
p = Peer(family=int(sys.argv[1]), sport=int(sys.argv[4]))
p.syn()
p.expect_synack()
subprocess.run(["ip", "netns", "exec", sys.argv[2], "dash", "-c", sys.argv[3]],
               check=True)
p.ack()
p.data(b"hello")
first = p.synack.ts[0]
for s in p.collect(1.5):
    # one clock in all segments of a connection
    off = (s.ts[0] - first) & 0xFFFFFFFF if s.ts else 0
    print(s.flag_text if off < 10000 else "TSval jumps by %d" % off)
END

sport=20000
to_synack() {
	sport=$((sport + 1))
	seg "$tmp/peer.py" "$1" "$srv" "$2" $sport >"$tmp/answer"
}

accepted() {
	grep -c '^accepted' "$tmp/server"
}

for family in 4 6; do
	start_server -6 0 -p 80 || exit 1

	# Registered later at the same priority, so it comes before halfopen's.
	to_synack $family 'nft "add table inet first; add chain inet first out {
		type filter hook output priority -2147483648; };
		add rule inet first out tcp flags & (syn | ack) == (syn | ack) drop"'
	in_srv nft delete table inet first
	check_num "ipv${family}_handover_needs_no_synack" "$(accepted)" -eq 1
	check_str "ipv${family}_timestamps_fit" "$(cat "$tmp/answer")" "A"
	check_num "ipv${family}_nothing_stays" "$(half_open)" -eq 0
	check_num "ipv${family}_nothing_in_the_listener" "$(native_half_open)" -eq 0

	stop_server
	start_server -6 0 -p 80 || exit 1
	to_synack $family "kill $server_pid; sleep 0.3"
	check_str "ipv${family}_closed_listener_resets" \
	    "$(tr '\n' ' ' <"$tmp/answer")" "R R "
	check_num "ipv${family}_and_nothing_stays" "$(half_open)" -eq 0
done
start_server -p 80 || exit 1
to_synack 4 true
check_num "the_next_one_is_served" "$(accepted)" -eq 1
check_num "orphans_are_counted" "$(ho_stat no_listener)" -ge 2
finish
