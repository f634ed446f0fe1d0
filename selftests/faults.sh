#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --kernel debug
# timeout: 2000
#
# Every allocation that halfopen asks for fails once, on a kernel with fault
# injection: the next connection works, a counter tells, nothing leaks.
. "${0%/*}/lib.sh"
fault=/sys/kernel/debug/failslab/require-start
leaks=/sys/kernel/debug/kmemleak

# Objects that nobody points to any more; they are told after five seconds.  The
# name of a cache that cannot be shown in /sys is leaked by the kernel itself.
# What was told is not told again at the end of the lane.
leaked() {
	sleep 6
	echo scan >$leaks
	sleep 6
	echo scan >$leaks
	awk -v RS='unreferenced object' 'NR > 1 && !/sysfs_slab_add/' $leaks
	echo clear >$leaks
}

[ -e $fault ] || skip_all "no CONFIG_FAULT_INJECTION_STACKTRACE_FILTER"
setup
[ ! -e $leaks ] || leaked >/dev/null
seg_tap "$tools/faults.py" "$srv" "$ho_ko"
check "module_loads_again" module_load
for cache in halfopen_v4 halfopen_wide; do
	check_num "no_object_of_$cache" "$(slab_objects $cache)" -eq 0
done
[ ! -e $leaks ] || check_str "nothing_leaks" "$(leaked)" ""
finish
