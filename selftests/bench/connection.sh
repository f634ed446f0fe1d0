#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# What a whole connection costs, system calls of both ends and all that the stack
# does for them: socket, connect, accept, reset, close.
. "${0%/*}/lib.sh"

connections=1000

all() {
	if native_wanted; then
		begin
		both_ends "$1" "native connection" connections $connections
		end
	fi
	begin_halfopen
	# the client is another machine, which has none; it takes a moment
	cli_write halfopen/mode 0
	sleep 12
	both_ends "$1" "connection" connections $connections
	ho_sysctl max_backlog 0
	both_ends "$1" "stateless connection" connections $connections
	ho_sysctl mode 0
	# a hook that any namespace has is looked for in all of them
	echo 0 >/proc/sys/net/halfopen/mode
	# until no cookie is good and the hooks are gone
	sleep 140
	both_ends "$1" "connection in mode 0" connections $connections
	end
}

repeat all
for family in ipv4 ipv6; do
	for name in "native connection" "connection" "stateless connection" \
	    "connection in mode 0"; do
		per_piece $connections $family "$name"
	done
done
