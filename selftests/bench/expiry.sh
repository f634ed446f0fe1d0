#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# What a half-open connection costs when its time is over: a SYN-ACK that is sent
# again, and the end.  A process that spins notices what timers take from it.
. "${0%/*}/lib.sh"

window_ms=200

# stolen KEY
stolen() {
	ns=$("$tools/stolen" $window_ms)
	note "$1"
}

# due FAMILY NAME SLEEP_S: they are so much later.  The first of them get memory.
due() {
	send "$1" $syns
	sleep 10
	stolen "$1 nothing"
	shake
	send "$1" $syns
	sleep "$3"
	stolen "$1 $2"
	sleep 10
}

# The first wait is a second.
natively() {
	srv_write ipv4/tcp_synack_retries 0
	due "$1" "native expiry" 0.9
	srv_write ipv4/tcp_synack_retries 1
	due "$1" "native SYN-ACK again" 0.9
}

# The second wait is twice the first one, and falls behind the window.
ours() {
	ho_sysctl synack_timeout_ms 100
	ho_sysctl synack_retries 0
	due "$1" "expiry" 0
	ho_sysctl synack_retries 1
	due "$1" "SYN-ACK again" 0
}

all() {
	if native_wanted; then
		begin
		natively "$1"
		end
	fi
	begin_halfopen
	ours "$1"
	end
}

repeat all
for family in ipv4 ipv6; do
	for name in "native expiry" "native SYN-ACK again" "expiry" \
	    "SYN-ACK again"; do
		per_piece $syns $family "$name" nothing
	done
done
