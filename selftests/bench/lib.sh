# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# shellcheck disable=SC3043 # dash knows "local"
#
# Sourced by every measurement: how instructions are counted.
#
# In a VM of "vm.sh --exact" the clock counts instructions: what takes a
# nanosecond is one.  A flood goes through veth into the server's namespace, each
# packet to its end before the next one is sent.  What it takes there is the
# flood's time less that of the same flood when an nft rule drops it, which is
# the cost of generator, veth and IP: so "past LOCAL_IN".
#
# Everything is measured several times, each time in new namespaces, and the
# least counts: some of them cost a packet that is answered 280 instructions
# more, natively as well, for as long as they live.
#
# Results are lines "figure<TAB>NAME<TAB>VALUE<TAB>UNIT".  HO_BENCH_NATIVE=n
# leaves out what has nothing to do with halfopen, HO_BENCH_SHORT=y measures less
# often.
HO_DIR=$(cd "${0%/*}/.." && pwd)
# shellcheck source=selftests/lib.sh
. "$HO_DIR/lib.sh"

port=80
syns=1000		# of a measurement
seed=1
hoards=
buckets=32768
unit=instructions
raw=$(mktemp) || exit 1

# --- results -------------------------------------------------------------------

# figure VALUE UNIT NAME...
figure() {
	local value="$1" unit="$2"
	shift 2
	printf 'figure\t%s\t%s\t%s\n' "$*" "$value" "$unit"
}

# note KEY: that it took $ns.
note() {
	printf '%s\t%s\n' "$1" "$ns" >>"$raw"
}

# least KEY: of all that was noted of it.
least() {
	awk -F '\t' -v key="$1" '
		$1 == key && (!found++ || $2 < least) { least = $2 }
		END { printf "%d\n", least; exit !found }' "$raw"
}

# median KEY: of the same.
median() {
	awk -F '\t' -v key="$1" '$1 == key { print $2 }' "$raw" | sort -n |
		awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'
}

# per_piece COUNT FAMILY NAME [LESS]: what one of COUNT takes, as a figure, when
# LESS is subtracted; nothing if it was not measured.
per_piece() {
	local count="$1" all
	all=$(least "$2 $3") || return 0
	[ $# -lt 4 ] || all=$((all - $(least "$2 $4")))
	figure $(((all + count / 2) / count)) $unit "$2 $3"
}

# per_packet FAMILY NAME: above the flood that is dropped.
per_packet() {
	per_piece $syns "$1" "$2" dropped
}

native_wanted() {
	[ "${HO_BENCH_NATIVE:-y}" = y ]
}

# repeat COMMAND: for each family.
repeat() {
	local family
	for family in ipv4 ipv6; do
		"$1" $family && "$1" $family || exit 1
		[ -n "${HO_BENCH_SHORT:-}" ] || "$1" $family || exit 1
	done
}

# --- before and after ----------------------------------------------------------

# begin: both namespaces and a server, natively.  begin_halfopen:
# with the module, whose table has $buckets.
begin() {
	setup_native
	srv_write ipv4/tcp_syncookies 0
	srv_write ipv4/tcp_synack_retries 0
	srv_write ipv4/tcp_max_syn_backlog 4194304
	srv_write core/somaxconn 4194304
	start_server -6 0 -p $port -b 4194304 || exit 1
}

begin_halfopen() {
	insmod "$ho_ko" buckets=$buckets || exit 1
	begin
	ho_sysctl synack_timeout_ms 120000
}

# end: everything that they made.
end() {
	trap - EXIT
	# shellcheck disable=SC2086 # one word per process
	[ -z "$hoards" ] || kill $hoards
	hoards=
	cleanup
	module_unload
}

# expire: every half-open connection, there and here.  Time without anything to
# do costs nothing.
expire() {
	if module_loaded; then
		ho_sysctl synack_retries 0
		ho_sysctl synack_timeout_ms 100
		wait_for 60 is -eq 0 ho_stat entries || exit 1
		ho_sysctl synack_timeout_ms 120000
		ho_sysctl synack_retries 5
	fi
	# the stack's, and until memory is free again
	sleep 4
}

# shake: the next packets come from other places in memory, see tools/hoard.c.
shake() {
	: >"$tmp/hoard"
	"$tools/hoard" 64 >"$tmp/hoard" &
	hoards="$hoards $!"
	wait_for 5 grep -q full "$tmp/hoard"
}

# drop_at TABLE CHAIN [RULE]: in the server, all that goes to the port, or all
# that the rule matches.
drop_at() {
	in_srv nft -f - <<-END
	table $1 bench {
		chain dropped {
			type filter hook $2 priority 0
			${3:-tcp dport $port} drop
		}
	}
	END
}

drop_no_more() {
	in_srv nft flush ruleset
}

# --- what takes time -----------------------------------------------------------

# send FAMILY COUNT [OPTION...]: puts what it took into $ns.
send() {
	local count="$2" flood=flood
	[ "$1" = ipv4 ] || flood=flood_v6
	shift 2
	# never the same packets twice
	seed=$((seed + 1))
	ns=$($flood $port "$count" 0 -s $seed "$@" |
		awk '/^sent/ { printf "%d\n", $4 * 1e9 }')
}

# measure FAMILY NAME [OPTION...]: a flood, after one that gets memory and fills
# caches.
measure() {
	local family="$1" name="$2"
	shift 2
	send "$family" $syns "$@"
	expire
	shake
	send "$family" $syns "$@"
	note "$family $name"
	expire
}

# measure_dropped FAMILY [OPTION...]
measure_dropped() {
	local family="$1"
	shift
	drop_at inet input || exit 1
	measure "$family" dropped "$@"
	drop_no_more
}

# free_bytes: what nobody uses, with what CPUs keep at hand.
free_bytes() {
	sleep 3
	awk '$1 == "MemFree:" { bytes += $2 * 1024 }
	     $1 == "count:" { bytes += $2 * 4096 }
	     END { printf "%d\n", bytes }' /proc/meminfo /proc/zoneinfo
}

# both_ends FAMILY NAME connections|segments COUNT: what tools/tcpcost says.
both_ends() {
	local addr="$srv4"
	[ "$1" = ipv4 ] || addr=$srv6
	shake
	ns=$(in_srv "$tools/tcpcost" "/run/netns/$cli" "$addr" 81 "$3" "$4") ||
		exit 1
	note "$1 $2"
}
