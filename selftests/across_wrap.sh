#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# rows: B-19 B-33
# vm: --icount
# timeout: 900
#
# Five minutes after boot jiffies wrap, as the kernel wants it tested.  Connections
# from before, of each retry level, are answered again and expire on time, and
# handshakes of all kinds are completed across it.  By its name the first of all
# tests: it has to be there in time.
. "${0%/*}/lib.sh"
wrap=300
[ "$(now_ms)" -lt $(((wrap - 75) * 1000)) ] ||
	skip_all "jiffies have wrapped: run this test first"
setup
start_server -6 0 -p 80 -p 81 -b 1024 || exit 1

accepted() {
	grep -c '^accepted' "$tmp/server"
}

# tenths of seconds after boot
sleep_until() {
	local left=$(($1 - $(now_ms) / 100))
	[ $left -le 0 ] || sleep "$((left / 10)).$((left % 10))"
}

# entries_from PREFIX
entries_from() {
	in_srv grep -cF "$1" /proc/net/halfopen
}

# wave SECONDS_BEFORE PREFIX
wave() {
	seg_exec "$tools/waves.py" "$2" 10 $((wrap - $1)) \
	    >"$tmp/wave$1" 2>&1 &
	waves="$waves $!"
}

# each COMMAND: with the seconds before the wrap and the prefix of each wave.
each() {
	"$1" 62 203.0.62.
	"$1" 40 2001:db9:40::
	"$1" 20 203.0.20.
	"$1" 8 2001:db9:8::
	"$1" 1 203.0.1.
	"$1" -3 203.0.3.
}

waves=
each wave

# Handshakes that take some seconds: with an entry, and by cookie.  When there is
# no room for entries, no wave is due.
seg_exec "$tools/waves.py" 203.0.200. 10 $((wrap - 2)) $((wrap + 2)) \
    >"$tmp/entries" 2>&1 &
waves="$waves $!"
seg_exec "$tools/waves.py" 203.0.201. 10 $((wrap - 5)).5 $((wrap + 3)) 81 \
    >"$tmp/cookies" 2>&1 &
waves="$waves $!"

sleep_until $((wrap * 10 - 65))
check_num "waves_before_the_wrap_are_there" "$(half_open)" -eq 40
# no SYN-ACK of theirs is due for a second
sleep_until $((wrap * 10 - 48))
ho_sysctl max_port_backlog 0
sleep_until $((wrap * 10 - 38))
ho_sysctl max_port_backlog 49152
check_num "some_have_cookies_instead" "$(ho_stat cookie_sent)" -eq 10
check_num "no_entry_is_theirs" "$(entries_from 203.0.201.)" -eq 0

# gone SECONDS_BEFORE PREFIX: 63 s after its SYNs, and no sooner.
gone() {
	local due=$(((wrap - $1 + 63) * 10))
	sleep_until $((due - 5))
	check_num "from $1 s before: entries_live_for_63_s" \
	    "$(entries_from "$2")" -eq 10
	sleep_until $((due + 15))
	check_num "from $1 s before: and_no_longer" \
	    "$(entries_from "$2")" -eq 0
}

each gone
# shellcheck disable=SC2086 # one word per process
wait $waves
check_num "handshakes_across_the_wrap_are_completed" "$(accepted)" -eq 20
for said in wave62 wave40 wave20 wave8 wave1 wave-3 entries cookies; do
	check_str "$said: synacks_are_on_time" "$(tail -n 1 "$tmp/$said")" \
	    "10 of 10 on time"
done
check_num "nothing_is_left" "$(half_open)" -eq 0
finish
