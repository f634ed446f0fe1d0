#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 600
#
# Somebody sets the clock, by a day forth and two back, while connections are half
# open: they are answered again and expire on time, cookies are still good.
. "${0%/*}/lib.sh"
setup
start_server -6 0 -p 80 -p 81 -b 1024 || exit 1

accepted() {
	grep -c '^accepted' "$tmp/server"
}

# jump SECONDS
jump() {
	date -s "@$(($(date +%s) + $1))" >/dev/null
}

# tenths of seconds after $start
sleep_until() {
	local left=$(((start * 10 + $1) - $(now_ms) / 100))
	[ $left -le 0 ] || sleep "$((left / 10)).$((left % 10))"
}

day=86400
# eight programs start until then
start=$(($(now_ms) / 1000 + 20 * ${HO_SLOW:-1}))
booted=$(($(date +%s) - $(now_ms) / 1000))
waves=

# wave NAME PREFIX AFTER [ACK_AFTER [PORT]]: seconds
wave() {
	local name="$1" prefix="$2" at=$((start + $3))
	shift 3
	[ $# -eq 0 ] || { at="$at $((start + $1))"; shift; }
	# shellcheck disable=SC2086 # one time or two
	seg_exec "$tools/waves.py" "$prefix" 10 $at "$@" \
	    >"$tmp/$name" 2>&1 &
	waves="$waves $!"
}

wave ipv4 203.0.1. 0
wave ipv6 2001:db9:1:: 0
# before the first jump, before the second, before the third
wave forth 203.0.2. 4 6
wave back 203.0.3. 9 11
wave forth_again 203.0.4. 18 20
wave late 203.0.5. 12
# by cookie: when there is no room for entries, no wave is due
wave cookies_forth 203.0.6. 2 6 81
wave cookies_back 2001:db9:6:: 2 11 81

sleep_until 16
ho_sysctl max_port_backlog 0
sleep_until 24
ho_sysctl max_port_backlog 49152
check_num "some_have_cookies" "$(ho_stat cookie_sent)" -eq 20
sleep_until 50
jump $day
sleep_until 100
jump $((-2 * day))
sleep_until 190
jump $day
check_num "the_clock_is_right_again" \
    $(($(date +%s) - $(now_ms) / 1000 - booted)) -le 2
sleep_until 625
check_num "entries_live_for_63_s" "$(half_open)" -eq 30
sleep_until 645
check_num "and_no_longer" "$(half_open)" -eq 10
sleep_until 765
check_num "those_from_between_the_jumps_neither" "$(half_open)" -eq 0
# shellcheck disable=SC2086 # one word per process
wait $waves
for said in ipv4 ipv6 forth back forth_again late cookies_forth cookies_back; do
	check_str "$said: synacks_are_on_time" "$(tail -n 1 "$tmp/$said")" \
	    "10 of 10 on time"
done
check_num "handshakes_across_jumps_are_completed" "$(accepted)" -eq 50
check_num "each_that_never_answered_expired" "$(ho_stat expired)" -eq 30

# The minute of the day is a part of a key that is shared: its cookies are of their
# time, and the next ones are good.
ho_sysctl cookie_key 00112233445566778899aabbccddeeff
ho_sysctl max_port_backlog 0
before=$(accepted)
start=$(($(now_ms) / 1000 + 4 * ${HO_SLOW:-1}))
waves=
wave shared 203.0.7. 0 3 81
wave shared_later 203.0.8. 4 5 81
sleep_until 15
jump $day
# shellcheck disable=SC2086
wait $waves
check_str "shared_key: cookies_of_another_day_are_refused" \
    "$(tail -n 1 "$tmp/shared")" "0 of 10 on time"
check_str "shared_key: those_of_today_are_good" \
    "$(tail -n 1 "$tmp/shared_later")" "10 of 10 on time"
check_num "shared_key: as_the_server_says" $(($(accepted) - before)) -eq 10
jump -$day
finish
