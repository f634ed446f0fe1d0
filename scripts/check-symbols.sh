#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-symbols.sh BUILD KDIR: each undefined symbol of halfopen.ko is exported
# by the kernel it was built for, the licence opens the GPL-only ones, and each
# symbol namespace is imported.
set -u
build=${1:?usage: check-symbols.sh BUILD KDIR}
kdir=${2:?usage: check-symbols.sh BUILD KDIR}
ko=$build/halfopen.ko
bad=0

[ -e "$ko" ] || { echo "no $ko"; exit 1; }
[ -e "$kdir/Module.symvers" ] || { echo "no $kdir/Module.symvers"; exit 1; }

modinfo -F license "$ko" | grep -qx 'GPL\( v2\)\?' || {
	echo "the licence is not GPL"
	bad=1
}

nm -u "$ko" | awk -v ns="$(modinfo -F import_ns "$ko" | tr '\n' ' ')" '
	BEGIN {
		FS = "\t"
		n = split(ns, list, " ")
		for (i = 1; i <= n; i++)
			imported[list[i]] = 1
	}
	FILENAME != "-" {
		space[$2] = $5
		next
	}
	{
		sub(/^ *[Uvw] /, "")
		if (!($0 in space)) {
			print "not exported: " $0
			bad = 1
		} else if (space[$0] != "" && !(space[$0] in imported)) {
			print "namespace " space[$0] " not imported: " $0
			bad = 1
		}
	}
	END { exit bad }' "$kdir/Module.symvers" - || bad=1
exit $bad
