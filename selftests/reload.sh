#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# rows: B-30 B-46 B-50
# timeout: 10000
#
# insmod, flood, rmmod, over and over, while a transfer that was established before
# keeps going and everything else changes, too: sysctls, rules that track
# connections or hold packets for a program, readers of every file, tracepoints.
# Nothing of it is left at the end.
. "${0%/*}/lib.sh"
cycles=8
[ -z "${HO_LONG:-}" ] || cycles=500

# What an earlier test left: a connection whose peer is gone keeps its own for
# minutes, natively as well.
net_namespaces=$(slab_objects net_namespace)
setup
start_nginx || exit 1
module_unload
modprobe -a nf_conntrack nf_tables nft_ct nft_queue nfnetlink_queue || exit 1
events=/sys/kernel/tracing/events/halfopen

# Between two modules the flood is the stack's, which should forget it soon.
srv_write ipv4/tcp_synack_retries 0
srv_write netfilter/nf_conntrack_tcp_timeout_syn_recv 1
forget_time_wait

# When a hook goes, the kernel drops what programs hold, and warns of each packet
# that waits at a later index than the hooks have now (6.1.192, 6.12.117): these
# stay behind all the others.
padding() {
	local hook i
	echo "table inet padding {"
	for hook in input output; do
		for i in 1 2 3 4; do
			echo "chain $hook$i { type filter hook $hook" \
			    "priority 2147483647; }"
		done
	done
	echo "}"
}

cat >"$tmp/rules" <<'END'
table inet churn {
	chain in {
		type filter hook input priority filter
		ct state new counter
		ct state established counter
		ip saddr 198.18.0.0/20 queue num 7
	}
	chain late {
		type filter hook input priority 2147483646
		ip saddr 198.18.16.0/20 queue num 8
	}
	chain out {
		type filter hook output priority filter
		ct state new counter
		ct state established counter
		ip daddr 198.18.32.0/20 queue num 7
	}
}
END

# --- what changes -------------------------------------------------------------

# All of these end with $tmp/churning.

knob_values="mode 0 2 1
max_backlog 0 1 4194304 65536
max_port_backlog 0 1 4194304 49152
max_source_backlog 0 1 4194304 4096
source_prefix_v4 0 32 24
source_prefix_v6 0 128 64
source_synack_rate 0 1 1000000 2000
pressure_low_pct 1 75 50
pressure_high_pct 50 100 75
max_memory_bytes 0 2147483647 16777216
host_memory_bytes 0 2147483647 268435456
cookie_key 00112233445566778899aabbccddeeff auto
synack_retries 0 15 5
synack_timeout_ms 100 120000 1000
synack_timeout_max_ms 100 120000
verify_synack 0 1"

# shellcheck disable=SC2016
write_knobs() {
	echo "$knob_values" | in_srv bash -c '
		while read -r name values; do
			file=/proc/sys/net/halfopen/$name
			for value in $values; do
				[ ! -e "$file" ] || echo "$value" >"$file"
			done
			sleep 0.1
		done' 2>/dev/null
	for value in 0 2147483647 268435456; do
		file=/proc/sys/net/halfopen/host_memory_bytes
		[ ! -e "$file" ] || bash -c "echo $value >$file" 2>/dev/null
	done
}

change_knobs() {
	while [ -e "$tmp/churning" ]; do
		write_knobs
	done
}

change_rules() {
	while [ -e "$tmp/churning" ]; do
		in_srv nft -f "$tmp/rules"
		sleep 0.4
		in_srv nft delete table inet churn
		sleep 0.2
	done
}

# The module goes while a file is open, half read, or somebody's directory.
# shellcheck disable=SC2016
read_files() {
	while [ -e "$tmp/churning" ]; do
		in_srv bash -c '
			cd /proc/sys/net/halfopen
			exec 9</proc/net/halfopen
			read -r -u 9 line
			cat /proc/net/halfopen_* /proc/net/stat/halfopen*
			sleep 0.4
			cat <&9
			cat mode' >/dev/null 2>&1
	done
}

cat >"$tmp/hold.py" <<'END'
import os
import sys
from nfnetlink import Queue

queues = [Queue(7), Queue(8)]
held = 0
print("listening", flush=True)
while os.path.exists(sys.argv[1]):
    for q in queues:
        try:
            held += q.receive(0.15)
            q.release()
        except FileNotFoundError:
            pass            # dropped with its rule, or with the module
print("held", held)
END

hold_packets() {
	in_srv env PYTHONPATH="$tools" python3 -B -S "$tmp/hold.py" \
	    "$tmp/churning" >"$tmp/held" 2>&1
}

# --- what must go on ----------------------------------------------------------

dd if=/dev/urandom of="$tmp/www/file" bs=1M count=16 2>/dev/null
size_of_all=$((16 << 20))

begin_transfer() {
	: >"$tmp/got"
	ip netns exec "$cli" curl -s -N -o "$tmp/got" \
	    "http://$srv4:$http_port/slow/file" &
	transfer=$!
	wait_for 10 test -s "$tmp/got"
}

size() {
	stat -c %s "$tmp/got"
}

grown() {
	[ "$(size)" -gt "$last" ]
}

got_is_intact() {
	head -c "$(size)" "$tmp/www/file" | cmp - "$tmp/got"
}

# A client in mid-handshake may meet a rule or a key that has just gone.
served() {
	[ "$(fetch 2 "http://$srv4:$http_port/")" -eq 2 ] && return
	echo x >>"$tmp/again"
	[ "$(fetch 2 "http://$srv4:$http_port/")" -eq 2 ]
}

# One life of the module; says what went wrong.
cycle() {
	module_load || { echo "insmod failed"; return 1; }
	arm_oracle
	# a kernel of our own may have no tracing
	[ $((done % 2)) -eq 0 ] || [ ! -e $events ] || echo 1 >$events/enable
	wait_for 10 is -gt 100 half_open || { echo "no entries"; return 1; }
	served || { echo "clients fail"; return 1; }
	[ "$(ho_stat verify_diff)" -eq 0 ] ||
		{ echo "SYN-ACK differs"; return 1; }
	rmmod halfopen || { echo "rmmod failed"; return 1; }
}

conntrack_users() {
	cat /sys/module/nf_conntrack/refcnt
}

# The first run of everything allocates what stays.
forget_all() {
	in_srv env PYTHONPATH="$tools" \
	    python3 -B -S "$tools/nfnetlink.py" flush
}

padding | in_srv nft -f - || exit 1
fetch 2 "http://$srv4:$http_port/" >/dev/null
in_srv nft -f "$tmp/rules" && in_srv nft delete table inet churn || exit 1
forget_all
users=$(conntrack_users)
slab_counts >"$tmp/slabs"

begin_transfer || exit 1
flood $http_port 0 1000 >/dev/null &
flood_pid=$!
: >"$tmp/again"
touch "$tmp/churning"
hold_packets &
churn=$!
wait_for 10 grep -q listening "$tmp/held" || exit 1
change_knobs &
churn="$churn $!"
change_rules &
churn="$churn $!"
read_files &
churn="$churn $!"

# The server sends once a second, so a cycle may be faster than the transfer.
done=0
stalls=0
broken=0
while [ $done -lt $cycles ]; do
	last=$(size)
	if [ "$last" -eq $size_of_all ]; then
		wait $transfer
		got_is_intact || broken=$((broken + 1))
		begin_transfer || stalls=$((stalls + 1))
		last=0
	fi
	why=$(cycle) || break
	wait_for 5 grown || [ "$(size)" -eq $size_of_all ] ||
		stalls=$((stalls + 1))
	done=$((done + 1))
done
if [ $done -eq $cycles ]; then
	pass "module_comes_and_goes_${cycles}_times_under_flood"
else
	fail "module_comes_and_goes_${cycles}_times_under_flood" \
	    "cycle $((done + 1)): $why"
fi
again=$(wc -l <"$tmp/again")
echo "# $again of $((2 * done)) clients tried again"
check_num "hardly_a_client_tries_again" "$again" -le $((1 + cycles / 50))
check_num "transfer_makes_progress_all_the_time" $stalls -eq 0

# --- nothing is left ----------------------------------------------------------

rm "$tmp/churning"
# shellcheck disable=SC2086 # one word per process
wait $churn
stop_floods
wait $flood_pid
kill $transfer 2>/dev/null
wait $transfer
got_is_intact || broken=$((broken + 1))
check_num "transfers_are_intact" $broken -eq 0
check_num "packets_were_held" "$(awk '$1 == "held" { print $2 }' "$tmp/held")" \
    -ge $cycles

check_num "no_slab_of_the_module_is_left" \
    "$(grep -c halfopen /proc/slabinfo)" -eq 0
check "no_file_of_the_module_is_left" \
    test ! -e /proc/net/halfopen -a ! -e /proc/sys/net/halfopen
check "no_tracepoint_is_left" test ! -e $events
forget_all
check_num "conntrack_has_as_many_users_as_before" \
    "$(conntrack_users)" -eq "$users"
check_slabs "slabs_are_back_to_the_start" "$tmp/slabs" 32

module_load && arm_oracle
check_num "the_next_one_serves" "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
check_num "nobody_uses_it" "$(cat /sys/module/halfopen/refcnt)" -eq 0
check_oracle
del_namespace "$srv"
del_namespace "$cli"
namespaces=
srv=
# The transfer that was killed may keep the server's for as long.
# Since 6.18 a CPU keeps some free objects, which count as used.
spare=0
[ ! -e /sys/kernel/slab/net_namespace/sheaf_capacity ] || spare=32
check "namespaces_are_freed" \
    wait_for 30 is -le $((net_namespaces + 1 + spare)) \
    slab_objects net_namespace
finish
