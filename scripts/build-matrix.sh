#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Build for every kernel of kernels.txt, with gcc and with clang, with W=1 and
# without a warning; every symbol that the module needs is one that the kernel
# exports.
#
#   build-matrix.sh [TARGET...]
set -u
. "$(dirname "$0")/common.sh"

kernel=$ho_top/scripts/kernel.sh

# build TARGET CC: fails on any warning, and if there is no module at the end.
build() {
	local dir
	dir=$("$kernel" module "$1" "$2") || return 1
	! grep -iE -A 8 'warning[: ]' "$dir/make.log"
}

symbols() {
	local dir kdir
	dir=$("$kernel" module "$1") || return 1
	kdir=$("$kernel" build "$1") || return 1
	"$ho_top/scripts/check-symbols.sh" "$dir" "$kdir"
}

[ $# -gt 0 ] || mapfile -t all < <("$kernel" targets)
for target in "$@" "${all[@]:-}"; do
	[ -n "$target" ] || continue
	for cc in gcc clang; do
		say "$target, $cc"
		tap_run "build: $target $cc" build "$target" "$cc"
	done
	tap_run "symbols: $target" symbols "$target"
done
tap_end
