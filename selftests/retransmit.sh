#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 600
# rows: B-33
#
# A SYN that is never acknowledged: SYN-ACKs at 0, 1, 3, 7, 15, 31 s, gone at 63 s;
# other waits and counts by sysctl; fewer of them when the table is half full.
. "${0%/*}/lib.sh"
setup
start_server -6 0 -p 80 || exit 1

# synack_times SECONDS [ADDRESS]: one SYN; prints when its SYN-ACKs came, in ms.
synack_times() {
	cat >"$tmp/times.py" <<-END
	from seg import Peer
	p = Peer(dst="${2:-$srv4}")
	p.syn()
	start = p.sent[0][0]
	print(" ".join("%d" % round((s.time - start) * 1000)
		       for s in p.collect($1) if s.is_synack()))
	END
	seg "$tmp/times.py"
}

# at_times NAME "MS..." "WANTED MS...": none more than 20 ms late, none early.
at_times() {
	echo "# $1: SYN-ACKs at $2 ms"
	if awk -v got="$2" -v want="$3" 'BEGIN {
		n = split(got, g)
		if (n != split(want, w))
			exit 1
		for (i = 1; i <= n; i++)
			if (g[i] < w[i] - 8 || g[i] > w[i] + 20)
				exit 1
	}'; then
		pass "$1"
	else
		fail "$1" "got $2, want $3"
	fi
}

at_times "ipv4_backs_off_to_31_s" "$(synack_times 62.8)" \
    "0 1000 3000 7000 15000 31000"
check_num "ipv4_lives_until_63_s" "$(half_open)" -eq 1
sleep 0.3
check_num "ipv4_is_gone_at_63_s" "$(half_open)" -eq 0
check_num "ipv4_is_counted_as_expired" "$(ho_stat expired)" -eq 1

at_times "ipv6_backs_off_to_31_s" "$(synack_times 62.8 "$srv6")" \
    "0 1000 3000 7000 15000 31000"
sleep 0.3
check_num "ipv6_is_gone_at_63_s" "$(half_open)" -eq 0

ho_sysctl synack_retries 2
at_times "retries_are_obeyed" "$(synack_times 8)" "0 1000 3000"
check_num "two_retries_last_7_s" "$(half_open)" -eq 0

ho_sysctl synack_timeout_ms 200
ho_sysctl synack_timeout_max_ms 500
ho_sysctl synack_retries 4
at_times "waits_are_obeyed" "$(synack_times 3)" "0 200 600 1100 1600"
check_num "lifetime_is_what_it_says" "$(ho_sysctl lifetime_ms)" -eq 2100

# A shorter wait holds for who waits already.
ho_sysctl synack_timeout_max_ms 60000
ho_sysctl synack_timeout_ms 30000
synack_times 0.2 >/dev/null
ho_sysctl synack_timeout_ms 1000
before=$(ho_stat synack_retrans)
sleep 1.1
check_num "shorter_wait_holds_at_once" \
    "$(($(ho_stat synack_retrans) - before))" -eq 1
wait_for 70 is -eq 0 half_open

# Half of the room is kept for the young (P-40).
ho_sysctl synack_retries 5
ho_sysctl max_backlog 100
flood 80 50 0 -s 1 >/dev/null
sleep 9
check_num "old_ones_stay_while_half_is_free" "$(half_open)" -eq 50
flood 80 40 0 -s 2 >/dev/null
before=$(ho_stat expired)
wait_for 10 is -le 50 half_open
check_num "old_ones_go_first_when_it_is_not" \
    "$(($(ho_stat expired) - before))" -ge 40
check_num "and_no_more_than_needed" "$(half_open)" -ge 40
finish
