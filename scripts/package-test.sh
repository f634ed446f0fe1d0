#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Are the packages good, and what happens when they are installed?
#
#   package-test.sh [files | RELEASE]...    default: files bookworm
#
# RELEASE is one of package-root.sh.  In a Debian of its own the packages are
# installed, DKMS builds the module, a new kernel comes, a kernel that is too old
# is left alone, and a VM loads what DKMS built (package-guest.sh).  Then all is
# purged.
#
# files: what is in the packages, those for RPM, and make install.
set -u
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/package.sh"

# What is mounted here is gone when this script is.
[ -n "${HO_PACKAGE_TEST:-}" ] ||
	HO_PACKAGE_TEST=y exec unshare --mount --propagation private "$0" "$@"

[ $# -gt 0 ] || set -- files bookworm
work=$(mktemp -d "$ho_cache/packages.XXXXXX") || exit 1
mounted=
# shellcheck disable=SC2317 # called by the trap
cleanup() {
	[ -z "$mounted" ] || umount "$mounted"
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

version=$ho_version
debs=$work/debs
dkms_deb=$debs/halfopen-dkms_${version}_all.deb

# --- the packages as files ---------------------------------------------------

# Pedantic and experimental ones as well.
lintian_is_silent() {
	local out
	out=$(lintian --pedantic --display-experimental --allow-root \
	    "$debs"/*.changes 2>&1) || true
	! grep . <<<"$out"
}

# One version: of the module's source, the packages and dkms.conf.
versions_agree() {
	local deb dir=$work/unpacked-dkms
	for deb in "$debs"/*.deb; do
		[ "$(dpkg-deb -f "$deb" Version)" = "$version" ] || return 1
	done
	dpkg-deb -x "$dkms_deb" "$dir" &&
		grep -qx "PACKAGE_VERSION=\"$version\"" \
		    "$dir/usr/src/halfopen-$version/dkms.conf"
}

# The source that DKMS gets has all that Kbuild wants, and no more.
source_is_small() {
	local dir=$work/unpacked-dkms/usr/src/halfopen-$version
	! (cd "$dir" && find . -type f ! -name '*.[ch]' ! -name Kbuild \
	    ! -name dkms.conf) | grep .
	[ "$(cd "$dir" && find module include -name '*.[ch]' | sort)" = \
	    "$(cd "$ho_top" && find module include -name '*.[ch]' \
		! -name '*.mod.c' | sort)" ]
}

# has GLOB: the package with the tools.
tools_have() {
	dpkg-deb -c "$debs/halfopen-tools_${version}"_*.deb |
		awk '{ print $6 }' | grep -x "\./$1"
}

tools_are_complete() {
	local file unit bad=0
	for file in usr/sbin/halfopenctl usr/share/man/man8/halfopenctl.8.gz \
	    usr/share/man/man4/halfopen.4.gz \
	    usr/share/bash-completion/completions/halfopenctl; do
		tools_have "$file" >/dev/null || {
			echo "no $file"
			bad=1
		}
	done
	for file in "$ho_top"/scripts/monitoring/*.{service,timer}; do
		[ -e "$file" ] || continue
		unit=${file##*/}
		tools_have ".*/systemd/system/$unit" >/dev/null || {
			echo "no $unit"
			bad=1
		}
	done
	return $bad
}

# --- RPM ---------------------------------------------------------------------

rpm_builds() {
	local out=$work/rpm
	"$ho_top/scripts/rpm.sh" "$out" &&
		rpm -qlp "$out"/halfopen-dkms-"$version"-*.noarch.rpm 2>&1 |
		grep -x "/usr/src/halfopen-$version/module/main.c"
}

rpmlint_is_silent() {
	local out
	out=$(rpmlint -c "$ho_top/scripts/rpm/rpmlint.toml" \
	    "$work/rpm/halfopen.spec" 2>&1)
	grep -q ' 0 errors, 0 warnings' <<<"$out" || {
		echo "$out"
		return 1
	}
}

# --- make install ------------------------------------------------------------

# In a copy, for the first kernel of kernels.txt.
make_install() {
	copy_tree "$work/tree" && cp "$ho_top/Makefile" "$work/tree/" &&
		mkdir -p "$work/mods" || return 1
	# debugging information takes time, and nobody looks at it
	make -s -C "$work/tree" KDIR="$kdir" CONFIG_DEBUG_INFO= \
	    CONFIG_DEBUG_INFO_BTF_MODULES= \
	    INSTALL_MOD_PATH="$work/mods" install >"$work/install.log" 2>&1 || {
		cat "$work/install.log"
		return 1
	}
	[ "$(modinfo -b "$work/mods" -k "$rel" -F version halfopen)" = \
	    "$version" ]
}

# The key is the user's own, as README.Debian has it.
sign_by_hand() {
	local ko
	ko=$(find "$work/mods" -name 'halfopen.ko')
	(
		cd "$work" || exit 1
		openssl req -new -x509 -nodes -days 3650 -subj "/CN=halfopen/" \
		    -newkey rsa:2048 -keyout mok.key -outform DER -out mok.der &&
			"$kdir/scripts/sign-file" sha256 mok.key mok.der "$ko"
	) && [ "$(modinfo -F signer "$ko")" = halfopen ]
}

make_uninstall() {
	make -s -C "$work/tree" KDIR="$kdir" INSTALL_MOD_PATH="$work/mods" \
	    uninstall || return 1
	# depmod's index of no module is not the module's
	! find "$work/mods" -type f ! -name 'modules.*' | grep .
}

# --- an installed Debian -----------------------------------------------------

in_system() {
	"$ho_top/scripts/package-root.sh" run "$work/system" "$@"
}

# fill RELEASE: a Debian to work in, as a layer on the one in the cache.
fill() {
	local root
	root=$("$ho_top/scripts/package-root.sh" path "$1") || return 1
	rm -rf "$work"/{changes,scratch}
	mkdir -p "$work"/{changes,scratch,system}
	mount -t overlay overlay -o \
	    "lowerdir=$root,upperdir=$work/changes,workdir=$work/scratch" \
	    "$work/system" || return 1
	mounted=$work/system
	mkdir "$work/system/new" && cp "$debs"/*.deb "$work/system/new/"
}

empty() {
	[ -z "$mounted" ] || umount "$mounted"
	mounted=
}

apt() {
	in_system apt-get -q -y --no-install-recommends "$@"
}

# files WHERE: everything, but what dpkg, apt and depmod keep about all packages.
files() {
	(cd "$work/system" && find . -xdev \
	    -path ./proc -prune -o -path ./run -prune -o \
	    -path ./dev -prune -o -path ./tmp -prune -o \
	    -path ./var/log -prune -o -path ./var/cache -prune -o \
	    -path ./var/lib/dpkg -prune -o -path ./var/lib/apt -prune -o \
	    -path './usr/lib/modules/*/modules.*' -prune -o -print | sort)
}

owned() {
	cat "$work"/system/var/lib/dpkg/info/*.list |
		sed 's|^/|./|; s|^\./lib/|./usr/lib/|' | sort -u
}

# What was not there before, belongs to no package and is not DKMS's own key; the
# new kernel copies itself to /boot and has links there.
left_over() {
	files | comm -13 "$work/before" - | comm -23 - <(owned) |
		grep -vE \
		    -e '^\./var/lib/dkms/mok\.(key|pub)$' -e '^\./new(/|$)' \
		    -e '^\./(vmlinuz|initrd\.img)(\.old)?$' \
		    -e '^\./boot/(config|vmlinuz|System\.map)-'
}

release_of() {
	"$ho_top/scripts/kernel.sh" release "$1"
}

# built KERNEL: DKMS says so, and where modprobe looks there is a signed module.
built() {
	local rel
	rel=$(release_of "$1")
	in_system dkms status halfopen | grep "$rel.*: installed" || {
		in_system dkms status
		return 1
	}
	[ "$(in_system modinfo -k "$rel" -F version halfopen)" = "$version" ] &&
		[ "$(in_system modinfo -k "$rel" -F signer halfopen)" = \
		    "DKMS module signing key" ]
}

too_old_is_left_alone() {
	local old
	old=$(cd "$work/system/usr/src" && echo linux-headers-*cloud-amd64)
	for old in $old; do
		old=${old#linux-headers-}
		case " ${releases[*]} " in
		*" $old "*) continue ;;
		esac
		echo "$old"
		! in_system dkms status halfopen | grep "$old" || return 1
		return 0
	done
	echo "no kernel that is too old"
	return 1
}

# Nothing is loaded at boot, no parameter is set and no unit runs, unless somebody
# says so.
nothing_is_switched_on() {
	! grep -v '^#' "$work"/system/etc/mod{ules-load,probe}.d/halfopen.conf |
		grep '[^:]*:.'
	! find "$work/system/etc/systemd" -name '*halfopen*' | grep .
}

ctl_runs() {
	in_system halfopenctl --version 2>&1 | grep -F "$version"
}

# What a VM needs of it.
take_along() {
	mkdir -p "$work/guest/root"
	tar -C "$work/system" --one-file-system \
	    --exclude='./usr/lib/gcc*' --exclude='./usr/libexec/gcc' \
	    --exclude='./usr/bin/*-linux-gnu*' --exclude='./usr/include' \
	    --exclude='./usr/share/*' --exclude='./usr/src/linux-*' \
	    --exclude='./usr/lib/linux-*' --exclude='./usr/lib/locale' \
	    --exclude='./usr/lib/modules/*/kernel' --exclude='*.a' \
	    --exclude='./usr/lib/x86_64-linux-gnu/lib*san.so*' \
	    --exclude='./usr/lib/x86_64-linux-gnu/gconv' \
	    --exclude='./usr/lib/x86_64-linux-gnu/perl' \
	    --exclude='./usr/lib/x86_64-linux-gnu/libLLVM*' \
	    --exclude='./boot/*' --exclude='./debs' --exclude='./new' \
	    --exclude='./var/cache/*' --exclude='./var/lib/apt/*' \
	    --exclude='./usr/lib/udev/hwdb*' -cf - . |
		tar -C "$work/guest/root" -xf - &&
		mkdir -p "$work/guest/root"/{proc,sys,dev,run,tmp}
}

# The results of the guest become results of this script.
in_vm() {
	local kernel=$1 ko line rest
	rm -rf "$work/guest"
	take_along || return 1
	cp "$ho_top/scripts/package-guest.sh" "$work/guest/"
	ko=$(echo "$work/system/usr/lib/modules/$(release_of "$kernel")"/updates/dkms/halfopen.ko*)
	case $ko in
	*.xz) xz -dc "$ko" >"$work/halfopen.ko" ;;
	*) cp "$ko" "$work/halfopen.ko" ;;
	esac || return 1
	say "$kernel in a VM"
	"$ho_top/scripts/vm.sh" --kernel "$kernel" --icount --timeout 600 \
	    --memory 2048 --ko "$work/halfopen.ko" \
	    --add "$work/guest/package-guest.sh" --add "$work/guest/root" \
	    --command "exec dash package-guest.sh" >"$work/vm.tap"
	echo "exit code $?" >>"$work/vm.tap"
	while IFS= read -r line; do
		rest=${line#* - }
		case $line in
		'ok '*) tap_ok "packages: $release vm $rest" ;;
		'not ok '*) tap_not_ok "packages: $release vm $rest" ;;
		'# '*) echo "$line" ;;
		esac
	done <"$work/vm.tap"
	grep -qx '1\.\.[1-9][0-9]*' "$work/vm.tap" &&
		grep -qx 'exit code 0' "$work/vm.tap"
}

without_headers() {
	local headers
	headers=$(in_system dpkg-query -W -f '${Package}\n' 'linux-headers-*')
	# shellcheck disable=SC2086 # one word per package
	apt purge $headers || return 1
	apt install /new/halfopen-dkms_"$version"_all.deb \
	    /new/halfopen-tools_"$version"_amd64.deb || return 1
	[ "$(in_system dkms status halfopen)" = "halfopen/$version: added" ]
}

purge() {
	apt purge halfopen-dkms halfopen-tools || return 1
	! in_system dpkg-query -W -f '${Package} ${Status}\n' 'halfopen*' \
	    2>/dev/null | grep -v unknown
}

nothing_is_left() {
	! left_over | grep .
}

# logged NAME COMMAND...: a result, with progress.
logged() {
	local name=$1 log=$ho_logs/package-$release.log
	shift
	if with_progress "$release: $name" "$log" "$@"; then
		tap_ok "packages: $release $name"
	else
		tap_not_ok "packages: $release $name" "$(tail -n 40 "$log")"
	fi
}

test_release() {
	local release=$1 names releases=() name
	mapfile -t names < <("$ho_top/scripts/package-root.sh" kernels "$release")
	for name in "${names[@]}"; do
		releases+=("$(release_of "$name")")
	done
	fill "$release" || {
		tap_not_ok "packages: $release" "cannot make a $release"
		return
	}
	files >"$work/before"
	logged "install" apt install "/new/halfopen-dkms_${version}_all.deb" \
	    "/new/halfopen-tools_${version}_amd64.deb"
	tap_run "packages: $release built for ${names[0]}" built "${names[0]}"
	tap_run "packages: $release a kernel that is too old is left alone" \
	    too_old_is_left_alone
	tap_run "packages: $release nothing is switched on" \
	    nothing_is_switched_on
	[ ! -e "$work/system/usr/sbin/halfopenctl" ] ||
		tap_run "packages: $release halfopenctl runs" ctl_runs
	logged "new kernel" in_system \
	    sh -c 'apt-get -q -y --no-install-recommends install /debs/*.deb'
	tap_run "packages: $release built for ${names[-1]}" built "${names[-1]}"
	in_vm "${names[-1]}" ||
		tap_not_ok "packages: $release vm" "$(tail -n 40 "$work/vm.tap")"
	logged "purge" purge
	tap_run "packages: $release purge leaves nothing" nothing_is_left
	logged "install without headers" without_headers
	logged "purge without headers" purge
	tap_run "packages: $release purge leaves nothing, again" nothing_is_left
	empty
}

test_files() {
	local name kdir rel
	tap_run "packages: lintian" lintian_is_silent
	tap_run "packages: one version" versions_agree
	tap_run "packages: only what DKMS needs" source_is_small
	tap_run "packages: tools are complete" tools_are_complete
	say "RPM"
	tap_run "packages: rpm" rpm_builds
	tap_run "packages: rpmlint" rpmlint_is_silent
	say "make install"
	name=$("$ho_top/scripts/kernel.sh" targets full | head -n 1)
	kdir=$("$ho_top/scripts/kernel.sh" build "$name") || exit 1
	rel=$("$ho_top/scripts/kernel.sh" release "$name") || exit 1
	tap_run "packages: make install" make_install
	tap_run "packages: module signed by hand" sign_by_hand
	tap_run "packages: make uninstall" make_uninstall
}

[ "$(id -u)" -eq 0 ] || die "only root can install packages in a directory"
"$ho_top/scripts/deps.sh" deb packages build vm || exit 1
tap_run "packages: build" "$ho_top/scripts/deb.sh" "$debs"
[ -e "$dkms_deb" ] || {
	tap_end
	exit 1
}
for release; do
	case $release in
	files) test_files ;;
	*) test_release "$release" ;;
	esac
done
tap_end
