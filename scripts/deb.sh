#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make deb: the Debian packages, built from a copy of this tree.
#
#   deb.sh [DIR]     leave them in DIR; default: deb/ of the cache
#
# The tree goes into a directory of its own, with scripts/debian as debian/.  What
# changed is known to git: debian/changelog has the version and the date alone.
set -u
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/package.sh"

out=${1:-$ho_cache/deb}
maintainer=$(sed -n 's/^Maintainer: //p' "$ho_top/scripts/debian/control")

changelog() {
	cat <<-EOF
	halfopen ($ho_version) unstable; urgency=medium

	  * halfopen $ho_version.

	 -- $maintainer  $ho_date
	EOF
}

command -v dh >/dev/null || die "no debhelper here: run scripts/deps.sh deb"
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
log=$ho_logs/deb.log
tree=$tmp/halfopen-$ho_version
copy_package "$tree" || die "cannot copy the tree"
mv "$tree/scripts/debian" "$tree/debian"
changelog >"$tree/debian/changelog"
(
	cd "$tree" || exit 1
	export SOURCE_DATE_EPOCH
	SOURCE_DATE_EPOCH=$(date -d "$ho_date" +%s)
	with_progress "building halfopen $ho_version" "$log" \
	    dpkg-buildpackage --no-sign
) || {
	tail -n 20 "$log" >&2
	die "no packages, see $log"
}
rm -f "$out"/halfopen*_*
if ! mkdir -p "$out" || ! cp "$tmp"/halfopen*_* "$out/"; then
	die "cannot write to $out"
fi
ls -1 "$out"/halfopen*_*.deb
