#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# Run all tests of this folder, or those named (with or without .sh), one after
# the other, and merge their TAP.  With HO_CI set a skipped test is a failure.
# A line "# timeout: SECONDS" in a test is its limit, in time of the guest; a
# kernel that is HO_SLOW times as slow as usual gets as much more of it.
set -u
dir=$(cd "${0%/*}" && pwd)
count=0
failed=0

# result "ok|not ok" TEXT
result() {
	count=$((count + 1))
	echo "$1 $count - $2"
	[ "$1" = ok ] || failed=$((failed + 1))
}

# A test's own numbers are replaced, its name is put in front.
merge() {
	local name="$1" line
	while IFS= read -r line; do
		case $line in
		"ok "*" # SKIP "*)
			if [ -n "${HO_CI:-}" ]; then
				result "not ok" "$name: ${line#ok * - }"
			else
				result ok "$name: ${line#ok * - }"
			fi
			;;
		"ok "*) result ok "$name: ${line#ok * - }" ;;
		"not ok "*) result "not ok" "$name: ${line#not ok * - }" ;;
		"1.."*) plan=$line ;;
		*) echo "$line" ;;
		esac
	done <"$2"
}

# sweep NAME: a test that ended early has left its processes, its namespaces and
# the module; the next one must not find them.
sweep() {
	local ns
	kill -KILL -- "-$group" 2>/dev/null
	for ns in /run/netns/*-"$1"-*; do
		[ -e "$ns" ] || continue
		ip netns pids "${ns##*/}" | xargs -r kill -KILL
		ip netns del "${ns##*/}"
	done
	[ ! -d /sys/module/halfopen ] || rmmod halfopen
}

run_test() {
	local name="$1" rc start idle limit
	plan=
	read -r start idle </proc/uptime
	echo "# $name"
	echo "halfopen: selftest $name" >/dev/kmsg
	limit=$(sed -n 's/^# timeout: //p' "$dir/$name.sh")
	setsid timeout $((${limit:-300} * ${HO_SLOW:-1})) dash "$dir/$name.sh" \
	    >"$out" 2>&1 </dev/null &
	group=$!
	wait "$group"
	rc=$?
	merge "$name" "$out"
	case $rc:$plan in
	0:?* | 1:?*) ;;
	4:*)
		if [ -n "${HO_CI:-}" ]; then
			result "not ok" "$name ${plan#*# }"
		else
			result ok "$name # ${plan#*# }"
		fi
		;;
	*)
		result "not ok" "$name ended early with exit code $rc"
		sweep "$name"
		;;
	esac
	awk -v start="$start" -v idle="$idle" -v cpus="$(nproc)" '{
		lasted = $1 - start
		printf "# %.1f s, %.1f s of CPU\n", lasted,
		       cpus * lasted - ($2 - idle)
	}' /proc/uptime
}

if [ $# -eq 0 ]; then
	for test in "$dir"/*.sh; do
		case ${test##*/} in
		lib.sh | run.sh) ;;
		*) set -- "$@" "${test##*/}" ;;
		esac
	done
fi

out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
echo "TAP version 13"
for test; do
	run_test "${test%.sh}"
done
echo "1..$count"
echo "# $((count - failed)) of $count passed"
[ "$failed" -eq 0 ]
