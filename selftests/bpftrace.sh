#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# vm: --bpftrace
# check: one kernel
# timeout: 400
#
# The scripts of scripts/bpftrace show what they say, under real traffic.
. "${0%/*}/lib.sh"
scripts=$ho_dir/../scripts/bpftrace
command -v bpftrace >/dev/null || skip_all "no bpftrace"
[ -e /sys/kernel/btf/vmlinux ] || skip_all "no BTF"
setup
forget_time_wait
start_nginx || exit 1

# trace SCRIPT: until stop_trace; output in $tmp/SCRIPT.  A probe holds a
# reference to the module while it is attached, and BEGIN runs before that.
trace() {
	local probes
	probes=$(grep -c '^tracepoint:' "$scripts/$1")
	bpftrace "$scripts/$1" >"$tmp/$1" 2>&1 &
	tracer=$!
	began=$(cut -d ' ' -f 1 /proc/uptime)
	wait_for 120 is -eq "$probes" cat /sys/module/halfopen/refcnt ||
		tap_note <"$tmp/$1"
	echo "# $1 began after" \
	    "$(awk -v began="$began" '{ print $1 - began }' /proc/uptime) s"
}

# stop_trace: as Ctrl-C does.  bpftrace 0.17 ends when epoll_wait() is interrupted:
# a signal between two calls of it is lost.
stop_trace() {
	kill -INT $tracer
	wait_for 30 is -eq 0 cat /sys/module/halfopen/refcnt ||
		kill -INT $tracer
	wait $tracer
	traced=$?
}

# shown SCRIPT "MAP[KEYS]": the sum of all that it printed of that.
shown() {
	awk -v key="$2:" 'index($0, key) == 1 { sum += $NF }
			  END { print sum + 0 }' "$tmp/$1"
}

# bars SCRIPT "MAP[KEYS]": "[FROM, TO)COUNT" of a histogram that are not 0.
bars() {
	awk -v key="$2:" '
		/^@/ { inside = $0 ~ /: *$/ && index($0, key) == 1; next }
		inside && /^\[/ {
			split($0, part, "|")
			range = part[1]
			sub(/\).*/, ")", range)
			sub(/.*\)/, "", part[1])
			if (part[1] + 0)
				print range, part[1] + 0
		}' "$tmp/$1"
}

# --- connlat ------------------------------------------------------------------

# 50 ms from the client to the server: what the server waits for.
tc -n "$cli" qdisc add dev cli0 root netem delay 50ms
trace connlat.bt
ho_sysctl max_backlog 65536
fetch 20 "http://$srv4:$http_port/" >/dev/null
fetch 5 "http://[$srv6]:$http_port6/" >/dev/null
flood $http_port 30 0 -s 1 >/dev/null
ho_sysctl max_backlog 0
fetch 7 "http://$srv4:$http_port/" >/dev/null
ho_sysctl max_backlog 65536
stop_trace
tc -n "$cli" qdisc del dev cli0 root
check_num "connlat_ends_well" "$traced" -eq 0
check_str "connlat_shows_the_round_trip_of_each_connection" \
    "$(bars connlat.bt "@connect_us[$http_port]")" "[32K, 64K) 20"
check_str "connlat_shows_ipv6_likewise" \
    "$(bars connlat.bt "@connect_us[$http_port6]")" "[32K, 64K) 5"
check_num "connlat_counts_cookies_apart" \
    "$(shown connlat.bt "@by_cookie[$http_port]")" -eq 7
check_num "connlat_leaves_nothing_else_behind" \
    "$(grep -c '^@' "$tmp/connlat.bt")" -eq 3
[ "$tap_failed" -eq 0 ] || tap_note <"$tmp/connlat.bt"

# --- whofloods ----------------------------------------------------------------

rounds() {
	grep -c '^..:..:..$' "$tmp/whofloods.bt"
}

trace whofloods.bt
# All in one round.
wait_for 10 is -ge 1 rounds
begin=$(rounds)
cookies=$(ho_stat cookie_sent)
ho_sysctl max_source_backlog 25
flood $http_port 100 0 -s 2 -S 203.0.113.0/24 >/dev/null
flood $http_port 40 0 -s 3 -S 192.0.2.0/24 >/dev/null
flood_v6 $http_port6 60 0 -s 4 -S 2001:db8:1:2::/64 >/dev/null
flood $((http_port + 1)) 10 0 -s 5 -S 203.0.113.0/24 >/dev/null
cookies=$(($(ho_stat cookie_sent) - cookies))
wait_for 10 is -gt "$begin" rounds
stop_trace
check_num "whofloods_ends_well" "$traced" -eq 0
check_str "whofloods_shows_the_first_network_last" \
    "$(grep '^@syns\[' "$tmp/whofloods.bt" | tail -n 1)" \
    "@syns[203.0.113.0, $http_port]: $(shown whofloods.bt \
    "@syns[203.0.113.0, $http_port]")"
# A random source may come twice, which is no new connection.
check_num "whofloods_counts_syns" "$(shown whofloods.bt \
    "@syns[203.0.113.0, $http_port]")" -eq $((100 - $(ho_stat oow_ack)))
check_num "whofloods_counts_those_of_another_network" \
    "$(shown whofloods.bt "@syns[192.0.2.0, $http_port]")" -ge 30
check_num "whofloods_counts_those_to_a_closed_port" \
    "$(shown whofloods.bt "@syns[203.0.113.0, $((http_port + 1))]")" -eq 10
check_num "whofloods_counts_ipv6" \
    "$(shown whofloods.bt "@syns_v6[0x20010db800010002, $http_port6]")" -eq 60
check_num "whofloods_counts_cookies" $((
    $(shown whofloods.bt "@cookies[203.0.113.0, $http_port]") +
    $(shown whofloods.bt "@cookies[192.0.2.0, $http_port]") +
    $(shown whofloods.bt "@cookies_v6[0x20010db800010002, $http_port6]"))) \
    -eq "$cookies"
check_num "which_there_were" "$cookies" -gt 90
[ "$tap_failed" -eq 0 ] || tap_note <"$tmp/whofloods.bt"

# --- whydeclined --------------------------------------------------------------

declined() {
	shown whydeclined.bt "@declined[$1, $2]"
}

trace whydeclined.bt
fetch 5 "http://$srv4:$http_port/" >/dev/null
fetch 3 "http://$srv4:$((http_port + 1))/" >/dev/null
ho_sysctl mode 0
fetch 4 "http://$srv4:$http_port/" >/dev/null
ho_sysctl mode 2
fetch 2 "http://[$srv6]:$http_port6/" >/dev/null
ho_sysctl mode 1
stop_trace
check_num "whydeclined_ends_well" "$traced" -eq 0
check_num "whydeclined_shows_a_closed_port" \
    "$(declined $((http_port + 1)) declined_no_listener)" -eq 3
check_num "whydeclined_shows_mode_0" "$(declined $http_port declined_mode)" -eq 4
check_num "whydeclined_shows_mode_2" "$(declined $http_port6 declined_auto)" \
    -eq 2
check_num "whydeclined_shows_nothing_else" \
    "$(grep -c '^@' "$tmp/whydeclined.bt")" -eq 3
[ "$tap_failed" -eq 0 ] || tap_note <"$tmp/whydeclined.bt"

# The text of the event names them, each with its number.
check_str "whydeclined_names_all_reasons" \
    "$(sed -n 's/.*@reason\[\([0-9]*\)\] = "\(.*\)";/\1 \2/p' \
    "$scripts/whydeclined.bt")" \
    "$(grep -o '{ [0-9]*, "declined_[a-z_]*"' \
    /sys/kernel/tracing/events/halfopen/ho_declined/format | tr -d '{,"' |
    awk '{ print $1, $2 }')"
finish
