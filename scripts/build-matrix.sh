#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build for every kernel of kernels.txt with W=1, without a warning, and leave
# nothing in the tree.  The compiler is the one that the headers were made for:
# others know neither their flags nor their plugins.
#
#   build-matrix.sh [TARGET...]
set -u
. "$(dirname "$0")/common.sh"

work=$(mktemp -d "$ho_cache/matrix.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# build NAME KDIR: fails on any warning, and if there is no module at the end.
build() {
	local log=$ho_logs/matrix-$1.log llvm=
	! grep -qs '^CONFIG_CC_IS_CLANG=y' "$2/include/config/auto.conf" || llvm=1
	copy_tree "$work/$1"
	make -C "$2" M="$work/$1" W=1 ${llvm:+LLVM=1} -j"$(nproc)" modules \
	    >"$log" 2>&1 || {
		grep -E 'rror|undefined' "$log" | head -n 20
		echo "see $log"
		return 1
	}
	! sed "s|$work/$1/||" "$log" | grep -iE 'warning[: ]' && test -e "$work/$1/halfopen.ko"
}

[ $# -gt 0 ] || mapfile -t all < <("$ho_top/scripts/kernel.sh" targets)
for target in "$@" "${all[@]:-}"; do
	[ -n "$target" ] || continue
	kdir=$("$ho_top/scripts/kernel.sh" build "$target") || {
		tap_not_ok "build: $target" "no headers"
		continue
	}
	say "building for $target"
	tap_run "build: $target" build "$target" "$kdir"
done
tap_end
