#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boot a stock Debian kernel, or one of own-kernel.sh, in QEMU and run selftests
# in it.
#
#   vm.sh [OPTION]... [TEST]...
#
#   --kernel TARGET   of kernels.txt or own-kernel.sh; default 6.1
#   --smp N           guest CPUs; default 2
#   --icount          one CPU whose clock counts instructions and skips idle
#                     time: a minute of timers takes a second
#   --exact           --icount with an instruction a nanosecond, and all that is
#                     random or of the host's clock the same in each run: for
#                     counting instructions
#   --fastpath        every test's server answers SYNs at its device
#                     (net.halfopen.fastpath)
#   --long            counts of make nightly, instead of those of make check
#   --timeout S       of wall clock; default 1800, with a kernel of own-kernel.sh 7200
#   --ko FILE         the module; default: built from this tree
#   --no-module       no module at all
#   --command TEXT    run this (dash, in /ho) instead of selftests/run.sh
#   --add FILE        put FILE into /ho (may be repeated)
#   --programs        OpenSSH, PostgreSQL and HAProxy, too; also if a TEST has
#                     a line "# vm: --programs"
#   --bpftrace        bpftrace, too; also if a TEST has a line "# vm: --bpftrace"
#   --out DIR         copy what the guest leaves in /out to DIR
#   --log FILE        keep the kernel's log
#   --append ARGS     further kernel arguments
#   --memory MB       default 1024, with bpftrace or a kernel of own-kernel.sh 2048
#   --shell           a shell on this terminal
#
# What the guest prints goes to stdout (TAP from run.sh).  The exit code is
# that of the scenario; an early end of the guest and a complaint in the
# kernel's log are failures.
set -u
. "$(dirname "$0")/common.sh"

kernel=6.1
smp=2
icount=
exact=
long=
fastpath=
timeout=
ko=
module=y
command=
out=
log=
append=
memory=
shell=
programs=
bpftrace=
add=()
tests=()
while [ $# -gt 0 ]; do
	case $1 in
	--icount) icount=y ;;
	--exact) icount=y exact=y ;;
	--long) long=y ;;
	--fastpath) fastpath=y ;;
	--no-module) module= ;;
	--shell) shell=y ;;
	--programs) programs=y ;;
	--bpftrace) bpftrace=y ;;
	--kernel | --smp | --timeout | --ko | --command | --out | --log | \
	    --append | --memory)
		[ $# -gt 1 ] || die "$1 needs a value"
		declare "${1#--}=$2"
		shift
		;;
	--add)
		[ $# -gt 1 ] || die "$1 needs a value"
		add+=("$2")
		shift
		;;
	-h | --help)
		sed -n 's/^# \{0,1\}//; 3,/^set/p' "$0" | grep -v '^set -u'
		exit 0
		;;
	-*) die "unknown option $1" ;;
	*) tests+=("$1") ;;
	esac
	shift
done
[ -z "$icount" ] || smp=1

# Without a name they all run.
if [ ${#tests[@]} -eq 0 ] && [ -z "$command$shell" ]; then
	programs=y
	bpftrace=y
fi
# asks OPTION: does a test say that it wants it?
asks() {
	local test
	for test in "${tests[@]}"; do
		! grep -qsx "# vm: $1" "$ho_top/selftests/${test%.sh}.sh" ||
			return 0
	done
	return 1
}
! asks --programs || programs=y
! asks --bpftrace || bpftrace=y

tmp=$(mktemp -d) || exit 1
qemu_pid=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	[ -z "$qemu_pid" ] || kill "$qemu_pid" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# A kernel that looks for mistakes is slower and wants more memory.
own=
! "$ho_top/scripts/own-kernel.sh" names | grep -qxF "$kernel" || own=y
# So does bpftrace, whose libraries are 200 MB.
: "${timeout:=${own:+7200}}" "${memory:=${own:+2048}}" "${memory:=${bpftrace:+2048}}"
: "${timeout:=1800}" "${memory:=1024}"

"$ho_top/scripts/deps.sh" vm ${own:+own} || exit 1

build_tools() {
	(
		exec 9>"$ho_cache/tools.lock"
		flock 9
		make -s -C "$ho_top/selftests/tools" OUT="$ho_cache/tools" &&
			make -s -C "$ho_top/scripts/halfopenctl" OUT="$ho_cache/tools" &&
			cp "$ho_cache/tools"/* "$tmp/root/ho/selftests/tools/"
	) || die "cannot build selftests/tools or halfopenctl"
}

# The project's own part of the initramfs.
project_files() {
	local ho=$tmp/root/ho
	mkdir -p "$ho"
	cp "$ho_top/scripts/init.sh" "$tmp/root/init"
	chmod +x "$tmp/root/init"
	cp -r "$ho_top/selftests" "$ho/selftests" || return 1
	# documents and what they are about, for the tests of them
	mkdir "$ho/scripts"
	cp "$ho_top/README.md" "$ho/" &&
		cp -r "$ho_top"/scripts/{man,doc,bpftrace,monitoring} \
		    "$ho_top"/scripts/check-{monitoring,commands}.sh \
		    "$ho_top"/scripts/halfopenctl/halfopenctl.bash \
		    "$ho/scripts/" || return 1
	build_tools
	# else the guest compiles them whenever a program begins
	python3 -I -m compileall -q --invalidation-mode unchecked-hash \
	    "$ho/selftests/tools" || return 1
	[ -z "$ko" ] || strip -g -o "$ho/halfopen.ko" "$ko" || return 1
	[ ${#add[@]} -eq 0 ] || cp -r "${add[@]}" "$ho/" || return 1
	[ -z "$shell" ] || touch "$ho/interactive"
	{
		echo "export HO_CI=${HO_CI:-} HO_ICOUNT=$icount HO_LONG=$long"
		echo "export HO_FASTPATH=$fastpath"
		[ -z "$own" ] || echo "export HO_SLACK=0.25 HO_SLOW=6"
		if [ -n "$command" ]; then
			printf '%s\n' "$command"
		else
			printf 'exec dash selftests/run.sh'
			[ ${#tests[@]} -eq 0 ] || printf ' %q' "${tests[@]}"
			echo
		fi
	} >"$ho/command"
	(cd "$tmp/root" && find . -mindepth 1 |
		cpio --quiet -o -H newc -R 0:0) >"$tmp/project.cpio"
}

[ -z "$module" ] || [ -n "$ko" ] || "$ho_top/scripts/deps.sh" build || exit 1
# The kernel comes first: if the mirror has a newer one by now, that is what the
# module has to be for.
vmlinuz=$("$ho_top/scripts/kernel.sh" vmlinuz "$kernel") || exit 1
if [ -n "$module" ] && [ -z "$ko" ]; then
	ko=$("$ho_top/scripts/kernel.sh" module "$kernel")/halfopen.ko || exit 1
fi
userland=$("$ho_top/scripts/initramfs.sh" userland) || exit 1
modules=$("$ho_top/scripts/initramfs.sh" modules "$kernel") || exit 1
parts=("$userland" "$modules")
if [ -n "$programs" ]; then
	parts+=("$("$ho_top/scripts/initramfs.sh" programs)") || exit 1
fi
if [ -n "$bpftrace" ]; then
	parts+=("$("$ho_top/scripts/initramfs.sh" bpftrace)") || exit 1
fi
project_files || die "cannot pack the selftests"
cat "${parts[@]}" "$tmp/project.cpio" >"$tmp/initrd" || exit 1

# slab_nomerge: request sockets have a line of their own in /proc/slabinfo.
# mitigations=off: emulated CPUs have nothing to protect.  norandmaps: QEMU
# translates a program's code once if it is always at the same address, which
# takes a quarter off a run.
cmdline="console=ttyS0 loglevel=7 panic=-1 oops=panic mitigations=off norandmaps"
cmdline="$cmdline slab_nomerge tsc=reliable no_timer_check nokaslr"
# The guest's TSC is the host's, which counts half its BogoMIPS.  A guest that
# measures it on a busy host may be wrong by far (81 MHz for 2594 MHz was seen),
# and every timeout with it.
tsc_khz=$(awk '/^bogomips/ { printf "%d", $3 * 500; exit }' /proc/cpuinfo)
[ -n "$icount" ] || cmdline="$cmdline${tsc_khz:+ tsc_early_khz=$tsc_khz}"
cmdline="$cmdline random.trust_cpu=on $append"

# TCG counts each byte of a "rep stosb" as an instruction.  Without ERMS and FSRM
# the kernel and the C library clear and copy eight at a time.  A kernel without
# ACPI finds only the first CPU of each socket.
qemu=(qemu-system-x86_64 -nodefaults -no-user-config -no-reboot
      -display none -monitor none -machine pc -cpu "max,-erms,-fsrm"
      -m "$memory" -smp "$smp,sockets=$smp"
      -kernel "$vmlinuz" -initrd "$tmp/initrd" -append "$cmdline"
      -serial "file:$tmp/console"
      -chardev "stdio,id=tap,signal=off" -serial chardev:tap
      -serial "file:$tmp/exit" -serial "file:$tmp/files")
# One thread runs all guest CPUs in turn.  With one each, QEMU 7.2 now and then
# executes an int3 that the kernel's text patching has long taken away, in
# whatever code a static key was switched ("Oops: int3", at boot as well).
# Kernels of own-kernel.sh have no static keys: their CPUs race for real.
threads=single
[ -z "$own" ] || [ -n "$icount" ] || threads=multi
qemu+=(-accel "tcg,thread=$threads")
# An instruction takes 8 ns; 1 ns on a kernel that needs several times as many of
# them, or all that is timed would come late.
shift=3
[ -z "$own$exact" ] || shift=0
[ -z "$icount" ] || qemu+=(-icount "shift=$shift,sleep=off")
[ -z "$exact" ] || qemu+=(-seed 1 -rtc "base=2026-01-01,clock=vm")

# Words that the kernel only prints when something is wrong.
complaints='BUG[: ]|WARNING:|Call Trace|RIP:|unreferenced object'
complaints="$complaints|suspicious RCU|refcount_t|ref_tracker|soft lockup"
complaints="$complaints|rcu:.*stall|Kernel panic|general protection"
complaints="$complaints|unregister_netdevice: waiting"
complaints="$complaints|KASAN:|KCSAN:|UBSAN:|ODEBUG|kmemleak: [0-9]+ new"
complaints="$complaints|(circular|recursive) locking|inconsistent lock state"
complaints="$complaints|sleeping function called|while atomic|wait context"
complaints="$complaints|held lock freed|turning off the locking|blocked for"

# first_complaint FILE: its line.  Of data races those count in which the module
# has a part.
first_complaint() {
	awk -v words="$complaints" '
		/KCSAN: data-race/ && !/\[halfopen\]/ { next }
		$0 ~ words { print NR; exit }' "$1"
}

if [ -n "$shell" ]; then
	"${qemu[@]}"
	exit
fi

"${qemu[@]}" </dev/null &
qemu_pid=$!
deadline=$((SECONDS + timeout))
timed_out=
while kill -0 "$qemu_pid" 2>/dev/null; do
	if [ "$SECONDS" -ge "$deadline" ]; then
		timed_out=y
		kill "$qemu_pid"
	fi
	sleep 0.1
done
wait "$qemu_pid" 2>/dev/null
qemu_pid=

[ -z "$log" ] || cp "$tmp/console" "$log"
if [ -n "$out" ] && [ -s "$tmp/files" ]; then
	mkdir -p "$out"
	tar -C "$out" -xf "$tmp/files" ||
		die "cannot unpack what the guest left"
fi

rc=$(sed -n 's/^exit \([0-9]\+\)$/\1/p' "$tmp/exit" 2>/dev/null)
without_asked_for <(tr -d '\r' <"$tmp/console") >"$tmp/said"
hit=$(first_complaint "$tmp/said")
if [ -z "$rc" ]; then
	echo "not ok - the guest ended before the scenario did"
	[ -z "$timed_out" ] || echo "# killed after $timeout s"
	[ -n "$hit" ] || tail -n 40 "$tmp/said" | sed 's/^/# /'
	rc=1
fi
if [ -n "$hit" ]; then
	echo "not ok - the kernel's log has complaints"
	tail -n "+$((hit > 5 ? hit - 5 : 1))" "$tmp/said" | head -n 60 |
		sed 's/^/# /'
	rc=1
fi
exit "$rc"
