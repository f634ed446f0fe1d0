#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each directory includes only what its layer may know, and every source file
# includes its own header first, which proves the header self-contained.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0

complain() {
	echo "$*"
	bad=1
}

# units DIR: the sources there, as alternatives of a regular expression.
units() {
	local f
	for f in "$1"/*.c; do
		printf '%s|' "$(basename "$f" .c)"
	done
}

# A header belongs to the layer of its source, those without one as listed; a
# layer may include those before it.
l0="$(units module/core)types|limits|counters"
l1="$(units module/state)$l0"
l2="$(units module/io)$l1|compat|net|policy|sysctl|stats|trace"
l3="$(units module)$l2"

# Kernel headers that L0 and L1 may include.
k0='linux/(log2|compiler|types|minmax|bits|bitops|bitfield|build_bug|errno|limits|math|math64|siphash|stddef|string|swab|unaligned|in6|byteorder/generic)|asm/byteorder|asm/unaligned'
k1="$k0|linux/(atomic|bottom_half|cache|cleanup|compiler|container_of|cpumask|err|gfp|hash|jiffies|kernel|kref|ktime|list|list_nulls|lockdep|log2|mm|overflow|percpu|percpu-defs|percpu_counter|rculist|rculist_bl|rculist_nulls|rcupdate|refcount|sched|seqlock|slab|smp|spinlock|threads|time64|timer|vmalloc|workqueue|topology|prefetch|random)"

includes() {
	sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]+([<"][^>"]*[>"]).*/\1/p' "$1"
}

# allow FILE REGEX: nothing but what matches is included.
allow() {
	local inc
	while read -r inc; do
		[[ $inc =~ ^\<($2)\.h\>$ ]] ||
			complain "$1: $inc is not for this layer"
	done < <(includes "$1")
}

pure="halfopen/($l0)|$k0"
state="halfopen/($l1)|$k1"

for f in module/core/*.[ch]; do
	[ ! -e "$f" ] || allow "$f" "$pure"
done
for f in module/state/*.[ch]; do
	[ ! -e "$f" ] || allow "$f" "$state"
done
for f in module/io/*.[ch]; do
	[ ! -e "$f" ] || allow "$f" "halfopen/($l2)|(linux|net|asm|trace)/.*"
done
for f in include/halfopen/*.h; do
	name=$(basename "$f" .h)
	if [[ $name =~ ^($l0)$ ]]; then
		allow "$f" "$pure"
	elif [[ $name =~ ^($l1)$ ]]; then
		allow "$f" "$state"
	elif ! [[ $name =~ ^($l3)$ ]]; then
		complain "$f: belongs to no layer, name it in ${0##*/}"
	fi
done

# A clock, a lock or an allocation needs no header of its own to be reached.
for f in module/core/*.c; do
	grep -nE '\b(jiffies|ktime_get\w*|get_random_\w+|\w*_?spin_(un)?lock\w*|rcu_\w+|k[mzv]?[mzc]alloc\w*|kv?free\w*|pr_\w+|printk)\b *(\(|;)' \
	    "$f" /dev/null | grep -vE ':[0-9]+:\s*(/?\*|//)' && bad=1
done

# Per-namespace fields are read through the getters of sysctl.h.
grep -nE -- '(->|\.)sysctl\.' module/core/*.c module/state/*.c module/io/*.c \
    2>/dev/null && bad=1

for f in module/*.c module/*/*.c; do
	own="<halfopen/$(basename "$f" .c).h>"
	[ -e "include/${own:1:-1}" ] || continue
	[ "$(includes "$f" | head -n 1)" = "$own" ] ||
		complain "$f: includes $own not first"
done
exit $bad
