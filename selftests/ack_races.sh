#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# rows: B-06
# timeout: 3600
#
# Two segments that each complete, reset or repeat a handshake, from two CPUs at
# the same time, and final ACKs at the moment when the SYN-ACK is due again: each
# connection is accepted exactly once, no client that did nothing wrong is reset,
# and nothing of it is left.
. "${0%/*}/lib.sh"
count=1000		# connections of each kind
[ -z "${HO_LONG:-}" ] || count=125000
setup
srv_write core/somaxconn 65535
ho_sysctl source_synack_rate 0
ho_sysctl max_source_backlog 65536
# All timers in this test are to fire often, but not before all SYNs are sent.
timeout_ms=$((100 * ${HO_SLOW:-1}))
ho_sysctl synack_timeout_ms $timeout_ms
port=9000
all=0

sockets() {
	in_srv awk '$1 == "TCP:" { print $3 }' /proc/net/sockstat
}

value() {
	awk -v want="$1" '{
		for (i = 1; i < NF; i += 2)
			if ($i == want)
				print $(i + 1)
	}' "$tmp/races"
}

# races NAME KIND DST [-6]
races() {
	local name="$1" kind="$2" dst="$3" cut
	shift 3
	cut=$(mib TcpExtEmbryonicRsts)
	port=$((port + 1))
	all=$((all + count))
	in_srv "$tools/races" "$@" "/run/netns/$cli" cli0 "$srv_mac" "$dst" \
	    $port "$kind" $count $timeout_ms >"$tmp/races" 2>&1
	sed "s/^/# $name: /" "$tmp/races"
	cut=$(($(mib TcpExtEmbryonicRsts) - cut))
	check_num "${name}_each_is_accepted_or_was_reset" \
	    $(($(value accepted) + cut)) -eq $count
	check_num "${name}_none_is_accepted_twice" "$(value twice)" -eq 0
	check_num "${name}_each_has_one_sequence_number" \
	    "$(value numbers)" -eq 0
	check_num "${name}_data_is_of_one_segment" "$(value data)" -eq 0
	check_num "${name}_no_synack_after_the_handshake" "$(value late)" -eq 0
	if [ "$kind" = data_rst ]; then
		# who resets and then speaks is told so
		check_num "${name}_only_who_reset_is_reset" \
		    "$(value resets)" -le $cut
	else
		check_num "${name}_no_client_is_reset" "$(value resets)" -eq 0
		check_num "${name}_none_is_lost" "$cut" -eq 0
	fi
}

check_num "there_are_two_cpus" "$(nproc)" -ge 2
slab_before=$(slab_objects request_sock_TCP)
sockets_before=$(sockets)
for kind in ack_ack ack_data data_data ack_fin data_syn data_rst data_blind_rst; do
	races $kind $kind "$srv4"
done
races data_data_v6 data_data "$srv6" -6
races timer timer "$srv4"
check_num "the_timer_was_too_early_for_some" "$(value repeated)" -gt 0
check_num "and_too_late_for_others" "$(value repeated)" -lt $count

check_num "each_syn_was_taken" "$(ho_stat syn_taken)" -eq $all
check_num "each_was_handed_over_or_reset" \
    $(($(ho_stat handover) + $(ho_stat reset_rcvd))) -eq $all
check_num "no_entry_is_left" "$(ho_stat entries)" -eq 0
check_num "no_request_is_left" "$(native_half_open)" -eq 0
check_num "no_handover_failed" "$(ho_stat handover_failed)" -eq 0
check_num "no_syn_went_the_native_way_but_repeated_ones" \
    $(($(ho_declined) - $(ho_stat declined_socket))) -eq 0
check "no_socket_is_left" wait_for 5 is -eq "$sockets_before" sockets
# a page's worth may wait on each CPU
[ -z "$slab_before" ] ||
	check_num "no_request_is_left_in_the_slab" \
	    "$(($(slab_objects request_sock_TCP) - slab_before))" -le 64
finish
