#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 1500
# rows: O-47 O-48
#
# halfopen neither pulls in nf_conntrack nor keeps it: it comes with the first rule
# that needs it and can be unloaded some minutes after the last, while namespaces,
# the module itself and handshakes come and go.
. "${0%/*}/lib.sh"

# What may hold it, users first.
users="nft_connlimit nf_conncount nft_redir nft_masq nft_nat nft_chain_nat
       nft_synproxy nf_synproxy_core ip_vs_rr ip_vs nf_nat nf_conntrack_ftp
       nf_conntrack_netlink nft_ct nf_conntrack"
idle_port=81
other=

conntrack_is_loaded() {
	[ -d /sys/module/nf_conntrack ]
}

unload_conntrack() {
	local mod
	for mod in $users; do
		[ ! -d "/sys/module/$mod" ] || rmmod "$mod" 2>/dev/null
	done
	! conntrack_is_loaded
}

track() {
	in_srv nft -f - <<-END
	table inet t {
		counter dropped { }
		chain in {
			type filter hook input priority filter; policy drop;
			meta l4proto != tcp accept
			ct state invalid counter name dropped drop
			ct state new \
			    tcp flags & (fin | syn | rst | ack) == syn accept
			ct state established accept
			counter name dropped drop
		}
		chain out {
			type filter hook output priority filter; policy drop;
			meta l4proto != tcp accept
			ct state established accept
			counter name dropped drop
		}
	}
	END
}

untrack() {
	in_srv nft delete table inet t
}

served() {
	check_num "$1" "$(fetch 10 "http://$srv4:$http_port/")" -eq 10
	check_num "$1_over_ipv6" \
	    "$(fetch 10 "http://[$srv6]:$http_port6/")" -eq 10
}

first_syns() {
	local seen
	seen=$(ho_stat tracked)
	fetch 1 "http://$srv4:$http_port/" >/dev/null
	[ "$(ho_stat tracked)" -gt "$seen" ]
}

# Clients keep coming while we try.
try_to_unload() {
	fetch 1 "http://$srv4:$http_port/" >/dev/null
	unload_conntrack || { sleep 5; false; }
}

# unloads NAME: within minutes; says how long it took.
unloads() {
	local start
	start=$(now_ms)
	check "$1" wait_for 400 try_to_unload
	echo "# $1: after $((($(now_ms) - start) / 1000)) s"
}

at_other() {
	local srv="$other"
	"$@"
}

unread() {
	in_srv ss -Htn state established "sport = :$idle_port" |
		awk '{ n += $1 } END { print n + 0 }'
}

wait_for 60 unload_conntrack || skip_all "nf_conntrack stays in use"
setup
start_nginx || exit 1
start_server -6 0 -p $idle_port -s || exit 1
forget_time_wait
check "module_does_not_pull_in_conntrack" test ! -d /sys/module/nf_conntrack
served "clients_are_served_without_conntrack"
check "halfopen_does_not_pull_in_conntrack" test ! -d /sys/module/nf_conntrack
check_num "nothing_is_tracked" "$(ho_stat tracked)" -eq 0

# A rule brings it, and takes it away.  Data that nobody reads meanwhile, in a
# connection that was accepted by nobody either, does not keep it.
track || exit 1
check "rule_loads_conntrack" conntrack_is_loaded
check "tracked_syns_are_taken" wait_for 10 first_syns
served "clients_are_served_with_conntrack"
in_cli bash -c "exec 3<>/dev/tcp/$srv4/$idle_port; echo 12345 >&3; sleep 3000" &
check "data_is_unread" wait_for 10 is -eq 6 unread
add_namespace other || exit 1
check_num "other_namespace_tracks_nothing" \
    "$(at_other ho_stat tracked)" -eq 0
flood $http_port 2000 0 >/dev/null
check_num "handshakes_are_tracked" "$(half_open)" -ge 1000
untrack
unloads "conntrack_unloads_under_traffic"
check_num "data_is_still_unread" "$(unread)" -eq 6
check_num "nothing_tracked_failed" "$(ho_stat track_failed)" -eq 0
served "clients_are_served_when_it_is_gone"

# All of it again, from the beginning.
track || exit 1
check "tracked_syns_are_taken_again" wait_for 10 first_syns
served "clients_are_served_with_conntrack_again"

# Rules come while clients are in mid-handshake, and go.
flood $http_port 0 1000 >/dev/null &
flood=$!
round=0
failed=0
while [ $round -lt 5 ]; do
	round=$((round + 1))
	untrack
	[ "$(fetch 5 "http://$srv4:$http_port/")" -eq 5 ] ||
		failed=$((failed + 1))
	track
	[ "$(fetch 5 "http://$srv4:$http_port/")" -eq 5 ] ||
		failed=$((failed + 1))
done
check_num "rules_come_and_go_under_flood" $failed -eq 0

# halfopen goes in the middle of tracked handshakes, conntrack stays in use.
check "many_are_half_open" wait_for 10 is -ge 1000 half_open
check "module_unloads_under_flood" rmmod halfopen
served "clients_are_served_natively"
module_load && arm_oracle
check "tracked_syns_are_taken_by_the_next" wait_for 10 first_syns
served "clients_are_served_by_the_next"
stop_floods
wait $flood

# The namespace goes in the middle of them.  -q: the device goes with it.
flood $http_port 0 1000 -q >/dev/null 2>&1 &
check "many_are_half_open_again" wait_for 10 is -ge 1000 half_open
check_oracle
del_namespace "$srv"
wait $!
srv=$other
check "conntrack_unloads_after_the_namespace" wait_for 400 unload_conntrack
srv=
finish
