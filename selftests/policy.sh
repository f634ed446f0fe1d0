#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 2000
#
# Conntrack, NAT, nft, NFQUEUE, tc and XFRM: the same packets meet the same rules,
# and conntrack knows the same, natively and through halfopen.
. "${0%/*}/lib.sh"
setup
# loading takes longer than a scenario
modprobe -q nft_objref # a part of nf_tables in newer kernels
modprobe -a nf_conntrack nf_tables nft_ct nft_chain_nat nft_nat nft_redir \
    nft_masq nft_limit nft_log nft_reject_inet nft_socket \
    nft_queue nfnetlink_queue nf_conntrack_netlink nf_conntrack_ftp \
    nf_log_syslog xfrm_user sch_ingress cls_matchall act_gact act_police \
    act_pedit act_csum act_mirred dummy || exit 1
# what a connection leaves is for the next one of that peer
srv_write ipv4/tcp_no_metrics_save 1
# the log of a namespace that is not the first one is off
echo 1 >/proc/sys/net/netfilter/nf_log_all_netns
differential scenarios_policy
