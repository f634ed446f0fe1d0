#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A small Debian in a directory, for tests of packages: real packages, really
# installed, with DKMS and what it needs, the first kernel of kernels.txt that
# belongs to it, and one that is too old for halfopen, each with its headers.
#
#   package-root.sh path RELEASE        where it is; made if it is not there
#   package-root.sh kernels RELEASE     names in kernels.txt of its kernels
#   package-root.sh run ROOT COMMAND... run COMMAND in the directory ROOT
#
# RELEASE is a line of "releases" below.  In /debs of the root are its last kernel
# and headers, with all that they need.  It is kept in the cache under a hash
# of the versions of the headers.
set -u
. "$(dirname "$0")/common.sh"

# its name, the suites of kernels.txt that belong to it, a kernel without what
# halfopen needs
releases="bookworm  bookworm                 linux-headers-6.12.113+deb12-cloud-amd64
	  trixie    trixie,trixie-backports  linux-headers-6.12.107+deb13-cloud-amd64"

packages="dkms,gcc,make,libc6-dev,kmod,udev,systemd,openssl,procps,initramfs-tools"

# field N RELEASE
field() {
	awk -v n="$1" -v r="$2" '$1 == r { print $n; found = 1 }
	    END { exit !found }' <<<"$releases" || die "no release named $2"
}

kernels() {
	local suites target
	suites=$(field 2 "$1") || exit 1
	for target in $("$ho_top/scripts/kernel.sh" targets); do
		[[ ,$suites, == *,"$("$ho_top/scripts/kernel.sh" suite \
		    "$target")",* ]] || continue
		echo "$target"
	done
}

# The headers to install, then those to have in /debs; DKMS wants their kernels
# there, too.
wanted_headers() {
	local names first last
	mapfile -t names < <(kernels "$1")
	first=$("$ho_top/scripts/kernel.sh" headers "${names[0]}") || return 1
	last=$("$ho_top/scripts/kernel.sh" headers "${names[-1]}") || return 1
	echo "$first ${first/headers/image} $(field 3 "$1")" \
	    "$last ${last/headers/image}"
}

# Run by mmdebstrap with the directory of the root, where apt has its lists.
# Nobody boots the kernels there: no initramfs.
hook='
	set -eu
	root=$1
	set -- $HO_HEADERS
	get() {
		chroot "$root" env INITRD=No apt-get -q -y \
		    --no-install-recommends -o APT::Sandbox::User=root \
		    ${HO_BACKPORTS:+-t "$HO_BACKPORTS"} "$@"
	}
	get install "$1" "$2" "$3" </dev/null
	mkdir -p "$root/debs/partial"
	get -o Dir::Cache::archives=/debs --download-only install "$4" "$5" \
	    </dev/null
	rm -rf "$root/debs/partial" "$root/debs/lock"
'

make_root() {
	local root=$1 release=$2 suites backports=
	suites=$(field 2 "$release")
	"$ho_top/scripts/suite.sh" system "${suites##*,}" >"$root.list" ||
		return 1
	# security updates are newer than the release itself
	[ "${suites##*,}" = "$release" ] || backports=${suites##*,}
	HO_HEADERS=$3 HO_BACKPORTS=$backports with_progress "installing a $release" \
	    "$ho_logs/root-$release.log" mmdebstrap --mode=root \
	    --variant=minbase --include="$packages" \
	    --aptopt='Acquire::Retries "3"' \
	    --aptopt='Acquire::Languages "none"' \
	    --customize-hook="$hook" \
	    "$release" "$root" "$root.list"
}

path() {
	local release=$1 headers key root tmp
	headers=$(wanted_headers "$release") || exit 1
	key=$( (cat "$0"; echo "$headers") | sha256sum | cut -c1-12)
	root=$ho_cache/roots/$release-$key
	mkdir -p "$ho_cache/roots"
	(
		exec 9>"$ho_cache/roots/$release.lock"
		flock 9
		[ ! -d "$root" ] || exit 0
		tmp=$(mktemp -d "$root.XXXXXX") || exit 1
		trap 'rm -rf "$tmp" "$tmp.list"' EXIT
		make_root "$tmp" "$release" "$headers" || exit 1
		chmod 755 "$tmp"
		mv "$tmp" "$root"
		# an older one of other headers
		find "$ho_cache/roots" -maxdepth 1 -name "$release-*" -type d \
		    ! -name "*-backports-*" ! -path "$root" -mtime +7 \
		    -exec rm -rf {} +
	) || die "no $release, see $ho_logs/root-$release.log"
	echo "$root"
}

# With a mount and a PID namespace of its own: nothing stays behind.  No network:
# what is installed there comes from files.
run() {
	local root=$1
	shift
	# shellcheck disable=SC2016 # for the inner shell
	exec unshare --mount --pid --net --fork --kill-child bash -c '
		mount -t proc proc "$0/proc" &&
		mount -t tmpfs run "$0/run" && mkdir "$0/run/lock" &&
		mkdir -p "$0/dev/pts" && mount -t devpts devpts "$0/dev/pts" &&
		exec chroot "$0" "$@"' \
	    "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
	    HOME=/root INITRD=No DEBIAN_FRONTEND=noninteractive "$@"
}

[ $# -ge 2 ] || die "see the head of this file for how to call it"
[ "$(id -u)" -eq 0 ] || die "only root can install packages in a directory"
case $1 in
path | kernels) "$1" "$2" ;;
run) run "${@:2}" ;;
*) die "unknown command $1" ;;
esac
