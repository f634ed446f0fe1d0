#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 1000
# rows: B-22
#
# The SYN-ACK as an IP packet, odd packets on the way in, loopback, wake-ups:
# native against halfopen.
. "${0%/*}/lib.sh"
setup
# loading takes longer than a scenario
modprobe -a nf_tables || exit 1
differential scenarios_packets
