#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# rows: B-34
# vm: --icount
# check: one kernel
# timeout: 3600
#
# All entries of a large table are due in the same millisecond, first to have
# their SYN-ACK sent again and then to be dropped: the work is done in pieces,
# and who wants the CPU in between gets it.
#
# The clock counts instructions, 8 ns each.  A server executes more than one a
# nanosecond, so that 10 ms of its time are 80 ms of this clock.
. "${0%/*}/lib.sh"
count=50000
[ -z "${HO_LONG:-}" ] || count=1000000
ns_per_instruction=8
limit_us=$((10000 * ns_per_instruction))

insmod "$ho_ko" buckets=1048576 || skip_all "no halfopen.ko"
setup
start_server -p 80 || exit 1
# far from every limit: pressure would save the SYN-ACKs
for limit in max_backlog max_port_backlog max_source_backlog; do
	ho_sysctl $limit 4194304
done
ho_sysctl source_synack_rate 0
ho_sysctl max_memory_bytes 2147483647
echo 2147483647 >/proc/sys/net/halfopen/host_memory_bytes

# check_stall NAME: a kernel that looks for mistakes is not about time.
check_stall() {
	[ -n "${HO_SLOW:-}" ] || check_num "$1" "$(longest)" -le $limit_us
}

longest() {
	sed -n 's/.* gap_us \([0-9]*\)$/\1/p' "$tmp/stall"
}

# watched COMMAND...: while a process of the highest priority wants to run every
# millisecond; what it says is in $tmp/stall.
watched() {
	"$tools/stall" 1000 >"$tmp/stall" &
	watcher=$!
	"$@"
	kill $watcher
	wait $watcher
	sed "s/^/# $1: /" "$tmp/stall"
}

# due_now: those that wait have 100 ms left, and the next wait is long again.
due_now() {
	ho_sysctl synack_timeout_ms 100
	ho_sysctl synack_timeout_ms 120000
}

resend_all() {
	due_now
	wait_for 600 is -ge $((sent + entries)) ho_stat synack_retrans
}

drop_all() {
	due_now
	wait_for 600 is -eq 0 ho_stat entries
}

ho_sysctl synack_timeout_ms 120000
watched sleep 3
idle=$(longest)
check_num "machine_has_no_stall_of_its_own" "$idle" -lt $((limit_us / 2))
flood 80 $count 0 | sed 's/^/# /'
entries=$(half_open)
# of a million random sources some meet
check_num "all_are_in_the_table" $((entries + $(ho_stat oow_ack) +
    $(ho_stat oow_ignored) + $(ho_stat syn_dup))) -eq $count

# a large table takes longer to fill than the longest wait
sent=$(ho_stat synack_retrans)
watched resend_all
check_num "all_had_their_synack_again" \
    "$(ho_stat synack_retrans)" -ge $((sent + entries))
check_stall "no_stall_while_it_was_sent"
check_num "none_was_dropped" "$(half_open)" -eq "$entries"

ho_sysctl synack_retries 1
watched drop_all
check_num "all_are_dropped" "$(ho_stat expired)" -eq "$entries"
check_stall "no_stall_while_they_were"
finish
