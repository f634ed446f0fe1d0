#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# Real clients and a real server over each kind of listener: every connection
# is taken, answered and handed over by halfopen, and nothing stays behind.
. "${0%/*}/lib.sh"
setup
forget_time_wait
start_nginx || exit 1

# connects NAME COUNT URL: all succeed, all of them through halfopen.
connects() {
	local name="$1" count="$2" url="$3" taken handed before_ok
	taken=$(ho_stat syn_taken)
	handed=$(ho_stat handover)
	before_ok=$(ho_stat verify_ok)
	check_num "${name}_all_are_served" "$(fetch "$count" "$url")" \
	    -eq "$count"
	check_num "${name}_each_syn_is_taken" \
	    "$(($(ho_stat syn_taken) - taken))" -eq "$count"
	check_num "${name}_each_is_handed_over" \
	    "$(($(ho_stat handover) - handed))" -eq "$count"
	check_num "${name}_each_synack_equals_the_kernels" \
	    "$(($(ho_stat verify_ok) - before_ok))" -eq "$count"
}

connects ipv4 100 "http://$srv4:$http_port/"
connects ipv6 100 "http://[$srv6]:$http_port6/"
connects ipv4_to_dual_stack 100 "http://$srv4:$http_port_dual/"
connects ipv6_to_dual_stack 100 "http://[$srv6]:$http_port_dual/"

check_num "no_syn_goes_the_native_way" "$(ho_declined)" -eq 0
check_num "nothing_half_open_in_the_listeners" "$(native_half_open)" -eq 0
check_num "nothing_half_open_in_halfopen" "$(half_open)" -eq 0
check_num "no_entry_is_counted" "$(ho_stat entries)" -eq 0
check_num "no_handover_fails" "$(ho_stat handover_failed)" -eq 0
finish
