#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# timeout: 900
# rows: B-35
#
# Spoofed sources belong to somebody: how many SYN-ACKs they are sent under
# pressure and from the budget of their network.  A full table drops who has
# had a timeout for who comes new, and who was dropped still gets in.
. "${0%/*}/lib.sh"
setup
srv_write core/somaxconn 4096
start_server -6 0 -p 80 -b 4096 || exit 1

# crowd PREFIX COUNT: python for that crowd from the standard input.
crowd() {
	{
		echo "import time"
		echo "from crowd import Crowd"
		echo "c = Crowd('$1', $2)"
		cat
	} >"$tmp/script.py"
	seg "$tmp/script.py"
}

# empty: a shorter wait holds at once.
empty() {
	local retries wait
	retries=$(ho_sysctl synack_retries)
	wait=$(ho_sysctl synack_timeout_ms)
	ho_sysctl synack_retries 0
	ho_sysctl synack_timeout_ms 100
	wait_for 10 is -eq 0 half_open
	ho_sysctl synack_retries "$retries"
	ho_sysctl synack_timeout_ms "$wait"
}

# --- how many SYN-ACKs a SYN may cause ----------------------------------------

# schedules PREFIX: in whole seconds, when SYN-ACKs come in a whole lifetime,
# one line for each way in which that was.
schedules() {
	crowd "$1" 5 <<-END
	c.syns()
	c.watch(64)
	for times in {tuple(map(round, t)) for t in c.seen.values()}:
	    print(*times)
	END
}

# under_pressure NAME FLOOD "SECONDS..." HELD: with FLOOD entries of 1000; HELD
# SYN-ACKs of each entry are not sent.
under_pressure() {
	local name="$1" count="$2" want="$3" held="$4" prefix before
	for prefix in 203.0.113. 2001:db9::; do
		before=$(ho_stat resend_pressure)
		flood 80 "$count" 0 -s 1 >/dev/null
		check_str "$name: synacks_at_seconds_to_$prefix" \
		    "$(schedules $prefix)" "$want"
		check_num "$name: the_others_are_counted_$prefix" \
		    "$(($(ho_stat resend_pressure) - before))" -eq \
		    $((held * (count + 5)))
		check_num "$name: entries_live_their_time_$prefix" \
		    "$(half_open)" -eq 0
	done
}

# Below half of the room, where old entries do not leave early (P-40).
ho_sysctl max_backlog 1000
ho_sysctl pressure_low_pct 20
ho_sysctl pressure_high_pct 40
under_pressure "below_the_low_mark" 150 "0 1 3 7 15 31" 0
under_pressure "above_the_low_mark" 300 "0 1 3" 3
under_pressure "above_the_high_mark" 450 "0" 5
ho_sysctl max_backlog 65536
ho_sysctl max_port_backlog 1000
under_pressure "above_the_high_mark_of_the_port" 450 "0" 5
ho_sysctl max_port_backlog 49152
ho_sysctl pressure_high_pct 75
ho_sysctl pressure_low_pct 50

# --- the budget of a source ---------------------------------------------------

# Nothing is sent again meanwhile.
ho_sysctl synack_timeout_ms 60000
ho_sysctl synack_retries 0
ho_sysctl source_synack_rate 10
forgone=$(ho_stat synack_budget)
answered=$(crowd 203.0.113. 100 <<-END
c.syns()
other = Crowd('203.0.114.', 20)
other.syns()
c.watch(0.2)
print(c.synacks())
other.watch(0)
print(other.synacks())
END
)
first=$(echo "$answered" | head -n 1)
check_num "prefix_has_4_seconds_of_its_rate_at_once" "$first" -ge 40
check_num "prefix_has_not_more" "$first" -le 43
check_num "who_gets_none_is_counted" \
    "$(($(ho_stat synack_budget) - forgone))" -eq $((100 - first))
check_num "who_gets_none_has_no_entry" "$(half_open)" -eq $((first + 20))
check_num "another_prefix_is_not_affected" \
    "$(echo "$answered" | tail -n 1)" -eq 20
empty

# Full again.
sleep 5
refilled=$(crowd 203.0.113. 60 <<-END
c.syns()
c.watch(2.05)
before = c.synacks()
late = Crowd('203.0.113.', 100, port=30000)
late.syns()
late.watch(0.1)
print(late.synacks())
END
)
check_num "budget_refills_with_time" "$refilled" -ge 18
check_num "at_its_rate" "$refilled" -le 26
empty

sleep 5
ho_sysctl source_synack_rate 1
repeated=$(crowd 203.0.113. 20 <<-END
for i in range(20):
    c.syns()
    c.watch(0.55)
print(c.synacks())
END
)
check_num "repeated_syns_are_charged" "$repeated" -le 17
check_num "but_answered_as_the_budget_allows" "$repeated" -ge 12
empty
ho_sysctl source_synack_rate 10
ho_sysctl synack_timeout_ms 1000
ho_sysctl synack_retries 5

sleep 5
held=$(ho_stat resend_budget)
resent=$(crowd 203.0.113. 40 <<-END
c.syns()
c.watch(2)
print(c.synacks() - 40)
END
)
check_num "resent_synacks_are_charged" "$resent" -le 12
check_num "who_is_not_sent_one_again_is_counted" \
    "$(($(ho_stat resend_budget) - held))" -eq $((40 - resent))
check_num "and_stays" "$(half_open)" -eq 40
empty

stop_server
start_nginx || exit 1
forget_time_wait
forgone=$(ho_stat synack_budget)
in_cli "$tools/clients" "$srv4" "$http_port" 100 4 3000 | tail -n 1 \
    >"$tmp/total"
check_str "completed_connections_give_it_back" \
    "$(cut -d ' ' -f 2,3 "$tmp/total")" "400 0"
# p99 of the connect times
check "none_has_to_try_again" \
    awk '{ exit !($5 < 900) }' "$tmp/total"
check_num "none_exceeds_the_budget" \
    "$(($(ho_stat synack_budget) - forgone))" -eq 0
ho_sysctl max_backlog 0
in_cli "$tools/clients" "$srv4" "$http_port" 100 4 3000 | tail -n 1 \
    >"$tmp/total"
check_str "so_do_those_by_cookie" \
    "$(cut -d ' ' -f 2,3 "$tmp/total")" "400 0"
check_num "none_of_which_exceeds_the_budget" \
    "$(($(ho_stat synack_budget) - forgone))" -eq 0
ho_sysctl source_synack_rate 0

# --- eviction -----------------------------------------------------------------

ho_sysctl max_backlog 500
evicted=$(ho_stat evicted)
cookies=$(ho_stat cookie_backlog)
accepted=$(ho_stat cookie_accepted)
handover=$(ho_stat handover)
answers=$(crowd 203.0.113. 500 <<-END
c.syns()
c.watch(1.5)
late = Crowd('203.0.114.', 100)
late.syns()
late.watch(0.2)
print(late.answered())
c.acks()
c.watch(0.5)
print(len(c.resets))
late.acks()
late.watch(0.5)
print(len(late.resets))
END
)
check_str "old_entries_make_room_and_nobody_is_reset" \
    "$(echo "$answers" | tr '\n' ' ')" "100 0 0 "
check_num "one_for_each_new_syn" $(($(ho_stat evicted) - evicted)) -eq 100
check_num "new_ones_need_no_cookie" \
    $(($(ho_stat cookie_backlog) - cookies)) -eq 0
check_num "who_was_evicted_completes_by_cookie" \
    $(($(ho_stat cookie_accepted) - accepted)) -eq 100
check_num "everybody_else_by_entry" \
    $(($(ho_stat handover) - handover)) -eq 500
check_num "nothing_is_left" "$(half_open)" -eq 0

evicted=$(ho_stat evicted)
cookies=$(ho_stat cookie_backlog)
flood $http_port 500 0 -s 1 >/dev/null
flood $http_port 100 0 -s 2 >/dev/null
check_num "young_entries_are_not_evicted" \
    $(($(ho_stat evicted) - evicted)) -eq 0
check_num "excess_is_answered_by_cookie_instead" \
    $(($(ho_stat cookie_backlog) - cookies)) -eq 100
check_num "table_stays_full" "$(half_open)" -eq 500
empty

# Whose cookie would forget ECN is not evicted.
evicted=$(ho_stat evicted)
crowd 203.0.113. 500 <<-END
from seg import CWR, ECE, MSS, SYN
c.syns(opts=MSS(1460), flags=SYN | ECE | CWR)
c.watch(1.5)
END
flood $http_port 50 0 -s 3 >/dev/null
check_num "who_would_lose_ecn_is_not_evicted" \
    $(($(ho_stat evicted) - evicted)) -eq 0
empty

# A port at its limit takes from itself alone.
ho_sysctl max_backlog 65536
ho_sysctl max_port_backlog 500
flood $http_port 500 0 -s 4 >/dev/null
flood_v6 $http_port6 300 0 -s 5 >/dev/null
sleep 1.5
evicted=$(ho_stat evicted)
flood $http_port 100 0 -s 6 >/dev/null
check_num "port_at_its_limit_evicts" \
    $(($(ho_stat evicted) - evicted)) -eq 100
check_num "and_keeps_to_it" \
    "$(in_srv grep -c ":$http_port [0-9]" /proc/net/halfopen)" -eq 500
check_num "entries_of_another_port_stay" \
    "$(in_srv grep -c ":$http_port6 \[" /proc/net/halfopen)" -eq 300
finish
