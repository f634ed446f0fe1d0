#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# rows: B-52
# timeout: 600
#
# A CPU goes and comes back while it has a flood to answer and timers of
# half-open connections to run: none outlives its time, no counter goes back,
# clients are served.
. "${0%/*}/lib.sh"
cycles=3
[ -z "${HO_LONG:-}" ] || cycles=50
cpu=/sys/devices/system/cpu/cpu1

[ -w $cpu/online ] || skip_all "CPU 1 cannot be taken away"
setup
start_nginx || exit 1
forget_time_wait
# 1 s, then 2 s: an entry lives for 3 s
ho_sysctl synack_retries 1
lifetime=3

# Who is on CPU 1 moves when it goes, and would stay away.
on_cpu_1() {
	taskset -p 2 "$1" >/dev/null
}

cpu_1() {
	echo "$1" >$cpu/online
}

online() {
	cat $cpu/online
}

# The row of CPU 1 and the sums of all columns but the gauge.
counters() {
	in_srv cat /proc/net/stat/halfopen /proc/net/stat/halfopen_overload |
		awk '$1 == "entries" { row = -1 }
		     { row++ }
		     row == 2 { for (i = 2; i <= NF; i++) print "0x" $i }'
	ho_stat syn_taken
	ho_stat synack_sent
	ho_stat expired
	ho_stat handover
}

# back BEFORE NOW: counters that are less now.
back() {
	local now="$2" value first back=0
	for value in $1; do
		first=${now%% *}
		now=${now#* }
		[ $((first)) -ge $((value)) ] || back=$((back + 1))
	done
	echo $back
}

served() {
	[ "$(fetch 5 "http://$srv4:$http_port/")" -eq 5 ] &&
		[ "$(fetch 5 "http://[$srv6]:$http_port6/")" -eq 5 ]
}

# How often there were more entries than SYNs since a time that is longer ago than
# an entry lives, by lines of "MS ENTRIES SYNS".
too_old() {
	awk -v life=$((lifetime * 1000 + 1000)) '
		{ ms[NR] = $1; syns[NR] = $3 }
		{
			for (i = NR; i > 0 && $1 - ms[i] < life; i--)
				;
			if (i && $2 > $3 - syns[i])
				bad++
		}
		END { print bad + 0 }' "$tmp/seen"
}

# Milliseconds until no entry is left.  wait_for() would look every half second in
# the end.
empty_after() {
	local start ms=0
	start=$(now_ms)
	while [ "$(half_open)" -gt 0 ] && [ $ms -lt 20000 ]; do
		sleep 0.05
		ms=$(($(now_ms) - start))
	done
	echo $ms
}

# --- a CPU with all the timers goes --------------------------------------------

in_cli taskset 2 "$tools/synflood" -i cli0 -m "$srv_mac" \
    -S $flood4 -d "$srv4" -p $http_port -n 2000 -r 0 >/dev/null
check "entries_of_one_cpu" wait_for 5 is -eq 2000 half_open
taken=$(in_srv awk 'NR == 3 { print "0x" $2 }' /proc/net/stat/halfopen)
check_num "cpu_1_took_them" $((taken)) -eq 2000
cpu_1 0
check_num "cpu_1_is_gone" "$(online)" -eq 0
ms=$(empty_after)
echo "# empty after $ms ms"
check_num "its_entries_expire_on_time" "$ms" -lt $((lifetime * 1000 + 500))
check_num "each_was_repeated_once" "$(ho_stat synack_retrans)" -eq 2000
check_num "each_expired" "$(ho_stat expired)" -eq 2000
check "clients_are_served_by_the_other" served
taken=$(in_srv awk 'NR == 3 { print "0x" $2 }' /proc/net/stat/halfopen)
check_num "counters_of_the_cpu_that_is_gone_are_shown" $((taken)) -eq 2000
cpu_1 1

# --- it comes and goes all the time --------------------------------------------

flood $http_port 0 500 >/dev/null &
floods=$!
flood_v6 $http_port6 0 250 >/dev/null &
floods="$floods $!"
wait_for 10 is -ge 500 half_open
done=0
backwards=0
unserved=0
before=$(counters | tr '\n' ' ')
while [ $done -lt $cycles ]; do
	for pid in $(flooders); do
		on_cpu_1 "$pid"
	done
	sleep 0.3
	for state in 0 1; do
		cpu_1 $state || break 2
		served || unserved=$((unserved + 1))
		now=$(counters | tr '\n' ' ')
		backwards=$((backwards + $(back "$before" "$now")))
		before=$now
		echo "$(now_ms) $(half_open) $(ho_stat syn_taken)" >>"$tmp/seen"
	done
	done=$((done + 1))
done
check_num "cpu_1_goes_and_comes_back_${cycles}_times" $done -eq $cycles
check_num "clients_are_served_all_the_time" $unserved -eq 0
check_num "no_counter_goes_back" $backwards -eq 0
check_num "no_entry_outlives_its_time" "$(too_old)" -eq 0

cpu_1 0
stop_floods
# shellcheck disable=SC2086 # one word per process
wait $floods
ms=$(empty_after)
echo "# empty after $ms ms"
check_num "the_last_ones_expire_on_time" "$ms" -lt $((lifetime * 1000 + 500))
check_num "none_is_lost_from_the_books" $(($(ho_stat syn_taken) - \
    $(ho_stat handover) - $(ho_stat expired) - $(ho_stat evicted))) -eq 0
check "module_unloads_without_the_cpu" rmmod halfopen
check "module_loads_without_the_cpu" module_load
arm_oracle
check "clients_are_served_by_the_next" served
cpu_1 1
check "clients_are_served_with_both" served
finish
