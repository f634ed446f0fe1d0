#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
#
# Mode 0 costs nothing: the hooks go, once nobody depends on them, and come back
# with the mode.  A hook that is there counts what it leaves to the stack.
. "${0%/*}/lib.sh"
setup
start_server -p 80 || exit 1
key=00112233445566778899aabbccddeeff

# hooked: a SYN that is not taken is seen.
hooked() {
	local before
	before=$(ho_stat declined_mode)
	# one that the stack does not know yet
	flood 80 1 0 -s "$(now_ms)" >/dev/null
	[ "$(ho_stat declined_mode)" -gt "$before" ]
}

unhooked() {
	! hooked
}

# over_mode_0 NAME FIRST: who began before mode 0 ends well, twice as long after it as
# the hooks would stay for nobody.
over_mode_0() {
	mkfifo "$tmp/go"
	seg "$tools/halfway.py" 4 80 10 "$2" <"$tmp/go" >"$tmp/peers" 2>&1 &
	exec 9>"$tmp/go"
	if ! wait_for 20 grep -q half-open "$tmp/peers"; then
		cat "$tmp/peers" >&2
		exit 1
	fi
	ho_sysctl mode 0
	sleep 12
	check "$1_hooks_stay_for_them" hooked
	echo go >&9
	wait_for 20 grep -q answered "$tmp/peers"
	check_str "$1_all_are_served" "$(tail -n 1 "$tmp/peers")" "answered 10"
	exec 9>&-
	rm "$tmp/go"
}

over_mode_0 entries 20000
check "hooks_go_with_the_last_entry" wait_for 20 unhooked
handed=$(ho_stat handover)
check "clients_connect_without_them" \
    in_cli "$tools/clients" $srv4 80 20 1 3000
check_num "and_are_the_stacks" $(($(ho_stat handover) - handed)) -eq 0

ho_sysctl cookie_key $key
check "a_shared_key_brings_them_back" hooked
sleep 12
check "and_keeps_them" hooked
ho_sysctl cookie_key auto
check "they_go_when_it_is_not_shared" wait_for 20 unhooked

ho_sysctl mode 1
taken=$(ho_stat syn_taken)
flood 80 20 0 -s 2 >/dev/null
check_num "mode_1_has_them_at_once" $(($(ho_stat syn_taken) - taken)) -eq 20

ho_sysctl max_backlog 0
over_mode_0 cookies 21000
check_num "they_came_by_cookie" "$(ho_stat cookie_accepted)" -eq 10
check "hooks_stay_while_a_cookie_is_good" hooked
check "hooks_go_with_the_last_cookie" wait_for 180 unhooked

# Under a flood that never ends, with and without somebody who needs them.
ho_sysctl max_backlog 65536
ho_sysctl synack_retries 0
ho_sysctl synack_timeout_ms 100
flood 80 4500 300 -s 3 >/dev/null &
for i in 1 2; do
	ho_sysctl mode 0
	sleep 7
	ho_sysctl mode 1
	taken=$(ho_stat syn_taken)
	check "flood_$i: mode_1_takes_syns" \
	    wait_for 5 is -gt "$taken" ho_stat syn_taken
done
wait $!
for i in $(seq 50); do
	ho_sysctl mode 0
	ho_sysctl mode 1
done
taken=$(ho_stat syn_taken)
flood 80 20 0 -s 4 >/dev/null
check_num "changed_at_once_they_stay" $(($(ho_stat syn_taken) - taken)) -eq 20
ho_sysctl mode 0
check "they_go_in_the_end" wait_for 20 unhooked
finish
