#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# check: one kernel
# timeout: 900
# rows: B-20 B-39
#
# A million forged ACKs to a port that needs cookies: each is checked, none is
# believed, each is reset.  Where no cookies are needed none is even checked.
#
# Of 2^32 numbers 2^8 are cookies of a given client, ISN and key period, one for
# each value of the data bits, and two periods count: a random ACK is believed
# with a chance of 2 * 2^8 / 2^32 = 2^-23.  A million of them would get a
# connection in one run of nine.  So key, wall clock (the period of a set key is
# its minute) and seeds are given, and the outcome is the same in all runs; when
# the cookie changes, or the packets do, it may take other seeds.
. "${0%/*}/lib.sh"
setup
forget_time_wait
start_nginx || exit 1
# The stack's own would count as well.
srv_write ipv4/tcp_syncookies 0
ho_sysctl max_backlog 0
key=00112233445566778899aabbccddeeff
acks=100000		# of each part
[ -z "${HO_SLOW:-}" ] || acks=1000

# forge COUNT SEED
forge() {
	flood $http_port "$1" 0 -A -s "$2"
}

check_num "a_quiet_port_has_no_cookies" "$(ho_stat cookie_sent)" -eq 0
forge $acks 0 | sed 's/^/# quiet port: /'
check_num "a_quiet_port_checks_none" "$(ho_stat cookie_checked)" -eq 0
check_num "a_quiet_port_resets_each" "$(mib TcpOutRsts)" -eq $acks

check_num "clients_connect_by_cookie" \
    "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
# More than once if a slow machine lets a client repeat its SYN.
believed=$(ho_stat cookie_accepted)
checked=$(ho_stat cookie_checked)
check_num "their_cookies_are_believed" "$believed" -ge 5

failed=$(ho_stat cookie_failed)
failed_natively=$(mib TcpExtSyncookiesFailed)
resets=$(mib TcpOutRsts)
check "key_is_set" ho_sysctl cookie_key $key
for part in 21 22 23 24 25 26 27 28 29 30; do
	# Less than a minute each.
	date -s @1800000000 >/dev/null
	forge $acks $part | sed "s/^/# part $part: /"
done
check_num "each_forged_ack_is_checked" \
    "$(ho_stat cookie_checked)" -eq $((10 * acks + checked))
check_num "none_is_believed" "$(ho_stat cookie_accepted)" -eq "$believed"
check_num "each_is_counted" "$(($(ho_stat cookie_failed) - failed))" \
    -eq $((10 * acks))
check_num "each_is_counted_by_the_kernel_too" \
    "$(($(mib TcpExtSyncookiesFailed) - failed_natively))" -eq $((10 * acks))
check_num "each_is_reset" "$(($(mib TcpOutRsts) - resets))" -eq $((10 * acks))
check_num "clients_connect_all_the_same" \
    "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
check_num "their_cookies_are_believed_too" \
    "$(ho_stat cookie_accepted)" -ge $((believed + 5))
finish
