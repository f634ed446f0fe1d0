#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Install what a lane needs and this machine does not have yet.
#
#   deps.sh [build] [vm] [own] [kunit] [debug] [coverage] [lint] [demo] [fuzz]
#           [deb] [packages] [nginx] [programs] [bpftrace] [promtool]
#
# Without an argument: everything.  nginx and the other servers that tests use
# are unpacked in the cache, as installed packages they would start on this
# machine.
set -u
. "$(dirname "$0")/common.sh"

declare -A lane_packages=(
	[build]="make gcc libc6-dev clang binutils kmod debian-archive-keyring"
	[vm]="make gcc libc6-dev kmod qemu-system-x86 busybox-static dash cpio
	      xz-utils zstd iproute2 ipvsadm nftables curl python3 nmap
	      libpcre2-8-0 libssl3 zlib1g libcrypt1"
	[kunit]="make gcc libc6-dev bc bison flex xz-utils kmod perl-base
		 linux-source-6.12"
	[own]="make gcc libc6-dev bc bison flex libelf-dev xz-utils kmod
	       linux-source-6.12"
	[debug]="dash iproute2 nftables curl kmod perl-base python3
		 libpcre2-8-0 libssl3 zlib1g libcrypt1"
	[coverage]="gcovr"
	[lint]="make gcc libc6-dev binutils kmod perl xz-utils sparse
		shellcheck codespell coccinelle mandoc linux-source-6.12"
	[demo]="gnuplot-nox"
	[deb]="make gcc libc6-dev dpkg-dev debhelper dh-dkms"
	[packages]="lintian mmdebstrap debian-archive-keyring openssl xz-utils
		    kmod rpm rpmlint"
	[fuzz]="make clang-14 libclang-rt-14-dev libc6-dev"
)

# Servers and their clients, with the libraries that a small Debian has not.
declare -A unpacked_packages=(
	[nginx]="nginx"
	[programs]="openssh-server openssh-client haproxy
		    postgresql-15 postgresql-client-15
		    libpq5 libldap-2.5-0 libsasl2-2 libicu72 libxml2
		    libgssapi-krb5-2 libkrb5-3 libk5crypto3 libkrb5support0
		    libkeyutils1 libreadline8 libwrap0 libnsl2 libtirpc3
		    liblua5.3-0 libopentracing-c-wrapper0 libopentracing1"
	[bpftrace]="bpftrace libbpfcc libbpf1 libclang1-14 libllvm14 libz3-4
		    libicu72 libxml2 libedit2 libbsd0 libdw1 libelf1"
	[promtool]="prometheus"
)

updated=
update_lists() {
	[ -z "$updated" ] || return 0
	updated=y
	with_progress "apt-get update" "$ho_logs/apt-update.log" \
	    apt-get -q update || die "see $ho_logs/apt-update.log"
}

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = \
	    installed ]
}

# A fresh machine has empty lists, an old one may not know the newest kernel.
known() {
	apt-cache show "$1" >/dev/null 2>&1
}

missing_of() {
	local pkg
	for pkg; do
		installed "$pkg" || echo "$pkg"
	done | sort -u
}

# Of the kernels that come from this Debian; others have a build root.
headers_packages() {
	local target kernel=$ho_top/scripts/kernel.sh
	for target in $("$kernel" targets); do
		! "$ho_top/scripts/suite.sh" native \
		    "$("$kernel" suite "$target")" ||
			"$kernel" headers "$target" || return 1
	done
}

refresh_suites() {
	local target suite kernel=$ho_top/scripts/kernel.sh
	for target in $("$kernel" targets); do
		"$kernel" suite "$target"
	done | sort -u | while read -r suite; do
		"$ho_top/scripts/suite.sh" refresh "$suite"
	done
}

install_packages() {
	local missing pkg
	missing=$(missing_of "$@")
	[ -n "$missing" ] || return 0
	for pkg in $missing; do
		known "$pkg" || update_lists
	done
	# shellcheck disable=SC2086 # one word per package
	DEBIAN_FRONTEND=noninteractive with_progress \
	    "installing ${missing//$'\n'/ }" "$ho_logs/apt-install.log" \
	    apt-get -q -y --no-install-recommends install $missing
}

# need COMMAND...: install the packages that it prints.
need() {
	local pkgs
	# shellcheck disable=SC2086
	pkgs=$("$@" 2>/dev/null) && install_packages $pkgs && return
	# A mirror drops a version as soon as it has a newer one.
	updated=
	update_lists
	pkgs=$("$@") || exit 1
	# shellcheck disable=SC2086
	install_packages $pkgs || die "see $ho_logs/apt-install.log"
}

# download NAME: its packages, into this directory.
download() {
	# shellcheck disable=SC2086 # one word per package
	with_progress "fetching $1" "$ho_logs/$1.log" \
	    apt-get -q -o APT::Sandbox::User=root download \
	    ${unpacked_packages[$1]}
}

# unpack NAME: its packages, into a directory of the cache.
unpack() {
	local name=$1 dir=$ho_cache/$1 tmp pkg deb
	(
		exec 9>"$dir.lock"
		flock 9
		# Another list of packages is another directory's worth.
		[ "$(cat "$dir/.complete" 2>/dev/null)" != \
		    "${unpacked_packages[$name]}" ] || exit 0
		for pkg in ${unpacked_packages[$name]}; do
			known "$pkg" || update_lists
		done
		tmp=$(mktemp -d) || exit 1
		trap 'rm -rf "$tmp"' EXIT
		cd "$tmp" || exit 1
		# A mirror drops a version as soon as it has a newer one.
		download "$name" || {
			update_lists
			download "$name" || exit 1
		}
		rm -rf "$dir"
		mkdir -p "$dir"
		for deb in ./*.deb; do
			dpkg-deb -x "$deb" "$dir" || exit 1
		done
		echo ./*.deb >"$dir/.versions"
		echo "${unpacked_packages[$name]}" >"$dir/.complete"
	) || die "cannot get $name, see $ho_logs/$name.log"
}

[ $# -gt 0 ] || set -- build vm own kunit debug coverage lint demo \
	fuzz deb packages
want=
for lane; do
	case $lane in
	nginx | programs | bpftrace | promtool) ;;
	build | vm | own | kunit | debug | coverage | lint | demo | fuzz | \
	    deb | packages) want="$want ${lane_packages[$lane]}" ;;
	*) die "unknown lane $lane" ;;
	esac
done
[ -z "$want" ] || need echo "$want"
for lane; do
	case $lane in
	build)
		refresh_suites
		need headers_packages
		;;
	vm | debug | nginx) unpack nginx ;;
	lint) unpack promtool ;;
	programs | bpftrace | promtool) unpack "$lane" ;;
	esac
done
