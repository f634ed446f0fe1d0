#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run selftests on the module itself in the UML kernel of the unit tests: under
# KASAN, lockdep, RCU checks, debug objects and kmemleak.
#
#   debug.sh [--counts DIR] [TEST]...
#
# Default: three that compare with native, segment by segment.  --counts builds
# in DIR/tree and leaves there how often each line ran (coverage.sh).
set -u
. "$(dirname "$0")/uml.sh"

counts=
if [ "${1:-}" = --counts ]; then
	counts=${2:?}
	uml_seconds=6000
	shift 2
fi
[ $# -gt 0 ] || set -- segments options sockets
"$ho_top/scripts/deps.sh" nginx || exit 1
kernel=$("$ho_top/scripts/kunit.sh" --kernel-only) || exit 1

uml_work debug "$counts"
uml_module debug "$kernel"

say "running $*"
uml_boot "$kernel" init="$ho_top/scripts/debug-init.sh" \
    ho_module="$tree/halfopen.ko" ho_selftests="$tree/selftests" \
    ho_nginx="$ho_cache/nginx/usr/sbin/nginx" ho_tests="$(IFS=,; echo "$*")"

uml_tap debug "$work/out/tap"
uml_verdict debug
[ -z "$counts" ] || uml_counts
tap_end
