#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 2000
# rows: B-38
#
# LISTEN and SYN-RECEIVED, segment by segment, native against halfopen.
. "${0%/*}/lib.sh"
setup
differential scenarios_segments
