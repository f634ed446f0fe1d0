#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 600
# rows: B-44
#
# A SYN-ACK that cannot be sent costs time and nothing else: the entry stays, is
# completed when the way is free again, and expires on time if it never is.
. "${0%/*}/lib.sh"
setup
start_server -6 0 -p 80 || exit 1

# Addresses of the client's own network that nobody has, and the networks of the
# other peers, which are behind the gateway.
lost4=10.0.0.77
lost6=fd00::77
far4=203.0.113.0/24
far6=2001:db9::/64

# Connections of before stay.
port=30000

# Each peer sends a SYN, and acknowledges the first SYN-ACK after the trouble
# began: for those who are named that is any, for others the second one.
cat >"$tmp/peers.py" <<-END
import sys, time
from seg import Peer

port = int(sys.argv[1])
peers = [Peer(src=src, sport=port) for src in sys.argv[2:]]
later = [] if peers else [Peer(family=f, sport=port) for f in (4, 6)]
for p in peers + later:
    p.syn()
    start = p.sent[0][0]
for p in later:
    p.expect_synack()
print("sent", flush=True)
for p in peers + later:
    synack = p.recv(max(start + 65 - time.monotonic(), 0))
    if synack and synack.is_synack():
        p.ack()
        print("after", round(synack.time - start), flush=True)
    else:
        print(synack, flush=True)
END

# begin [SRC...]: peers in the background, until their SYNs are sent, or
# answered.
begin() {
	: >"$tmp/said"
	port=$((port + 1))
	dropped=$(ho_stat icmp_dropped)
	expired=$(ho_stat expired)
	handover=$(ho_stat handover)
	error=$(ho_stat synack_error)
	seg_exec "$tmp/peers.py" $port "$@" >>"$tmp/said" 2>&1 &
	peers=$!
	wait_for 5 grep -q sent "$tmp/said"
}

said() {
	sed 1d "$tmp/said" | sort | uniq -c | awk '{ $1 = $1; print }' |
		tr '\n' ' '
}

# stays NAME OP COUNT: entries, after 4 s of trouble.
stays() {
	sleep 4
	check_num "$1: entries_stay" "$(half_open)" "$2" "$3"
	check_num "$1: no_icmp_error_ends_them" \
	    $(($(ho_stat icmp_dropped) - dropped)) -eq 0
	check_num "$1: none_expires_early" \
	    $(($(ho_stat expired) - expired)) -eq 0
}

# completes NAME COUNT SECOND: all of them by the SYN-ACK of that second.
completes() {
	wait $peers
	check_str "$1: synack_comes_when_the_way_is_free" "$(said)" \
	    "$2 after $3 "
	check_num "$1: peers_complete" \
	    $(($(ho_stat handover) - handover)) -eq "$2"
	check_num "$1: nothing_is_left" "$(half_open)" -eq 0
}

# expires NAME COUNT: on time, 63 s after the SYN, 4 of which are over.
expires() {
	sleep 58
	check_num "$1: entries_live_for_63_s" "$(half_open)" -eq "$2"
	sleep 1.5
	check_num "$1: and_no_longer" "$(half_open)" -eq 0
	check_num "$1: which_is_counted" \
	    $(($(ho_stat expired) - expired)) -eq "$2"
	wait $peers
}

errors() {
	check_num "$1: errors_are_counted" \
	    $(($(ho_stat synack_error) - error)) -ge "$2"
}

# --- nobody answers ARP or a neighbour solicitation ---------------------------

begin $lost4 $lost6
stays "unresolved" -eq 2
check_num "unresolved: icmp_error_of_our_own_is_ignored" \
    "$(ho_stat icmp_ignored)" -gt 0
ip -n "$srv" neigh replace $lost4 lladdr "$gw_mac" dev srv0 nud permanent
ip -n "$srv" neigh replace $lost6 lladdr "$gw_mac" dev srv0 nud permanent
completes "unresolved" 2 7

ip -n "$srv" neigh del $lost4 dev srv0
ip -n "$srv" neigh del $lost6 dev srv0
begin $lost4 $lost6
stays "never_resolved" -eq 2
expires "never_resolved" 2

# --- the route goes away ------------------------------------------------------

# routes COMMAND TYPE
routes() {
	ip -n "$srv" route "$1" "$2" $far4
	ip -n "$srv" -6 route "$1" "$2" $far6
}

for type in blackhole unreachable prohibit; do
	begin
	routes add $type
	stays $type -eq 2
	errors $type 4
	routes del $type
	completes $type 2 7
done
begin
routes add blackhole
stays "route_is_gone_for_good" -eq 2
expires "route_is_gone_for_good" 2
routes del blackhole

# --- the link is down ---------------------------------------------------------

# The link takes routes and neighbours with it.
link_up() {
	ip -n "$srv" link set srv0 up
	ip -n "$srv" addr replace "$srv6/64" dev srv0 nodad
	ip -n "$srv" neigh replace "$gw4" lladdr "$gw_mac" dev srv0 \
	    nud permanent
	ip -n "$srv" neigh replace "$gw6" lladdr "$gw_mac" dev srv0 \
	    nud permanent
	ip -n "$srv" route replace default via "$gw4"
	ip -n "$srv" -6 route replace default via "$gw6" dev srv0
}

begin
ip -n "$srv" link set srv0 down
stays "link_is_down" -eq 2
errors "link_is_down" 4
link_up
completes "link_is_down" 2 7

begin
ip -n "$srv" link set srv0 down
stays "link_is_down_for_good" -eq 2
expires "link_is_down_for_good" 2
link_up

# --- the device's queue is full -----------------------------------------------

# full_qdisc NAME QDISC...
full_qdisc() {
	local name="$1"
	shift
	if ! tc -n "$srv" qdisc add dev srv0 root "$@" 2>/dev/null; then
		skip "$name" "no such qdisc: $1"
		return
	fi
	tc -n "$srv" qdisc del dev srv0 root
	begin
	tc -n "$srv" qdisc add dev srv0 root "$@"
	stays "$name" -eq 2
	tc -n "$srv" qdisc del dev srv0 root
	completes "$name" 2 7
}

full_qdisc "queue_is_full" tbf rate 8bit burst 70 limit 1
full_qdisc "queue_drops_all" netem loss 100%

# --- all of it under a flood ----------------------------------------------------

# flooded NAME BREAK MEND: commands, 4 s apart, in the middle of a flood.
flooded() {
	: >"$tmp/said"
	port=$((port + 1))
	expired=$(ho_stat expired)
	dropped=$(ho_stat icmp_dropped)
	taken=$(ho_stat syn_taken)
	flood 80 0 50 -s $port >/dev/null &
	floods=$!
	flood_v6 80 0 50 -s $port >/dev/null &
	floods="$floods $!"
	wait_for 10 is -ge 100 half_open
	$2
	stays "$1 under a flood" -ge "$(half_open)"
	$3
	# the link's carrier comes with some delay
	sleep 2
	seg_exec "$tmp/peers.py" $port >"$tmp/said" 2>&1 &
	peers=$!
	wait $peers
	check_num "$1 under a flood: peers_complete_after_it" \
	    "$(grep -c '^after' "$tmp/said")" -eq 2
	stop_floods
	# shellcheck disable=SC2086 # one word per process
	wait $floods
	sleep 62
	check_num "$1 under a flood: the_last_ones_live_for_63_s" \
	    "$(half_open)" -ge 50
	sleep 2.5
	check_num "$1 under a flood: and_no_longer" "$(half_open)" -eq 0
	check_num "$1 under a flood: each_expired" \
	    $(($(ho_stat expired) - expired)) -eq \
	    $(($(ho_stat syn_taken) - taken - 2))
}

# The gateway of all spoofed sources.
gateway_is_lost() {
	ip -n "$srv" neigh del "$gw4" dev srv0
	ip -n "$srv" neigh del "$gw6" dev srv0
}

gateway_is_found() {
	ip -n "$srv" neigh replace "$gw4" lladdr "$gw_mac" dev srv0 \
	    nud permanent
	ip -n "$srv" neigh replace "$gw6" lladdr "$gw_mac" dev srv0 \
	    nud permanent
}

no_way_back() {
	ip -n "$srv" route replace unreachable default
	ip -n "$srv" -6 route del default via "$gw6" dev srv0
	ip -n "$srv" -6 route add unreachable default
}

way_back() {
	ip -n "$srv" route replace default via "$gw4"
	ip -n "$srv" -6 route del unreachable default
	ip -n "$srv" -6 route add default via "$gw6" dev srv0
}

link_down() {
	ip -n "$srv" link set srv0 down
}

flooded "unresolved" gateway_is_lost gateway_is_found
flooded "no_route" no_way_back way_back
flooded "link_is_down" link_down link_up
finish
