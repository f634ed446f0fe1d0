#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# Established traffic does not notice: a transfer in each direction runs through
# insmod, a flood and rmmod without a retransmission or a reset.
. "${0%/*}/lib.sh"
setup
start_nginx || exit 1
module_unload

dd if=/dev/urandom of="$tmp/www/file" bs=1M count=16 2>/dev/null
want=$(sha256sum <"$tmp/www/file")

# down URL FILE: as a background job
down() {
	ip netns exec "$cli" curl -s -N "$1" -o "$2"
}

down "http://$srv4:$http_port/fast/file" "$tmp/got4" &
down4=$!
down "http://[$srv6]:$http_port6/fast/file" "$tmp/got6" &
down6=$!
wait_for 10 test -s "$tmp/got4" -a -s "$tmp/got6" || exit 1
resets=$(mib TcpOutRsts)
aborts=$(mib TcpEstabResets)

module_load || exit 1
arm_oracle
flood $http_port 3000 1500 >/dev/null
flood_v6 $http_port6 1500 1500 >/dev/null
check_num "flood_is_taken_meanwhile" "$(ho_stat syn_taken)" -eq 4500
check "transfers_are_still_running" kill -0 $down4 $down6
check_num "no_segment_of_theirs_is_touched" \
    "$(($(ho_stat bad_ack) + $(ho_stat oow_ack) + $(ho_stat challenge_ack) +
	$(ho_stat filtered) + $(ho_stat handover)))" -eq 0
check "unloads_under_transfer" module_unload
check "transfers_outlive_the_module" kill -0 $down4 $down6

wait $down4
wait $down6
check_str "ipv4_transfer_is_intact" "$(sha256sum <"$tmp/got4")" "$want"
check_str "ipv6_transfer_is_intact" "$(sha256sum <"$tmp/got6")" "$want"
check_num "server_sends_no_reset" "$(($(mib TcpOutRsts) - resets))" -eq 0
check_num "no_connection_is_aborted" \
    "$(($(mib TcpEstabResets) - aborts))" -eq 0
finish
