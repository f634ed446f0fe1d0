#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 2000
#
# What the accepted socket inherits from its listener, native against halfopen.
. "${0%/*}/lib.sh"
setup
# loading takes longer than a scenario
modprobe -a xfrm_user tcp_dctcp tcp_bbr || exit 1
# nor has a module any of the names that are tried
modprobe=$(cat /proc/sys/kernel/modprobe)
echo >/proc/sys/kernel/modprobe
seg_tap "$tools/differential.py" "$srv" scenarios_inherit
echo "$modprobe" >/proc/sys/kernel/modprobe
finish
