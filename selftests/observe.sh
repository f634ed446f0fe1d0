#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
#
# lnstat shows each column of /proc/net/stat as the sum of its rows, nstat what it
# does natively, everything that scripts/monitoring names is in the output of
# halfopenctl metrics, and halfopen(4) shows files and events as they are.
. "${0%/*}/lib.sh"
setup
forget_time_wait
start_nginx || exit 1
files="halfopen halfopen_declined halfopen_overload halfopen_fastpath"

# --- nstat --------------------------------------------------------------------

# scenario: clients who are served, SYNs that nobody completes, and some that find
# the accept queue full.
scenario() {
	fetch 5 "http://$srv4:$http_port/"
	flood $http_port 10 0 -s 1 >/dev/null
	sleep 4
	start_server -p 8181 -b 3 -s || return 1
	(exec nsenter --net="/run/netns/$cli" bash -c "
		for i in 1 2 3 4; do
			exec {fd}<>/dev/tcp/$srv4/8181
		done
		exec sleep 1000") >/dev/null 2>&1 &
	wait_for 5 is -eq 4 queued
	flood 8181 6 0 -s 2 >/dev/null
	in_srv nstat -as | awk '/^Tcp/ { print $1, $2 }' >"$1"
	kill $!
	stop_server
}

queued() {
	in_srv ss -Htnl 'sport = :8181' | awk '{ print $2 }'
}

# of FILE NAME
of() {
	awk -v want="$2" '$1 == want { print $2 }' "$1"
}

# moved BEFORE AFTER: "NAME DIFFERENCE" of what is not the same, but for what
# depends on whose FIN comes first.
moved() {
	awk 'NR == FNR { was[$1] = $2; next }
	     $2 != was[$1] { print $1, $2 - was[$1] }' "$1" "$2" | sort |
		grep -vE '^Tcp(InSegs|OutSegs|ExtTCPPureAcks|ExtTCPTimeWaitOverflow) '
}

srv_write ipv4/tcp_synack_retries 1
ho_sysctl synack_retries 1
ho_sysctl verify_synack 0
ho_sysctl mode 0
echo "none 0" >"$tmp/begin"
check_num "clients_are_served_natively" "$(scenario "$tmp/native")" -eq 5
check_num "no_syn_was_taken" "$(ho_stat syn_taken)" -eq 0
in_srv nstat -as | awk '/^Tcp/ { print $1, $2 }' >"$tmp/between"
ho_sysctl mode 1
check_num "clients_are_served" "$(scenario "$tmp/halfopen")" -eq 5
check_num "syns_were_taken" "$(ho_stat syn_taken)" -ge 15
moved "$tmp/begin" "$tmp/native" >"$tmp/a"
moved "$tmp/between" "$tmp/halfopen" >"$tmp/b"
check_num "nstat_shows_listen_drops" "$(of "$tmp/b" TcpExtListenDrops)" -eq 6
check_num "nstat_shows_overflows" "$(of "$tmp/b" TcpExtListenOverflows)" -eq 6
check_num "nstat_shows_passive_opens" "$(of "$tmp/b" TcpPassiveOpens)" -eq 9
check_str "nstat_shows_what_it_does_natively" \
    "$(diff "$tmp/a" "$tmp/b")" ""

# --- lnstat -------------------------------------------------------------------

# All four files have something to say.
arm_oracle
ho_sysctl fastpath srv0
fetch 1 "http://$srv4:$http_port/" >/dev/null
ho_sysctl fastpath ""
ho_sysctl max_source_backlog 20
flood $http_port 50 0 -s 3 -S 203.0.113.0/24 >/dev/null
flood $((http_port + 1)) 7 0 -s 4 >/dev/null
flood_v6 $http_port6 30 0 -s 5 >/dev/null
ho_sysctl synack_timeout_ms 60000

# columns FILE
columns() {
	in_srv head -n 1 "/proc/net/stat/$1" | tr ' ' '\n'
}

for file in $files; do
	in_srv lnstat -f "$file" -c 1 -i 1 -j >"$tmp/lnstat"
	for column in $(columns "$file"); do
		echo "$column $(stat_sum "$file" "$column")"
	done >"$tmp/sums"
	check_str "lnstat_shows_each_column_of_$file" "$(python3 -I -c '
import json, sys
for name, value in json.load(sys.stdin).items():
    print(name, value)' <"$tmp/lnstat" 2>&1 | diff - "$tmp/sums")" ""
	check_num "${file}_is_not_all_zero" \
	    "$(awk '$1 != "entries" { n += $2 } END { print n }' "$tmp/sums")" \
	    -gt 0
	check_num "${file}_begins_with_entries" \
	    "$(of "$tmp/sums" entries)" -eq "$(half_open)"
done
check_num "and_with_20_and_more" "$(half_open)" -ge 20

# --- halfopen(4) --------------------------------------------------------------

man=$ho_dir/../scripts/man/halfopen.4

# shapes: numbers of any size are the same.
shapes() {
	sed 's/[0-9][0-9]*/N/g' | sort -u
}

# in_man FILE: the literal text below that item of the page.
in_man() {
	awk -v item=".It Pa $1" '
		/^\.It Pa/ { inside = $0 == item }
		/^\.Ed/ { literal = 0 }
		inside && literal
		/^\.Bd -literal/ { literal = 1 }' "$man"
}

for file in halfopen_ports halfopen_limits halfopen_status; do
	check_str "man_page_shows_${file}_as_it_is" \
	    "$(in_man /proc/net/$file | shapes)" \
	    "$(in_srv cat /proc/net/$file | shapes)"
done
check_num "man_page_shows_something" \
    "$(in_man /proc/net/halfopen_status | wc -l)" -eq 4
check "man_page_shows_entries_as_they_are" test -n "$(
	in_man /proc/net/halfopen | tr -d '\n' | sed 's/ *\\e */ /' |
		sed 's/ wscale.*//' | shapes | head -n 1 |
		sed 's/N\.N\.N\.N/ADDR/g' >"$tmp/shape"
	in_srv cat /proc/net/halfopen | shapes | sed 's/N\.N\.N\.N/ADDR/g' |
		grep -Ff "$tmp/shape")"
fields=$(sed -n 's/^\.It \([a-z]*\) Ta \(__u[0-9]*\)\(\[N*[0-9]*\]\)* Ta .*/\2 \1\3/p' \
    "$man")
for event in /sys/kernel/tracing/events/halfopen/ho_*; do
	check_str "man_page_shows_fields_of_${event##*/}" "$(sed -n \
	    's/.*field:\(__u[0-9]* [a-z]*[][0-9]*\);.*/\1/p' "$event/format")" \
	    "$fields"
done

# --- monitoring ---------------------------------------------------------------

in_srv "$tools/halfopenctl" metrics -s 10 -o "$tmp/halfopen.prom"
check "metrics_have_all_that_monitoring_names" \
    bash "$ho_dir/../scripts/check-monitoring.sh" "$tmp/halfopen.prom"
check_num "metrics_are_the_sums" "$(of "$tmp/halfopen.prom" \
    halfopen_cookie_source_total)" -eq "$(ho_stat cookie_source)"
# For node_exporter another user reads it.
check_str "metrics_can_be_read_by_everybody" \
    "$(stat -c %a "$tmp/halfopen.prom")" 644
finish
