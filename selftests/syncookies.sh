#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 1000
#
# Sequence numbers, SYN cookies and the limits of half-open connections, native
# against halfopen: what is the same, and that what differs does.
. "${0%/*}/lib.sh"
setup
differential scenarios_cookies
