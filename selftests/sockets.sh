#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 2000
#
# Listeners, filters and firewalls of every kind, native against halfopen.
. "${0%/*}/lib.sh"
setup
# loading takes longer than a scenario
modprobe -a nf_conntrack nf_tables nft_ct xfrm_user || exit 1
ip -n "$srv" addr add fe80::1/64 dev srv0 nodad
ip -n "$srv" neigh add fe80::7 lladdr "$gw_mac" dev srv0 nud permanent
differential scenarios_sockets
