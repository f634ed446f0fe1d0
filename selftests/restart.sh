#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# rows: B-18
#
# The listener is closed and reopened between SYN and ACK: an entry belongs to
# an address and a port, so a restarted server gets the connection.
. "${0%/*}/lib.sh"
setup

accepted() {
	grep -c '^accepted' "$tmp/server"
}

# restart NAME FAMILY PORT SERVER_OPTIONS...
restart() {
	local name="$1" family="$2" port="$3" pid
	shift 3
	start_server -p "$port" "$@" || exit 1
	mkfifo "$tmp/go"
	seg "$tools/halfway.py" "$family" "$port" 10 \
	    <"$tmp/go" >"$tmp/peers" 2>&1 &
	pid=$!
	exec 9>"$tmp/go"
	wait_for 20 grep -q half-open "$tmp/peers" || {
		fail "${name}_handshakes_start" "$(cat "$tmp/peers")"
		return
	}
	stop_server
	check_num "${name}_entries_survive_the_listener" "$(half_open)" -eq 10
	start_server -p "$port" "$@" || exit 1
	echo go >&9
	exec 9>&-
	wait $pid
	check_str "${name}_clients_are_answered" \
	    "$(grep answered "$tmp/peers")" "answered 10"
	check_num "${name}_new_server_accepts_all" "$(accepted)" -eq 10
	check_num "${name}_nothing_is_left" "$(half_open)" -eq 0
	stop_server
	rm -f "$tmp/go"
}

restart ipv4 4 81
restart ipv6 6 82 -6 1
restart ipv4_to_dual_stack 4 83 -6 0
restart reuseport 4 84 -R 4
finish
