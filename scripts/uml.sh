# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by what runs in the UML kernel, instead of common.sh: a work directory
# that goes with the script, the module in it, the boot, and the verdict on the
# kernel's log, $console.
. "$(dirname "$0")/common.sh"

uml=
uml_token=$RANDOM$RANDOM$RANDOM
uml_seconds=900		# of wall clock
uml_time=time-travel=inf-cpu	# waits are free, and work takes no time

# uml_work NAME [COUNTS]: make $work with an empty $work/out.  With COUNTS, a
# directory, modules are built there and their lines counted (coverage.sh).  The
# newest log of each NAME is kept.
uml_work() {
	work=$(mktemp -d "$ho_cache/$1.XXXXXX") || exit 1
	counts=${2:-}
	tree=${counts:-$work}/tree
	trap '[ -z "$uml" ] || kill "$uml" 2>/dev/null; rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
	mkdir "$work/out"
	console=$work/console
	console_log=$ho_logs/$1-console.log
}

# uml_build KERNEL MODULE [VARIABLE=VALUE]...: in $tree, a copy of the tree.
uml_build() {
	local kernel=$1 module=$2
	shift 2
	[ -d "$tree" ] || copy_tree "$tree"
	make -C "$kernel" ARCH=um M="$tree" ${counts:+GCOV_PROFILE=y} "$@" \
	    -j"$(nproc)" "$module"
}

# uml_module NAME KERNEL: build the module and the selftests for it in $tree.
uml_module() {
	local log=$ho_logs/$1-build.log
	with_progress "building the module for UML" "$log" \
	    uml_build "$2" halfopen.ko || {
		tail -n 20 "$log" >&2
		die "the module does not build"
	}
	cp -r "$ho_top/selftests" "$tree/selftests" || exit 1
	make -s -C "$tree/selftests/tools" || die "selftests/tools do not build"
}

# uml_plain: build the kernel of soak.config, into $kernel, and for it the module
# and the selftests in $tree.
uml_plain() {
	local fragment=$ho_cache/uml-soak.config
	# all of uml.config but what makes it slow
	awk -v RS= -v ORS='\n\n' \
	    '!/^# (tests|what a test may trip over)\n/' \
	    "$ho_top/scripts/uml.config" >"$fragment.$$" &&
		mv "$fragment.$$" "$fragment"
	kernel=$(kernel_build uml-soak um "linux modules" "$fragment" \
	    "$ho_top/scripts/soak.config") || exit 1
	uml_module uml "$kernel"
}

# uml_counts: put the counts of lines beside the objects that they are of.
uml_counts() {
	cp -r "$work/out/counts/sys/kernel/debug/gcov/$tree/." "$tree"
}

# uml_boot KERNEL ARGUMENT...: the console without what names $tree.
uml_boot() {
	local kernel=$1 no_avx
	shift
	# The guest's kernel does not keep AVX registers across tasks (see
	# kernel_fix()), so its C library must not use them, the linker
	# neither.
	no_avx=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW
	no_avx=$no_avx,-AVX512CD,-AVX512DQ,-AVX_Fast_Unaligned_Load,-XSAVE,-XSAVEC
	# UML keeps the guest's memory in a file; a container's /dev/shm is too
	# small.
	[ "$(df --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 1000000 ] 2>/dev/null ||
		export TMPDIR=$work
	# shellcheck disable=SC2086 # none or one
	timeout -k 5 "$uml_seconds" "$kernel/linux" mem=768M root=none rootfstype=hostfs \
	    rootflags=/ ro con0=null,fd:1 $uml_time \
	    GLIBC_TUNABLES="$no_avx" LD_BIND_NOW=1 \
	    ho_out="$work/out" ho_token="$uml_token" "$@" \
	    </dev/null >"$console.raw" 2>&1 &
	uml=$!
	wait "$uml"
	uml=
	tr -d '\r' <"$console.raw" | sed "s|$tree/||" >"$console"
	cp "$console" "$console_log"
}

# uml_tap LANE FILE: what selftests printed, as results of ours.
uml_tap() {
	local line
	while read -r line; do
		case $line in
		"ok "*)
			tap_count=$((tap_count + 1))
			echo "ok $tap_count - $1: ${line#ok * - }" ;;
		"not ok "*)
			tap_count=$((tap_count + 1))
			tap_failed=$((tap_failed + 1))
			echo "not ok $tap_count - $1: ${line#not ok * - }" ;;
		1..*) ;;
		*) echo "$line" ;;
		esac
	done <"$2"
}

is_empty() {
	! grep . "$1"
}

# uml_verdict LANE: no complaint, ran to the end, nothing leaked.
uml_verdict() {
	local reports
	reports=$(without_asked_for "$console" |
		grep -E 'BUG|WARNING|KASAN|UBSAN|ODEBUG|Call Trace|RIP:|INFO: |panic|refcount_t|suspicious RCU|locking dependency' |
		head -n 20)
	if [ -z "$reports" ]; then
		tap_ok "$1: no_kernel_report"
	else
		tap_not_ok "$1: no_kernel_report" "$reports
see $console_log"
	fi
	# Out of band: only a run that came to its end has the token.
	if [ "$(cat "$work/out/end" 2>/dev/null)" != "$uml_token" ]; then
		tap_not_ok "$1: ran_to_the_end" "$(tail -n 10 "$console")"
	else
		tap_ok "$1: ran_to_the_end"
		tap_run "$1: no_leak_after_unload" is_empty "$work/out/leaks"
	fi
}
