#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a target, that is a line of kernels.txt or a kernel of own-kernel.sh, is
# on this machine.
#
#   kernel.sh targets [full|smoke]   the names in kernels.txt, one per line
#   kernel.sh suite TARGET     the suite of Debian that it comes from, or "own"
#   kernel.sh headers TARGET   its headers package
#   kernel.sh release TARGET   the release string, such as 6.1.0-56-cloud-amd64
#   kernel.sh build TARGET     the directory that modules are built against
#   kernel.sh make TARGET DIR [ARG]...   make in it, for the module in DIR
#   kernel.sh module TARGET [gcc|clang]  a directory with halfopen.ko and
#                                        make.log, built from this tree with W=1
#   kernel.sh image TARGET     a directory with the unpacked image packages
#   kernel.sh vmlinuz TARGET   the kernel to boot
#   kernel.sh modules TARGET   its module tree (with kernel/ in it)
#
# The release follows apt's package lists, so an update of the mirror moves the
# target.  Images are unpacked in the cache and never installed.
set -u
. "$(dirname "$0")/common.sh"

list=$ho_top/scripts/kernels.txt
suites=$ho_top/scripts/suite.sh
buildroot=$ho_top/scripts/buildroot.sh
own=$ho_top/scripts/own-kernel.sh

targets() {
	awk -v runs="${1:-}" '/^[^#]/ && (runs == "" || $2 == runs) { print $1 }' \
	    "$list"
}

# field N TARGET
field() {
	awk -v n="$1" -v t="$2" '$1 == t { print $n; found = 1 }
	    END { exit !found }' "$list" || die "no kernel named $2 in kernels.txt"
}

is_own() {
	"$own" names | grep -qxF -- "$1"
}

suite() {
	if is_own "$1"; then
		echo own
	else
		field 3 "$1"
	fi
}

headers() {
	local suite glob
	suite=$(suite "$1") || exit 1
	glob=$(field 4 "$1") || exit 1
	"$suites" newest "$suite" "$glob" ||
		die "$suite has no $glob: choose another suite in kernels.txt"
}

release() {
	local pkg
	! is_own "$1" || exec "$own" release "$1"
	pkg=$(headers "$1") || exit 1
	echo "${pkg#linux-headers-}"
}

# Where kernels come from that this Debian cannot build for.
in_buildroot() {
	[ "$1" != own ] && ! "$suites" native "$1"
}

build() {
	local suite rel root=
	! is_own "$1" || exec "$own" build "$1"
	suite=$(suite "$1") || exit 1
	rel=$(release "$1") || exit 1
	! in_buildroot "$suite" || root=$("$buildroot" path "$suite") || exit 1
	[ -e "$root/usr/src/linux-headers-$rel/Makefile" ] ||
		die "no headers of $rel here: run scripts/deps.sh build"
	echo "$root/usr/src/linux-headers-$rel"
}

make_in() {
	local target=$1 dir=$2 suite kdir run=()
	shift 2
	suite=$(suite "$target") || exit 1
	kdir=$(build "$target") || exit 1
	if in_buildroot "$suite"; then
		run=("$buildroot" run "$suite" "$dir")
		kdir=/usr/src/${kdir##*/}
	fi
	"${run[@]}" make -C "$kdir" M="$dir" -j"$(nproc)" "$@"
}

# The headers of Debian are configured for gcc.  For clang, options that name
# what only gcc knows, or a newer clang, are switched off by hand, and the result
# is good to look for warnings, but not to load: it lacks what the kernel's own
# modules have against speculation, and the places that ftrace wants.
clang_args=(
	CC=clang CONFIG_CC_IS_GCC= CONFIG_CC_IS_CLANG=y CONFIG_GCC_VERSION=0
	CONFIG_CC_IMPLICIT_FALLTHROUGH=-Wimplicit-fallthrough
	# -mrecord-mcount
	CONFIG_FTRACE_MCOUNT_USE_CC=
	# -mfunction-return=, -mharden-sls=, the second names since 6.9
	CONFIG_RETHUNK= CONFIG_MITIGATION_RETHUNK=
	CONFIG_SLS= CONFIG_MITIGATION_SLS=
	# -ftrivial-auto-var-init=
	CONFIG_INIT_STACK_ALL_ZERO=
	# -fmin-function-alignment=, -fsanitize=bounds-strict
	CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT= CONFIG_UBSAN_BOUNDS_STRICT=
	# the headers mark what is per CPU as gcc likes it
	KCFLAGS=-Wno-duplicate-decl-specifier
)

# The newest builds of a kernel stay: one may be about to be used.
prune() {
	local old
	find "$ho_cache/modules" -maxdepth 1 -type d -name "$1-*" -printf '%T@ %p\n' |
		sort -rn | tail -n +5 | while read -r _ old; do
		rm -rf "$old" "$old.lock"
	done
}

module() {
	local target=$1 cc=$2 args=() kdir key dir tmp log
	# debugging information takes time, and nobody looks at it; kernel-doc is
	# for lint.sh
	args=(CONFIG_DEBUG_INFO= CONFIG_DEBUG_INFO_BTF_MODULES= cmd_checkdoc=)
	[ "$cc" != clang ] || args+=("${clang_args[@]}")
	kdir=$(build "$target") || exit 1
	key=$( (cd "$ho_top" && find Kbuild include module -type f -print0 |
			sort -z | xargs -0 sha256sum
		cat "$0" "$kdir/Module.symvers" | sha256sum
		echo "$kdir"
		"$cc" --version) | sha256sum | cut -c1-12)
	dir=$ho_cache/modules/$target-$cc-$key
	log=$ho_logs/make-$target-$cc.log
	mkdir -p "$ho_cache/modules"
	(
		exec 9>"$dir.lock"
		flock 9
		[ ! -d "$dir" ] || exit 0
		tmp=$(mktemp -d "$dir.XXXXXX") || exit 1
		trap 'rm -rf "$tmp"' EXIT
		copy_tree "$tmp/tree"
		with_progress "building for $target with $cc" "$log" \
		    make_in "$target" "$tmp/tree" W=1 "${args[@]}" modules ||
			exit 1
		# in paths of messages
		sed "s|$tmp/tree/||g" "$log" >"$tmp/make.log"
		mv "$tmp/tree/halfopen.ko" "$tmp/" && rm -rf "$tmp/tree" &&
			chmod 755 "$tmp" && mv "$tmp" "$dir"
	) || {
		grep -E 'rror|undefined' "$log" | head -n 20 >&2
		die "the module does not build for $target with $cc, see $log"
	}
	touch "$dir"
	prune "$target-$cc"
	echo "$dir"
}

# From 7.x on the kernel and its modules have packages of their own.
image_packages() {
	if "$suites" newest "$1" "linux-binary-$2"; then
		echo "linux-base-$2 linux-modules-$2"
	else
		echo "linux-image-$2"
	fi
}

# unpack_image DIR SUITE RELEASE
unpack_image() (
	tmp=$(mktemp -d) || exit 1
	trap 'rm -rf "$tmp"' EXIT
	# shellcheck disable=SC2046 # one word per package
	"$suites" fetch "$2" "$tmp" $(image_packages "$2" "$3") || exit 1
	mkdir -p "$1"
	for deb in "$tmp"/*.deb; do
		dpkg-deb -x "$deb" "$1" || exit 1
	done
	# which later packages leave to base-files
	[ -e "$1/lib" ] || ln -s usr/lib "$1/lib"
)

# image_of SUITE RELEASE
image_of() {
	local dir=$ho_cache/images/$2
	mkdir -p "$ho_cache/images"
	(
		exec 9>"$dir.lock"
		flock 9
		[ ! -e "$dir/.complete" ] || exit 0
		rm -rf "$dir"
		unpack_image "$dir" "$1" "$2" && touch "$dir/.complete"
	) && echo "$dir"
}

image() {
	local suite rel
	! is_own "$1" || exec "$own" image "$1"
	suite=$(suite "$1") || exit 1
	rel=$(release "$1") || exit 1
	image_of "$suite" "$rel" && return
	# The mirror drops a release when it has a newer one, for which the
	# headers have to be newer as well.
	"$suites" update "$suite" || exit 1
	"$ho_top/scripts/deps.sh" build >&2 || exit 1
	rel=$(release "$1") || exit 1
	image_of "$suite" "$rel" ||
		die "cannot get the image of $rel, see $ho_logs/fetch-$suite.log"
}

modules() {
	local dir tree
	dir=$(image "$1") || exit 1
	for tree in "$dir"/lib/modules/*; do
		[ -d "$tree/kernel" ] || continue
		echo "$tree"
		return
	done
	die "no modules in $dir"
}

vmlinuz() {
	local dir file
	dir=$(image "$1") || exit 1
	for file in "$dir"/boot/vmlinuz-* "$dir"/lib/modules/*/vmlinuz; do
		[ -e "$file" ] || continue
		echo "$file"
		return
	done
	die "no kernel in $dir"
}

[ $# -ge 1 ] || die "see the head of this file for how to call it"
case $1 in
targets) targets "${2:-}" ;;
suite | headers | release | build | image | vmlinuz | modules)
	[ $# -eq 2 ] || die "$1: which target?"
	"$1" "$2"
	;;
make)
	[ $# -ge 3 ] || die "make: which target, and where?"
	make_in "${@:2}"
	;;
module)
	[ $# -ge 2 ] || die "module: which target?"
	module "$2" "${3:-gcc}"
	;;
*) die "unknown command $1" ;;
esac
