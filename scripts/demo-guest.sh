#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC3043 # dash knows "local"
#
# The part of the demo that runs in the VM: the same flood against the same
# nginx three times.  Prints a line per second; leaves seconds.dat and
# summary.dat in /out.
set -u
export HO_DIR=/ho/selftests
# shellcheck source=../selftests/lib.sh
. /ho/selftests/lib.sh

rate=${DEMO_RATE:-2000}		# SYNs per second
flood_s=${DEMO_SECONDS:-20}
lead_s=4			# without a flood, before it
per_second=20			# clients
timeout_ms=3000
export nginx_backlog=511	# what nginx asks for by default

phase=0
elapsed=0
mkdir -p /out
: >/out/seconds.dat
: >/out/summary.dat

# What the kernel remembers of a peer would let it in through a full queue.
forget_peers() {
	srv_write ipv4/tcp_no_metrics_save 1
	cli_write ipv4/tcp_no_metrics_save 1
	ip -n "$srv" tcp_metrics flush >/dev/null 2>&1
	ip -n "$cli" tcp_metrics flush >/dev/null 2>&1
}

in_halfopen() {
	if module_loaded; then ho_stat entries; else echo 0; fi
}

# SYNs per second since the last call: "MS COUNT" in $syn_ms and $syn_count.
flood_rate() {
	local ms count
	syns=0
	[ -s "$tmp/flood" ] || return
	read -r ms count <<-END
	$(grep '^[0-9]' "$tmp/flood" | tail -n 1)
	END
	[ "${ms:-0}" -le "$syn_ms" ] ||
		syns=$(((count - syn_count) * 1000 / (ms - syn_ms)))
	syn_ms=${ms:-0}
	syn_count=${count:-0}
}

# Lines of the clients come once a second: each asks for the rest.
watch() {
	local second ok failed p50 p99 queue table syns
	local syn_ms=0 syn_count=0
	while read -r second ok failed p50 p99; do
		if [ "$second" = total ]; then
			echo "$ok $failed $p50 $p99" >"$tmp/total"
			continue
		fi
		flood_rate
		queue=$(native_half_open)
		table=$(in_halfopen)
		elapsed=$((elapsed + 1))
		printf '%3d  %-15s %7s %9s %9s %6s %6s %9s\n' "$elapsed" \
		    "$1" "$syns" "$queue" "$table" "$ok" "$failed" "$p99"
		echo "$elapsed $phase $syns $queue $table $ok $failed" \
		    "$p50 $p99" >>/out/seconds.dat
	done
}

# phase NAME native|halfopen COOKIES
phase() {
	local slab sent
	phase=$((phase + 1))
	if [ "$2" = native ]; then setup_native; else setup; fi
	srv_write ipv4/tcp_syncookies "$3"
	forget_peers
	start_nginx || exit 1
	# What the last phase left is freed with a delay.
	wait_for 20 is -le 50 slab_objects request_sock_TCP
	slab=$(slab_objects request_sock_TCP)
	: >"$tmp/flood"
	mkfifo "$tmp/clients"
	(
		sleep $lead_s
		exec nsenter --net="/run/netns/$cli" "$tools/synflood" -v \
		    -i cli0 -m "$srv_mac" -S "$flood4" -d "$srv4" \
		    -p "$http_port" -n $((rate * flood_s)) -r "$rate" -s 1
	) >>"$tmp/flood" &
	in_cli "$tools/clients" "$srv4" "$http_port" $per_second \
	    $((lead_s + flood_s)) $timeout_ms >"$tmp/clients" &
	watch "$1" <"$tmp/clients"
	sent=$(mib TcpExtSyncookiesSent)
	{
		printf '%s|' "$1"
		tr ' ' '|' <"$tmp/total" | tr -d '\n'
		awk -v phase=$phase '
			$2 == phase && $4 > queue { queue = $4 }
			$2 == phase && $5 > table { table = $5 }
			END { printf "|%d|%d", queue, table }' /out/seconds.dat
		echo "|$(($(slab_objects request_sock_TCP) - slab))|$sent"
	} >>/out/summary.dat
	trap - EXIT
	cleanup
	module_unload
}

printf '\n%3s  %-15s %7s %9s %9s %6s %6s %9s\n' "" "" "" "half-open" \
    "half-open" clients clients "p99 conn."
printf '%3s  %-15s %7s %9s %9s %6s %6s %9s\n' s phase SYN/s "listener" \
    halfopen ok failed "ms"
phase "native" native 0
phase "native, cookies" native 1
phase "halfopen" halfopen 1
