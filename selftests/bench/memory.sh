#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# What the kernel has less of, by its own account, for each half-open connection
# of as many as a table has by default.
. "${0%/*}/lib.sh"

entries=65536

# per_connection FAMILY NAME: the flood is there once before, and dropped.  What an
# earlier one has left to the stack is gone after 63 s.
per_connection() {
	local before
	sleep 100
	drop_at inet input || exit 1
	send "$1" $entries
	drop_no_more
	before=$(free_bytes)
	send "$1" $entries
	figure $(((before - $(free_bytes) + entries / 2) / entries)) bytes \
	    "$1 $2half-open connection"
}

for family in ipv4 ipv6; do
	if native_wanted; then
		begin
		srv_write ipv4/tcp_synack_retries 5
		per_connection $family "native "
		end
	fi
	begin_halfopen
	ho_sysctl max_port_backlog $entries
	ho_sysctl max_source_backlog $entries
	ho_sysctl pressure_high_pct 100
	ho_sysctl pressure_low_pct 100
	per_connection $family ""
	end
done
