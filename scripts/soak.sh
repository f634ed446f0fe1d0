#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A day's traffic by counts: the selftest "soak" in a UML kernel without the
# checkers of the unit tests, where kernel code runs at the machine's own speed
# and a virtual clock makes all waits free.
#
#   soak.sh [WAVES]	of 71429 SYNs and 715 connections, as many of each family;
#			default 700: 10^8 SYNs, 10^6 connections
set -u
. "$(dirname "$0")/uml.sh"
. "$(dirname "$0")/kernel-build.sh"

waves=${1:-700}

uml_work soak
uml_plain

# A busy machine has an hour for what takes an idle one a quarter of it.
uml_seconds=3600
touch "$work/out/tap"
(
	# no longer than the work directory
	while sleep 10 >/dev/null 2>&1 && [ -d "$work" ]; do
		say "soak:$(grep '^# .* SYNs' "$work/out/tap" | tail -n 1 |
			tr -d '#')"
	done
) &
progress=$!
say "$((2 * waves * 71429)) SYNs, $((2 * waves * 715)) connections"
uml_boot "$kernel" slab_nomerge \
    init="$ho_top/scripts/soak-init.sh" ho_test=soak.sh \
    ho_module="$work/tree/halfopen.ko" ho_selftests="$work/tree/selftests" \
    ho_waves="$waves"
kill $progress

uml_tap soak "$work/out/tap"
uml_verdict soak
tap_end
