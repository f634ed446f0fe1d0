#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 1000
#
# Sysctls of the stack and of halfopen, flipped between SYN and ACK, native against
# halfopen: no child has an option that its SYN-ACK did not offer.
. "${0%/*}/lib.sh"
setup
differential scenarios_flips
