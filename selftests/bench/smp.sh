#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# SYNs a second with one CPU and with two, each with a flood, a pair of devices
# and a softirq of its own: by the wall clock, so for a kernel whose CPUs really
# run at the same time.  The flood that is dropped shows what this machine can
# do at best.
. "${0%/*}/lib.sh"

rounds=9
syns=20000
mac1=02:00:00:00:01:01
gw1=10.0.1.254

# A second pair, for the upper half of $flood4.
second_pair() {
	ip -n "$cli" link add cli1 numtxqueues 1 type veth \
	    peer name srv1 address $mac1 netns "$srv"
	ip -n "$srv" addr add 10.0.1.1/24 dev srv1
	ip -n "$cli" link set cli1 up
	ip -n "$srv" link set srv1 up
	ip -n "$srv" neigh add $gw1 lladdr "$gw_mac" dev srv1 nud permanent
	ip -n "$srv" route add 198.19.0.0/16 via $gw1
}

# flood_of CPU: SYNs a second.
flood_of() {
	local dev=cli0 mac="$srv_mac" dst="$srv4" src=198.18.0.0/16
	[ "$1" -eq 0 ] || dev=cli1 mac=$mac1 dst=10.0.1.1 src=198.19.0.0/16
	ip netns exec "$cli" taskset $((1 + $1)) "$tools/synflood" -i "$dev" \
	    -m "$mac" -S "$src" -d "$dst" -p $port -n $syns -r 0 -s $seed |
		awk '/^sent/ { print int($6) }' >"$tmp/rate$1"
}

# turn NAME: one CPU, then two.
turn() {
	local pid one two
	seed=$((seed + 1))
	flood_of 0
	one=$(cat "$tmp/rate0")
	seed=$((seed + 1))
	flood_of 1 &
	pid=$!
	flood_of 0
	wait $pid
	two=$(($(cat "$tmp/rate0") + $(cat "$tmp/rate1")))
	printf '%s\t%s\n' "$1 1" "$one" "$1 2" $two \
	    "$1 both" $((100 * two / one)) >>"$raw"
	sleep 2
}

turns() {
	begin
	second_pair
	drop_at inet input || exit 1
	turn dropped
	drop_no_more
	turn "native queue"
	srv_write ipv4/tcp_syncookies 2
	turn "native cookies"
	end
	begin_halfopen
	second_pair
	ho_sysctl max_backlog 1048576
	ho_sysctl max_port_backlog 1048576
	turn "stateful"
	ho_sysctl max_backlog 0
	turn "stateless"
	end
}

for round in $(seq $rounds); do
	echo "# round $round"
	turns
done
for name in dropped "native queue" "native cookies" stateful stateless; do
	figure "$(median "$name 1")" "per second" "ipv4 $name SYN, 1 CPU"
	figure "$(median "$name 2")" "per second" "ipv4 $name SYN, 2 CPUs"
	# of a turn each: the machine is not always as fast
	figure "$(median "$name both")" "% of 1 CPU" \
	    "ipv4 $name SYN, both CPUs"
done
