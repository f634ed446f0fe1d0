#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 2000
# rows: B-22
#
# SYN-ACKs and accepted sockets for all options, native against halfopen.
. "${0%/*}/lib.sh"
setup
differential scenarios_options
