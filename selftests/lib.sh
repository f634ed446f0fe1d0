# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# shellcheck disable=SC3043 # dash and bash know "local"
#
# Sourced by every test: namespaces, servers, clients, floods, counters, TAP.
#
#	. "${0%/*}/lib.sh"
#	setup
#	check "name_of_a_behaviour" command...
#	finish
#
# The network:
#
#	$cli                                    $srv
#	cli0 10.0.0.2/24, fd00::2/64  <veth>  srv0 10.0.0.1/24, fd00::1/64
#
# All other sources are behind a gateway, 10.0.0.254 and fd00::fe, that is
# nothing but a static neighbour entry in the server: frames to it reach cli0,
# where packet sockets see them and the IP stack does not.  So spoofed sources
# are routable, and no kernel answers their SYN-ACKs with a reset.
set -u

ho_dir=${HO_DIR:-$(cd "${0%/*}" && pwd)}
tools=$ho_dir/tools
ho_ko=${HO_KO:-$ho_dir/../halfopen.ko}
test_name=$(basename "$0" .sh)

srv4=10.0.0.1
cli4=10.0.0.2
gw4=10.0.0.254
srv6=fd00::1
cli6=fd00::2
gw6=fd00::fe
gw_mac=02:00:00:00:00:fe
srv_mac=02:00:00:00:00:01
cli_mac=02:00:00:00:00:02
# Where floods come from, and where single spoofed peers may live.
flood4=198.18.0.0/15
flood6=2001:db8::/32
http_port=80		# one IPv4 socket
http_port6=86		# one IPv6-only socket
http_port_dual=8080	# one dual-stack socket

srv=
cli=
namespaces=
tmp=

# --- TAP ---------------------------------------------------------------------

tap_count=0
tap_failed=0

tap_note() {
	sed 's/^/#   /'
}

pass() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
}

# fail NAME [WHY]
fail() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	[ -z "${2:-}" ] || echo "$2" | tap_note
}

# check NAME COMMAND...: what the command printed shows only if it failed.
check() {
	local name="$1" out
	shift
	if out=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "$* -> $?${out:+
$out}"
	fi
}

# check_num NAME VALUE OP WANT, with test's operators.
check_num() {
	if test "$2" "$3" "$4" 2>/dev/null; then
		pass "$1"
	else
		fail "$1" "got '$2', want $3 $4"
	fi
}

check_str() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got '$2', want '$3'"
	fi
}

# One behaviour that cannot be tested here.
skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# The whole test cannot run here: name the missing feature.
skip_all() {
	echo "1..0 # SKIP $1"
	trap - EXIT
	cleanup
	exit 4
}

# Every counter of the server that is not zero, for whoever reads a failure.
show_counters() {
	local file
	for file in halfopen halfopen_overload halfopen_declined \
	    halfopen_fastpath; do
		in_srv awk '
			NR == 1 { split($0, name); next }
			{
				for (i = 1; i <= NF; i++)
					if ($i !~ /^0*$/)
						print "cpu", NR - 2, name[i], $i
			}' "/proc/net/stat/$file" 2>/dev/null
	done | tap_note
	in_srv nstat -as | awk '!/^#/ { print $1, $2 }' | tap_note
}

# The plan comes last: a script that dies half-way has none.
finish() {
	[ -z "$srv" ] || check_oracle
	[ "$tap_failed" -eq 0 ] || show_counters
	trap - EXIT
	cleanup
	module_loaded && check "module_unloads" rmmod halfopen
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ]
	exit
}

# --- polling -----------------------------------------------------------------

now_ms() {
	awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime
}

# wait_for SECONDS COMMAND...: until it succeeds; longer on a slow kernel.  The
# longer it takes, the less often somebody looks: in a VM whose clock skips idle
# time that is what costs.
wait_for() {
	local start now pause end
	start=$(now_ms)
	end=$((start + $1 * ${HO_SLOW:-1} * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		now=$(now_ms)
		[ "$now" -lt "$end" ] || return 1
		pause=$(((now - start) / 8 + 50))
		[ $pause -lt 500 ] || pause=500
		sleep "$(printf '0.%03d' $pause)"
	done
}

# is VALUE OP WANT COMMAND...: for wait_for; compares what COMMAND prints.
is() {
	local op="$1" want="$2"
	shift 2
	test "$("$@")" "$op" "$want"
}

# --- the module --------------------------------------------------------------

module_loaded() {
	[ -d /sys/module/halfopen ]
}

module_load() {
	local dep
	module_loaded && return
	[ -e "$ho_ko" ] || return 1
	for dep in $(modinfo -F depends "$ho_ko" | tr ',' ' '); do
		modprobe "$dep" || return 1
	done
	insmod "$ho_ko"
}

module_unload() {
	! module_loaded || rmmod halfopen
}

# What a fresh namespace with the module has to have in every test; with
# HO_FASTPATH=y SYNs that can be are answered at the device.
arm_oracle() {
	module_loaded || return 0
	ho_sysctl verify_synack 1
	[ -z "${HO_FASTPATH:-}" ] || ho_sysctl fastpath srv0
}

# The kernel builds its own SYN-ACK at every handover; halfopen's must be the
# same.  A connection that was handed over without a comparison is an error.
check_oracle() {
	module_loaded || return 0
	check_num "synack_equals_the_kernels" "$(ho_stat verify_diff)" -eq 0
	[ "$(ho_stat handover)" -eq 0 ] ||
		check_num "synack_was_compared" "$(ho_stat verify_ok)" -gt 0
}

# --- namespaces --------------------------------------------------------------

# nsenter takes half the time of "ip netns exec": it does not mount /sys anew.
in_ns() {
	local ns="$1"
	shift
	nsenter --net="/run/netns/$ns" "$@"
}

in_srv() {
	in_ns "$srv" "$@"
}

in_cli() {
	in_ns "$cli" "$@"
}

# add_namespace NAME: a name that no other run has is put into $NAME.
add_namespace() {
	local name
	name="$1-$test_name-$$"
	ip netns add "$name" || return 1
	namespaces="$namespaces $name"
	eval "$1=\$name"
	ip -n "$name" link set lo up
	# shellcheck disable=SC2016
	in_ns "$name" dash -c '
		for conf in all default; do
			echo 0 >/proc/sys/net/ipv4/conf/$conf/rp_filter
			echo 0 >/proc/sys/net/ipv6/conf/$conf/accept_dad
			echo 0 >/proc/sys/net/ipv6/conf/$conf/router_solicitations
		done'
}

del_namespace() {
	local pids
	pids=$(ip netns pids "$1" 2>/dev/null)
	# shellcheck disable=SC2086 # one word per process
	[ -z "$pids" ] || kill -9 $pids 2>/dev/null
	ip netns del "$1" 2>/dev/null
}

cleanup() {
	local ns
	for ns in $namespaces; do
		del_namespace "$ns"
	done
	namespaces=
	[ -z "$tmp" ] || rm -rf "$tmp"
	wait
}

died() {
	echo "# the test ended early"
	cleanup
	module_unload
	exit 1
}

connect_namespaces() {
	ip -n "$cli" link add cli0 address "$cli_mac" numtxqueues 1 \
	    type veth peer name srv0 address "$srv_mac" netns "$srv" || return 1
	ip -n "$cli" addr add "$cli4/24" dev cli0
	ip -n "$srv" addr add "$srv4/24" dev srv0
	ip -n "$cli" addr add "$cli6/64" dev cli0 nodad
	ip -n "$srv" addr add "$srv6/64" dev srv0 nodad
	ip -n "$cli" link set cli0 up
	ip -n "$srv" link set srv0 up
	ip -n "$srv" neigh add "$gw4" lladdr "$gw_mac" dev srv0 nud permanent
	ip -n "$srv" neigh add "$gw6" lladdr "$gw_mac" dev srv0 nud permanent
	ip -n "$srv" route add default via "$gw4"
	ip -n "$srv" -6 route add default via "$gw6" dev srv0
	# Real neighbours, so that no resolution disturbs the first packets.
	ip -n "$srv" neigh add "$cli4" lladdr "$cli_mac" dev srv0 nud permanent
	ip -n "$srv" neigh add "$cli6" lladdr "$cli_mac" dev srv0 nud permanent
	ip -n "$cli" neigh add "$srv4" lladdr "$srv_mac" dev cli0 nud permanent
	ip -n "$cli" neigh add "$srv6" lladdr "$srv_mac" dev cli0 nud permanent
}

# The two namespaces on a machine without the module.
setup_native() {
	trap died EXIT
	tmp=$(mktemp -d) || exit 1
	add_namespace srv && add_namespace cli && connect_namespaces || exit 1
}

setup() {
	[ -e "$ho_ko" ] || skip_all "no halfopen.ko"
	module_load || exit 1
	setup_native
	arm_oracle
}

# --- counters ----------------------------------------------------------------

# stat_sum FILE PATTERN: the columns of /proc/net/stat/FILE that match, of all
# CPUs together.  The first one, entries, is the same in every row, as in
# lnstat's other files.
stat_sum() {
	local sum
	sum=$(in_srv awk -v want="^$2\$" '
		NR == 1 {
			for (i = 1; i <= NF; i++)
				if ($i ~ want)
					col[i] = $i
			next
		}
		{
			for (i in col)
				if (NR == 2 || col[i] != "entries")
					printf "0x%s + ", $i
		}' "/proc/net/stat/$1")
	[ -n "$sum" ] || {
		echo "no column $2 in $1" >&2
		return 1
	}
	echo $((${sum}0))
}

# ho_stat COLUMN
ho_stat() {
	case $1 in
	declined_*) stat_sum halfopen_declined "$1" ;;
	cookie_* | evicted | synack_budget | resend_* | wait*)
		stat_sum halfopen_overload "$1"
		;;
	fast_*) stat_sum halfopen_fastpath "$1" ;;
	*) stat_sum halfopen "$1" ;;
	esac
}

# ho_declined: how many SYNs went the native way, for whatever reason.
ho_declined() {
	stat_sum halfopen_declined 'declined_.*'
}

# mib NAME: one of nstat's counters of the server (TcpExtSyncookiesSent ...).
mib() {
	in_srv nstat -asz "$1" | awk -v want="$1" '$1 == want { print $2 }'
}

# Half-open connections in the listeners' queues, and in halfopen.
native_half_open() {
	in_srv ss -Htn state syn-recv | wc -l
}

half_open() {
	in_srv cat /proc/net/halfopen | wc -l
}

# slab_objects CACHE: active objects, after the empty slabs went back.
slab_objects() {
	{ echo 1 >"/sys/kernel/slab/$1/shrink"; } 2>/dev/null
	awk -v want="$1" '$1 == want { print $2; found = 1 }
			  END { exit !found }' /proc/slabinfo
}

# What sockets, handshakes, routes, tracked connections, namespaces and packets
# are made of.
slab_caches="TCP TCPv6 request_sock_TCP request_sock_TCPv6 tw_sock_TCP
	     tw_sock_TCPv6 ip_dst_cache rtable ip6_dst_cache nf_conntrack
	     net_namespace skbuff_head_cache skbuff_fclone_cache
	     skbuff_small_head"

# slab_counts: "CACHE OBJECTS" of those that exist here.
slab_counts() {
	local cache count
	for cache in $slab_caches; do
		count=$(slab_objects "$cache") && echo "$cache $count"
	done
}

# slabs_above FILE SPARE: which have more objects than slab_counts put in FILE,
# and more than that above it.
slabs_above() {
	slab_counts | awk -v file="$1" -v spare="$2" '
		BEGIN {
			while ((getline line <file) > 0) {
				split(line, word)
				was[word[1]] = word[2]
			}
		}
		$2 > was[$1] + spare { print $1, was[$1] + 0, "->", $2 }'
}

# is_silent COMMAND...: it prints nothing.
is_silent() {
	test -z "$("$@")"
}

# check_slabs NAME FILE SPARE: within a minute.
check_slabs() {
	wait_for 60 is_silent slabs_above "$2" "$3"
	check_str "$1" "$(slabs_above "$2" "$3")" ""
}

# ho_sysctl NAME [VALUE] of the server.
ho_sysctl() {
	if [ $# -eq 1 ]; then
		in_srv cat "/proc/sys/net/halfopen/$1"
	else
		srv_write "halfopen/$1" "$2"
	fi
}

# srv_write FILE VALUE, cli_write: any file of /proc/sys/net.
# dash would call every refusal an I/O error.
srv_write() {
	# shellcheck disable=SC2016
	in_srv bash -c 'echo "$2" >"/proc/sys/net/$1"' - "$1" "$2"
}

cli_write() {
	# shellcheck disable=SC2016
	in_cli bash -c 'echo "$2" >"/proc/sys/net/$1"' - "$1" "$2"
}

# --- servers, clients, floods ------------------------------------------------

# forget_time_wait: nginx closes first, and a client that gets the port of an
# earlier connection would meet its TIME_WAIT socket.  That is the stack's
# business and no handover: for tests that count handovers.
forget_time_wait() {
	srv_write ipv4/tcp_max_tw_buckets 0
}

# start_nginx: on http_port, http_port6 and http_port_dual of the server; the
# files of $tmp/www, below /slow/ and /fast/ at an even pace (curl's own limit
# reads megabytes and then sleeps for seconds).
start_nginx() {
	mkdir -p "$tmp/www" "$tmp/nginx/logs"
	cat >"$tmp/nginx/nginx.conf" <<-END
	daemon off;
	master_process off;
	user root root;
	pid $tmp/nginx/pid;
	error_log $tmp/nginx/error.log;
	events { worker_connections 4096; }
	http {
		access_log off;
		keepalive_timeout 0;
		server {
			listen $http_port backlog=${nginx_backlog:-128};
			listen [::]:$http_port6 ipv6only=on backlog=128;
			listen [::]:$http_port_dual ipv6only=off backlog=128;
			root $tmp/www;
			location = / { return 200 "halfopen\n"; }
			location /slow/ { alias $tmp/www/; limit_rate 300k; }
			location /fast/ { alias $tmp/www/; limit_rate 1m; }
		}
	}
	END
	# A function would leave a shell between us and the process.
	ip netns exec "$srv" nginx -p "$tmp/nginx" \
	    -c "$tmp/nginx/nginx.conf" >"$tmp/nginx/out" 2>&1 &
	wait_for 10 listening $http_port || {
		tap_note <"$tmp/nginx/out"
		return 1
	}
}

listening() {
	in_srv ss -Htnl "sport = :$1" | grep -q .
}

# fetch COUNT URL: that many connections, one after the other; prints how many
# were answered.  fetch_times has "CODE CONNECT_SECONDS" of each.
fetch() {
	in_cli curl -s -m "${fetch_timeout:-5}" \
	    -w '%{http_code} %{time_connect}\n' -o /dev/null \
	    "$2?[1-$1]" >"$tmp/fetch_times" 2>/dev/null
	grep -c '^200 ' "$tmp/fetch_times"
}

# flood PORT COUNT RATE [OPTION...]: spoofed SYNs over IPv4, flood_v6 over IPv6,
# with -A forged ACKs; waits until they are sent.  COUNT 0 has no end, RATE 0 no
# limit.
flood() {
	local port="$1" count="$2" rate="$3"
	shift 3
	ip netns exec "$cli" "$tools/synflood" -i cli0 -m "$srv_mac" \
	    -S $flood4 -d "$srv4" -p "$port" -n "$count" -r "$rate" "$@"
}

flood_v6() {
	local port="$1" count="$2" rate="$3"
	shift 3
	ip netns exec "$cli" "$tools/synflood" -i cli0 -m "$srv_mac" \
	    -S $flood6 -d "$srv6" -p "$port" -n "$count" -r "$rate" "$@"
}

# flooders: their processes.  The job that a shell waits for is not one.
flooders() {
	local pid
	for pid in $(ip netns pids "$cli"); do
		[ "$(cat "/proc/$pid/comm")" != synflood ] || echo "$pid"
	done
}

# stop_floods: those that have no end.
stop_floods() {
	local pid
	for pid in $(flooders); do
		kill "$pid"
	done
}

# start_server OPTION...: tools/tcpserver in the server namespace; its output
# is $tmp/server, its process $server_pid.
start_server() {
	: >"$tmp/server"
	ip netns exec "$srv" "$tools/tcpserver" "$@" >>"$tmp/server" 2>&1 &
	server_pid=$!
	wait_for 5 grep -q '^listening' "$tmp/server"
}

stop_server() {
	kill "$server_pid" 2>/dev/null
	wait "$server_pid" 2>/dev/null
}

# seg SCRIPT...: python3 in the client namespace with tools/seg.py at hand.
seg() {
	(seg_exec "$@")
}

# As a job, so that $! is the program and not a shell before it.
seg_exec() {
	exec nsenter --net="/run/netns/$cli" env PYTHONPATH="$tools" \
	    python3 -B -S "$@"
}

# seg_tap SCRIPT...: one that prints TAP, which becomes a part of ours.
seg_tap() {
	local line planned=-1 before=$tap_count
	seg "$@" >"$tmp/tap" 2>&1
	while IFS= read -r line; do
		case $line in
		"ok "*) pass "${line#ok * - }" ;;
		"not ok "*) fail "${line#not ok * - }" ;;
		"1.."*) planned=${line#1..} ;;
		*) echo "$line" ;;
		esac
	done <"$tmp/tap"
	check_num "scenarios_ran" $((tap_count - before)) -eq "$planned"
}

# differential MODULE: its scenarios, native against halfopen, and nothing else.
differential() {
	seg_tap "$tools/differential.py" "$srv" "$@"
	finish
}
