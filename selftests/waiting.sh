#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# timeout: 900
# rows: B-16 B-40
#
# The accept queue is full when the final ACK arrives: the client waits with
# what he said and is served as soon as there is room, without sending anything
# again.
. "${0%/*}/lib.sh"

# One page of hash chains: what is allocated on demand does not grow meanwhile.
load_small() {
	module_load && rmmod halfopen && insmod "$ho_ko" buckets=256
}

# park COUNT: that many clients of each family beyond the five that fit.
park() {
	cat >"$tmp/park.py" <<-END
	from seg import Peer
	peers = [Peer(family=f) for f in (4, 6) for i in range($1)]
	peers += [Peer() for i in range(5)]
	for p in peers:
	    p.syn()
	for p in peers:
	    p.expect_synack()
	for p in peers[::-1]:
	    p.ack()
	    p.data(b"hello")
	END
	seg "$tmp/park.py"
	wait_for 1 is -eq $((2 * $1)) used waiting
}

# used WHAT
used() {
	in_srv awk -v want="$1" '$1 == want { print $2 }' \
	    /proc/net/halfopen_limits
}

host_memory() {
	awk '$1 == "host_memory_bytes" { print $2 }' /proc/net/halfopen_limits
}

# The other end of the pair goes with the namespace, when all is cleaned up.
device_is_gone() {
	! ip -n "$cli" link show cli0 >/dev/null 2>&1
}

[ ! -e "$ho_ko" ] || load_small || exit 1
setup
seg_tap "$tools/waiting.py" "$srv"
check_oracle

start_server -6 0 -p 80 -b 4 -s || exit 1
check "clients_wait_when_the_namespace_goes" park 10
check_num "they_use_memory" "$(host_memory)" -gt 20000
del_namespace "$srv"
check "namespace_goes_with_them" wait_for 10 device_is_gone
check_num "their_memory_is_free" "$(host_memory)" -eq 0

del_namespace "$cli"
namespaces=
add_namespace srv && add_namespace cli && connect_namespaces || exit 1
arm_oracle
start_server -6 0 -p 80 -b 4 -s || exit 1
check "clients_wait_when_the_module_goes" park 10
check "module_goes_with_them" module_unload
load_small || exit 1
kill -USR1 "$server_pid"
check "who_was_in_the_queue_is_served" \
    wait_for 5 grep -q '^accepted 5' "$tmp/server"
finish
