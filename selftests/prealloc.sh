#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# Entries allocated at load: a flood that fits in them allocates none, and they
# are there again after it.
. "${0%/*}/lib.sh"
reserve=6000
[ -e "$ho_ko" ] || skip_all "no halfopen.ko"
refused() {
	! insmod "$ho_ko" "$@"
}
check "more_than_any_table_can_hold_is_refused" refused prealloc=4194305
insmod "$ho_ko" prealloc=$reserve || exit 1
setup
start_server -p 80 || exit 1
ho_sysctl synack_timeout_ms 60000
ho_sysctl source_synack_rate 0

# Pages of the cache: what a flood makes the allocator ask for.
pages() {
	awk -v want="$1" '$1 == want { print $15 * $6 }' /proc/slabinfo
}
before=$(pages halfopen_v4)
before6=$(pages halfopen_wide)
check_num "reserve_is_allocated_at_load" \
    "$(slab_objects halfopen_v4)" -ge $reserve
flood 80 5000 0 >/dev/null
check_num "flood_fits" "$(half_open)" -eq 5000
check_num "flood_that_fits_allocates_nothing" \
    "$(pages halfopen_v4)" -eq "$before"
check_num "the_other_family_keeps_its_own" \
    "$(pages halfopen_wide)" -eq "$before6"

# Everything expires, and is there again.
ho_sysctl synack_retries 0
ho_sysctl synack_timeout_ms 100
check "entries_expire" wait_for 20 is -eq 0 ho_stat entries
check_num "reserve_is_kept" "$(slab_objects halfopen_v4)" -ge $reserve
ho_sysctl synack_timeout_ms 60000
flood 80 5000 0 -s 2 >/dev/null
check_num "second_flood_fits" "$(half_open)" -eq 5000
check_num "second_flood_allocates_nothing" \
    "$(pages halfopen_v4)" -eq "$before"
flood 80 4000 0 -s 3 >/dev/null
check_num "more_than_the_reserve_is_allocated" "$(half_open)" -eq 9000
finish
