#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 1500
# rows: O-47 O-55 P-86
#
# A flood at a server whose firewall follows connections and is strict about it:
# no rule drops a packet of a real client, and conntrack knows these clients and
# nothing of the flood.
. "${0%/*}/lib.sh"

syn_rate=$((1000 / ${HO_SLOW:-1}))
clients_rate=50
seconds=6
[ -z "${HO_LONG:-}" ] || seconds=20
waiting_port=90

# Everything that is not "new with a SYN alone" or "established" is dropped and
# counted, wherever it shows up.
strict_rules() {
	in_srv nft -f - <<-END
	table inet t {
		counter dropped { }
		chain pre {
			type filter hook prerouting priority mangle;
			ct state invalid counter name dropped drop
		}
		chain in {
			type filter hook input priority filter; policy drop;
			meta l4proto != tcp accept
			ct state invalid counter name dropped drop
			ct state new \
			    tcp flags & (fin | syn | rst | ack) == syn accept
			ct state established,related accept
			counter name dropped drop
		}
		chain out {
			type filter hook output priority filter; policy drop;
			meta l4proto != tcp accept
			ct state invalid counter name dropped drop
			ct state established accept
			oifname lo ct state new \
			    tcp flags & (fin | syn | rst | ack) == syn accept
			counter name dropped drop
		}
	}
	END
}

dropped() {
	in_srv nft list counter inet t dropped |
		sed -n 's/.*packets \([0-9]*\) .*/\1/p'
}

conntrack() {
	in_srv env PYTHONPATH="$tools" python3 -B -S "$tools/nfnetlink.py" "$@"
}

tracked_now() {
	in_srv cat /proc/sys/net/netfilter/nf_conntrack_count
}

# Once a second until the process ends, in one process: others would take the
# CPU from the clients.
watch_conntrack() {
	# shellcheck disable=SC2016
	exec nsenter --net="/run/netns/$srv" dash -c '
		while kill -0 "$1" 2>/dev/null; do
			cat /proc/sys/net/netfilter/nf_conntrack_count
			sleep 1
		done' - "$1" >"$tmp/count"
}

most_tracked() {
	sort -n "$tmp/count" | tail -n 1
}

client_resets() {
	in_cli nstat -asz TcpEstabResets TcpAttemptFails |
		awk '/^Tcp/ { n += $2 } END { print n + 0 }'
}

# The first tracked SYNs go the native way: until halfopen follows conntrack.
first_syns() {
	local taken
	taken=$(ho_stat syn_taken)
	fetch 1 "http://$srv4:$http_port/" >/dev/null
	[ "$(ho_stat syn_taken)" -gt "$taken" ]
}

fetch_from_srv() {
	local cli="$srv"
	fetch "$1" "http://127.0.0.1:$http_port/"
}

# under_flood NAME ADDR PORT FLOOD: clients beside twenty times as many SYNs.
under_flood() {
	local name="$1" addr="$2" port="$3" flood="$4" client=$cli4
	local drops resets ok failed total watcher
	[ "$addr" = $srv4 ] || client=$cli6
	conntrack flush
	drops=$(dropped)
	resets=$(client_resets)
	$flood "$port" $((syn_rate * seconds)) $syn_rate >/dev/null &
	watch_conntrack $! &
	watcher=$!
	read -r ok failed _ <<-END
	$(in_cli "$tools/clients" "$addr" "$port" $clients_rate $seconds 3000 |
		sed -n 's/^total //p')
	END
	wait $watcher
	total=$((ok + failed))
	echo "# $name: $ok connect, $failed do not, conntrack at most" \
	    "$(most_tracked), now $(tracked_now)"
	check_num "${name}_clients_try" \
	    "$total" -ge $((clients_rate * seconds))
	check_num "${name}_all_clients_connect" "$failed" -eq 0
	check_num "${name}_no_rule_drops_anything" \
	    $(($(dropped) - drops)) -eq 0
	check_num "${name}_no_client_is_reset" \
	    $(($(client_resets) - resets)) -eq 0
	conntrack list >"$tmp/entries"
	# a port that came again has one entry
	check_num "${name}_conntrack_knows_the_clients" \
	    "$(grep -c ASSURED "$tmp/entries")" \
	    -ge $((ok * 9 / 10))
	check_num "${name}_conntrack_knows_nobody_else" \
	    "$(grep -cv "^$client:" "$tmp/entries")" -eq 0
	check_num "${name}_conntrack_knows_nothing_of_the_flood" \
	    "$(most_tracked)" -le $((total + 20))
}

setup
nginx_backlog=511 start_nginx || exit 1
forget_time_wait
ho_sysctl source_synack_rate 0
# Most of the work would be to repeat SYN-ACKs.
ho_sysctl synack_retries 1
# Conntrack still knows a port that a client uses again.
cli_write ipv4/ip_local_port_range "10000 65000"
modprobe -a nf_conntrack nf_conntrack_netlink nft_ct || exit 1
strict_rules || exit 1

# What the rules do without halfopen: they let clients in, and conntrack follows
# every SYN.
ho_sysctl mode 0
check_num "natively_rules_pass_clients" \
    "$(fetch 20 "http://$srv4:$http_port/")" -eq 20
check_num "natively_rules_drop_nothing" "$(dropped)" -eq 0
flood $http_port 1000 0 >/dev/null
check_num "natively_a_flood_is_followed" "$(tracked_now)" -ge 1000
# These SYNs will come again, and are natively half-open until then.
check "native_queue_empties" wait_for 150 is -eq 0 native_half_open
ho_sysctl mode 1
check "tracked_syns_are_taken" wait_for 10 first_syns

for loose in 0 1; do
	srv_write netfilter/nf_conntrack_tcp_loose $loose
	under_flood "ipv4_loose_$loose" $srv4 $http_port flood
	under_flood "ipv6_loose_$loose" $srv6 $http_port6 flood_v6
done
drops=$(dropped)
taken=$(ho_stat syn_taken)
check_num "connections_to_oneself_work" "$(fetch_from_srv 50)" -eq 50
check_num "connections_to_oneself_are_taken" \
    $(($(ho_stat syn_taken) - taken)) -eq 50
check_num "connections_to_oneself_meet_no_drop" \
    $(($(dropped) - drops)) -eq 0
in_srv nft "add table inet p; add chain inet p out { type filter hook output \
    priority 1; }; add rule inet p out icmp type echo-reply \
    ct state != established drop"
check "other_protocols_are_followed_as_ever" \
    in_cli busybox ping -c 3 -W 2 $srv4
check_num "no_syn_goes_the_native_way" \
    "$(($(ho_stat declined_conntrack) + $(ho_stat declined_nat)))" -le 5
check_num "conntrack_took_all_it_was_shown" "$(ho_stat track_failed)" -eq 0
check_num "listeners_queue_is_empty" "$(native_half_open)" -eq 0

# Room for a few: nearly all clients are known by their cookies.
srv_write netfilter/nf_conntrack_tcp_loose 0
ho_sysctl max_backlog $((64 / ${HO_SLOW:-1}))
by_cookie=$(ho_stat cookie_accepted)
under_flood cookies_ipv4 $srv4 $http_port flood
under_flood cookies_ipv6 $srv6 $http_port6 flood_v6
check_num "clients_came_by_cookie" \
    $(($(ho_stat cookie_accepted) - by_cookie)) \
    -ge $((2 * clients_rate * seconds * 8 / 10))
check_num "conntrack_took_cookies_too" "$(ho_stat track_failed)" -eq 0

# Nobody at all: an ACK flood at a port that believes cookies leaves nothing.
conntrack flush
flood $http_port 5000 0 -A >/dev/null
check_num "forged_acks_leave_nothing_in_conntrack" "$(tracked_now)" -le 20

# Complete connections wait for the accept queue: the clients' requests, which
# are their first ACKs, come all at once.
ho_sysctl max_backlog 65536
ho_sysctl synack_retries 5
conntrack flush
drops=$(dropped)
start_server -6 0 -p $waiting_port -b 8 -s -w || exit 1
in_cli nft "table ip hold {
	chain out {
		type filter hook output priority filter
		tcp dport $waiting_port tcp flags & syn == 0 drop
	}
}"
: >"$tmp/clients"
# Ports that no client before had: one in TIME_WAIT cannot be bound.
seg_exec "$tools/batch.py" $srv4 $waiting_port 9000 30 \
    >>"$tmp/clients" 2>&1 &
batch=$!
check "clients_have_their_synacks" \
    wait_for 30 grep -q "^connected 30$" "$tmp/clients"
in_cli nft delete table ip hold
kill -USR1 $batch
check "connections_wait" wait_for 10 is -gt 0 ho_stat waiting
kill -USR1 "$server_pid"
wait_for 60 grep -q ^end "$tmp/clients"
check_num "those_who_waited_are_served" \
    "$(grep -c " answered$" "$tmp/clients")" -eq 30
check_num "no_rule_drops_anything_of_theirs" $(($(dropped) - drops)) -eq 0
check_num "conntrack_knows_those_who_waited" \
    "$(conntrack list | grep -c ":$waiting_port .*ASSURED")" -eq 30
finish
