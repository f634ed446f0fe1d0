#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-ifdef.sh KDIR...: kernel versions are known to compat.h alone, and what
# it defines is the project's own and stands in no header of any target.
set -u
cd "$(dirname "$0")/.." || exit 1
compat=include/halfopen/compat.h
bad=0

grep -rnE '\b(LINUX_VERSION_\w+|KERNEL_VERSION|RHEL_RELEASE\w*|UTS_RELEASE)\b|linux/version\.h' \
    module include kunit Kbuild 2>/dev/null | grep -v "^$compat:" && {
	echo "kernel versions belong into $compat"
	bad=1
}

[ -e "$compat" ] || exit $bad
while IFS=: read -r line name; do
	case $name in
	ho_* | HO_* | _HALFOPEN_*) ;;
	*)
		echo "$compat:$line: #define $name is not the project's name"
		bad=1
		continue ;;
	esac
	for kdir; do
		# A Debian headers package splits what is common to its flavours off,
		# to another path of the same system or build root.
		common=$(sed -nE 's/^include (.*)\/Makefile$/\1/p' "$kdir/Makefile")
		hit=$(grep -rlw -- "$name" "$kdir/include" \
		    "${kdir%/usr/src/*}$common/include" 2>/dev/null | head -n 1)
		[ -z "$hit" ] && continue
		echo "$compat:$line: $name stands in $hit"
		bad=1
	done
done < <(grep -nE '^[[:space:]]*#[[:space:]]*define' "$compat" |
	sed -E 's/^([0-9]+):[[:space:]]*#[[:space:]]*define[[:space:]]+(\w+).*/\1:\2/')
exit $bad
