#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# timeout: 600
# rows: B-45
#
# Pressure begins above the high mark and is over at the low one, which the
# kernel's log says once each; /proc/net says who uses how much.  With mode=2 a
# port's SYNs are taken only while it is under pressure.
. "${0%/*}/lib.sh"
setup
forget_time_wait
start_nginx || exit 1
netns=$(in_srv readlink /proc/self/ns/net | tr -dc 0-9)

# Two looks of the watch.
look() {
	sleep 2.2
}

# log_lines TEXT: how many new ones; what follows "halfopen:" begins with TEXT.
log_lines() {
	dmesg | tail -n "+$seen" | grep -Ec "halfopen: $1"
}

mark_log() {
	seen=$(($(dmesg | wc -l) + 1))
}

# logged NAME COUNT [TEXT]
logged() {
	check_num "$1" "$(log_lines "${3:-}")" -eq "$2"
	[ "$(log_lines "${3:-}")" -eq "$2" ] ||
		dmesg | tail -n "+$seen" | tap_note
}

# begins WHERE "USED of MAX", is_over: the lines, rates may vary.
begins() {
	echo "$1 of netns $netns: SYN pressure begins, $2 half-open," \
	    "[0-9]+ SYN/s: fewer SYN-ACKs"
}

is_over() {
	echo "$1 of netns $netns: SYN pressure is over after [0-9]+ s," \
	    "$2 half-open, 0 SYN/s$"
}

# port_field PORT NAME
port_field() {
	in_srv sed -n "s/^$1 .*$2:\([0-9]*\).*/\1/p" /proc/net/halfopen_ports
}

# limit NAME: "USED LIMIT"
limit() {
	in_srv sed -n "s/^$1 //p" /proc/net/halfopen_limits
}

# status NAME
status() {
	in_srv sed -n "s/^$1 //p" /proc/net/halfopen_status
}

# empty: a shorter wait holds at once.
empty() {
	ho_sysctl synack_retries 0
	ho_sysctl synack_timeout_ms 100
	wait_for 10 is -eq 0 half_open
	look
	ho_sysctl synack_retries 5
	ho_sysctl synack_timeout_ms 60000
}

# --- who uses how much --------------------------------------------------------

ho_sysctl synack_timeout_ms 60000
check_str "no_port_is_listed_before_its_first_syn" \
    "$(in_srv cat /proc/net/halfopen_ports)" ""
check_str "limits_are_listed_by_name" \
    "$(in_srv cut -d ' ' -f 1 /proc/net/halfopen_limits | tr '\n' ' ')" \
    "backlog waiting memory_bytes host_memory_bytes "
check_str "nothing_is_used_yet" "$(limit backlog), $(limit waiting)" \
    "0 65536, 0 8192"
check_str "status_is_listed_by_name" \
    "$(in_srv cut -d ' ' -f 1 /proc/net/halfopen_status | tr '\n' ' ')" \
    "mode mode_s pressure pressure_ms "
sleep 3
ho_sysctl mode 1
check_num "same_mode_again_is_no_change" "$(status mode_s)" -ge 3
ho_sysctl mode 2
check_str "new_mode_counts_from_now" "$(status mode) $(status mode_s)" "2 0"
ho_sysctl mode 1
check_str "no_memory_is_used_yet" "$(limit memory_bytes)" "0 16777216"
fetch 3 "http://$srv4:$http_port_dual/" >/dev/null
check "port_is_listed_after_its_first_syn" in_srv grep -Eqx \
    "$http_port_dual entries:0 syns:3 rate:[0-9]+ pressure:0 cookies:0 pressure_ms:0" \
    /proc/net/halfopen_ports
check_num "no_other_port_is" \
    "$(in_srv cat /proc/net/halfopen_ports | wc -l)" -eq 1

ho_sysctl max_port_backlog 200
mark_log
flood $http_port 150 150 -s 1 >/dev/null
look
logged "no_pressure_at_the_high_mark" 0
check_str "use_and_limit_are_shown" "$(limit backlog)" "150 65536"
used=$(limit memory_bytes)
check_num "memory_of_entries_is_shown" "${used% *}" -ge $((150 * 64))
check_str "host_has_used_the_same" "$(limit host_memory_bytes)" \
    "${used% *} 268435456"
check_num "entries_of_a_port_are_shown" "$(port_field $http_port entries)" \
    -eq 150
check_num "no_syn_is_a_rate_of_0" "$(port_field $http_port rate)" -eq 0

# --- pressure of a port -------------------------------------------------------

flood $http_port 10 0 -s 2 >/dev/null
look
logged "pressure_begins_above_the_high_mark" 1 \
    "$(begins "port $http_port" "160 of 200")"
check_num "port_shows_it" "$(port_field $http_port pressure)" -eq 1
sleep 2
check_num "and_how_long_by_now" "$(port_field $http_port pressure_ms)" -ge 2000
check_str "which_is_not_the_whole_tables" "$(status pressure)" 0
check_num "another_port_is_not_affected" \
    "$(port_field $http_port_dual pressure)" -eq 0
check_num "port_needs_no_cookies_yet" "$(port_field $http_port cookies)" -eq 0
flood $http_port 100 50 -s 3 >/dev/null
check_num "rate_is_shown" "$(port_field $http_port rate)" -ge 40
check_num "full_port_needs_cookies" "$(port_field $http_port cookies)" -eq 1
check_num "another_does_not" "$(port_field $http_port_dual cookies)" -eq 0
check_num "syns_are_counted" "$(port_field $http_port syns)" -eq 260
logged "it_begins_once" 1

# The limit moves, the entries stay.
ho_sysctl max_port_backlog 250
look
logged "it_goes_on_between_the_marks" 1
ho_sysctl max_port_backlog 400
look
logged "it_is_over_at_the_low_mark" 1 \
    "$(is_over "port $http_port" "200 of 400")"
logged "that_is_all_the_log_says" 2
check_num "port_shows_that_too" "$(port_field $http_port pressure)" -eq 0
ho_sysctl max_port_backlog 300
look
logged "it_does_not_begin_again_between_the_marks" 2
ho_sysctl max_port_backlog 49152
empty

# --- pressure of the table ----------------------------------------------------

mark_log
ho_sysctl max_backlog 200
flood $http_port 80 0 -s 4 >/dev/null
flood $http_port_dual 80 0 -s 5 >/dev/null
look
logged "table_is_under_pressure_where_no_port_is" 1 \
    "$(begins "all ports" "160 of 200")"
sleep 1
check_str "status_shows_it" "$(status pressure)" 1
check_num "and_for_how_long" "$(status pressure_ms)" -ge 1000
ho_sysctl max_backlog 320
look
logged "which_is_over" 1 \
    "$(is_over "all ports" "160 of 320")"
check_str "status_shows_that_too" "$(status pressure) $(status pressure_ms)" \
    "0 0"
logged "and_nothing_else_is_logged" 2
ho_sysctl max_backlog 65536
empty

mark_log
ho_sysctl max_backlog 0
flood $http_port 50 0 -s 6 >/dev/null
look
logged "no_entries_by_choice_is_no_pressure" 0
ho_sysctl max_backlog 65536
look

# --- mode=2 -------------------------------------------------------------------

# The stack's entries and ours both live 3 s.
srv_write ipv4/tcp_synack_retries 1
ho_sysctl synack_retries 1
ho_sysctl synack_timeout_ms 1000
ho_sysctl source_synack_rate 0
ho_sysctl mode 2
mark_log

# native NAME PORT: five clients who are left to the stack.
native() {
	local auto
	auto=$(ho_stat declined_auto)
	check_num "$1_clients_are_served" \
	    "$(fetch 5 "http://$srv4:$2/")" -eq 5
	check_num "$1_syns_are_left_to_the_stack" \
	    $(($(ho_stat declined_auto) - auto)) -eq 5
}

taken=$(ho_stat syn_taken)
native "quiet" $http_port
flood $http_port 50 0 -s 7 >/dev/null
check_num "queue_that_has_room_is_used" "$(native_half_open)" -eq 50
check_num "no_syn_is_taken_when_it_is_quiet" \
    $(($(ho_stat syn_taken) - taken)) -eq 0
wait_for 10 is -eq 0 native_half_open

in_cli "$tools/clients" "$srv4" "$http_port" 10 22 3000 >"$tmp/clients" &
clients=$!
sleep 2
taken=$(ho_stat syn_taken)
auto=$(ho_stat declined_auto)
flood $http_port 3000 250 -s 8 >/dev/null &
flooding=$!
sleep 8
check_num "flooded_syns_are_taken" $(($(ho_stat syn_taken) - taken)) -gt 1000
check_num "listeners_queue_is_empty_again" "$(native_half_open)" -eq 0
check_num "only_its_queue_went_the_native_way" \
    $(($(ho_stat declined_auto) - auto)) -le 150
check_num "port_is_under_pressure" "$(port_field $http_port pressure)" -eq 1
native "another_ports" $http_port_dual
wait $flooding
logged "log_says_that_the_queue_was_filling" 1 \
    "$(begins "port $http_port" "97 of 128")"
logged "pressure_does_not_flap" 1
sleep 6
logged "pressure_is_over_a_lifetime_after_the_flood" 1 \
    "port $http_port of netns $netns: SYN pressure is over after [0-9]+ s, "
logged "with_no_further_line" 2
wait $clients
check_str "clients_connect_throughout" \
    "$(sed -n 's/^total \([0-9]* [0-9]*\) .*/\1/p' "$tmp/clients")" "220 0"
taken=$(ho_stat syn_taken)
native "after_the_flood" $http_port
check_num "no_syn_is_taken_any_more" $(($(ho_stat syn_taken) - taken)) -eq 0
finish
