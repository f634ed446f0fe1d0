#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# Malformed packets of every kind, and segments around half-open connections,
# to a server that answers natively and to one with halfopen (tools/twins.c):
# the answers, what the programs get and the kernel's counters are the same.
# Afterwards real clients connect, and nothing is left.
# rows: P-13 O-54
# timeout: 9000
. "${0%/*}/lib.sh"

packets=60000	# to halfopen, and as many to the other
[ -z "${HO_LONG:-}" ] || packets=10000000
seed=${HO_SEED:-1}

native_srv=
native_cli=
setup
halfopen_srv=$srv
halfopen_cli=$cli
add_namespace native_srv && add_namespace native_cli || exit 1
srv=$native_srv
cli=$native_cli
connect_namespaces || exit 1

# Limits of answers in time would compare clocks.
unlimited() {
	local name
	for name in icmp_ratelimit=0 tcp_invalid_ratelimit=0 \
	    tcp_challenge_ack_limit=2147483647 tcp_fastopen=3 ipfrag_time=1 \
	    tcp_max_syn_backlog=65536; do
		srv_write "ipv4/${name%=*}" "${name#*=}"
	done
	srv_write ipv6/icmp/ratelimit 0
	srv_write ipv6/ip6frag_time 1
	srv_write core/somaxconn 65536
	# from 6.13 on a namespace's own
	srv_write ipv4/icmp_msgs_per_sec 1000000 2>/dev/null
	srv_write ipv4/icmp_msgs_burst 1000000 2>/dev/null
	# nor of answers that wait for more
	ip -n "$srv" route change default via "$gw4" quickack 1
	ip -n "$srv" -6 route change default via "$gw6" dev srv0 quickack 1
	ip -n "$srv" neigh add fe80::fe lladdr "$gw_mac" dev srv0 \
	    nud permanent
}

echo 1000000 >/proc/sys/net/ipv4/icmp_msgs_per_sec
echo 1000000 >/proc/sys/net/ipv4/icmp_msgs_burst
unlimited
ho_sysctl mode 0
srv=$halfopen_srv
cli=$halfopen_cli
unlimited
# Peers that never answer are what this is about.
ho_sysctl source_synack_rate 0

"$tools/twins" -n $packets -s "$seed" "$native_srv" "$native_cli" \
    "$halfopen_srv" "$halfopen_cli" >"$tmp/twins" 2>&1
rc=$?
grep '^#' "$tmp/twins"
result=$(grep '^flows' "$tmp/twins") || tap_note <"$tmp/twins"
echo "# $result"
# field NAME
field() {
	echo "$result" | sed -n "s/.*$1 \([0-9.]*\).*/\1/p"
}
check_num "every_answer_is_the_native_one" $rc -eq 0
check_num "no_flow_differs" "$(field wrong)" -eq 0
check_num "all_packets_were_sent" "$(field packets)" -ge $packets
check_num "many_were_taken" "$(ho_stat syn_taken)" -gt $((packets / 10))
check_num "many_were_handed_over" "$(ho_stat handover)" -gt $((packets / 100))
check_num "none_of_the_other_server" \
    "$(srv=$native_srv ho_stat syn_taken)" -eq 0

# Who is left, behind odd addresses, gets no more time.
ho_sysctl synack_retries 0
ho_sysctl synack_timeout_ms 100
ho_sysctl synack_timeout_max_ms 100
check "no_entry_stays" wait_for 10 is -eq 0 half_open
ended=0
for counter in handover reset_rcvd reset_sent icmp_dropped expired evicted; do
	ended=$((ended + $(ho_stat $counter)))
done
check_num "every_entry_ended_in_one_way" "$(ho_stat syn_taken)" -eq $ended
check_str "nothing_is_in_use_or_waits" "$(in_srv awk \
    '/^(backlog|waiting) / { print $1, $2 }' /proc/net/halfopen_limits |
    tr '\n' ' ')" "backlog 0 waiting 0 "
ho_sysctl synack_timeout_max_ms 120000
ho_sysctl synack_timeout_ms 1000
start_nginx || exit 1
check_num "real_clients_connect" \
    "$(fetch 20 "http://$srv4:$http_port/")" -eq 20
check_num "real_clients_connect_over_ipv6" \
    "$(fetch 20 "http://[$srv6]:$http_port6/")" -eq 20
finish
