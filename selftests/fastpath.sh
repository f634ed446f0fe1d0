#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 900
#
# net.halfopen.fastpath: SYNs are answered at the device as they are on the
# default path, everything unusual is declined with its own counter, the final
# ACK meets the firewall, and devices and the module come and go.
. "${0%/*}/lib.sh"
setup
modprobe -q -a nf_tables nft_ct nf_conntrack xfrm_user dummy 8021q bridge \
    bonding vrf sch_ingress
forget_time_wait
start_nginx || exit 1
ho_sysctl fastpath srv0

# delta COUNTER COMMAND...: by how much it rises; the output goes to $tmp/out.
delta() {
	local counter="$1" before
	before=$(ho_stat "$counter")
	shift
	"$@" >"$tmp/out" 2>&1
	echo $(($(ho_stat "$counter") - before))
}

# syn [PEER [SYN [MORE]]]: one SYN and what comes back, in Python's arguments
# for peer() and syn(); MORE is run in between.
syn() {
	seg -c "
from seg import *
from fastpath import *
p = peer(${1:-})
${3:-}
p.syn(${2:-})
r = p.recv(0.4)
print(fixed(r) if r else 'nothing')"
}

# send CODE: packets that syn() cannot make.
send() {
	seg -c "
from seg import *
from fastpath import *
$1"
}

taken() {
	check_num "${1}_is_taken" "$(delta fast_taken syn "${2:-}" "${3:-}")" \
	    -eq 1
}

# declined REASON NAME COMMAND...
declined() {
	local reason="$1" name="$2"
	shift 2
	check_num "${name}_is_declined_as_$reason" \
	    "$(delta "fast_$reason" "$@")" -eq 1
}

in_srv_ip() {
	ip -n "$srv" "$@"
}

# --- the same bytes ------------------------------------------------------------

# alike NAME [PEER [SYN]]: with and without it.
alike() {
	local name="$1" fast default
	shift
	check_num "${name}_is_taken" "$(delta fast_taken syn "$@")" -eq 1
	fast=$(cat "$tmp/out")
	ho_sysctl fastpath ""
	check_num "${name}_takes_the_default_path" \
	    "$(delta syn_taken syn "$@")" -eq 1
	default=$(cat "$tmp/out")
	ho_sysctl fastpath srv0
	case $fast in
	nothing) fail "${name}_is_answered" "$default" ;;
	*) check_str "${name}_is_answered_alike" "$fast" "$default" ;;
	esac
}

v6="family=6, dport=$http_port6"
alike plain_ipv4
alike plain_ipv6 "$v6"
alike no_options "" "opts=b''"
alike no_options_ipv6 "$v6" "opts=b''"
alike small_mss "" "opts=MSS(536)"
alike no_timestamps "" "opts=MSS(1460) + NOP + WSCALE(7) + SACK_PERM + NOP + NOP"
alike ecn "" "flags=SYN | ECE | CWR"
alike data "" "data=b'GET /'"
alike low_ttl "ttl=3"
alike from_the_link "src='$cli4'"
srv_write ipv4/tcp_reflect_tos 1
alike reflected_tos "tos=0x48"
alike reflected_tclass "$v6, tos=0x48"
srv_write ipv4/tcp_reflect_tos 0
srv_write ipv4/ip_default_ttl 77
alike other_ttl
srv_write ipv4/ip_default_ttl 64
in_srv_ip route change default via $gw4 advmss 1000 hoplimit 44 window 5000
alike metrics_of_the_route
in_srv_ip route change default via $gw4 features ecn
alike ecn_of_the_route "" "flags=SYN | ECE | CWR"
in_srv_ip route change default via $gw4
in_srv_ip link set srv0 mtu 1400
alike smaller_mtu
in_srv_ip link set srv0 mtu 1500
in_srv_ip -6 route replace default via $gw6 dev srv0
ho_sysctl max_backlog 0
alike_stateless() {
	local fast
	check_num "$1_is_taken" "$(delta fast_taken syn "$2")" -eq 1
	fast=$(cat "$tmp/out")
	ho_sysctl fastpath ""
	delta cookie_sent syn "$2" >"$tmp/sent"
	check_num "$1_by_cookie" "$(cat "$tmp/sent")" -eq 1
	check_str "$1_is_answered_alike" "$fast" "$(cat "$tmp/out")"
	ho_sysctl fastpath srv0
}
alike_stateless cookie_ipv4 ""
alike_stateless cookie_ipv6 "$v6"
ho_sysctl max_backlog 65536

# Frames of real cards are padded, those of neighbours in this host are shared.
check_num "padding_is_no_data" "$(delta fast_taken send "
p = peer()
frame(p, p.build(SYN, p.isn) + bytes(6))
r = p.recv(1)
assert r.ack == p.isn + 1, r")" -eq 1
check_str "nobody_objects_to_it" "$(cat "$tmp/out")" ""
check_num "real_clients_are_served" \
    "$(delta fast_taken fetch 20 "http://$srv4:$http_port/")" -eq 20
check_num "all_of_them" "$(cat "$tmp/out")" -eq 20
check_num "real_clients_are_served_over_ipv6" \
    "$(delta fast_taken fetch 20 "http://[$srv6]:$http_port6/")" -eq 20
check_num "a_flood_is_taken" \
    "$(delta fast_taken flood $http_port 1000 0 -s 7)" -eq 1000
check_num "a_flood_is_taken_over_ipv6" \
    "$(delta fast_taken flood_v6 $http_port6 1000 0 -s 7)" -eq 1000

# --- what is declined ------------------------------------------------------------

ho_sysctl mode 2
declined mode another_mode syn
ho_sysctl mode 1
declined host another_hosts_frame syn "mac='02:00:00:00:00:77'"
in_srv_ip link add br0 type bridge
in_srv_ip link set srv0 master br0
declined device port_of_a_bridge syn
in_srv_ip link set srv0 nomaster
in_srv_ip link del br0
in_srv_ip route replace default via $gw4
in_srv_ip -6 route replace default via $gw6 dev srv0
declined tunnel vlan_tag send "
p = peer()
frame(p, p.build(SYN, p.isn), tag=5)"
declined buffer much_data flood $http_port 1 0 -s 8 -D 128
in_srv nft "add table netdev m
    add chain netdev m c { type filter hook ingress device srv0 priority 0; }
    add rule netdev m c meta mark set 7"
declined assigned mark syn
in_srv nft delete table netdev m
in_srv_ip xfrm policy add src 192.0.2.0/24 dst 192.0.2.0/24 dir in
declined ipsec policy syn
in_srv_ip xfrm policy flush
in_srv nft "add table ip p
    add chain ip p c { type filter hook prerouting priority 0; }"
declined prerouting rule_before_routing syn
check_num "the_other_family_is_not" "$(delta fast_taken syn "$v6")" -eq 1
in_srv nft delete table ip p
ct_users=$(cat /sys/module/nf_conntrack/refcnt)
in_srv nft "add table inet p
    add chain inet p c { type filter hook input priority 0; }
    add rule inet p c ct state invalid drop"
declined prerouting tracked_connection syn
declined prerouting tracked_connection_over_ipv6 syn "$v6"
in_srv nft delete table inet p
# the hooks that halfopen has itself where packets are tracked go later
check "connection_tracking_is_let_go" wait_for 400 \
    is -le "$ct_users" cat /sys/module/nf_conntrack/refcnt
taken when_nothing_is_tracked_any_more
declined malformed short_tcp_header syn "" "doff=4"
declined malformed header_beyond_the_end syn "" "doff=15, opts=b''"
declined malformed bad_header_checksum send "
p = peer()
b = bytearray(p.build(SYN, p.isn))
b[10] ^= 1
frame(p, bytes(b))"
declined malformed cut_packet send "
p = peer()
frame(p, p.build(SYN, p.isn, opts=LINUX)[:-4])"
declined fragment fragment send "
p = peer()
frame(p, with_flags(p.build(SYN, p.isn), 0x2000))"
declined fragment fragment_ipv6 send "
p = peer($v6)
frame(p, extended(p.build(SYN, p.isn), 44, bytes((6, 0, 0, 1, 0, 0, 0, 9))))"
declined ip_options ip_options syn "" "ip_opts=b'\x01\x01\x01\x01'"
declined ip_options extension_header send "
p = peer($v6)
frame(p, extended(p.build(SYN, p.isn), 60, bytes((6, 0, 1, 4, 0, 0, 0, 0))))"
declined checksum bad_checksum syn "" "bad_csum=True"
declined checksum bad_checksum_ipv6 syn "$v6" "bad_csum=True"
declined address for_another_host syn "dst='10.0.0.77'"
declined address from_multicast syn "src='224.0.0.7'"
declined address from_loopback syn "src='127.0.0.7'"
declined address for_another_host_ipv6 syn "dst='fd00::77', dport=$http_port6"
declined address from_loopback_ipv6 syn "src='::1', dport=$http_port6"
declined address link_local syn "src='fe80::7', dport=$http_port6"
declined way from_ourselves syn "src='$srv4'"
declined known repeated_syn syn "" "" "p.syn(); p.recv(1)"
declined socket connected_client send "
p = peer()
p.connect()
time.sleep(0.1)
p.syn()"
declined listener closed_port syn "dport=9"
in_srv python3 -S -c "
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 7)
s.bind(('', 8007))
s.listen()
time.sleep(1000)" &
wait_for 10 listening 8007
declined filter listener_with_a_mark syn "dport=8007"
in_srv_ip link add d0 type dummy
in_srv_ip link set d0 up
in_srv_ip route add 203.0.113.7 dev d0
declined way asymmetric_route syn
in_srv_ip route del 203.0.113.7 dev d0
in_srv_ip route add blackhole 203.0.113.7
declined way no_route syn
in_srv_ip route del blackhole 203.0.113.7
in_srv_ip addr add 10.9.9.1/32 dev d0
check_num "an_address_of_another_device_is_ours" \
    "$(delta fast_taken syn "dst='10.9.9.1'")" -eq 1
in_srv_ip addr del 10.9.9.1/32 dev d0
declined address until_it_is_gone syn "dst='10.9.9.1'"
in_srv_ip link del d0
bytes=$(ho_sysctl max_memory_bytes)
start_server -p 50000 || exit 1
ho_sysctl max_memory_bytes 0
declined memory port_without_memory syn "dport=50000"
ho_sysctl max_memory_bytes "$bytes"
taken and_with_memory_it "dport=50000"
stop_server

# --- rules ------------------------------------------------------------------------

in_srv nft "add table ip f
    add chain ip f i { type filter hook input priority 0; }
    add chain ip f o { type filter hook output priority 0; }
    add rule ip f i tcp dport $http_port counter drop"
handed=$(ho_stat handover)
fetch_timeout=2
check_num "the_final_ack_meets_input_rules" \
    "$(delta fast_taken fetch 1 "http://$srv4:$http_port/")" -eq 1
check_num "so_nobody_is_served" "$(cat "$tmp/out")" -eq 0
check_num "and_nothing_is_handed_over" "$(ho_stat handover)" -eq "$handed"
in_srv nft flush chain ip f i
in_srv nft "add rule ip f o tcp sport $http_port counter drop"
check_num "a_syn_is_taken" "$(delta fast_taken syn)" -eq 1
check_str "its_answer_meets_output_rules" "$(cat "$tmp/out")" "nothing"
in_srv nft "flush chain ip f o
    add rule ip f o ip dscp set 10"
check_num "another_syn_is_taken" "$(delta fast_taken syn)" -eq 1
check "its_answer_is_changed_by_them" grep -q "tos=40" "$tmp/out"
in_srv nft delete table ip f
in_srv nft "add table netdev f
    add chain netdev f c { type filter hook ingress device srv0 priority 0; }
    add rule netdev f c tcp dport $http_port counter drop"
check_num "rules_at_the_device_come_first" "$(delta fast_taken syn)" -eq 0
check_str "and_hold" "$(cat "$tmp/out")" "nothing"
in_srv nft delete table netdev f

# --- devices ------------------------------------------------------------------------

is_list() {
	check_str "$1" "$(ho_sysctl fastpath)" "$2"
}

for bad in "a/b" "a:b" "." ".." "averylongdevicename" "srv0 a/b"; do
	if ho_sysctl fastpath "$bad" 2>/dev/null; then
		fail "refuses_'$bad'" "accepted"
	else
		pass "refuses_'$bad'"
	fi
	is_list "'$bad'_changes_nothing" srv0
done
check "refuses_17_devices" test -n "$(ho_sysctl fastpath \
    "a b c d e f g h i j k l m n o p q" 2>&1)"
is_list "17_devices_change_nothing" srv0
ho_sysctl fastpath "a,b, srv0	a"
is_list "list_reads_as_names" "a b srv0"
taken one_of_them
ho_sysctl fastpath ""
is_list "list_can_be_empty" ""
check_num "then_nothing_is_taken" "$(delta fast_taken syn)" -eq 0

ho_sysctl fastpath "later srv0"
in_srv_ip link set srv0 down
in_srv_ip link set srv0 name later up
restore_routes() {
	in_srv_ip route replace default via $gw4
	in_srv_ip -6 route replace default via $gw6 dev "$1"
}
restore_srv0() {
	in_srv_ip link set srv0 up
	in_srv_ip addr replace "$srv4/24" dev srv0
	in_srv_ip addr replace "$srv6/64" dev srv0 nodad
	in_srv_ip neigh replace $gw4 lladdr $gw_mac dev srv0 nud permanent
	in_srv_ip neigh replace $gw6 lladdr $gw_mac dev srv0 nud permanent
	restore_routes srv0
}
restore_routes later
taken renamed_device
ho_sysctl fastpath srv0
check_num "a_name_that_is_not_listed_is_not" "$(delta fast_taken syn)" -eq 0
in_srv_ip link set later down
in_srv_ip link set later name srv0 up
in_srv_ip addr replace "$srv6/64" dev srv0 nodad
restore_routes srv0
taken device_with_its_name_again

add_namespace away || exit 1
# shellcheck disable=SC2154 # add_namespace sets it
in_srv_ip link set srv0 netns "$away"
ip -n "$away" link set srv0 up
ip -n "$away" addr add "$srv4/24" dev srv0
is_list "a_device_that_left_is_still_named" srv0
check_num "and_nothing_of_it_is_taken" "$(delta fast_taken syn)" -eq 0
ip -n "$away" link set srv0 netns "$srv"
restore_srv0
taken device_that_is_back

# --- a VLAN, a bridge and a bond --------------------------------------------------

# clients_are_taken NAME SERVED ADDRESS: NAME says so, SERVED that they get answers.
clients_are_taken() {
	check_num "$1" "$(delta fast_taken fetch 5 "http://$3:$http_port/")" \
	    -eq 5
	check_num "$2" "$(cat "$tmp/out")" -eq 5
}

ho_sysctl fastpath "v5 br0 bond0"
in_srv_ip link add link srv0 name v5 type vlan id 5
in_srv_ip link set v5 up
in_srv_ip addr add 10.5.0.1/24 dev v5
ip -n "$cli" link add link cli0 name v5 type vlan id 5
ip -n "$cli" link set v5 up
ip -n "$cli" addr add 10.5.0.2/24 dev v5
wait_for 5 is -eq 5 fetch 5 "http://10.5.0.1:$http_port/"
clients_are_taken a_vlan_device_is_fast its_clients_are_served 10.5.0.1
in_srv_ip link del v5
ip -n "$cli" link del v5
in_srv_ip link add br0 address $srv_mac type bridge
in_srv_ip link set br0 up
in_srv_ip addr flush dev srv0
in_srv_ip link set srv0 master br0
in_srv_ip addr add "$srv4/24" dev br0
wait_for 20 is -eq 5 fetch 5 "http://$srv4:$http_port/"
clients_are_taken a_bridge_is_fast clients_behind_it_are_served "$srv4"
in_srv_ip link del br0
in_srv_ip link add bond0 address $srv_mac type bond mode active-backup miimon 100
in_srv_ip link set srv0 down
in_srv_ip link set srv0 master bond0
in_srv_ip link set bond0 up
in_srv_ip addr add "$srv4/24" dev bond0
wait_for 20 is -eq 5 fetch 5 "http://$srv4:$http_port/"
clients_are_taken a_bond_is_fast clients_of_a_bond_are_served "$srv4"
ho_sysctl fastpath srv0
check_num "one_of_its_devices_is_not" \
    "$(delta fast_device fetch 5 "http://$srv4:$http_port/")" -ge 5
in_srv_ip link del bond0
restore_srv0
taken the_first_device

# --- under a flood ----------------------------------------------------------------

rate=$((2000 / ${HO_SLOW:-1}))
flood $http_port 0 $rate -q >/dev/null 2>&1 &
flood_v6 $http_port6 0 $rate -q >/dev/null 2>&1 &
round=0
ok=y
while [ $round -lt 10 ]; do
	round=$((round + 1))
	before=$(ho_stat fast_taken)
	ho_sysctl fastpath ""
	ho_sysctl fastpath srv0
	wait_for 10 is -gt "$before" ho_stat fast_taken || ok=
done
check "the_list_may_change_under_a_flood" test -n "$ok"
round=0
while [ $round -lt 5 ]; do
	round=$((round + 1))
	rmmod halfopen || ok=
	module_load || ok=
	arm_oracle
	ho_sysctl fastpath srv0
	wait_for 10 is -gt 50 ho_stat fast_taken || ok=
done
check "the_module_may_go_under_a_flood" test -n "$ok"
in_srv_ip link del srv0
check_num "so_may_the_device" "$(ho_stat fast_taken)" -gt 0
is_list "its_name_stays" srv0
stop_floods

# --- policy routing, IPVS -----------------------------------------------------------

# Last, in namespaces of its own: the kernel never forgets that there were rules
# or services.
modprobe -q -a ip_vs ip_vs_rr
for ns in $namespaces; do
	del_namespace "$ns"
done
namespaces=
add_namespace srv && add_namespace cli && connect_namespaces || exit 1
arm_oracle
ho_sysctl fastpath srv0
start_nginx || exit 1
taken without_rules
in_srv_ip rule add from 192.0.2.1 lookup main
declined rules policy_routing syn
check_num "ipv6_is_another_matter" "$(delta fast_taken syn "$v6")" -eq 1
in_srv_ip -6 rule add from 2001:db8::1 lookup main
declined rules policy_routing_ipv6 syn "$v6"
in_srv ipvsadm -A -t 203.0.113.200:80 -s rr
declined prerouting ipvs_with_a_service syn
finish
