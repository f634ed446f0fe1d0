# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# shellcheck disable=SC2154,SC2034 # of common.sh; for others
#
# Sourced after common.sh by the scripts that make packages: version, date and
# contents.
#
# The version is MODULE_VERSION of module/main.c, the date that of the last
# commit.  What is packed is what stands in the tree, committed or not.

ho_version=$(sed -n 's/^MODULE_VERSION("\(.*\)");$/\1/p' "$ho_top/module/main.c")
[ -n "$ho_version" ] || die "no MODULE_VERSION in module/main.c"
ho_date=$(git -C "$ho_top" log -1 --format=%aD 2>/dev/null) ||
	ho_date=$(date -R -r "$ho_top/module/main.c")

# copy_package DIR: what packages are made of, without what builds left there and
# the README.md of each folder.
copy_package() {
	mkdir -p "$1"
	(cd "$ho_top" && for f in COPYING Kbuild README.md include module \
	    scripts/{debian,system,halfopenctl,man,monitoring,bpftrace}; do
		[ ! -e "$f" ] || echo "$f"
	done | tar --exclude-from=.gitignore --exclude='*/README.md' \
	    --exclude=scripts/halfopenctl/halfopenctl -T - -cf -) |
		tar -C "$1" -xf -
}
