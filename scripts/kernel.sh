#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a target of kernels.txt is on this machine.
#
#   kernel.sh targets          the names, one per line
#   kernel.sh headers TARGET   the headers package to install
#   kernel.sh release TARGET   the release string, such as 6.1.0-56-cloud-amd64
#   kernel.sh build TARGET     the directory to build modules against
#   kernel.sh image TARGET     a directory with the unpacked image package
#   kernel.sh vmlinuz TARGET   the kernel to boot
#   kernel.sh modules TARGET   its module tree (with kernel/ in it)
#
# The release follows apt's package lists, so an update of the mirror moves the
# target.  Images are unpacked in the cache and never installed.
set -u
. "$(dirname "$0")/common.sh"

list=$ho_top/scripts/kernels.txt

targets() {
	sed -n 's/^\([^#[:space:]]\+\).*/\1/p' "$list"
}

headers() {
	awk -v t="$1" '$1 == t { print $2; found = 1 } END { exit !found }' \
	    "$list" || die "no kernel named $1 in kernels.txt"
}

# Asking apt takes a second, so the answer is kept until its lists change.
release() {
	local pkg rel memo=$ho_cache/release-$1
	if [ "$memo" -nt "$list" ] && [ "$memo" -nt /var/lib/apt/lists ]; then
		cat "$memo"
		return
	fi
	pkg=$(headers "$1") || exit 1
	rel=$(apt-cache depends --important "$pkg" 2>/dev/null |
		sed -n 's/.*Depends: linux-headers-\(.*\)/\1/p' | head -n 1)
	[ -n "$rel" ] || die "apt does not know $pkg: run scripts/deps.sh"
	echo "$rel" | tee "$memo.$$"
	mv "$memo.$$" "$memo"
}

build() {
	local rel dir
	rel=$(release "$1") || exit 1
	for dir in "/lib/modules/$rel/build" "/usr/src/linux-headers-$rel"; do
		[ -e "$dir/Makefile" ] || continue
		echo "$dir"
		return
	done
	die "no headers of $rel here: run scripts/deps.sh build"
}

image() {
	local rel dir tmp
	rel=$(release "$1") || exit 1
	dir=$ho_cache/images/$rel
	mkdir -p "$ho_cache/images"
	(
		exec 9>"$dir.lock"
		flock 9
		[ ! -e "$dir/.complete" ] || exit 0
		rm -rf "$dir"
		tmp=$(mktemp -d) || exit 1
		trap 'rm -rf "$tmp"' EXIT
		cd "$tmp" || exit 1
		with_progress "fetching the image of $rel" \
		    "$ho_logs/image-$1.log" apt-get -q \
		    -o APT::Sandbox::User=root download \
		    "linux-image-$rel" >&2 || exit 1
		mkdir -p "$dir"
		dpkg-deb -x ./*.deb "$dir" || exit 1
		touch "$dir/.complete"
	) || die "cannot get linux-image-$rel, see $ho_logs/image-$1.log"
	echo "$dir"
}

vmlinuz() {
	local dir
	dir=$(image "$1") || exit 1
	echo "$dir"/boot/vmlinuz-*
}

modules() {
	local dir rel sub
	dir=$(image "$1") || exit 1
	rel=$(release "$1") || exit 1
	for sub in lib usr/lib; do
		[ -d "$dir/$sub/modules/$rel/kernel" ] || continue
		echo "$dir/$sub/modules/$rel"
		return
	done
	die "no modules in the image of $rel"
}

case ${1:-} in
targets) targets ;;
headers | release | build | image | vmlinuz | modules)
	[ $# -eq 2 ] || die "$1: which target?"
	"$1" "$2"
	;;
*) die "unknown command ${1:-(none)}" ;;
esac
