#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every sysctl, counter, tracepoint and module parameter of the code stands in
# README.md in backquotes, and README.md names none that the code does not have.
# There a sysctl is `net.halfopen.NAME`, or opens a table row or list entry like
# a counter or a parameter does: | `NAME` | or - `NAME`.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0

[ -e README.md ] || { echo "no README.md"; exit 1; }

sysctls=$(sed -nE 's/.*HO_KNOB(_FN)?\(KNOB_\w+, "([^"]+)".*/\2/p' \
    module/sysctl.c 2>/dev/null)
counters=$(cat include/halfopen/counters.h include/halfopen/stats.h 2>/dev/null |
	sed -nE 's/^[[:space:]]*X\((\w+),.*/\1/p')
params=$(sed -nE 's/^module_param(_named)?\((\w+),.*/\2/p' \
    module/*.c module/*/*.c 2>/dev/null)
traces=$(sed -nE 's/^DEFINE_EVENT(_PRINT)?\(ho_conn_event, (\w+),.*/\2/p' \
    include/halfopen/trace.h)

# An empty list is a wrong pattern here rather than a module without any.
[ -n "$sysctls" ] || { echo "no sysctl found in module/sysctl.c"; bad=1; }
[ -n "$counters" ] || { echo "no counter found in include/halfopen"; bad=1; }

[ -n "$traces" ] || { echo "no tracepoint found in trace.h"; bad=1; }

code=$(printf '%s\n' "$sysctls" "$counters" "$params" "$traces" | grep . | sort -u)
words=$(grep -oE '`[^`]+`' README.md | tr -d '`' | sed 's/^net\.halfopen\.//')

while read -r name; do
	grep -qxF "$name" <<<"$words" && continue
	echo "README.md does not describe $name"
	bad=1
done <<<"$code"

# Names in the tables and lists of the sections that describe them.
documented=$(
	sed -nE 's/.*`net\.halfopen\.(\w+)`.*/\1/p' README.md
	awk '
	/^#+ / {
		inside = tolower($0) ~ /sysctl|counter|parameter|configure|observe/
		next
	}
	inside && /^(\||-|\*) *`/ {
		split($0, part, "`")
		name = part[2]
		sub(/^net\.halfopen\./, "", name)
		if (name ~ /^[a-z][a-z0-9_]*$/)
			print name
	}' README.md
)
while read -r name; do
	[ -n "$name" ] || continue
	grep -qxF "$name" <<<"$code" && continue
	echo "README.md describes $name, which the code does not have"
	bad=1
done < <(sort -u <<<"$documented")
exit $bad
