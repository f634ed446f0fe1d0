#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A directory with another Debian's compilers and kernel headers, for kernels
# whose headers this Debian's compiler or C library is too old for.
#
#   buildroot.sh path SUITE              where it is; made if it is not there
#   buildroot.sh run SUITE DIR COMMAND...   run COMMAND in it, with DIR in it
#
# It has the headers of all kernels of kernels.txt that come from the suite, is
# kept in the cache under a hash of their names, and nothing in it was ever
# configured: packages are unpacked, no more.
set -u
. "$(dirname "$0")/common.sh"

# The headers depend on the gcc that they were made with.
tools="base-files bash coreutils dash diffutils findutils gawk grep
       libc-bin make perl-base sed clang"

headers_of() {
	local target
	for target in $("$ho_top/scripts/kernel.sh" targets); do
		[ "$("$ho_top/scripts/kernel.sh" suite "$target")" = "$1" ] ||
			continue
		"$ho_top/scripts/kernel.sh" headers "$target" || return 1
	done
}

# make ROOT SUITE PACKAGE...
make_root() {
	local root=$1 suite=$2 dir deb
	shift 2
	mkdir -p "$root/usr" || return 1
	# shellcheck disable=SC2086 # one word per package
	"$ho_top/scripts/suite.sh" fetch-all "$suite" "$root/debs" $tools "$@" ||
		return 1
	say "unpacking $(find "$root/debs" -name '*.deb' | wc -l) packages"
	for dir in bin lib lib64 sbin; do
		mkdir "$root/usr/$dir" || return 1
		ln -s "usr/$dir" "$root/$dir" || return 1
	done
	for deb in "$root"/debs/*.deb; do
		dpkg-deb -x "$deb" "$root" || return 1
	done
	rm -rf "$root/debs"
	# What their installation would have done.
	ln -s gawk "$root/usr/bin/awk"
	mkdir -p "$root/proc" "$root/tmp"
}

path() {
	local suite=$1 headers key root tmp
	# shellcheck disable=SC2046 # one word per package
	headers=$(headers_of "$suite") || exit 1
	[ -n "$headers" ] || die "no kernel of kernels.txt comes from $suite"
	key=$( (cat "$0"; echo "$headers") | sha256sum | cut -c1-12)
	root=$ho_cache/roots/$suite-$key
	mkdir -p "$ho_cache/roots"
	(
		exec 9>"$ho_cache/roots/$suite.lock"
		flock 9
		[ ! -d "$root" ] || exit 0
		tmp=$(mktemp -d "$root.XXXXXX") || exit 1
		trap 'rm -rf "$tmp"' EXIT
		# shellcheck disable=SC2086
		make_root "$tmp" "$suite" $headers || exit 1
		chmod 755 "$tmp"
		mv "$tmp" "$root"
	) || die "no build root of $suite, see $ho_logs/fetch-$suite.log"
	echo "$root"
}

# DIR keeps its name in there, so paths in what is printed mean the same.
run() {
	local suite=$1 dir root top user=()
	dir=$(realpath "$2") || exit 1
	shift 2
	root=$(path "$suite") || exit 1
	top=/${dir#/}
	top=/$(cut -d/ -f2 <<<"$top")
	case $top in
	/bin | /etc | /lib | /lib64 | /proc | /sbin | /usr)
		die "$dir would hide the build root's own $top"
		;;
	esac
	[ "$(id -u)" -eq 0 ] || user=(--map-root-user)
	mkdir -p "$root$top" || exit 1
	# shellcheck disable=SC2016 # for the inner shell
	exec unshare "${user[@]}" --mount --pid --fork --kill-child bash -c '
		mount -t proc proc "$1/proc" && mount --rbind "$2" "$1$2" &&
		shift 2 && exec chroot "$0" "$@"' \
	    "$root" "$root" "$top" env -i PATH=/usr/bin:/usr/sbin LC_ALL=C \
	    HOME=/ "$@"
}

[ $# -ge 2 ] || die "see the head of this file for how to call it"
case $1 in
path) path "$2" ;;
run) run "${@:2}" ;;
*) die "unknown command $1" ;;
esac
