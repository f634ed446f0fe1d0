#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make check: packages, build matrix, lint, KUnit, selftests on every kernel.
#
#   check.sh [--nightly] [LANE...]
#
#   build lint fuzz kunit debug packages      one each
#   time-6.1 vm-6.1 ...              for each kernel of kernels.txt that is "full"
#   smoke-7.2 time-7.2 ...           for each that is "smoke"
#   bench                            no figure of selftests/bench/figures.tsv has risen
#   rows                             what they have shown
#
# --nightly: with the big counts, each selftest on each kernel, and these besides:
#
#   vm-debug time-debug              all selftests under KASAN, lockdep, ... (own-kernel.sh)
#   vm-kcsan vm-rt                   those with more than one CPU: data races, PREEMPT_RT
#   faults                           every allocation fails once
#   coverage                         of the module's lines by KUnit and selftests
#   soak                             a day's worth of SYNs
#   packages-bookworm packages-trixie   the packages installed on Debian 12, 13
#
# Default: all.  A selftest that says "# vm: --icount" is about time: it runs in
# the lanes time-*, where the guest's clock counts instructions and skips idle
# time.  One that says "# vm: --kernel debug" runs in the lane faults alone.  One
# that says "# check: one kernel" is about programs or about what halfopen itself
# decides: make check deals them out, each to one of the full kernels.
#
# One line per test as it goes, then the line that counts them.  A lane that
# dies, or has fewer results than its plan says, is a failure; with CI=true so
# is whatever is skipped.
set -u
. "$(dirname "$0")/common.sh"
cd "$ho_top" || exit 1

lane_limit=2700	# s
vm_limit=2400	# s, less, so that the VM itself says that it is late

long=
if [ "${1:-}" = --nightly ]; then
	long=y
	lane_limit=36000
	vm_limit=35000
	shift
fi

# Lanes run in subshells: what has to be known outside is in files of $work,
# a line in "results" for each result, and what is to be ended in "pids".
work=$(mktemp -d "$ho_cache/check.XXXXXX") || exit 1
touch "$work/results" "$work/pids"

end_jobs() {
	local pid
	while read -r pid; do
		kill "$pid" 2>/dev/null
	done <"$work/pids"
	rm -rf "$work"
}
trap end_jobs EXIT
trap 'exit 130' INT TERM

pass() {
	echo ok >>"$work/results"
	echo "ok   $1"
}

fail() {
	echo fail >>"$work/results"
	echo "FAIL $1"
}

skip() {
	if [ "${CI:-}" = true ]; then
		fail "$1 (skipped: $2)"
	else
		echo skip >>"$work/results"
		echo "skip $1 ($2)"
	fi
}

count() {
	grep -c "^$1" "$work/results"
}

# result LANE LINE: one TAP result.
result() {
	local lane=$1 line=$2 word name reason=
	word=${line%% [0-9]*}
	[[ $line =~ ^(not\ )?ok\ [0-9]+\ *(-\ )?(.*)$ ]] || return
	name=${BASH_REMATCH[3]}
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
			echo "     $1: $line"
			;;
		'# once: '* | 'Bail out'*) echo "     $1: $line" ;;
		'#'*) [ -z "$show" ] || echo "     $1: $line" ;;
		esac
	done
}

# lane NAME COMMAND...
lane() {
	local name=$1 log=$ho_logs/check-$1.log fifo=$work/tap-$1 rc begin=$SECONDS
	local seen bad plan
	shift
	say "$name: $*"
	mkfifo "$fifo"
	{
		timeout -k 10 "$lane_limit" "$@" </dev/null &
		echo $! >>"$work/pids"
		wait $!
		echo $? >"$work/rc-$name"
	} > >(tee "$log" >"$fifo") &
	read_tap "$name" <"$fifo"
	# not by wait: its process number may be another's by now
	rc=$(<"$work/rc-$name")
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

running=()

# Wait until no more than so many lanes run.
wait_for_lanes() {
	while [ ${#running[@]} -gt "$1" ]; do
		local pid still=()
		wait -n "${running[@]}"
		for pid in "${running[@]}"; do
			! kill -0 "$pid" 2>/dev/null || still+=("$pid")
		done
		running=("${still[@]}")
	done
}

# begin NAME COMMAND...: a lane beside others, as many at a time as there are
# CPUs: a VM has one thread.
begin() {
	wanted "$1" || return 0
	wait_for_lanes $(($(nproc) - 1))
	lane "$@" &
	running+=($!)
}

# whole NAME COMMAND...: a lane that has the machine to itself.
whole() {
	wanted "$1" || return 0
	wait_for_lanes 0
	begin "$@"
	wait_for_lanes 0
}

only=("$@")
mapfile -t full < <(scripts/kernel.sh targets full)
mapfile -t smoke < <(scripts/kernel.sh targets smoke)
mapfile -t timed < <(grep -lx '# vm: --icount' selftests/*.sh)
mapfile -t untimed < <(grep -Lx '# vm: --icount' selftests/*.sh |
	grep -v '/\(lib\|run\)\.sh$' |
	xargs grep -Lx '# vm: --kernel debug')
timed=("${timed[@]##*/}")
untimed=("${untimed[@]##*/}")

# share INDEX TEST...: those of them that the full kernel with this index runs.
share() {
	local index=$1 test dealt=0
	shift
	for test; do
		if [ -z "$long" ] &&
		    grep -qx '# check: one kernel' "selftests/$test"; then
			dealt=$((dealt + 1))
			[ $((dealt % ${#full[@]})) -eq "$index" ] || continue
		fi
		echo "$test"
	done
}

vm=(scripts/vm.sh ${long:+--long} --timeout "$vm_limit")

say "packages"
scripts/deps.sh build lint fuzz kunit debug vm deb packages ||
	fail "deps: packages are missing"

# The first UML kernel takes minutes: it builds behind the quick lanes, and is
# ready before the first VM.
uml=
if wanted kunit || wanted debug; then
	scripts/kunit.sh --kernel-only >/dev/null &
	uml=$!
	echo "$uml" >>"$work/pids"
fi
whole build scripts/build-matrix.sh
begin lint scripts/lint.sh
HO_LONG=$long begin fuzz scripts/fuzz.sh
[ -z "$uml" ] || wait "$uml"
begin kunit scripts/kunit.sh
begin debug scripts/debug.sh

# the longest first
for i in "${!full[@]}"; do
	mapfile -t tests < <(share "$i" "${timed[@]}")
	begin "time-${full[i]}" "${vm[@]}" --kernel "${full[i]}" --icount \
	    "${tests[@]}"
done
for i in "${!full[@]}"; do
	mapfile -t tests < <(share "$i" "${untimed[@]}")
	begin "vm-${full[i]}" "${vm[@]}" --kernel "${full[i]}" "${tests[@]}"
done
for target in "${smoke[@]}"; do
	begin "smoke-$target" "${vm[@]}" --kernel "$target" \
	    handshake handover flood reload
	begin "time-$target" "${vm[@]}" --kernel "$target" --icount \
	    options packets retransmit cookies overload limits standby clocks \
	    sockets txerror conntrack track_life nat fastpath
done
begin bench scripts/bench.sh --check
begin packages scripts/package-test.sh files
wait_for_lanes 0

# what the others have shown
logs=("$ho_logs/check-debug.log")
for target in "${full[@]}"; do
	logs+=("$ho_logs/check-time-$target.log" "$ho_logs/check-vm-$target.log")
done
whole rows scripts/rows.py "${logs[@]}"

if [ -n "$long" ]; then
	# These kernels are slow: with the counts of make check.  bpf and bpftrace
	# want BTF, which takes longer to make than the kernel.
	debug=(scripts/vm.sh --timeout "$vm_limit" --kernel)
	racing=(flood reload ack_races same_syn hotplug netns_exit)
	mapfile -t without_bpf < <(printf '%s\n' "${timed[@]}" | grep -vxE 'bpf(trace)?\.sh')
	begin time-debug "${debug[@]}" debug --icount "${without_bpf[@]}"
	begin vm-debug "${debug[@]}" debug "${untimed[@]}"
	begin vm-kcsan "${debug[@]}" kcsan "${racing[@]}"
	begin vm-rt "${debug[@]}" rt "${racing[@]}"
	begin packages-bookworm scripts/package-test.sh bookworm
	begin packages-trixie scripts/package-test.sh trixie
	whole faults scripts/debug.sh faults
	whole coverage scripts/coverage.sh
	whole soak scripts/soak.sh
fi

say "logs are in $ho_logs"
echo
line="$(count ok) passed, $(count fail) failed"
[ "$(count skip)" -eq 0 ] || line="$line, $(count skip) skipped"
echo "$line"
[ "$(count fail)" -eq 0 ] && [ "$(count ok)" -gt 0 ]
