#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# timeout: 600
#
# One network sends most of a flood: it holds max_source_backlog entries and
# nobody else notices.  What is one network is a prefix whose length can be
# changed while there are entries, once.
. "${0%/*}/lib.sh"
setup
forget_time_wait
start_nginx || exit 1
ho_sysctl source_synack_rate 0

# No expiry while we count.
keep() {
	ho_sysctl synack_timeout_ms 60000
}

empty() {
	ho_sysctl synack_retries 0
	ho_sysctl synack_timeout_ms 100
	wait_for 10 is -eq 0 half_open
	ho_sysctl synack_retries 5
	keep
}

# peers PATTERN: of the entries, sorted.
peers() {
	in_srv awk '{ print $5 }' /proc/net/halfopen | grep "$1" | sort
}

count() {
	peers "$1" | wc -l
}

# hog NAME FLOOD PORT URL PREFIX PATTERN OTHERS: PREFIX sends 90 % of a flood.
hog() {
	local name="$1" send="$2" port="$3" url="$4" pattern="$6" others="$7"
	local cookies dups evicted served
	$send "$port" 50 0 -s 1 >/dev/null
	peers "$others" >"$tmp/before"
	check_num "${name}_quiet_sources_have_entries" \
	    "$(wc -l <"$tmp/before")" -eq 50
	cookies=$(ho_stat cookie_source)
	dups=$(ho_stat oow_ack)
	evicted=$(ho_stat evicted)
	$send "$port" 1800 900 -s 2 -S "$5" >/dev/null &
	hog=$!
	$send "$port" 200 100 -s 3 >/dev/null &
	quiet=$!
	served=$(fetch 20 "$url")
	check "${name}_flood_goes_on_meanwhile" kill -0 $quiet
	wait $hog $quiet
	check_num "${name}_clients_are_served_meanwhile" "$served" -eq 20
	check_num "${name}_hog_holds_its_share_exactly" \
	    "$(count "$pattern")" -eq 200
	check_num "${name}_new_quiet_sources_have_entries" \
	    "$(count "$others")" -eq 250
	peers "$others" >"$tmp/after"
	check_num "${name}_older_quiet_sources_keep_theirs" \
	    "$(grep -cxFf "$tmp/before" "$tmp/after")" -eq 50
	# A random source may come twice, with another ISN.
	dups=$(($(ho_stat oow_ack) - dups))
	check_num "${name}_only_the_hog_is_sent_cookies" \
	    $(($(ho_stat cookie_source) - cookies + dups)) -eq 1600
	check_num "${name}_hog_pushes_nobody_out" \
	    $(($(ho_stat evicted) - evicted)) -eq 0
	empty
}

keep
ho_sysctl max_source_backlog 200
hog ipv4 flood $http_port "http://$srv4:$http_port/" \
    203.0.113.0/24 '^203\.' '^198\.'
hog ipv6 flood_v6 $http_port6 "http://[$srv6]:$http_port6/" \
    2001:db9:0:1::/64 '^\[2001:db9:' '^\[2001:db8:'
check_num "cookies_were_sent_for_no_other_reason" \
    "$(ho_stat cookie_sent)" -eq "$(ho_stat cookie_source)"
check_num "no_syn_goes_the_native_way" "$(ho_declined)" -eq 0

# --- what is one source -------------------------------------------------------

# held NAME WANT V4_PREFIX...: entries of 150 SYNs from each, in an empty table.
held() {
	local name="$1" want="$2" prefix seed=10 send port
	shift 2
	for prefix; do
		seed=$((seed + 1))
		send=flood
		port=$http_port
		case $prefix in
		*:*)
			send=flood_v6
			port=$http_port6
			;;
		esac
		$send "$port" 150 0 -s $seed -S "$prefix" >/dev/null
	done
	check_num "$name" "$(half_open)" -eq "$want"
	empty
}

ho_sysctl max_source_backlog 100
held "ipv4_24_tells_neighbours_apart" 200 203.0.112.0/24 203.0.113.0/24
held "ipv6_64_tells_neighbours_apart" 200 2001:db9::/64 2001:db9:0:1::/64
ho_sysctl source_prefix_v4 23
ho_sysctl source_prefix_v6 63
held "ipv4_23_counts_them_together" 100 203.0.112.0/24 203.0.113.0/24
held "ipv6_63_counts_them_together" 100 2001:db9::/64 2001:db9:0:1::/64
held "ipv4_23_tells_others_apart" 200 203.0.113.0/24 203.0.114.0/24
ho_sysctl source_prefix_v4 25
ho_sysctl source_prefix_v6 65
held "ipv4_25_counts_halves_alone" 200 203.0.113.0/25 203.0.113.128/25
held "ipv6_65_counts_halves_alone" 200 2001:db9::/65 2001:db9:0:0:8000::/65
ho_sysctl source_prefix_v4 32
ho_sysctl source_prefix_v6 128
held "ipv4_32_counts_addresses" 250 203.0.113.0/24 203.0.113.7/32
held "ipv6_128_counts_addresses" 250 2001:db9::/64 2001:db9::7/128
ho_sysctl source_prefix_v4 0
ho_sysctl source_prefix_v6 0
held "ipv4_0_counts_all_together" 100 198.18.0.0/15 203.0.113.0/24
held "ipv6_0_counts_all_together" 100 2001:db8::/32 2001:db9::/64
flood $http_port 150 0 -s 1 >/dev/null
check_num "families_are_counted_apart" \
    "$(fetch 5 "http://[$srv6]:$http_port6/")" -eq 5
check_num "who_shares_a_full_source_is_served_by_cookie" \
    "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
empty
ho_sysctl source_prefix_v4 24
ho_sysctl source_prefix_v6 64

# --- its length changes while there are entries -------------------------------

# is_busy NAME VALUE: refused for now, and unchanged.
is_busy() {
	local before error
	before=$(ho_sysctl "$1")
	error=$(ho_sysctl "$1" "$2" 2>&1)
	case $error in
	*" busy"*) pass "$1_is_busy" ;;
	*) fail "$1_is_busy" "${error:-accepted}" ;;
	esac
	check_num "$1_is_unchanged_then" "$(ho_sysctl "$1")" -eq "$before"
}

flood $http_port 150 0 -s 1 -S 203.0.113.0/24 >/dev/null
check "length_changes_while_there_are_entries" ho_sysctl source_prefix_v4 23
flood $http_port 150 0 -s 2 -S 203.0.113.0/24 >/dev/null
check_num "what_was_counted_before_is_not_counted_anew" "$(half_open)" -eq 200
is_busy source_prefix_v4 22
is_busy source_prefix_v4 24
is_busy source_prefix_v6 63
check "same_length_is_no_change" ho_sysctl source_prefix_v4 23
check_num "clients_are_served_then" \
    "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
empty
check "length_changes_when_they_are_gone" ho_sysctl source_prefix_v4 22
held "and_counts_from_zero" 100 203.0.113.0/24 203.0.115.0/24
check "length_changes_in_an_empty_table" ho_sysctl source_prefix_v4 30
check "as_often_as_one_likes" ho_sysctl source_prefix_v6 48
held "ipv6_48_counts_a_site" 100 2001:db9:0:1::/64 2001:db9:0:ffff::/64
finish
