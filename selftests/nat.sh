#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 600
# rows: O-47 O-56
#
# Ports that are redirected or forwarded to another address of the host are the
# stack's business, with and without a flood at them, and the ports beside them
# are still halfopen's.  Forwarded traffic is masqueraded meanwhile.
#
#	$cli                 $srv                        $far
#	cli0 10.0.0.2  <veth> srv0 10.0.0.1
#	                      srv1 10.0.9.1, fd09::1 <veth> far0 10.0.9.2, fd09::2
. "${0%/*}/lib.sh"

far=
redirected=8881		# to http_port or http_port6
translated=8882		# to the same of another address of the host
inner4=10.7.0.1
inner6=fd07::1
far4=10.0.9.2
far6=fd09::2

connect_far() {
	add_namespace far || return 1
	ip -n "$srv" link add srv1 type veth peer name far0 netns "$far" ||
		return 1
	ip -n "$srv" addr add 10.0.9.1/24 dev srv1
	ip -n "$srv" addr add fd09::1/64 dev srv1 nodad
	ip -n "$far" addr add $far4/24 dev far0
	ip -n "$far" addr add $far6/64 dev far0 nodad
	ip -n "$srv" link set srv1 up
	ip -n "$far" link set far0 up
	# No way back but to the masquerading host.
	ip -n "$cli" route add 10.0.9.0/24 via $srv4
	ip -n "$cli" -6 route add fd09::/64 via $srv6
	srv_write ipv4/ip_forward 1
	srv_write ipv6/conf/all/forwarding 1
}

nat_rules() {
	in_srv nft -f - <<-END
	table inet t {
		chain pre {
			type nat hook prerouting priority dstnat;
			iifname srv0 ip version 4 \
			    tcp dport $redirected redirect to :$http_port
			iifname srv0 ip6 version 6 \
			    tcp dport $redirected redirect to :$http_port6
			ip version 4 tcp dport $translated \
			    dnat ip to $inner4:$http_port
			ip6 version 6 tcp dport $translated \
			    dnat ip6 to [$inner6]:$http_port6
		}
		chain post {
			type nat hook postrouting priority srcnat;
			oifname srv1 masquerade
		}
		chain in {
			type filter hook input priority filter; policy drop;
			meta l4proto != tcp accept
			ct state new,established accept
		}
	}
	END
}

at_far() {
	local srv="$far"
	"$@"
}

# served NAME COUNT URL
served() {
	check_num "$1" "$(fetch "$2" "$3")" -eq "$2"
}

# each_port NAME: 4 ways in, over both families.
each_port() {
	local taken
	taken=$(ho_stat syn_taken)
	served "$1_redirected_ipv4" 50 "http://$srv4:$redirected/"
	served "$1_redirected_ipv6" 50 "http://[$srv6]:$redirected/"
	served "$1_translated_ipv4" 50 "http://$srv4:$translated/"
	served "$1_translated_ipv6" 50 "http://[$srv6]:$translated/"
	[ "$1" != quiet ] ||
		check_num "quiet_nat_is_left_to_the_stack" \
		    "$(ho_stat syn_taken)" -eq "$taken"
	taken=$(ho_stat syn_taken)
	served "$1_direct_ipv4" 50 "http://$srv4:$http_port/"
	served "$1_direct_ipv6" 50 "http://[$srv6]:$http_port6/"
	# A port that a translated connection of that client has still got in
	# conntrack is translated too, natively as well.
	check_num "$1_direct_is_taken" \
	    $(($(ho_stat syn_taken) - taken)) -ge 80
	served "$1_masqueraded_ipv4" 20 "http://$far4:$http_port/"
	served "$1_masqueraded_ipv6" 20 "http://[$far6]:$http_port6/"
}

setup
connect_far || exit 1
start_nginx || exit 1
at_far start_server -6 0 -p $http_port -w || exit 1
at_far start_server -6 1 -p $http_port6 -w || exit 1
# Only the host in the middle has it.
at_far ho_sysctl mode 0
forget_time_wait
ip -n "$srv" addr add $inner4/32 dev lo
ip -n "$srv" addr add $inner6/128 dev lo nodad
ho_sysctl source_synack_rate 0
cli_write ipv4/ip_local_port_range "10000 65000"
modprobe -a nft_ct nft_chain_nat nft_redir nft_nat nft_masq || exit 1
nat_rules || exit 1

first_syns() {
	local taken
	taken=$(ho_stat syn_taken)
	fetch 1 "http://$srv4:$http_port/" >/dev/null
	[ "$(ho_stat syn_taken)" -gt "$taken" ]
}

check "tracked_syns_are_taken" wait_for 10 first_syns
each_port quiet
check_num "declined_nat_counts_them" "$(ho_stat declined_nat)" -ge 200

# Cookies of the stack's own serve the port whose SYNs are the stack's.
flood $redirected 0 1000 >"$tmp/flood" &
sleep 2
each_port flood_at_redirected
stop_floods
wait $!
flood $http_port 0 1000 >"$tmp/flood" &
sleep 2
each_port flood_at_direct
stop_floods
wait $!
flood_v6 $translated 0 1000 >"$tmp/flood" &
sleep 2
each_port flood_at_translated_ipv6
stop_floods
wait $!
check_num "conntrack_took_all_it_was_shown" "$(ho_stat track_failed)" -eq 0
finish
