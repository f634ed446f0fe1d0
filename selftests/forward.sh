#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# timeout: 600
# rows: O-56
#
# What a host routes, bridges or balances is not its own: halfopen there leaves it
# alone, while a flood for the host itself goes on.
#
#	$cli                  $srv                     $far
#	cli0 10.0.0.2  <veth> srv0 10.0.0.1
#	                      srv1 10.0.9.1    <veth>  far0 10.0.9.2
#	cli1 10.0.8.2  <veth> srv2 \ br0       <veth>  far1 10.0.8.3
#	                      srv3 / 10.0.8.1
#
# with fd09:: and fd08:: for IPv6.
. "${0%/*}/lib.sh"

far=
virtual4=10.0.0.50	# of IPVS
virtual6=fd00::50
# Real servers of IPVS have ports of their own.  With one for both, a client that
# uses its port again, now without IPVS, would for two minutes get a tuple of
# replies that conntrack has already, and conntrack drops such a SYN.
real_port=8100
real_port6=8106

# wire NS DEV PEER_NS PEER_DEV
wire() {
	ip -n "$1" link add "$2" type veth peer name "$4" netns "$3" &&
		ip -n "$1" link set "$2" up && ip -n "$3" link set "$4" up
}

# address NS DEV NET HOST
address() {
	ip -n "$1" addr add "10.0.$3.$4/24" dev "$2"
	ip -n "$1" addr add "fd0$3::$4/64" dev "$2" nodad
}

connect_far() {
	add_namespace far && wire "$srv" srv1 "$far" far0 &&
		wire "$srv" srv2 "$cli" cli1 && wire "$srv" srv3 "$far" far1 &&
		ip -n "$srv" link add br0 type bridge || return 1
	ip -n "$srv" link set srv2 master br0
	ip -n "$srv" link set srv3 master br0
	ip -n "$srv" link set br0 up
	address "$srv" srv1 9 1
	address "$far" far0 9 2
	address "$srv" br0 8 1
	address "$cli" cli1 8 2
	address "$far" far1 8 3
	ip -n "$cli" route add 10.0.9.0/24 via $srv4
	ip -n "$cli" -6 route add fd09::/64 via $srv6
	ip -n "$far" route add default via 10.0.9.1
	ip -n "$far" -6 route add default via fd09::1
	srv_write ipv4/ip_forward 1
	srv_write ipv6/conf/all/forwarding 1
}

at_far() {
	local srv="$far"
	"$@"
}

# Everything halfopen counted: it must not have moved.
all_counters() {
	local file
	for file in halfopen halfopen_overload halfopen_declined \
	    halfopen_fastpath; do
		in_srv cat "/proc/net/stat/$file"
	done
}

# untouched NAME COUNT URL: served, and without halfopen.
untouched() {
	local name="$1" count="$2" url="$3" before
	before=$(all_counters)
	check_num "${name}_is_served" "$(fetch "$count" "$url")" -eq "$count"
	check_str "${name}_moves_no_counter" "$(all_counters)" "$before"
}

# ways COMMAND PREFIX COUNT
ways() {
	"$1" "$2_routed_ipv4" "$3" "http://10.0.9.2:$http_port/"
	"$1" "$2_routed_ipv6" "$3" "http://[fd09::2]:$http_port6/"
	"$1" "$2_bridged_ipv4" "$3" "http://10.0.8.3:$http_port/"
	"$1" "$2_bridged_ipv6" "$3" "http://[fd08::3]:$http_port6/"
	[ -z "${balanced:-}" ] || {
		"$1" "$2_balanced_ipv4" "$3" "http://$virtual4:$http_port/"
		"$1" "$2_balanced_ipv6" "$3" "http://[$virtual6]:$http_port6/"
	}
}

# served NAME COUNT URL
served() {
	check_num "$1_is_served" "$(fetch "$2" "$3")" -eq "$2"
}

# The host listens at the same ports, on all addresses: nobody may mistake them.
start_ipvs() {
	modprobe -a ip_vs ip_vs_rr || return 1
	# real servers answer through this host
	in_srv ipvsadm -A -t "$virtual4:$http_port" -s rr &&
		in_srv ipvsadm -a -t "$virtual4:$http_port" \
		    -r "10.0.9.2:$real_port" -m &&
		in_srv ipvsadm -A -t "[$virtual6]:$http_port6" -s rr &&
		in_srv ipvsadm -a -t "[$virtual6]:$http_port6" \
		    -r "[fd09::2]:$real_port6" -m || return 1
	ip -n "$srv" addr add $virtual4/32 dev lo
	ip -n "$srv" addr add $virtual6/128 dev lo nodad
	ip -n "$cli" neigh add $virtual4 lladdr $srv_mac dev cli0 nud permanent
	ip -n "$cli" neigh add $virtual6 lladdr $srv_mac dev cli0 nud permanent
	# balanced connections are seen by conntrack when it is there
	srv_write ipv4/vs/conntrack 1
	# else the SYN of a client that uses a port again is dropped first
	srv_write ipv4/vs/conn_reuse_mode 0
}

track() {
	in_srv nft -f - <<-END
	table inet t {
		chain through {
			type filter hook forward priority filter; policy drop;
			meta l4proto != tcp accept
			ct state new \
			    tcp flags & (fin | syn | rst | ack) == syn accept
			ct state established accept
		}
	}
	END
}

half_of_flood() {
	[ $(($(ho_stat syn_taken) + $(ho_stat cookie_sent))) -ge 1000 ]
}

# The flood's SYNs are all that halfopen sees, whatever passes by meanwhile.
flood_beside() {
	local name="$1" flood="$2" port="$3" before sent
	before=$(($(ho_stat syn_taken) + $(ho_stat cookie_sent) +
	    $(ho_declined)))
	$flood "$port" 0 1000 >"$tmp/flood" &
	wait_for 10 half_of_flood
	ways served "$name" 20
	check_num "${name}_own_is_served" \
	    "$(fetch 20 "http://$srv4:$http_port/")" -eq 20
	stop_floods
	wait $!
	sent=$(sed -n 's/^sent \([0-9]*\) .*/\1/p' "$tmp/flood")
	check_num "${name}_sees_its_own_and_nothing_else" \
	    $(($(ho_stat syn_taken) + $(ho_stat cookie_sent) +
	       $(ho_declined) - before)) -eq $((sent + 20))
	check_num "${name}_handed_over_its_own_and_nothing_else" \
	    $(($(ho_stat handover) + $(ho_stat cookie_accepted) - handed)) -eq 20
	handed=$((handed + 20))
	# What is left of one flood is no part of the next.
	check "${name}_ends" wait_for 30 is -eq 0 half_open
}

# The first tracked SYNs go the native way.
first_syns() {
	handed=$(ho_stat handover)
	fetch 1 "http://$srv4:$http_port/" >/dev/null
	[ "$(ho_stat handover)" -gt "$handed" ]
}

setup
connect_far || exit 1
start_nginx || exit 1
for port in $http_port $real_port; do
	at_far start_server -6 0 -p "$port" -w || exit 1
done
for port in $http_port6 $real_port6; do
	at_far start_server -6 1 -p "$port" -w || exit 1
done
at_far ho_sysctl mode 0
forget_time_wait
ho_sysctl source_synack_rate 0
ho_sysctl synack_retries 1
cli_write ipv4/ip_local_port_range "10000 65000"
handed=0

ways untouched plain 20
start_ipvs && balanced=y
check_num "ipvs_is_there" "${#balanced}" -eq 1
ways untouched ipvs 20
flood_beside flood flood $http_port

# Bridged packets meet the rules of IP, and conntrack follows all of them.
modprobe br_netfilter || exit 1
srv_write bridge/bridge-nf-call-iptables 1
srv_write bridge/bridge-nf-call-ip6tables 1
track || exit 1
check "tracked_syns_are_taken" wait_for 10 first_syns
handed=$(ho_stat handover)
ways untouched tracked 20
flood_beside tracked_flood flood $http_port
flood_beside tracked_flood_ipv6 flood_v6 $http_port6
# No entry and no cookie of the host's own is needed by what it routes.
ho_sysctl max_backlog 16
flood_beside cookies flood $http_port
finish
