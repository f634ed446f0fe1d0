#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# check: one kernel
# timeout: 600
#
# halfopenctl with a table of 30,000 entries, or of a million in the nightly
# run: the list is there in less than 3 s a million, and clients connect
# meanwhile.
. "${0%/*}/lib.sh"

ctl=$tools/halfopenctl
[ -x "$ctl" ] || skip_all "no halfopenctl"
thousands=30
[ -z "${HO_LONG:-}" ] || thousands=1000
entries=$((thousands * 1000))
# and programs have to start
limit_ms=$((thousands * 3 + 200))

setup
start_nginx || exit 1
"$ctl" -n "$srv" set synack_timeout_ms=120000 max_backlog=4194304 \
    max_port_backlog=4194304 max_source_backlog=4194304 \
    max_memory_bytes=1000000000 source_synack_rate=0 >/dev/null
"$ctl" set host_memory_bytes=2000000000 >/dev/null
flood $http_port $entries 0 >/dev/null
full=$(ho_stat entries)
# a source with the same port may come twice
check_num "table_is_filled" "$full" -ge $((entries * 99 / 100))

# timed NAME COMMAND...: its output in $tmp/out, how long it took in $ms; the
# best of five, as the host may have other things to do.
timed() {
	local name="$1" start took
	shift
	ms=
	for _ in 1 2 3 4 5; do
		start=$(now_ms)
		"$@" >"$tmp/out" || break
		took=$(($(now_ms) - start))
		[ -n "$ms" ] && [ "$ms" -lt $took ] || ms=$took
	done
	echo "# $name: ${ms:-no} ms, $full entries"
	check_num "${name}_succeeds" "${ms:-no}" -ge 0
}

list_into_cat() {
	"$ctl" -n "$srv" list -H | cat >/dev/null
}

timed dump_alone in_srv cat /proc/net/halfopen_dump
# A machine where the bare file takes more than a second is slow, or busy.
[ $((3 * ms)) -lt $limit_ms ] || limit_ms=$((3 * ms))
timed list_into_a_file "$ctl" -n "$srv" list -H
check_num "every_entry_is_a_line" "$(wc -l <"$tmp/out")" -eq "$full"
check_num "list_takes_less_than_3_s_a_million" "$ms" -lt $limit_ms
rm "$tmp/out"
timed list_into_a_pipe list_into_cat
check_num "that_takes_no_longer" "$ms" -lt $limit_ms
timed status "$ctl" -n "$srv" status
check "status_counts_them_all" grep -Eq "^$http_port +$full " "$tmp/out"
timed metrics "$ctl" -n "$srv" metrics -s 10
timed count "$ctl" -n "$srv" list -c -r 198.18.0.0/16
check_num "about_half_of_the_sources" "$(cat "$tmp/out")" -ge $((entries / 3))

# --- traffic goes on ----------------------------------------------------------

in_cli "$tools/clients" "$srv4" $http_port 10 50 3000 >"$tmp/clients" &
clients=$!
passes=0
while kill -0 $clients 2>/dev/null; do
	"$ctl" -n "$srv" list -H >/dev/null || break
	passes=$((passes + 1))
done
wait $clients
sed 's/^/# clients: /' "$tmp/clients" | tail -n 1
check_num "the_list_was_read_meanwhile" $passes -ge 3
check_str "every_client_connects_meanwhile" \
    "$(sed -n 's/^total \([0-9]* [0-9]*\) .*/\1/p' "$tmp/clients")" "500 0"
finish
