#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 3000
#
# Listeners are closed and opened again, and members of SO_REUSEPORT groups come and
# go, while clients are half-way through their handshakes and a flood goes on: no
# client is lost, each is served by the port that it asked.
. "${0%/*}/lib.sh"
seconds=5
[ -z "${HO_LONG:-}" ] || seconds=300
# No divisor of the changes' rate: else all clients meet a change at the same
# point of their handshakes, and either none of them is lost or many are.
rate=47

modprobe sch_netem || skip_all "no netem"
setup
# A handshake takes some time, so that many are under way at any change.
tc -n "$cli" qdisc add dev cli0 root netem delay 40ms || exit 1
clients=$((rate * seconds))

# said WORD FILE: the number behind it.
said() {
	awk -v word="$1" '{ for (i = 1; i < NF; i++)
		if ($i == word) print $(i + 1) }' "$2"
}

# clients_of HOW MODE ADDR: what became of them is in $tmp/clients.
clients_of() {
	local how="$1" server
	ho_sysctl mode "$2"
	: >"$tmp/members"
	ip netns exec "$srv" python3 -B -S "$tools/members.py" "$how" 80 81 \
	    >"$tmp/members" 2>&1 &
	server=$!
	wait_for 10 grep -q listening "$tmp/members" || exit 1
	in_cli python3 -B -S "$tools/members.py" clients "$3" $rate $seconds \
	    80 81 >"$tmp/clients" 2>&1
	kill $server
	wait $server
	echo "# $how, mode $2: $(cat "$tmp/clients"), $(tail -n 1 "$tmp/members")"
}

lost() {
	echo $(($(said lost "$tmp/clients") + $(said refused "$tmp/clients")))
}

# changing NAME HOW ADDR MAX_LOST
changing() {
	local native
	clients_of "$2" 0 "$3"
	native=$(lost)
	flood 80 0 300 >/dev/null &
	wait_for 10 test -n "$(ip netns pids "$cli")"
	clients_of "$2" 1 "$3"
	stop_floods
	wait $!
	check_num "$1: listeners_change" "$(said changes "$tmp/members")" \
	    -ge $((seconds * 10))
	check_num "$1: no_client_is_lost" "$(lost)" -le "$4"
	check_num "$1: fewer_than_natively" "$(lost)" -le $((native / 2))
	check_str "$1: none_is_served_by_another_port" \
	    "$(said wrong "$tmp/clients")" 0
	check_num "$1: none_is_accepted_twice" \
	    "$(said accepted "$tmp/members")" -le $clients
	check_num "$1: all_others_are_served" \
	    "$(said served "$tmp/clients")" -eq $((clients - $(lost)))
}

# Who comes in the moment between close() and listen() finds nobody, and who is
# accepted between the last accept() and close() is reset, as natively.
changing "group" group "$srv4" $((clients / 40))
changing "group_over_ipv6" group "$srv6" $((clients / 40))
changing "alone" alone "$srv4" $((clients / 20))
changing "alone_over_ipv6" alone "$srv6" $((clients / 20))
# The stack moves what was accepted by one that is closed.
srv_write ipv4/tcp_migrate_req 1
changing "group_that_migrates" group "$srv4" 0
changing "group_that_migrates_over_ipv6" group "$srv6" 0
finish
