# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by what runs in the UML kernel, instead of common.sh: a work directory
# that goes with the script, the boot, and the verdict on the kernel's log.
. "$(dirname "$0")/common.sh"

uml=
uml_token=$RANDOM$RANDOM$RANDOM

# uml_work NAME: make $work with an empty $work/out.
uml_work() {
	work=$(mktemp -d "$ho_cache/$1.XXXXXX") || exit 1
	trap '[ -z "$uml" ] || kill "$uml" 2>/dev/null; rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
	mkdir "$work/out"
}

# uml_boot KERNEL CONSOLE ARGUMENT...: the console without what names $work.
uml_boot() {
	local kernel=$1 console=$2
	shift 2
	# UML keeps the guest's memory in a file; a container's /dev/shm is too
	# small.
	[ "$(df --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 1000000 ] 2>/dev/null ||
		export TMPDIR=$work
	timeout -k 5 900 "$kernel/linux" mem=768M root=none rootfstype=hostfs \
	    rootflags=/ ro con0=null,fd:1 time-travel=inf-cpu \
	    ho_out="$work/out" ho_token="$uml_token" "$@" \
	    </dev/null >"$console.raw" 2>&1 &
	uml=$!
	wait "$uml"
	uml=
	tr -d '\r' <"$console.raw" | sed "s|$work/tree/||" >"$console"
	rm "$console.raw"
}

is_empty() {
	! grep . "$1"
}

# uml_verdict LANE CONSOLE: no complaint, ran to the end, nothing leaked.
uml_verdict() {
	local reports
	reports=$(grep -nE 'BUG|WARNING|KASAN|UBSAN|ODEBUG|Call Trace|RIP:|INFO: |panic|refcount_t|suspicious RCU|locking dependency' \
	    "$2" | head -n 20)
	if [ -z "$reports" ]; then
		tap_ok "$1: no_kernel_report"
	else
		tap_not_ok "$1: no_kernel_report" "$reports
see $2"
	fi
	# Out of band: only a run that came to its end has the token.
	if [ "$(cat "$work/out/end" 2>/dev/null)" != "$uml_token" ]; then
		tap_not_ok "$1: ran_to_the_end" "$(tail -n 10 "$2")"
	else
		tap_ok "$1: ran_to_the_end"
		tap_run "$1: no_leak_after_unload" is_empty "$work/out/leaks"
	fi
}
