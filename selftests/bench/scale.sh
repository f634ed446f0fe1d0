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
	echo 1073741824 >/proc/sys/net/halfopen/host_memory_bytes
}

# at SIZE: what is missing is filled up.
at() {
	send ipv4 $(($1 - $(ho_stat entries)))
	shake
	send ipv4 $syns
	note "ipv4 SYN at $1 entries"
	# random sources may meet
	[ "$(ho_stat entries)" -ge "$1" ] || {
		echo "# only $(ho_stat entries) entries"
		exit 1
	}
	per_packet ipv4 "SYN at $1 entries"
}

begin
measure_dropped ipv4
end
table 1048576
send ipv4 $warm
expire
for size in $sizes; do
	at "$size"
done
end
# ten minutes, once is enough
native_wanted || exit 0
table 4194304
at $most
end
