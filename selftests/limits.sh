#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# rows: B-29 B-41
#
# Limits are hard and exact, of the table, of a port, of a source and of memory:
# that many entries, and the rest counted and answered without one.
. "${0%/*}/lib.sh"
setup
start_nginx || exit 1
forget_time_wait
# No expiry while we count.
ho_sysctl synack_timeout_ms 60000

# at_limit KNOB LIMIT FLOOD COUNTER [OPTION...]: in a table that is empty; the
# clients are a source of their own.
at_limit() {
	local knob="$1" limit="$2" count="$3" counter="$4" name="$1_$2"
	local entries="$3" full dups cookies=0
	shift 4
	ho_sysctl "$knob" "$limit"
	[ "$limit" -gt "$count" ] || entries=$limit
	[ "$counter" = cookie_source ] && [ "$limit" -gt 0 ] ||
		[ "$limit" -gt "$count" ] || cookies=5
	full=$(ho_stat "$counter")
	flood $http_port "$count" 0 -s 7 "$@" >/dev/null
	# A random source may come twice, with another ISN.
	dups=$(ho_stat oow_ack)
	[ "$limit" -le "$count" ] || entries=$((entries - dups))
	check_num "${name}_is_exact" "$(half_open)" -eq "$entries"
	check_num "${name}_entries_are_counted" \
	    "$(ho_stat entries)" -eq "$entries"
	check_num "${name}_excess_is_counted" \
	    "$(($(ho_stat "$counter") - full))" \
	    -eq $((count - entries - dups))
	check_num "${name}_has_no_other_reason" \
	    "$(ho_stat cookie_sent)" -eq "$(ho_stat "$counter")"
	check_num "${name}_clients_are_served" \
	    "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
	check_num "${name}_clients_by_cookie" \
	    "$(ho_stat cookie_accepted)" -eq $cookies
	check_num "${name}_nothing_goes_the_native_way" \
	    "$(ho_declined)" -eq 0
	empty_table
}

# empty_table [OPTION...]: a namespace's is, by unloading the module.
empty_table() {
	check "unloads_with_entries" module_unload
	insmod "$ho_ko" "$@" || exit 1
	arm_oracle
	ho_sysctl synack_timeout_ms 60000
}

for limit in 0 1 100; do
	at_limit max_backlog $limit 300 cookie_backlog
	at_limit max_port_backlog $limit 300 cookie_port
	at_limit max_source_backlog $limit 300 cookie_source -S 203.0.113.0/24
done
at_limit max_backlog 5000 6000 cookie_backlog
at_limit max_backlog 4194304 300 cookie_backlog
at_limit max_port_backlog 4194304 300 cookie_port
at_limit max_source_backlog 4194304 300 cookie_source -S 203.0.113.0/24

ho_sysctl max_backlog 1000
flood $http_port 500 0 -s 21 >/dev/null
ho_sysctl max_backlog 200
flood $http_port 300 0 -s 22 >/dev/null
check_num "lowered_limit_keeps_entries_and_takes_no_more" \
    "$(half_open)" -eq 500
ho_sysctl max_backlog 600
flood $http_port 300 0 -s 23 >/dev/null
check_num "raised_limit_counts_from_the_next_packet" "$(half_open)" -eq 600
flood_v6 $http_port6 100 0 >/dev/null
check_num "both_families_share_the_limit" "$(half_open)" -eq 600

ho_sysctl max_backlog 65536
ho_sysctl max_port_backlog 650
flood $http_port 100 0 -s 24 >/dev/null
check_num "port_has_its_own_limit" \
    "$(in_srv grep -c ":$http_port [0-9]" /proc/net/halfopen)" -eq 650
flood_v6 $http_port6 100 0 >/dev/null
check_num "which_is_not_another_ports" \
    "$(in_srv grep -c ":$http_port6 \[" /proc/net/halfopen)" -eq 100

# --- both lists ---------------------------------------------------------------

in_srv sed 's/timer:(on,[0-9]*ms,\([0-9]*\))/\1/' /proc/net/halfopen |
	sort >"$tmp/lines"
in_srv cat /proc/net/halfopen_dump | python3 -B -S "$tools/dump.py" |
	sort >"$tmp/records"
check_num "records_are_listed" "$(wc -l <"$tmp/records")" -eq 750
check_str "records_say_what_the_lines_do" \
    "$(diff "$tmp/lines" "$tmp/records" | head -n 5)" ""

# --- memory -------------------------------------------------------------------

used() {
	in_srv sed -n 's/^memory_bytes \([0-9]*\) .*/\1/p' \
	    /proc/net/halfopen_limits
}

# A cap that leaves no room to begin to know a port.
for cap in 0 1; do
	empty_table
	ho_sysctl max_memory_bytes $cap
	native=$(native_half_open)
	flood $http_port 20 0 -s 4$cap >/dev/null
	check_num "memory_${cap}_leaves_syns_to_the_stack" \
	    $(($(native_half_open) - native)) -eq 20
	check_num "memory_${cap}_is_counted" "$(ho_stat declined_memory)" -eq 20
	check_num "memory_${cap}_clients_are_served" \
	    "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
	check_num "memory_${cap}_nothing_is_allocated" "$(used)" -eq 0
done

# with_memory NAME BYTES COMMAND...: room for 100 entries of that size beside
# the first one and all that it needed; there is but one page of hash chains.
with_memory() {
	local name="$1" bytes="$2" cap
	shift 2
	empty_table buckets=256
	"$@" 1 0 -s 31 >/dev/null
	cap=$(($(used) + 100 * bytes))
	ho_sysctl max_memory_bytes $cap
	"$@" 300 0 -s 32 >/dev/null
	check_num "${name}_entries_fit_exactly" "$(half_open)" -eq 101
	check_num "${name}_excess_is_counted" "$(ho_stat cookie_memory)" -eq 200
	check_num "${name}_has_no_other_reason" "$(ho_stat cookie_sent)" -eq 200
	check_num "${name}_memory_is_all_used" "$(used)" -eq $cap
	ho_sysctl max_memory_bytes $((cap + bytes - 1))
	"$@" 10 0 -s 33 >/dev/null
	check_num "${name}_a_byte_less_is_too_little" "$(half_open)" -eq 101
	ho_sysctl max_memory_bytes $((cap + bytes))
	"$@" 10 0 -s 34 >/dev/null
	check_num "${name}_is_enough_for_one_more" "$(half_open)" -eq 102
	check_num "${name}_clients_are_served" \
	    "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
	check_num "${name}_clients_by_cookie" "$(ho_stat cookie_accepted)" -eq 5
	ho_sysctl max_memory_bytes 0
	"$@" 10 0 -s 35 >/dev/null
	check_num "${name}_lowered_cap_keeps_entries_and_takes_no_more" \
	    "$(half_open)" -eq 102
	check_num "${name}_clients_are_served_then" \
	    "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
	ho_sysctl max_memory_bytes 2147483647
	"$@" 300 0 -s 36 >/dev/null
	check_num "${name}_largest_cap_takes_all" "$(half_open)" -eq 402
	check_num "${name}_nothing_goes_the_native_way" "$(ho_declined)" -eq 0
}

with_memory ipv4 64 flood $http_port
with_memory ipv6 96 flood_v6 $http_port6
finish
