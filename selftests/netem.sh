#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 3000
#
# Ways that lose, double, delay, reorder and spoil packets in both directions: as
# many clients are served as natively, within 2 %.
. "${0%/*}/lib.sh"
seconds=5
[ -z "${HO_LONG:-}" ] || seconds=250
rate=40

modprobe sch_netem || skip_all "no netem"
setup
start_nginx || exit 1
forget_time_wait
clients=$((seconds * rate))

# A spoilt address or type is nothing that either side answers.
# shellcheck disable=SC2086 # several words
impair() {
	tc -n "$srv" qdisc "$1" dev srv0 root netem limit 10000 $2
	tc -n "$cli" qdisc "$1" dev cli0 root netem limit 10000 $2
}

# served MODE ADDR PORT: how many clients are served.
served() {
	ho_sysctl mode "$1"
	in_cli "$tools/clients" "$2" "$3" $rate $seconds 40000 |
		awk '$1 == "total"' >"$tmp/total"
	awk '{ print $2 }' "$tmp/total"
}

# way NAME NETEM...
way() {
	local name="$1" family addr port native ours times
	shift
	impair add "$*" || { fail "$name" "no such netem: $*"; return; }
	for family in 4 6; do
		addr=$srv4 port=$http_port
		[ $family = 4 ] || addr=$srv6 port=$http_port6
		native=$(served 0 "$addr" "$port")
		times=$(cut -d ' ' -f 4,5 "$tmp/total")
		ours=$(served 1 "$addr" "$port")
		echo "# $name, ipv$family: $native natively (connect ms: $times)," \
		    "$ours with halfopen ($(cut -d ' ' -f 4,5 "$tmp/total"))"
		check_num "$name: native_clients_are_served_over_ipv$family" \
		    "$native" -ge $((clients * 9 / 10))
		check_num "$name: as_many_with_halfopen_over_ipv$family" \
		    "$ours" -ge $((native - clients / 50))
	done
	impair del ""
}

way "loss" loss 10%
way "duplication" duplicate 30%
way "delay" delay 60ms 40ms
way "reordering" delay 20ms reorder 40% 50%
way "corruption" corrupt 10%
way "all_of_them" delay 30ms 20ms loss 5% duplicate 10% corrupt 5%
check_num "halfopen_took_them" "$(ho_stat handover)" -ge $((clients * 10))
finish
