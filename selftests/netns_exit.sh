#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# rows: B-10 B-47
#
# A namespace goes away with half-open connections in it, while more come in.
# The device of the floods goes with it, hence -q.
. "${0%/*}/lib.sh"
setup

# The other end of the pair goes with the namespace, when all is cleaned up.
device_is_gone() {
	! ip -n "$cli" link show cli0 >/dev/null 2>&1
}

# Delete the server and wait; prints milliseconds.
vanish() {
	local start
	start=$(now_ms)
	del_namespace "$srv"
	wait_for 20 device_is_gone || { echo 99999; return; }
	echo $(($(now_ms) - start))
}

# A new server where the old one was.
next_server() {
	local ns
	for ns in $srv $cli; do
		del_namespace "$ns"
	done
	namespaces=
	generation=$((generation + 1))
	add_namespace srv && add_namespace cli && connect_namespaces || exit 1
	arm_oracle
	start_server -p 80 || exit 1
}

generation=0
slowest=0
entries_ok=y
round=0
while [ $round -lt 6 ]; do
	round=$((round + 1))
	next_server
	flood 80 0 2000 -q >/dev/null 2>&1 &
	if [ $((round % 2)) -eq 0 ]; then
		flood_v6 80 0 2000 -q >/dev/null 2>&1 &
	fi
	wait_for 10 is -ge 1000 ho_stat entries || entries_ok=
	ms=$(vanish)
	[ "$ms" -le "$slowest" ] || slowest=$ms
done
check "entries_were_there" test -n "$entries_ok"
echo "# slowest removal: $slowest ms"
check_num "namespaces_go_within_seconds" "$slowest" \
    -lt $((10000 * ${HO_SLOW:-1}))

# Timers of those entries would have been due by now.
sleep 3
next_server
check_num "new_namespace_starts_empty" "$(ho_stat entries)" -eq 0
check_num "new_namespace_starts_from_zero" "$(ho_stat syn_taken)" -eq 0
flood 80 500 0 >/dev/null
check_num "new_namespace_works" "$(half_open)" -eq 500

# rmmod in the test's end finds half-open connections and no namespace leak.
finish
