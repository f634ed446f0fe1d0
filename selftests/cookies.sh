#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 2000
# rows: B-19 B-20
#
# With max_backlog=0 nothing is kept of a SYN, and yet connections have what
# they asked for; whose ACK is no cookie of this port, client, key and time is
# reset.  Real clients all get in.
. "${0%/*}/lib.sh"
setup
forget_time_wait
ho_sysctl max_backlog 0
# In the segments of cookies.py room for every MSS.
ip -n "$cli" link set cli0 mtu 9216
ip -n "$srv" link set srv0 mtu 9216

# Whoever gets in does so by halfopen's cookies.
srv_write ipv4/tcp_syncookies 0
seg_tap "$tools/cookies.py" "$srv"
srv_write ipv4/tcp_syncookies 1

start_nginx || exit 1
dd if=/dev/urandom of="$tmp/www/file" bs=1M count=2 2>/dev/null

# connect NAME URL: all succeed, each by a cookie.
connect() {
	local sent accepted
	sent=$(ho_stat cookie_sent)
	accepted=$(ho_stat cookie_accepted)
	check_num "$1_all_are_served" "$(fetch 100 "$2")" -eq 100
	check_num "$1_each_by_a_cookie" \
	    "$(($(ho_stat cookie_accepted) - accepted))" -eq 100
	check_num "$1_each_by_one_synack" \
	    "$(($(ho_stat cookie_sent) - sent))" -eq 100
}

# download NAME URL
download() {
	in_cli curl -s -m 60 -o "$tmp/got" "$2file"
	check "$1_file_is_intact" cmp "$tmp/www/file" "$tmp/got"
}

# at_once NAME ADDR PORT: clients that do not wait for each other.
at_once() {
	in_cli "$tools/clients" "$2" "$3" 100 3 5000 | tail -n 1 >"$tmp/total"
	check_str "$1_at_once_are_served" \
	    "$(cut -d ' ' -f 1-3 "$tmp/total")" "total 300 0"
}

for ts in 1 0; do
	cli_write ipv4/tcp_timestamps $ts
	connect "ipv4_ts$ts" "http://$srv4:$http_port/"
	connect "ipv6_ts$ts" "http://[$srv6]:$http_port6/"
	connect "ipv4_to_dual_stack_ts$ts" "http://$srv4:$http_port_dual/"
	download "ipv4_ts$ts" "http://$srv4:$http_port/"
	download "ipv6_ts$ts" "http://[$srv6]:$http_port6/"
	at_once "ipv4_ts$ts" "$srv4" $http_port
	at_once "ipv6_ts$ts" "$srv6" $http_port6
done

# Where early demux does not find the socket of a segment it has one all the
# same: nothing to check.  This key makes all ports check.
srv_write ipv4/tcp_max_tw_buckets 16384
ho_sysctl cookie_key 00112233445566778899aabbccddeeff

# established NAME COMMAND...: a transfer.
established() {
	local name="$1" checked accepted
	checked=$(ho_stat cookie_checked)
	accepted=$(ho_stat cookie_accepted)
	shift
	"$@" >/dev/null
	check_num "${name}_is_a_cookie" \
	    "$(($(ho_stat cookie_accepted) - accepted))" -eq 1
	check_num "${name}_is_checked_once" \
	    "$(($(ho_stat cookie_checked) - checked))" -eq 1
}

established "connection" in_cli curl -s "http://$srv4:$http_port/file"
established "connection_over_loopback" \
    in_srv curl -s "http://127.0.0.1:$http_port/file"
srv_write ipv4/tcp_early_demux 0
established "ipv4_connection_without_early_demux" \
    in_cli curl -s "http://$srv4:$http_port/file"
established "ipv6_connection_without_early_demux" \
    in_cli curl -s "http://[$srv6]:$http_port6/file"
check_num "no_entry_is_made" "$(ho_stat syn_taken)" -eq 0
check_num "no_syn_goes_the_native_way" "$(ho_declined)" -eq 0
finish
