#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# What a SYN takes past LOCAL_IN by the wall clock: as syn.sh, for a kernel that
# runs at the machine's own speed.
#
# That speed changes within seconds where others share the machine, for
# everything alike.  So each flood has one beside it that is dropped; the median
# of how much longer it took counts, times the least that a dropped one takes.
. "${0%/*}/lib.sh"

pairs=20
syns=40000	# fit into halfopen's table as it is
unit=ns
drop_port=81

# pair FAMILY NAME: how much longer the second one takes, in millionths.
pair() {
	local answered="$port" dropped
	port=$drop_port
	send "$1" $syns
	note "$1 dropped"
	dropped=$ns
	port=$answered
	send "$1" $syns
	ns=$((1000000 * (ns - dropped) / dropped))
	note "$1 $2"
}

# kind FAMILY NAME SLEEP_S: all its pairs, with so much time between them for
# what is half-open to expire.
kind() {
	echo "# $1 $2"
	for _ in $(seq $pairs); do
		pair "$1" "$2"
		sleep "$3"
	done
}

turns() {
	begin
	drop_at inet input "tcp dport $drop_port" || exit 1
	kind "$1" "native queue" 1.2
	srv_write ipv4/tcp_syncookies 2
	kind "$1" "native cookies" 0
	end
	begin_halfopen
	drop_at inet input "tcp dport $drop_port" || exit 1
	ho_sysctl synack_timeout_ms 1000
	ho_sysctl synack_retries 0
	kind "$1" stateful 1.2
	ho_sysctl max_backlog 0
	kind "$1" stateless 0
	end
}

# longer FAMILY NAME: nanoseconds a SYN, of all pairs.
longer() {
	echo $(($(least "$1 dropped") * $(median "$1 $2") / 1000000 / syns))
}

for family in ipv4 ipv6; do
	turns $family
done
for family in ipv4 ipv6; do
	for name in "native queue" "native cookies" stateful stateless; do
		figure "$(longer $family "$name")" $unit "$family $name SYN"
	done
done
