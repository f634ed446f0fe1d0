#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# timeout: 1200
#
# A day's traffic by counts: waves of SYNs that fill the table and expire, some
# of them over its limits, with whole connections all the time.  In the end every
# SYN is accounted for, what the module holds is exactly what it was at the start,
# and the stack's requests, sockets and their slabs are not above it.
#
# scripts/soak.sh runs it with HO_WAVES=700: 10^8 SYNs, 10^6 connections.
. "${0%/*}/lib.sh"
waves=2 syns=5000 connections=100	# of each family; of a wave
[ -z "${HO_LONG:-}" ] || waves=30
[ -z "${HO_WAVES:-}" ] || waves=$HO_WAVES syns=71429 connections=715
setup
start_server -6 0 -p 80 || exit 1
# short, so that a wave is over when the next one comes
ho_sysctl synack_timeout_ms 500
ho_sysctl synack_retries 0
ho_sysctl source_synack_rate 0
ho_sysctl max_source_backlog 262144
ho_sysctl max_port_backlog 262144
ho_sysctl max_memory_bytes 67108864
wave_ms=2000
large=262144		# entries
batch=64		# connections between two pauses

# connect ADDR WAVES: so that they take as long as the waves.
connect() {
	ip netns exec "$srv" "$tools/connections" "/run/netns/$cli" "$1" 81 \
	    $(($2 * connections)) $((wave_ms * batch / connections))
}

progress() {
	echo "# $(($(ho_stat syn_taken) + $(ho_stat cookie_sent))) SYNs," \
	    "$(($(ho_stat handover) + $(ho_stat cookie_accepted)))" \
	    "connections"
}

# run_waves COUNT SMALL: of each family.  The table is large enough for both, and
# for four of sixteen waves it has SMALL entries.
run_waves() {
	local count="$1" small="$2" pids pid done=0
	flood 80 $((count * syns)) 0 -w $syns >"$tmp/sent" &
	pids=$!
	flood_v6 80 $((count * syns)) 0 -w $syns >>"$tmp/sent" &
	pids="$pids $!"
	connect "$srv4" "$count" >>"$tmp/good" &
	pids="$pids $!"
	connect "$srv6" "$count" >>"$tmp/good" &
	pids="$pids $!"
	while [ $done -lt "$count" ]; do
		ho_sysctl max_backlog $((done % 16 < 4 ? small : large))
		sleep $((4 * wave_ms / 1000))
		done=$((done + 4))
		[ $((done % 8)) -ne 0 ] || progress
	done
	for pid in $pids; do
		wait "$pid" || failed=y
	done
	wait_for 60 is -eq 0 ho_stat entries || failed=y
	all=$((all + 2 * count))
}

slabs() {
	local cache
	for cache; do
		echo "$cache" "$(slab_objects "$cache")"
	done
}

# What holds something of the module, line by line, and of the stack.
own_gauges() {
	slabs halfopen_v4 halfopen_wide
	in_srv awk '{ print $1, $2 }' /proc/net/halfopen_limits
	awk '$1 == "halfopen" { print "module", $3 }' /proc/modules
}

stack_gauges() {
	slabs request_sock_TCP request_sock_TCPv6 TCP TCPv6 tw_sock_TCP \
	    tw_sock_TCPv6
	# each CPU has up to 256 pages of TCP's memory in reserve, which count
	in_srv sed 's/ mem [0-9]*$//' /proc/net/sockstat /proc/net/sockstat6
}

own_as_before() {
	own_gauges >"$tmp/own_after"
	cmp -s "$tmp/own" "$tmp/own_after"
}

# An earlier test may have left half-open connections to the stack, which go
# meanwhile.
stack_not_above_before() {
	stack_gauges >"$tmp/stack_after"
	awk 'NR == FNR { was[FNR] = $0; lines = FNR; next }
	     {
		if (split(was[FNR], n) != NF)
			exit bad = 1
		for (i = 1; i <= NF; i++)
			if ($i + 0 > n[i] + 0)
				bad = 1
	     }
	     END { exit bad || FNR != lines }' "$tmp/stack" "$tmp/stack_after"
}

# settles NAME FILE COMMAND: it comes to that; FILE was the start.
settles() {
	if wait_for 20 "$3"; then
		pass "$1"
	else
		fail "$1" "$(diff "$tmp/$2" "$tmp/${2}_after")"
	fi
}

# The first waves allocate arrays, which stay as long as the namespace.
failed='' all=0
run_waves 2 $large
# and what the stack keeps for a moment is gone
sleep 3
own_gauges >"$tmp/own"
stack_gauges >"$tmp/stack"
slab_counts >"$tmp/slabs"
run_waves "$waves" $((syns / 10))

taken=$(ho_stat syn_taken)
handed=$(ho_stat handover)
stateless=$(ho_stat cookie_sent)
good=$(awk '{ n += $1 } END { print n }' "$tmp/good")
echo "# $((all * syns)) SYNs in $all waves, $good connections:" \
    "$taken entries, $stateless answers without"
check_str "all_waves_ran" "$failed" ""
check_num "every_connection_is_good" "$good" -eq $((all * connections))
check_num "and_was_handed_over" \
    $((handed + $(ho_stat cookie_accepted))) -eq "$good"
# random sources meet: a SYN for an entry of another one is no new connection
met=$(($(ho_stat syn_dup) + $(ho_stat oow_ack) + $(ho_stat oow_ignored)))
reset=$(ho_stat reset_sent)
check_num "every_syn_is_accounted_for" \
    $((taken + stateless + met + reset)) -eq $((all * (syns + connections)))
check_num "some_of_them_found_no_room" "$stateless" -gt 0
check_num "every_entry_is_accounted_for" \
    $((handed + $(ho_stat expired) + $(ho_stat evicted) + reset)) -eq "$taken"
check_num "no_syn_went_the_native_way" "$(ho_declined)" -eq 0
settles "everything_is_as_at_the_start" own own_as_before
settles "the_stack_holds_no_more_than_at_the_start" stack stack_not_above_before
# of packets and routes each CPU keeps some
check_slabs "slabs_of_the_stack_do_not_grow" "$tmp/slabs" 16
finish
