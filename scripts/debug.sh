#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run selftests on the module itself in the UML kernel of the unit tests: under
# KASAN, lockdep, RCU checks, debug objects and kmemleak.
#
#   debug.sh [TEST]...	default: those that compare with native, segment by segment
set -u
. "$(dirname "$0")/uml.sh"

[ $# -gt 0 ] || set -- segments options sockets
kernel=$("$ho_top/scripts/kunit.sh" --kernel-only) || exit 1

uml_work debug
console=$ho_logs/debug-console.log

copy_tree "$work/tree"
with_progress "building the module for UML" "$ho_logs/debug-build.log" \
    make -C "$kernel" ARCH=um M="$work/tree" -j"$(nproc)" halfopen.ko || {
	tail -n 20 "$ho_logs/debug-build.log" >&2
	die "the module does not build"
}

cp -r "$ho_top/selftests" "$work/tree/selftests" || exit 1
make -s -C "$work/tree/selftests/tools" || die "selftests/tools do not build"

say "running $*"
# The guest's kernel does not keep AVX registers across tasks (see fix_xstate()
# in kunit.sh), so the C library must not use them, the linker neither.
no_avx=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX512CD
no_avx=$no_avx,-AVX512DQ,-AVX_Fast_Unaligned_Load,-XSAVE,-XSAVEC
uml_boot "$kernel" "$console" GLIBC_TUNABLES="$no_avx" LD_BIND_NOW=1 \
    init="$ho_top/scripts/debug-init.sh" \
    ho_module="$work/tree/halfopen.ko" ho_selftests="$work/tree/selftests" \
    ho_tests="$(IFS=,; echo "$*")"

while read -r line; do
	case $line in
	"ok "*)
		tap_count=$((tap_count + 1))
		echo "ok $tap_count - debug: ${line#ok * - }" ;;
	"not ok "*)
		tap_count=$((tap_count + 1))
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - debug: ${line#not ok * - }" ;;
	1..*) ;;
	*) echo "$line" ;;
	esac
done <"$work/out/tap"

uml_verdict debug "$console"
tap_end
