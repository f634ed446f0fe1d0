#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# net.halfopen.*: defaults, bounds, what is refused, one set per namespace, and
# the statistics file as lnstat reads it.
. "${0%/*}/lib.sh"
setup

# knob NAME DEFAULT MIN MAX
knob() {
	local name="$1" bad value
	check_num "${name}_defaults_to_$2" "$(ho_sysctl "$name")" -eq "$2"
	for value in "$3" "$4"; do
		check "${name}_accepts_$value" ho_sysctl "$name" "$value"
		check_num "${name}_is_$value" "$(ho_sysctl "$name")" \
		    -eq "$value"
	done
	for bad in $(($4 + 1)) -1 4294967296 many 1.5; do
		refuses "$name" "$bad"
	done
	[ "$3" -eq 0 ] || refuses "$name" $(($3 - 1))
	ho_sysctl "$name" "$2"
}

# A refused value is EINVAL and changes nothing.
refuses() {
	local before error
	before=$(ho_sysctl "$1")
	error=$(ho_sysctl "$1" "$2" 2>&1)
	case $error in
	*"nvalid argument"*) pass "$1_refuses_$2" ;;
	*) fail "$1_refuses_$2" "error: '$error'" ;;
	esac
	check_num "$1_is_unchanged_by_$2" "$(ho_sysctl "$1")" -eq "$before"
}

knob mode 1 0 1
knob max_backlog 65536 0 4194304
knob synack_retries 5 0 15
knob synack_timeout_ms 1000 100 120000
knob synack_timeout_max_ms 120000 100 120000
ho_sysctl verify_synack 0
knob verify_synack 0 0 1
arm_oracle

# lifetime RETRIES FIRST MAX: the sum of retries + 1 waits.
lifetime() {
	local wait="$2" sum=0 i=0
	ho_sysctl synack_retries "$1"
	ho_sysctl synack_timeout_ms "$2"
	ho_sysctl synack_timeout_max_ms "$3"
	while [ $i -le "$1" ]; do
		[ "$wait" -le "$3" ] || wait=$3
		sum=$((sum + wait))
		wait=$((wait * 2))
		i=$((i + 1))
	done
	check_num "lifetime_of_$1_retries_from_$2_to_$3_ms" \
	    "$(ho_sysctl lifetime_ms)" -eq $sum
}

check_num "lifetime_is_63_s_by_default" "$(ho_sysctl lifetime_ms)" -eq 63000
lifetime 0 1000 120000
lifetime 5 1000 4000
lifetime 3 250 120000
lifetime 15 1000 120000
lifetime 15 120000 120000
lifetime 4 5000 1000
lifetime 5 1000 120000
check "lifetime_is_read_only" test "$(in_srv \
    stat -c %a /proc/sys/net/halfopen/lifetime_ms)" = 444

other=
add_namespace other || exit 1
in_other() {
	ip netns exec "$other" "$@"
}
ho_sysctl max_backlog 77
check_num "namespaces_have_their_own_knobs" \
    "$(in_other cat /proc/sys/net/halfopen/max_backlog)" -eq 65536
ho_sysctl max_backlog 65536

start_nginx || exit 1
flood $http_port 50 0 >/dev/null
check_num "entries_of_this_namespace" "$(half_open)" -eq 50
check_num "no_entries_of_another" \
    "$(in_other cat /proc/net/halfopen | wc -l)" -eq 0
check_str "counters_of_another_are_zero" "$(in_other \
    awk 'NR > 1' /proc/net/stat/halfopen | tr -d ' 0\n')" ""

ho_sysctl mode 0
flood $http_port 50 0 -s 2 >/dev/null
check_num "mode_0_takes_no_syn" "$(half_open)" -eq 50
check_num "mode_0_is_counted" "$(ho_stat declined_mode)" -eq 50
check_num "mode_0_leaves_clients_to_the_stack" \
    "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
ho_sysctl mode 1
flood $http_port 50 0 -s 3 >/dev/null
check_num "mode_1_takes_them_again" "$(half_open)" -eq 100

check "lnstat_lists_the_columns" sh -c \
    "nsenter --net=/run/netns/$srv lnstat -d -f halfopen | grep syn_taken"
check_num "lnstat_reads_the_counters" \
    "$(in_srv lnstat -f halfopen -j -c 1 -i 1 -k halfopen:syn_taken |
       tr -dc 0-9)" -eq 100
check_num "one_row_per_cpu" \
    "$(in_srv awk 'NR > 1' /proc/net/stat/halfopen | wc -l)" -eq "$(nproc)"
check_num "every_row_has_all_columns" "$(in_srv awk '
    NR == 1 { want = NF } NF != want { bad++ } END { print bad + 0 }' \
    /proc/net/stat/halfopen)" -eq 0
finish
