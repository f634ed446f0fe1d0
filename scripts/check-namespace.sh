#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-namespace.sh BUILD: every global symbol of the module's objects begins
# with ho_ or HO_, so nothing can collide with the kernel's names.
set -u
build=${1:?usage: check-namespace.sh BUILD}

# What the kernel's macros define: the module's entry points and structure,
# tracepoint glue (the tracepoint's own name follows), CFI and alignment aids.
except='init_module|cleanup_module|__this_module|__(inittest|exittest)'
prefix='__(tracepoint|traceiter|probestub|pfx|cfi|SCK__tp_func|SCT__tp_func|bpf_trace|tpstrtab)_+'

mapfile -t objects < <(find "$build/module" -name '*.o' ! -name '.*')
[ "${#objects[@]}" -gt 0 ] || { echo "no objects in $build/module"; exit 1; }

nm -g --defined-only -A "${objects[@]}" | awk -v dir="$build/" \
    -v except="^($except)$" -v prefix="^$prefix" '
	{
		name = $NF
		sub(prefix, "", name)
		if (name ~ /^(ho|HO)_/ || $NF ~ except)
			next
		sub(/:.*/, "", $1)
		sub(dir, "", $1)
		print $1 ": global symbol " $NF
		bad = 1
	}
	END { exit bad }'
