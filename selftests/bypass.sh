#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# rows: P-59 P-60 P-61 P-80 O-28
# timeout: 900
#
# What a SYN needs of the stack itself an attacker can put into a flood.  It is
# no way round halfopen: whatever its SYNs carry, and whatever the listener
# speaks, all plain clients connect.  SYN cookies are off, so it is not
# they who help: without halfopen not one client connects, except where the
# stack drops or resets the flood's SYNs before it queues them: those signed for
# nobody or wrongly, and those that join an MPTCP connection that is not there.
. "${0%/*}/lib.sh"

rate=2500		# SYNs a second
count=4000
clients=50
per_second=50
if [ -n "${HO_LONG:-}" ]; then
	rate=5000
	count=20000
	clients=100
fi
keyed4=198.51.100.99	# shares an MD5 key with one of the listeners

# TCP options.
md5=1312$(printf '%032d' 0)
ao=1d100101$(printf '%024d' 0)
mp_capable=1e040181
mp_join=1e0c1001$(printf '%016d' 0)
smc=fe06e2d4c3d9
cookie_request=2202
cookie=220a0123456789abcdef
old_cookie=fe0cf9890123456789abcdef
# IPv4 options: record route, timestamps, a loose source route that is at its
# end; IPv6: router alert hop by hop, padding for the destination.
record_route=070704$(printf '%08d' 0)
timestamps=440c0500$(printf '%016d' 0)
source_route=830708$(printf '%08d' 0)
hop_by_hop=0005020000
destination=3c
# TCP flags.
ecn=c0
accecn=1c0

setup
forget_time_wait
srv_write ipv4/tcp_syncookies 0
srv_write ipv4/tcp_max_syn_backlog 256
# No queue is kept for peers of whom the kernel knows something.
srv_write ipv4/tcp_no_metrics_save 1
srv_write ipv4/tcp_fastopen 3
srv_write ipv4/conf/all/accept_source_route 1
# Each flood meets an empty table.
ho_sysctl synack_retries 0

# listen_on PORT OPTION...
listen_on() {
	local port="$1"
	shift
	ip netns exec "$srv" "$tools/tcpserver" -w -p "$port" "$@" \
	    >"$tmp/server-$port" 2>&1 &
	wait_for 20 listening "$port" || {
		fail "listens_on_$port" "$(cat "$tmp/server-$port")"
		finish
	}
}

plain=90
plain6=91
keyed=92
mptcp=93
smc_port=94
fastopen=95
save_syn=96
long=99
device=97
pktinfo6=98
listen_on $plain
listen_on $plain6 -6 1
listen_on $keyed -M $keyed4
listen_on $mptcp -P mptcp
listen_on $smc_port -P smc
listen_on $fastopen -f 64
listen_on $save_syn -S
listen_on $long -S -b 4096
listen_on $device -D srv0
listen_on $pktinfo6 -6 1 -I
seed=0
timeout=3000

received() {
	in_srv awk '$1 == "srv0:" { print $3 }' /proc/net/dev
}

# flooded PORT OPTION...: clients while the flood goes on, which is past its
# beginning.  Sets connected ("OK FAILED"), lasts and sent.
flooded() {
	local port="$1" addr=$srv4 flood=flood before flood_pid
	shift
	case $port in
	"$plain6" | "$pktinfo6")
		addr=$srv6
		flood=flood_v6
		;;
	esac
	seed=$((seed + 1))
	before=$(received)
	"$flood" "$port" $count $rate -s $seed "$@" >"$tmp/flood" &
	flood_pid=$!
	wait_for 5 is -ge $((before + count / 10)) received
	connected=$(in_cli "$tools/clients" "$addr" "$port" $per_second \
	    $((clients / per_second)) "$timeout" |
		sed -n 's/^total \([0-9]* [0-9]*\) .*/\1/p')
	kill -0 $flood_pid 2>/dev/null && lasts=y || lasts=
	wait $flood_pid
	sent=$(sed -n 's/^sent \([0-9]*\) .*/\1/p' "$tmp/flood")
}

# bypass NAME PORT OPTION...
bypass() {
	local name="$1"
	shift
	flooded "$@"
	check_str "${name}_leaves_room_for_all" "$connected" "$clients 0"
	check_str "${name}_goes_on_meanwhile" "$lasts $sent" "y $count"
}

# Options of a SYN to listeners that do not know them.
bypass md5_to_plain $plain -x "$md5"
bypass ao_to_plain $plain -x "$ao"
bypass mp_capable_to_plain $plain -x "$mp_capable"
bypass mp_join_to_plain $plain -x "$mp_join"
bypass smc_to_plain $plain -x "$smc"
bypass cookie_request_to_plain $plain -x "$cookie_request"
bypass cookie_and_data_to_plain $plain -x "$cookie" -D 100
bypass old_cookie_to_plain $plain -x "$old_cookie"
bypass data_to_plain $plain -D 100
bypass ecn_to_plain $plain -f $ecn
bypass accecn_to_plain $plain -f $accecn
bypass record_route_to_plain $plain -I "$record_route"
bypass timestamps_to_plain $plain -I "$timestamps"
bypass source_route_to_plain $plain -I "$source_route"
bypass hop_by_hop_to_plain $plain6 -I "$hop_by_hop"
bypass destination_to_plain $plain6 -I "$destination"

# ... and to listeners that do.
bypass syns_to_keyed $keyed
bypass md5_to_keyed $keyed -x "$md5"
bypass peers_syns_to_keyed $keyed -S $keyed4/32
bypass peers_md5_to_keyed $keyed -S $keyed4/32 -x "$md5"
bypass syns_to_mptcp $mptcp
bypass mp_capable_to_mptcp $mptcp -x "$mp_capable"
bypass mp_join_to_mptcp $mptcp -x "$mp_join"
bypass syns_to_smc $smc_port
bypass smc_to_smc $smc_port -x "$smc"
bypass cookie_request_to_fastopen $fastopen -x "$cookie_request"
bypass cookie_and_data_to_fastopen $fastopen -x "$cookie" -D 100
bypass old_cookie_to_fastopen $fastopen -x "$old_cookie" -D 100
bypass data_to_fastopen $fastopen -D 100
# Data count without a cookie: each such SYN is a connection at once.
srv_write ipv4/tcp_fastopen 515
bypass data_to_fastopen_without_cookies $fastopen -D 100
srv_write ipv4/tcp_fastopen 3

# Listeners that want something of every SYN.
bypass syns_to_save_syn $save_syn
# Its backlog is longer than tcp_max_syn_backlog.
bypass syns_to_save_syn_with_a_long_queue $long
bypass syns_to_device $device
bypass syns_to_pktinfo $pktinfo6

# A sockops program of all sockets sees each SYN; it goes with this job.
attach_sockops() {
	mkdir -p "$tmp/cgroup" && mount -t cgroup2 cgroup2 "$tmp/cgroup" ||
		return 1
	# shellcheck disable=SC2016
	seg_exec -c '
import bpf, os, signal, sys
prog = bpf.load(bpf.SOCK_OPS, [bpf.mov(bpf.R0, 1), bpf.exit_()],
                attach_type=bpf.AT_CGROUP_SOCK_OPS)
link = bpf.link(prog, os.open(sys.argv[1], os.O_RDONLY), bpf.AT_CGROUP_SOCK_OPS)
print("attached", flush=True)
signal.pause()' "$tmp/cgroup" >"$tmp/sockops" 2>&1 &
	sockops_pid=$!
	wait_for 10 grep -qx attached "$tmp/sockops"
}

if attach_sockops; then
	bypass syns_to_sockops $plain
	kill "$sockops_pid"
	wait "$sockops_pid" 2>/dev/null
else
	fail "sockops_program_is_attached" "$(cat "$tmp/sockops")"
fi
umount "$tmp/cgroup"

# This is what such a flood does otherwise.
ho_sysctl mode 0
timeout=1000
flooded $plain
check_num "natively_they_do_not_all_connect" "${connected% *}" -lt $clients
finish
