#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The part of make bench with a wall clock: what a SYN takes in the UML kernel of
# soak.sh, where kernel code runs at the machine's own speed.  Prints the lines
# of selftests/bench/wall.sh.
set -u
. "$(dirname "$0")/uml.sh"
. "$(dirname "$0")/kernel-build.sh"

uml_work bench-uml
uml_plain
# shellcheck disable=SC2034 # of uml.sh
uml_time=
say "a wall clock in UML"
uml_boot "$kernel" init="$ho_top/scripts/soak-init.sh" ho_test=bench/wall.sh \
    ho_module="$work/tree/halfopen.ko" ho_selftests="$work/tree/selftests"
cat "$work/out/tap"
uml_verdict bench-uml >"$work/verdict"
! grep -A 30 '^not ok' "$work/verdict" >&2
