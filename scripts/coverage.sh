#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Which lines of the module run in the unit tests and the selftests together:
# both in the UML kernel, where modules are built with gcov.
#
#   coverage.sh [TEST]...	default: selftests that can run there
#
# Prints each file with the lines that no test runs.  Fails if too few lines run,
# most of all of the core and of the table.
set -u
. "$(dirname "$0")/common.sh"

# The others want a clock that goes on under a flood: that kernel's stands still as
# long as anybody runs.
[ $# -gt 0 ] || set -- segments options sockets packets policy replies inherit \
    handshake handover limits cookies waiting sysctl retransmit faults

dir=$(mktemp -d "$ho_cache/coverage.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

# run LANE COMMAND...: its own TAP goes to the log.  A selftest that fails for
# that kernel's slow clock is none of ours: what it runs counts all the same.
run() {
	local lane=$1 log=$ho_logs/coverage-$1.log
	shift
	"$@" >"$log"
	sed -n 's/^not ok [0-9]* - /# failed: /p' "$log"
	tap_run "coverage: ${lane}_run_to_the_end_and_leak_nothing" \
	    grep -Eq '^ok [0-9]+ - [a-z]+: no_leak_after_unload' "$log"
	tap_run "coverage: ${lane}_have_no_kernel_report" \
	    grep -Eq '^ok [0-9]+ - [a-z]+: no_kernel_report' "$log"
}

# report NAME FILES LEAST: each of the files, and whether so much of them runs.
report() {
	local name="coverage: at_least_$3_percent_of_$1" out
	if out=$(cd "$dir" && gcovr -r tree -a counts.json \
	    --filter "tree/module/$2" --fail-under-line "$3" 2>&1); then
		tap_ok "$name" "$out"
	else
		tap_not_ok "$name" "$out"
	fi
}

run kunit "$ho_top/scripts/kunit.sh" --counts "$dir"
run selftests "$ho_top/scripts/debug.sh" --counts "$dir" "$@"
tap_run "coverage: counts_are_read" env -C "$dir" gcovr -r tree tree \
    --filter tree/module/ --json counts.json
report core core/ 95
report state state/ 95
report io io/ 90
report control '[a-z]*\.c$' 90
tap_end
