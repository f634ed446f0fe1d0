#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# max_backlog is a hard limit: exactly that many entries, the rest counted and
# served natively.
. "${0%/*}/lib.sh"
setup
start_nginx || exit 1
# No expiry while we count.
ho_sysctl synack_timeout_ms 60000

# at_limit LIMIT FLOOD: in a table that is empty.
at_limit() {
	local limit="$1" count="$2" full
	ho_sysctl max_backlog "$limit"
	full=$(ho_stat declined_table_full)
	flood $http_port "$count" 0 -s "$limit" >/dev/null
	check_num "limit_${limit}_is_exact" "$(half_open)" -eq "$limit"
	check_num "limit_${limit}_entries_are_counted" \
	    "$(ho_stat entries)" -eq "$limit"
	check_num "limit_${limit}_excess_is_counted" \
	    "$(($(ho_stat declined_table_full) - full))" \
	    -eq $((count - limit))
	check_num "limit_${limit}_clients_are_served_natively" \
	    "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
	empty_table
}

# A namespace's table is emptied by unloading the module.
empty_table() {
	check "unloads_with_entries" module_unload
	module_load || exit 1
	arm_oracle
	ho_sysctl synack_timeout_ms 60000
}

at_limit 0 300
at_limit 1 300
at_limit 100 1000
at_limit 5000 6000

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
finish
