#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 2000
#
# What routes, marks, policies and sysctls do to replies, and what is kept of a SYN,
# native against halfopen.
. "${0%/*}/lib.sh"
setup
# loading takes longer than a scenario
modprobe -a xfrm_user esp4 esp6 nf_tables sch_fq tcp_dctcp tcp_bbr tls || exit 1
differential scenarios_replies
