#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make rpm: spec file, source archive and packages for RPM.
#
#   rpm.sh [DIR]     leave them in DIR; default: rpm/ of the cache
#
# Version and contents are those of the Debian packages: see deb.sh.
set -u
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/package.sh"

out=${1:-$ho_cache/rpm}
with=--with
[ -e "$ho_top/scripts/halfopenctl/Makefile" ] || with=--without

command -v rpmbuild >/dev/null ||
	die "no rpmbuild here: run scripts/deps.sh packages"
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
log=$ho_logs/rpm.log
name=halfopen-$ho_version
copy_package "$tmp/$name" || die "cannot copy the tree"
sed "s/@VERSION@/$ho_version/g; s/@DATE@/$(LC_ALL=C date -d "$ho_date" '+%a %b %d %Y')/" \
    "$ho_top/scripts/rpm/halfopen.spec.in" >"$tmp/halfopen.spec"
tar -C "$tmp" --sort=name --owner=0 --group=0 --mtime="$ho_date" \
    -cJf "$tmp/$name.tar.xz" "$name" || die "cannot pack the tree"
# What it needs may be here without RPM's knowing.
with_progress "building halfopen $ho_version for RPM" "$log" \
    rpmbuild -bb --nodeps $with tools --define "_topdir $tmp/build" \
    --define "_sourcedir $tmp" --define "_rpmdir $tmp/out" \
    "$tmp/halfopen.spec" || {
	tail -n 20 "$log" >&2
	die "no packages, see $log"
}
rm -f "$out"/halfopen[-.]*
if ! mkdir -p "$out" || ! cp "$tmp"/out/*/*.rpm "$tmp"/halfopen.spec \
    "$tmp/$name.tar.xz" "$out/"; then
	die "cannot write to $out"
fi
ls -1 "$out"/halfopen-*.rpm
