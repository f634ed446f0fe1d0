#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# What a forged ACK costs past LOCAL_IN, and the reset that it gets: at a port
# that gave no cookies lately, and at one that did.
. "${0%/*}/lib.sh"

natively() {
	srv_write ipv4/tcp_syncookies 1
	measure "$1" "native stray ACK" -A
	srv_write ipv4/tcp_syncookies 2
	send "$1" 10
	measure "$1" "native stray ACK after cookies" -A
}

all() {
	begin
	measure_dropped "$1" -A
	! native_wanted || natively "$1"
	end

	begin_halfopen
	measure "$1" "stray ACK" -A
	ho_sysctl max_backlog 0
	send "$1" 10
	measure "$1" "stray ACK after cookies" -A
	end
}

repeat all
for family in ipv4 ipv6; do
	for name in "native stray ACK" "native stray ACK after cookies" \
	    "stray ACK" "stray ACK after cookies"; do
		per_packet $family "$name"
	done
done
