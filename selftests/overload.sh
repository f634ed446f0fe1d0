#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# timeout: 600
# rows: B-41
#
# A flood of ten times what the table can hold, and real clients beside it: they
# connect as if nothing happened, and memory stays below its cap.
. "${0%/*}/lib.sh"

rate=500		# SYNs a second: a burst is one SYN
per_second=10		# clients
cap=524288		# bytes; what is left for entries is the table's size

# Small arrays, so that the entries are what fills the memory.
insmod "$ho_ko" buckets=4096 || skip_all "no halfopen.ko"
setup
nginx_backlog=511 start_nginx || exit 1
forget_time_wait
ho_sysctl max_memory_bytes $cap
ho_sysctl source_synack_rate 0

# clients SECONDS: "OK FAILED P50_MS P99_MS" of them
clients() {
	in_cli "$tools/clients" "$srv4" "$http_port" $per_second "$1" 3000 |
		sed -n 's/^total //p'
}

limit_used() {
	in_srv awk -v name="$1" '$1 == name { print $2 }' \
	    /proc/net/halfopen_limits
}

# Once a second, while the flood runs: bytes in use, and those of the entries'
# slab cache.  In one process: others would take the CPU from the clients.
watch_memory() {
	# shellcheck disable=SC2016
	exec nsenter --net="/run/netns/$srv" dash -c '
		while kill -0 "$1" 2>/dev/null; do
			while read -r name used limit; do
				[ "$name" != memory_bytes ] || bytes=$used
			done </proc/net/halfopen_limits
			read -r slabs rest </sys/kernel/slab/halfopen_v4/slabs
			read -r order </sys/kernel/slab/halfopen_v4/order
			echo "$bytes $((slabs * (4096 << order)))"
			sleep 1
		done' - "$1" >"$tmp/memory"
}

peak() {
	awk -v col="$1" '$col > max { max = $col } END { print max }' \
	    "$tmp/memory"
}

read -r idle_ok idle_failed _ idle_p99 <<END
$(clients 50)
END
echo "# idle: $idle_ok connect, p99 $idle_p99 ms"
check_num "all_clients_connect_without_a_flood" "$idle_failed" -eq 0
fixed=$(limit_used memory_bytes)

# How many entries fit is found out by the flood itself.
flood $http_port 0 $rate >"$tmp/flood" &
watch_memory $! &
watcher=$!
sleep 3
read -r ok failed _ p99 <<END
$(clients 150)
END
stop_floods
wait $watcher
sent=$(sed -n 's/^sent \([0-9]*\) .*/\1/p' "$tmp/flood")
table=$(half_open)
echo "# flood: $sent SYNs, $table entries; $ok connect, $failed do not," \
    "p99 $p99 ms"
echo "# memory: $(peak 1) of $cap bytes, slab $(peak 2), arrays $fixed"

check_num "flood_is_ten_times_the_table" "$sent" -ge $((10 * table))
check_num "a_thousand_clients_try" $((ok + failed)) -ge 1000
check_num "999_of_1000_clients_connect" $((failed * 1000)) -le $((ok + failed))
check_num "no_syn_goes_the_native_way" "$(ho_declined)" -eq 0
check_num "listeners_queue_is_empty" "$(native_half_open)" -eq 0
check_num "excess_is_answered_without_state" "$(ho_stat cookie_sent)" -gt 0
check_num "memory_reaches_its_cap" "$(peak 1)" -gt $((cap - 4096))
check_num "memory_never_passes_its_cap" "$(peak 1)" -le $cap

# A kernel that is slow has larger objects, and clients who close a connection
# that a server without TIME_WAIT does not know any more.
[ -z "${HO_SLOW:-}" ] || finish
check "p99_is_at_most_twice_that_of_idle" \
    awk -v a="$p99" -v b="$idle_p99" 'BEGIN { exit !(a <= 2 * b) }'
check_num "no_client_is_reset" \
    "$(in_cli nstat -asz TcpEstabResets TcpAttemptFails |
	awk '/^Tcp/ { n += $2 } END { print n + 0 }')" -eq 0
# The last page is one page however little of it is used.
check_num "slab_has_not_a_page_more_than_the_cap_allows" \
    "$(peak 2)" -le $(((cap - fixed + 4095) / 4096 * 4096))
finish
