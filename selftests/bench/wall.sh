#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# What a SYN takes past LOCAL_IN by the wall clock: as syn.sh, for a kernel that
# runs at the machine's own speed.  All kinds take turns, and the least counts.
. "${0%/*}/lib.sh"

rounds=7
syns=4000
unit=ns

# turn FAMILY NAME: one in which memory is got, one that counts.
turn() {
	send "$1" $syns
	sleep 1.5
	send "$1" $syns
	note "$1 $2"
	echo "# $1 $2: $((ns / syns)) ns"
	sleep 1.5
}

turns() {
	begin
	drop_at inet input || exit 1
	turn "$1" dropped
	drop_no_more
	turn "$1" "native queue SYN"
	srv_write ipv4/tcp_syncookies 2
	turn "$1" "native cookies SYN"
	end
	begin_halfopen
	turn "$1" "stateful SYN"
	ho_sysctl max_backlog 0
	turn "$1" "stateless SYN"
	end
}

for round in $(seq $rounds); do
	echo "# round $round"
	for family in ipv4 ipv6; do
		turns $family
	done
done
for family in ipv4 ipv6; do
	for name in "native queue" "native cookies" stateful stateless; do
		per_packet $family "$name SYN"
	done
done
