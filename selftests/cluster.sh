#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# timeout: 600
#
# Two servers with one address and one cookie key, behind a router that sends a
# client's SYN to one of them and the rest of the handshake to the other: nobody
# notices, whether the router does ECMP or IPVS.  With different keys, and
# without halfopen, nobody is served.
#
#	$cli                  $rtr                   $srv_1, $srv_2
#	cli0 10.0.0.2  <veth>  rtr0 ... rtr1  <veth>  srv0 10.0.1.2, 10.9.9.9
#	     fd00::2                    rtr2  <veth>  srv0 10.0.2.2, 10.9.9.9
#
# The clients are real sockets.  The router holds back what follows their SYNs
# until all have a SYN-ACK, then the way changes.
. "${0%/*}/lib.sh"

rtr=
srv_1=
srv_2=
service4=10.9.9.9
service6=fd09::9
# No MSS that a cookie without timestamps has a step for.
mtu=1450
web=80
greeter=81
clients=60
[ -z "${HO_LONG:-}" ] || clients=200
# Source ports of the batch, from here on.  No two batches have one in common:
# SYN-ACKs for the clients of an earlier one may still come.
first=20000
key=00112233445566778899aabbccddeeff
other_key=00112233445566778899aabbccddeefe

# --- the network -------------------------------------------------------------

# wire NAMESPACE DEVICE N: to the router's rtrN.
wire() {
	local ns="$1" dev="$2" n="$3"
	ip -n "$rtr" link add "rtr$n" mtu "$mtu" type veth \
	    peer name "$dev" mtu "$mtu" netns "$ns" || return 1
	ip -n "$rtr" addr add "10.0.$n.1/24" dev "rtr$n"
	ip -n "$rtr" addr add "fd00:0:0:$n::1/64" dev "rtr$n" nodad
	ip -n "$ns" addr add "10.0.$n.2/24" dev "$dev"
	ip -n "$ns" addr add "fd00:0:0:$n::2/64" dev "$dev" nodad
	ip -n "$rtr" link set "rtr$n" up
	ip -n "$ns" link set "$dev" up
	ip -n "$ns" route add default via "10.0.$n.1"
	ip -n "$ns" -6 route add default via "fd00:0:0:$n::1" dev "$dev"
}

rtr_write() {
	# shellcheck disable=SC2016
	in_ns "$rtr" dash -c 'echo "$2" >"/proc/sys/net/$1"' - "$1" "$2"
}

# What setup calls.
connect_namespaces() {
	local ip ns
	srv_1=$srv
	add_namespace rtr && add_namespace srv_2 || return 1
	wire "$cli" cli0 0 && wire "$srv_1" srv0 1 &&
		wire "$srv_2" srv0 2 || return 1
	rtr_write ipv4/ip_forward 1
	rtr_write ipv6/conf/all/forwarding 1
	# A hash of addresses, protocol and ports.  Policy 1 would take the one
	# that the client's socket left in the skb: it changes with time-outs
	# and ends with the socket, which no router on a wire would notice.
	for ip in ipv4 ipv6; do
		rtr_write $ip/fib_multipath_hash_policy 3
		rtr_write $ip/fib_multipath_hash_fields 0x37
	done
	for ns in "$srv_1" "$srv_2"; do
		ip -n "$ns" addr add "$service4/32" dev lo
		ip -n "$ns" addr add "$service6/128" dev lo nodad
	done
	# A window shift of 10; the servers' is 7.
	cli_write ipv4/tcp_rmem "4096 131072 33554432"
}

# both COMMAND...: with each server in turn as the one that lib.sh means.
both() {
	local srv
	for srv in "$srv_1" "$srv_2"; do
		"$@"
	done
}

at_2() {
	local srv="$srv_2"
	"$@"
}

# total COLUMN: ho_stat of both servers together.
total() {
	both ho_stat "$1" | awk '{ n += $1 } END { print n }'
}

nothing_half_open() {
	[ "$(both half_open | sort -u)" = 0 ]
}

# Their output is $tmp/server_1 and $tmp/server_2.
start_servers() {
	local n=0 srv
	for srv in "$srv_1" "$srv_2"; do
		n=$((n + 1))
		: >"$tmp/server_$n"
		ip netns exec "$srv" "$tools/tcpserver" -6 0 -p $web \
		    -b 512 -w -i >>"$tmp/server_$n" 2>&1 &
		ip netns exec "$srv" "$tools/tcpserver" -6 0 -p $greeter \
		    -b 512 -g -i >>"$tmp/server_$n" 2>&1 &
		wait_for 10 listening $web && wait_for 10 listening $greeter ||
			return 1
	done
}

# --- the router --------------------------------------------------------------

# It notes whom each server answers and whom one resets, by the client's port.
watch() {
	in_ns "$rtr" nft -f - <<-END
	table inet t {
		set answered_1 {
			type inet_service; size 65535; flags dynamic
		}
		set answered_2 {
			type inet_service; size 65535; flags dynamic
		}
		set was_reset {
			type inet_service; size 65535; flags dynamic
		}
		chain hold { }
		chain pre {
			type filter hook prerouting priority raw;
			iifname rtr1 tcp flags & (syn | ack) == syn | ack \
			    add @answered_1 { tcp dport }
			iifname rtr2 tcp flags & (syn | ack) == syn | ack \
			    add @answered_2 { tcp dport }
			iifname != rtr0 tcp flags & rst == rst \
			    add @was_reset { tcp dport }
			jump hold
		}
	}
	END
}

hold() {
	in_ns "$rtr" nft add rule inet t hold \
	    iifname rtr0 "tcp flags & syn == 0" drop
}

release() {
	in_ns "$rtr" nft flush chain inet t hold
}

# noted SET: the ports of this batch in it.
noted() {
	in_ns "$rtr" nft list set inet t "$1" | sed -n '/elements/,$p' |
		tr -cs 0-9 '\n' | awk -v first="$first" -v n="$clients" \
		    '$1 >= first && $1 < first + n' | sort
}

# ecmp N M: a half of all connections to each; "ecmp M N" swaps the halves.
ecmp() {
	ip -n "$rtr" route replace "$service4/32" \
	    nexthop via "10.0.$1.2" nexthop via "10.0.$2.2"
	ip -n "$rtr" -6 route replace "$service6/128" \
	    nexthop via "fd00:0:0:$1::2" nexthop via "fd00:0:0:$2::2"
}

# From now on the address is the router's.  Direct routing: the servers have to
# see the address that the client knows.  sloppy_tcp and expire_nodest_conn give
# a connection whose server is gone to another, from its next but one segment.
start_ipvs() {
	ip -n "$rtr" addr add "$service4/32" dev lo
	ip -n "$rtr" addr add "$service6/128" dev lo nodad
	# Answers come from the router's own address.
	rtr_write ipv4/conf/all/accept_local 1
	modprobe -a ip_vs ip_vs_rr || return 1
	rtr_write ipv4/vs/sloppy_tcp 1
	rtr_write ipv4/vs/expire_nodest_conn 1
	in_ns "$rtr" ipvsadm -A -t "$service4:$web" -s rr &&
		in_ns "$rtr" ipvsadm -A -t "[$service6]:$web" -s rr
}

# balance N M: all new connections to server N; M leaves, if it was there.
balance() {
	in_ns "$rtr" ipvsadm -a -t "$service4:$web" -r "10.0.$1.2:$web" -g
	in_ns "$rtr" ipvsadm -a -t "[$service6]:$web" \
	    -r "[fd00:0:0:$1::2]:$web" -g
	in_ns "$rtr" ipvsadm -d -t "$service4:$web" \
	    -r "10.0.$2.2:$web" 2>/dev/null
	in_ns "$rtr" ipvsadm -d -t "[$service6]:$web" \
	    -r "[fd00:0:0:$2::2]:$web" 2>/dev/null
}

# --- batches -----------------------------------------------------------------

# accepted N: the ports that server N accepted in this batch.
accepted() {
	sed -n 's/^peer=.*://p' "$tmp/server_$1" | sort
}

# agreed FIELD: of TCP_INFO in the servers' sockets, no value twice.
agreed() {
	sed -n "s/^tcpi_$1=//p" "$tmp/server_1" "$tmp/server_2" | sort -u
}

# batch ADDR PORT COMMAND...: all clients at once.  COMMAND comes between the
# last SYN-ACK and the first ACK.  Leaves how they ended in $tmp/clients and
# what the router noted before COMMAND in $tmp/answered_*.
batch() {
	local addr="$1" port="$2" greeted='' n
	shift 2
	[ "$port" != $greeter ] || greeted=greeted
	first=$((first + clients))
	: >"$tmp/server_1"
	: >"$tmp/server_2"
	: >"$tmp/clients"
	hold
	# shellcheck disable=SC2086 # no word or one
	seg_exec "$tools/batch.py" "$addr" "$port" "$first" $clients $greeted \
	    >>"$tmp/clients" 2>&1 &
	batch=$!
	wait_for 30 grep -q ^connected "$tmp/clients"
	for n in 1 2; do
		noted answered_$n >"$tmp/answered_$n"
	done
	"$@"
	release
	speak
}

# speak: the clients do, and come to an end.
speak() {
	local ends
	ends=$(grep -c ^end "$tmp/clients")
	kill -USR1 $batch
	wait_for 60 is -gt "$ends" grep -c ^end "$tmp/clients"
}

# ended HOW: that many clients.
ended() {
	grep -c " $1\$" "$tmp/clients"
}

# moved: how many were accepted by the server that had not answered their SYN.
moved() {
	local n
	for n in 1 2; do
		accepted "$n" >"$tmp/accepted_$((3 - n))"
	done
	for n in 1 2; do
		cat "$tmp/answered_$n" "$tmp/accepted_$n" | sort | uniq -d
	done | wc -l
}

# survive NAME MSS: the client's options and MSS, as the server's socket knows
# them.  0x7a: our window shift and his.
survive() {
	local name="$1" mss="$2" got
	got=$(agreed snd_mss)
	case $name in
	*_no_ts)
		check_str "${name}_sack_and_window_scale_survive" \
		    "$(agreed options) $(agreed wscales)" "6 $((0x7a))"
		check "${name}_mss_is_the_clients_or_a_little_less" \
		    test "$got" -le "$mss" -a "$got" -ge $((mss * 95 / 100))
		;;
	*)
		check_str "${name}_sack_and_window_scale_survive" \
		    "$(agreed options) $(agreed wscales)" "7 $((0x7a))"
		check_num "${name}_mss_survives" "$got" -eq $((mss - 12))
		;;
	esac
}

# completes NAME ADDR PORT COMMAND...
completes() {
	local name="$1" addr="$2" port="$3" accepted failed
	shift 3
	accepted=$(total cookie_accepted)
	failed=$(total cookie_failed)
	batch "$addr" "$port" "$@"
	echo "# ${name}: answered by server 1: $(wc -l <"$tmp/answered_1")," \
	    "by server 2: $(wc -l <"$tmp/answered_2")"
	check_num "${name}_${clients}_of_${clients}_complete" \
	    "$(ended answered)" -eq $clients
	check_num "${name}_all_change_server" "$(moved)" -eq $clients
	check_num "${name}_nobody_is_reset" "$(noted was_reset | wc -l)" -eq 0
	case $addr in
	*:*) survive "$name" $((mtu - 60)) ;;
	*) survive "$name" $((mtu - 40)) ;;
	esac
	check_num "${name}_each_is_known_by_its_cookie" \
	    "$(($(total cookie_accepted) - accepted))" -eq $clients
	check_num "${name}_no_cookie_fails" \
	    "$(($(total cookie_failed) - failed))" -eq 0
}

# each_kind NAME BEFORE AFTER: BEFORE and AFTER change the way.
each_kind() {
	local name="$1" before="$2" after="$3" ts
	for ts in ts no_ts; do
		cli_write ipv4/tcp_timestamps $((${#ts} == 2))
		# shellcheck disable=SC2086 # commands with arguments
		{
			$before
			completes "${name}_ipv4_$ts" $service4 $web $after
			$before
			completes "${name}_ipv6_$ts" $service6 $web $after
		}
	done
	cli_write ipv4/tcp_timestamps 1
}

# fails NAME COMMAND...
fails() {
	local name="$1"
	shift
	batch $service4 $web "$@"
	check_str "${name}_all_have_a_synack" \
	    "$(head -n 1 "$tmp/clients")" "connected $clients"
	check_num "${name}_nobody_is_served" "$(ended answered)" -eq 0
	check_num "${name}_all_are_reset" \
	    "$(noted was_reset | wc -l)" -eq $clients
}

setup
both arm_oracle
watch || exit 1
start_servers || exit 1

both ho_sysctl cookie_key $key
# Not one SYN-ACK is repeated: a client that has sent its request would answer
# with what comes after that, which is no final ACK, and if the request is lost
# or late it is reset.
both ho_sysctl synack_timeout_ms 60000
each_kind ecmp "ecmp 1 2" "ecmp 2 1"

# The final ACK is lost, the client waits for the server to speak: the one that
# answered has it repeated, for the other.
both ho_sysctl synack_timeout_ms 3000
ecmp 1 2
completes server_speaks_first $service4 $greeter ecmp 2 1

# The way changes once more, to servers that have forgotten all about it.  What
# these clients send now is much like a final ACK, as they have sent nothing
# before.  But they have heard something.
both ho_sysctl synack_retries 0
both ho_sysctl synack_timeout_ms 100
check "entries_are_gone" wait_for 20 nothing_half_open
both ho_sysctl synack_retries 5
both ho_sysctl synack_timeout_ms 60000
: >"$tmp/server_1"
: >"$tmp/server_2"
ecmp 1 2
speak
check_num "established_nobody_connects_again" \
    "$(cat "$tmp/server_1" "$tmp/server_2" | grep -c ^accepted)" -eq 0
check_num "established_all_are_reset" "$(ended reset)" -eq $clients

# Nobody remembers anything.
both ho_sysctl max_backlog 0
each_kind stateless "ecmp 1 2" "ecmp 2 1"
both ho_sysctl max_backlog 65536

at_2 ho_sysctl cookie_key $other_key
ecmp 1 2
failed=$(total cookie_failed)
fails ecmp_two_keys ecmp 2 1
check_num "ecmp_two_keys_each_is_counted" \
    "$(($(total cookie_failed) - failed))" -ge $clients
both ho_sysctl cookie_key $key
both ho_sysctl mode 0
ecmp 1 2
fails ecmp_native ecmp 2 1
both ho_sysctl mode 1

if start_ipvs; then
	each_kind ipvs "balance 1 2" "balance 2 1"
	at_2 ho_sysctl cookie_key $other_key
	balance 1 2
	fails ipvs_two_keys balance 2 1
else
	skip "ipvs" "no IPVS here"
fi

check_num "each_cookies_synack_was_compared" "$(total verify_ok)" \
    -eq $(($(total cookie_accepted) + $(total handover)))
at_2 check_oracle
[ "$tap_failed" -eq 0 ] || at_2 show_counters
finish
