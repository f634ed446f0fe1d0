#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# rows: B-10 B-47
# timeout: 14000
#
# Namespaces come, serve, fill with half-open connections of both families, some
# of them tracked, and go while the flood goes on.  Each removal takes less than a
# second more than it does without halfopen, and nothing of them is left.
. "${0%/*}/lib.sh"
rounds=30
[ -z "${HO_LONG:-}" ] || rounds=2000
native_rounds=$((rounds / 6))
tracing=/sys/kernel/tracing

setup
module_unload
modprobe -a macvlan nf_conntrack nf_tables nft_ct || exit 1

# Floods of their own for what comes and goes behind low0:
#
#	$cli: cli0 10.0.0.2/24, fd00::2/64  <veth>  low0  <macvlan>  srv0
del_namespace "$srv"
srv=
device_is_gone() {
	! ip -n "$cli" link show cli0 >/dev/null 2>&1
}
wait_for 10 device_is_gone || exit 1
ip -n "$cli" link add cli0 address "$cli_mac" numtxqueues 1 type veth \
    peer name low0 || exit 1
cli_write ipv6/conf/low0/disable_ipv6 1
ip -n "$cli" link set low0 up
ip -n "$cli" link set cli0 up
ip -n "$cli" addr add "$cli4/24" dev cli0
ip -n "$cli" addr add "$cli6/64" dev cli0 nodad
ip -n "$cli" neigh add "$srv4" lladdr "$srv_mac" dev cli0 nud permanent
ip -n "$cli" neigh add "$srv6" lladdr "$srv_mac" dev cli0 nud permanent

cat >"$tmp/rules" <<END
table inet t {
	chain in {
		type filter hook input priority filter
		ct state new counter
	}
}
END

if ! echo 'p:ho/begins cleanup_net' >$tracing/kprobe_events ||
    ! echo 'r:ho/ends cleanup_net' >>$tracing/kprobe_events; then
	skip_all "no kprobe events"
fi
echo 1 >$tracing/events/ho/enable

# lives NAME COUNT: sets mean and max, in ms.
lives() {
	seg "$tools/namespaces.py" low0 "$2" "$tmp/rules" >"$tmp/lives" 2>&1
	read -r count _ mean _ max _ <<-END
	$(tail -n 1 "$tmp/lives")
	END
	if [ "$count" = "$2" ]; then
		pass "$1: $2_namespaces_come_and_go"
		echo "# $1: removed in $mean ms, at most $max ms"
	else
		fail "$1: $2_namespaces_come_and_go" "$(cat "$tmp/lives")"
		mean=0 max=0
	fi
}

memory() {
	awk '$1 == "host_memory_bytes" { print $2 }' /proc/net/halfopen_limits
}

devices() {
	ip -n "$cli" -o link | wc -l
	ip -o link | wc -l
}

flood 80 0 1000 >/dev/null &
floods=$!
flood_v6 80 0 1000 >/dev/null &
floods="$floods $!"

# What the first one makes stays.
lives "at_first" 1
slab_counts >"$tmp/slabs"
before=$(devices)
lives "natively" $native_rounds
native_max=$max

module_load || exit 1
memory=$(memory)
lives "with_halfopen" $rounds
check_num "no_removal_takes_a_second_more_than_natively" \
    $((max - native_max)) -lt 1000
check_num "memory_of_all_of_them_is_free" "$(memory)" -eq "$memory"
check_num "nobody_uses_the_module" "$(cat /sys/module/halfopen/refcnt)" -eq 0
check "module_unloads_under_flood" rmmod halfopen

stop_floods
# shellcheck disable=SC2086 # one word per process
wait $floods
check_str "no_device_is_left" "$(devices)" "$before"
check_slabs "slabs_are_back_to_the_start" "$tmp/slabs" 32
check_num "no_namespace_is_left" "$(slab_objects net_namespace)" -le \
    "$(awk '$1 == "net_namespace" { print $2 }' "$tmp/slabs")"
echo 0 >$tracing/events/ho/enable
echo >$tracing/kprobe_events
finish
