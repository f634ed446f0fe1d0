#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 1200
#
# nmap and p0f cannot tell a host with the module from one without, and its numbers
# are as random.
. "${0%/*}/lib.sh"
setup
command -v nmap >/dev/null || skip_all "no nmap"
start_nginx || exit 1
seg_tap "$tools/fingerprint.py" "$srv"
finish
