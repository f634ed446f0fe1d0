#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# check: one kernel
#
# net.halfopen.*: defaults, bounds, what is refused, one set per namespace, and
# the statistics file as lnstat reads it.
. "${0%/*}/lib.sh"
setup

# Where the knobs are that are asked for.
where=in_srv

in_initial() {
	"$@"
}

# knob NAME DEFAULT MIN MAX
knob() {
	local name="$1" value beyond=$(($4 + 1))
	check_num "${name}_defaults_to_$2" "$(get "$name")" -eq "$2"
	for value in "$3" $(($3 + 1)) "$2" "$4"; do
		check "${name}_accepts_$value" put "$name" "$value"
		check_num "${name}_is_$value" "$(get "$name")" -eq "$value"
	done
	[ "$3" -eq 0 ] || refuses "$name" "too_little" 0 $(($3 - 1))
	refuses "$name" "too_much" $beyond 2147483648 4294967295
	refuses "$name" "what_wraps" 4294967296 $((4294967296 + $2)) \
	    18446744073709551615 18446744073709551616 \
	    99999999999999999999999999
	refuses "$name" "signs" -1 "-$2" "+$2" +-1 --1 ++1 -0x1 - +
	refuses "$name" "text" "" " " many "many $2" 1.5 1e1 0x "$2x" \
	    "$2," "1,000" "$2;"
	put "$name" "$2"
}

get() {
	$where cat "/proc/sys/net/halfopen/$1"
}

put() {
	# shellcheck disable=SC2016
	$where bash -c 'echo "$2" >"/proc/sys/net/halfopen/$1"' - "$1" "$2"
}

# refuses NAME WHAT VALUE...: each is EINVAL and changes nothing.
refuses() {
	local name="$1" what="$2"
	shift 2
	# shellcheck disable=SC2016
	check_str "${name}_refuses_$what" "$($where bash -c '
		file=/proc/sys/net/halfopen/$1
		shift
		before=$(cat "$file" 2>/dev/null)
		for bad; do
			error=$({ echo "$bad" >"$file"; } 2>&1)
			case $error in
			*"nvalid argument"*) ;;
			*) echo "\"$bad\": ${error:-accepted}" ;;
			esac
			now=$(cat "$file" 2>/dev/null)
			[ "$now" = "$before" ] || echo "\"$bad\": $now"
			before=$now
		done' - "$name" "$@")" ""
}

knob mode 1 0 2
knob max_backlog 65536 0 4194304
knob max_port_backlog 49152 0 4194304
knob max_source_backlog 4096 0 4194304
knob source_prefix_v4 24 0 32
knob source_prefix_v6 64 0 128
knob source_synack_rate 2000 0 1000000
knob pressure_low_pct 50 1 75
knob pressure_high_pct 75 50 100
knob max_memory_bytes 16777216 0 2147483647
where=in_initial
knob host_memory_bytes 268435456 0 2147483647
where=in_srv
check "host_memory_bytes_is_in_the_initial_namespace_only" \
    in_srv test ! -e /proc/sys/net/halfopen/host_memory_bytes
check "other_knobs_of_the_initial_namespace_are_its_own" \
    test "$(cat /proc/sys/net/halfopen/verify_synack)" -eq 0
knob synack_retries 5 0 15
knob synack_timeout_ms 1000 100 120000
knob synack_timeout_max_ms 120000 100 120000
ho_sysctl verify_synack 0
knob verify_synack 0 0 1
arm_oracle

# Neither watermark passes the other, and they may be the same.
ho_sysctl pressure_low_pct 75
refuses pressure_high_pct "less_than_low" 74 1
ho_sysctl pressure_high_pct 100
ho_sysctl pressure_low_pct 100
check_num "both_watermarks_may_be_100" "$(ho_sysctl pressure_low_pct)" -eq 100
refuses pressure_high_pct "to_be_below_100_then" 99
ho_sysctl pressure_low_pct 1
ho_sysctl pressure_high_pct 1
check_num "both_watermarks_may_be_1" "$(ho_sysctl pressure_high_pct)" -eq 1
refuses pressure_low_pct "more_than_high" 2 50 100
ho_sysctl pressure_high_pct 75
ho_sysctl pressure_low_pct 50

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

key=00112233445566778899aabbccddeeff
KEY=FFEEDDCCBBAA99887766554433221100
check "cookie_key_is_write_only" test "$(in_srv \
    stat -c %a /proc/sys/net/halfopen/cookie_key)" = 200
check_str "cookie_key_cannot_be_read" \
    "$(in_srv cat /proc/sys/net/halfopen/cookie_key 2>/dev/null)" ""
for value in $key $KEY "$key $KEY" "$key   $KEY" " $key " auto " auto "; do
	check "cookie_key_accepts_$(echo "$value" | tr ' ' _)" \
	    put cookie_key "$value"
done

# bad_keys: none of them is taken.
bad_keys() {
	refuses cookie_key "$1_a_wrong_length" "" 0 "${key#0}" "${key}0" \
	    "$key$KEY" "$key ${KEY#F}" "$key ${KEY}0" "${key#0} $KEY"
	refuses cookie_key "$1_bad_digits" "0x$key" "0x${key#00}" \
	    "g${key#0}" "${key%f}g" "$key g${KEY#F}" "-${key#0}" \
	    "00-11-22-33-44-55-66-77-88-9" "${key%ff} f"
	refuses cookie_key "$1_trailing_garbage" "$key x" "$key,$KEY" \
	    "$key auto" "$key $KEY x" "$key $KEY $key" \
	    "$key          $KEY"
	refuses cookie_key "$1_what_is_nearly_auto" Auto AUTO aut automatic \
	    "auto auto" "auto $key"
}

# Who has a key of his own checks at ports that need cookies, with a set key
# every stray ACK is checked.
put cookie_key $key
bad_keys "over_a_key"
flood $http_port 20 0 -A -s 9 >/dev/null
check_num "set_key_stays_when_another_is_refused" \
    "$(ho_stat cookie_checked)" -eq 20
put cookie_key auto
bad_keys "over_auto"
flood $http_port 20 0 -A -s 9 >/dev/null
check_num "own_key_stays_when_another_is_refused" \
    "$(ho_stat cookie_checked)" -eq 20

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
