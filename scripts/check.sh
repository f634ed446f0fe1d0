#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make check: packages, build matrix, lint, KUnit, selftests on every kernel.
#
#   check.sh [LANE...]	build lint kunit debug vm-6.1 time-6.1 rows-6.1 ...;
#			default: all
#
# A selftest that says "# vm: --icount" is about time: it runs in the lanes
# time-*, where the guest's clock counts instructions and skips idle time.
#
# One line per test as it goes, then the line that counts them.  A lane that
# dies, or has fewer results than its plan says, is a failure; with CI=true so
# is whatever is skipped.
set -u
. "$(dirname "$0")/common.sh"
cd "$ho_top" || exit 1

passed=0
failed=0
skipped=0
lane_limit=2700	# s
vm_limit=2400	# s, less, so that the VM itself says that it is late
jobs_to_end=()

end_jobs() {
	local pid
	for pid in "${jobs_to_end[@]}"; do
		kill "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
work=$(mktemp -d "$ho_cache/check.XXXXXX") || exit 1
trap end_jobs EXIT
trap 'exit 130' INT TERM

pass() {
	passed=$((passed + 1))
	echo "ok   $1"
}

fail() {
	failed=$((failed + 1))
	echo "FAIL $1"
}

skip() {
	if [ "${CI:-}" = true ]; then
		fail "$1 (skipped: $2)"
	else
		skipped=$((skipped + 1))
		echo "skip $1 ($2)"
	fi
}

# result LANE LINE: one TAP result.
result() {
	local lane=$1 line=$2 word name reason=
	word=${line%% [0-9]*}
	name=$(sed -E 's/^(not )?ok [0-9]+ *(- )?//' <<<"$line")
	if [[ $name =~ ^(.*[^ ])\ *\#\ *(SKIP|skip)\ *(.*)$ ]]; then
		name=${BASH_REMATCH[1]}
		reason=${BASH_REMATCH[3]:-no reason given}
	fi
	name="$lane: ${name#"${lane%%-*}: "}"
	if [ "$word" != ok ]; then
		fail "$name"
	elif [ -n "$reason" ]; then
		skip "$name" "$reason"
	else
		pass "$name"
	fi
}

# read_tap LANE: results and plan from stdin; comments only below a failure or
# below a complaint without a number, which is how vm.sh shows a crash, and what
# was wrong once and then was not.
# Sets seen, bad and plan.
read_tap() {
	local line show=
	seen=0
	bad=0
	plan=
	while IFS= read -r line; do
		case $line in
		'ok '[0-9]* | 'not ok '[0-9]*)
			seen=$((seen + 1))
			show=
			[ "${line%% *}" = ok ] || {
				bad=$((bad + 1))
				show=y
			}
			result "$1" "$line"
			;;
		1..[0-9]*)
			plan=${line#1..}
			plan=${plan%%[!0-9]*}
			;;
		'not ok -'*)
			show=y
			echo "     $line"
			;;
		'# once: '*) echo "     $line" ;;
		'#'*) [ -z "$show" ] || echo "     $line" ;;
		'Bail out'*) echo "     $line" ;;
		esac
	done
}

# lane NAME COMMAND...
lane() {
	local name=$1 log=$ho_logs/check-$1.log fifo=$work/tap pid rc begin=$SECONDS
	local seen bad plan
	shift
	say "$name: $*"
	rm -f "$fifo"
	mkfifo "$fifo"
	timeout -k 10 "$lane_limit" "$@" </dev/null > >(tee "$log" >"$fifo") &
	pid=$!
	jobs_to_end+=("$pid")
	read_tap "$name" <"$fifo"
	wait "$pid"
	rc=$?
	if [ "$rc" -eq 124 ]; then
		fail "$name: not done after $lane_limit s"
	elif [ -z "$plan" ] || [ "$seen" -eq 0 ]; then
		fail "$name: ended without a plan, exit code $rc, see $log"
	elif [ "$plan" -ne "$seen" ]; then
		fail "$name: planned $plan tests, saw $seen, see $log"
	elif [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ]; then
		fail "$name: exit code $rc without a failed test, see $log"
	fi
	say "$name: $seen results in $((SECONDS - begin)) s"
}

wanted() {
	[ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $1 "* ]]
}

only=("$@")
mapfile -t targets < <(scripts/kernel.sh targets)

say "packages"
scripts/deps.sh build lint kunit debug vm || fail "deps: packages are missing"

# The first UML kernel takes minutes: it builds behind the quick lanes, and is
# ready before the first VM, whose timing a busy machine would disturb.
uml=
if wanted kunit || wanted debug; then
	scripts/kunit.sh --kernel-only >/dev/null &
	uml=$!
	jobs_to_end+=("$uml")
fi
! wanted build || lane build scripts/build-matrix.sh
! wanted lint || lane lint scripts/lint.sh
[ -z "$uml" ] || wait "$uml"
! wanted kunit || lane kunit scripts/kunit.sh
! wanted debug || lane debug scripts/debug.sh

mapfile -t timed < <(grep -lx '# vm: --icount' selftests/*.sh)
mapfile -t untimed < <(grep -Lx '# vm: --icount' selftests/*.sh |
	grep -v '/\(lib\|run\)\.sh$')
# A VM has one thread, and its instruction clock does not mind company: these
# lanes run side by side.  What the others print is shown when they are done.
declare -A ahead
for target in "${targets[@]:1}"; do
	wanted "time-$target" || continue
	scripts/vm.sh --kernel "$target" --icount --timeout "$vm_limit" \
	    "${timed[@]##*/}" >"$work/time-$target" 2>&1 </dev/null &
	ahead[$target]=$!
	jobs_to_end+=($!)
done
for target in "${targets[@]}"; do
	if [ -n "${ahead[$target]:-}" ]; then
		wait "${ahead[$target]}"
		# shellcheck disable=SC2016
		lane "time-$target" bash -c 'cat "$1"; exit "$2"' - \
		    "$work/time-$target" $?
	elif wanted "time-$target"; then
		lane "time-$target" scripts/vm.sh --kernel "$target" --icount \
		    --timeout "$vm_limit" "${timed[@]##*/}"
	fi
done
for target in "${targets[@]}"; do
	! wanted "vm-$target" ||
		lane "vm-$target" scripts/vm.sh --kernel "$target" \
		    --timeout "$vm_limit" "${untimed[@]##*/}"
	# what the two before have shown
	! wanted "rows-$target" ||
		lane "rows-$target" scripts/rows.py "$target" \
		    "$ho_logs/check-time-$target.log" \
		    "$ho_logs/check-vm-$target.log"
done

say "logs are in $ho_logs"
echo
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
