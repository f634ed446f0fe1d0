#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# A flood of random sources with real clients beside it: they all get in, the
# listener's queue stays empty and the kernel's request slab does not grow.
. "${0%/*}/lib.sh"
setup
forget_time_wait
start_nginx || exit 1

# A queue that would hold the whole flood if it came there.
srv_write core/somaxconn 65535
srv_write ipv4/tcp_max_syn_backlog 65535
start_server -p 90 -b 65535 || exit 1

slab_before=$(slab_objects request_sock_TCP)
flood 90 5000 0 -s 7 >/dev/null
if [ -n "$slab_before" ]; then
	# A page's worth of objects may wait on each CPU.
	check_num "request_slab_does_not_grow" \
	    "$(($(slab_objects request_sock_TCP) - slab_before))" -le 64
else
	skip "request_slab_does_not_grow" \
	    "no request_sock_TCP in /proc/slabinfo: boot with slab_nomerge"
fi
check_num "unasked_listener_stays_empty" "$(native_half_open)" -eq 0

flood $http_port 20000 2500 >"$tmp/flood" &
flood_pid=$!
flood_v6 $http_port6 5000 600 >"$tmp/flood_v6" &
flood_v6_pid=$!
wait_for 10 is -ge 6000 ho_stat entries
check_num "clients_over_ipv4_beside_the_flood" \
    "$(fetch 100 "http://$srv4:$http_port/")" -eq 100
check_num "clients_over_ipv6_beside_the_flood" \
    "$(fetch 50 "http://[$srv6]:$http_port6/")" -eq 50
check_num "listeners_queue_stays_empty_under_flood" \
    "$(native_half_open)" -eq 0
wait $flood_pid $flood_v6_pid
sed 's/^/# /' "$tmp/flood" "$tmp/flood_v6"

check_num "clients_over_ipv4_with_a_full_table" \
    "$(fetch 100 "http://$srv4:$http_port/")" -eq 100
check_num "clients_over_ipv6_with_a_full_table" \
    "$(fetch 50 "http://[$srv6]:$http_port6/")" -eq 50
check_num "listeners_queue_is_empty_after_the_flood" \
    "$(native_half_open)" -eq 0
# An entry lives for 63 s, which a slow kernel may need to get here.
[ -n "${HO_SLOW:-}" ] ||
	check_num "halfopen_holds_the_flood" "$(half_open)" -eq 30000
check_num "each_syn_of_it_got_an_entry" \
    $(($(ho_stat syn_taken) - $(ho_stat handover))) -eq 30000
check_num "none_of_it_made_room_for_another" \
    $(($(ho_stat evicted) + $(ho_stat cookie_sent))) -eq 0
check_num "every_client_was_handed_over" "$(ho_stat handover)" -eq 300
check_num "no_syn_goes_the_native_way" "$(ho_declined)" -eq 0
check_num "no_cookie_is_sent" "$(mib TcpExtSyncookiesSent)" -eq 0
check_num "no_syn_is_dropped" "$(mib TcpExtListenDrops)" -eq 0
finish
