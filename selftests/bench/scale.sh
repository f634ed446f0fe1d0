#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# What a SYN costs with so many half-open connections in the table: as syn.sh,
# with chains, memory and limits for all of them.
. "${0%/*}/lib.sh"

sizes="1000 10000 100000 1000000"
most=4000000
warm=40000		# touches every page of the chains' array

# table BUCKETS: with room for everything that is sent.
table() {
	buckets=$1
	begin_halfopen
	ho_sysctl max_backlog 4194304
	ho_sysctl max_port_backlog 4194304
	ho_sysctl max_source_backlog 4194304
	ho_sysctl pressure_high_pct 100
	ho_sysctl pressure_low_pct 100
	ho_sysctl max_memory_bytes 1073741824
}

# at FAMILY SIZE: what is missing is filled up.
at() {
	send "$1" $(($2 - $(ho_stat entries)))
	shake
	send "$1" $syns
	note "$1 SYN at $2 entries"
	# random sources may meet
	[ "$(ho_stat entries)" -ge "$2" ] || {
		echo "# only $(ho_stat entries) entries"
		exit 1
	}
	per_packet "$1" "SYN at $2 entries"
}

for family in ipv4 ipv6; do
	begin
	measure_dropped $family
	end
	table 1048576
	send $family $warm
	expire
	for size in $sizes; do
		at $family "$size"
	done
	end
	table 4194304
	at $family $most
	end
done
