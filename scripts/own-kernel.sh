#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Kernels for QEMU that the project builds for itself, from Debian's source
# package, with kernel-base.config and on top of it
#
#   debug   debug.config    KASAN, UBSAN, lockdep, kmemleak, objects, ..., and
#                           kernel-whole.config: all that any selftest needs
#   kcsan   kcsan.config    data races
#   rt      rt.config       PREEMPT_RT
#   plain   nothing         what takes how long (bench.sh)
#
#   own-kernel.sh names          the names, one per line
#   own-kernel.sh build NAME     the directory to build modules against
#   own-kernel.sh image NAME     a directory as of an unpacked image package
#   own-kernel.sh release NAME   the release string, such as 6.12.117-debug-HASH
#
# Each is built once, in the cache.  The release has a hash of the fragments in
# it: whatever is kept under its name is of this kernel.
set -u
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/kernel-build.sh"

names="debug kcsan rt plain"

build() {
	local dir=$ho_top/scripts hash version
	local fragments=("$dir/kernel-base.config")
	case $1 in
	debug) fragments+=("$dir/debug.config" "$dir/kernel-whole.config") ;;
	kcsan | rt) fragments+=("$dir/$1.config") ;;
	plain) ;;
	*) die "no kernel named $1" ;;
	esac
	hash=$(cat "${fragments[@]}" | sha256sum | cut -c1-8)
	version=$ho_cache/own-$1-$hash.config
	echo "CONFIG_LOCALVERSION=\"-$1-$hash\"" >"$version"
	kernel_build "own-$1" x86 "bzImage modules" "${fragments[@]}" "$version"
}

release() {
	local dir
	dir=$(build "$1") || exit 1
	cat "$dir/include/config/kernel.release"
}

# As of a package, so that whoever packs or boots it sees no difference.
install_image() {
	local src=$1 rel=$2 dir=$3
	mkdir -p "$dir/boot"
	make -C "$src" INSTALL_MOD_PATH="$dir" INSTALL_MOD_STRIP=1 \
	    modules_install || return 1
	cp "$src/arch/x86/boot/bzImage" "$dir/boot/vmlinuz-$rel"
}

image() {
	local src rel dir
	src=$(build "$1") || exit 1
	rel=$(cat "$src/include/config/kernel.release")
	dir=$ho_cache/images/$rel
	mkdir -p "$ho_cache/images"
	(
		exec 9>"$dir.lock"
		flock 9
		[ ! -e "$dir/.complete" ] || exit 0
		rm -rf "$dir"
		with_progress "installing $rel in the cache" \
		    "$ho_logs/image-$1.log" \
		    install_image "$src" "$rel" "$dir" || exit 1
		touch "$dir/.complete"
	) || die "cannot install the $1 kernel, see $ho_logs/image-$1.log"
	echo "$dir"
}

case ${1:-} in
names) tr ' ' '\n' <<<"$names" ;;
build | image | release)
	[ $# -eq 2 ] || die "$1: which kernel?"
	"$1" "$2"
	;;
*) die "unknown command ${1:-(none)}" ;;
esac
