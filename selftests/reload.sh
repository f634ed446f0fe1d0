#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# insmod, flood, rmmod, 20 times, while a transfer that was established before
# keeps going.
. "${0%/*}/lib.sh"
cycles=20
setup
start_nginx || exit 1
module_unload

dd if=/dev/urandom of="$tmp/www/file" bs=1M count=64 2>/dev/null
ip netns exec "$cli" curl -s -N -o "$tmp/got" \
    "http://$srv4:$http_port/slow/file" &
transfer=$!
wait_for 10 test -s "$tmp/got" || exit 1

flood $http_port 0 1500 >/dev/null &
flood_pid=$!

# One life of the module; says what went wrong.
cycle() {
	module_load || { echo "insmod failed"; return 1; }
	arm_oracle
	wait_for 10 is -gt 100 half_open || { echo "no entries"; return 1; }
	[ "$(fetch 2 "http://$srv4:$http_port/")" -eq 2 ] ||
		{ echo "clients fail"; return 1; }
	[ "$(ho_stat verify_diff)" -eq 0 ] ||
		{ echo "SYN-ACK differs"; return 1; }
	rmmod halfopen || { echo "rmmod failed"; return 1; }
}

size() {
	stat -c %s "$tmp/got"
}

grown() {
	[ "$(size)" -gt "$last" ]
}

# The server sends once a second, so a cycle may be faster than the transfer.
done=0
stalls=0
while [ $done -lt $cycles ]; do
	last=$(size)
	why=$(cycle) || break
	wait_for 5 grown || stalls=$((stalls + 1))
	done=$((done + 1))
done
if [ $done -eq $cycles ]; then
	pass "module_comes_and_goes_${cycles}_times_under_flood"
else
	fail "module_comes_and_goes_${cycles}_times_under_flood" \
	    "cycle $((done + 1)): $why"
fi
check "transfer_outlives_all_of_them" kill -0 $transfer
check_num "transfer_makes_progress_all_the_time" $stalls -eq 0

stop_floods
wait $flood_pid
kill $transfer
wait $transfer
check_str "transfer_is_intact" "$(sha256sum <"$tmp/got")" \
    "$(head -c "$(size)" "$tmp/www/file" | sha256sum)"
check_num "no_slab_of_the_module_is_left" \
    "$(grep -c halfopen /proc/slabinfo)" -eq 0
check "no_file_of_the_module_is_left" \
    test ! -e /proc/net/halfopen -a ! -e /proc/sys/net/halfopen
finish
