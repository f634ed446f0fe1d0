#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 2000
#
# Which listener gets a connection, and listeners of other kinds (devices, VRF,
# TPROXY, MPTCP, SMC, Fast Open, MD5, the kernel's own), native against
# halfopen.  The server's namespace has a table of connections of its own.
. "${0%/*}/lib.sh"
ehash=/proc/sys/net/ipv4/tcp_child_ehash_entries
echo 512 >$ehash || exit 1
# it is for the namespaces that this one makes
setup
echo 0 >$ehash
# loading takes longer than a scenario
modprobe -a vrf nf_tables nft_tproxy smc nfsd dummy || exit 1

# A second pair, whose end here is in a VRF.
#
#	cli1  <veth>  srv1 10.1.0.1/24, fd01::1/64, fe80::11 (vrf1, table 10)
vrf_mac=02:00:00:00:00:11
add_vrf() {
	local gw4=10.1.0.254 gw6=fd01::fe
	ip -n "$cli" link add cli1 address 02:00:00:00:00:12 numtxqueues 1 \
	    type veth peer name srv1 address $vrf_mac netns "$srv" || return 1
	ip -n "$srv" link add vrf1 type vrf table 10 || return 1
	ip -n "$srv" link set vrf1 up
	# enslaving takes IPv6 addresses away
	ip -n "$srv" link set srv1 master vrf1
	ip -n "$srv" link set srv1 up
	ip -n "$cli" link set cli1 up
	ip -n "$srv" addr add 10.1.0.1/24 dev srv1
	ip -n "$srv" addr add fd01::1/64 dev srv1 nodad
	ip -n "$srv" addr add fe80::11/64 dev srv1 nodad
	ip -n "$srv" neigh add $gw4 lladdr "$gw_mac" dev srv1 nud permanent
	ip -n "$srv" neigh add $gw6 lladdr "$gw_mac" dev srv1 nud permanent
	ip -n "$srv" neigh add fe80::7 lladdr "$gw_mac" dev srv1 nud permanent
	ip -n "$srv" route add default via $gw4 table 10 &&
		ip -n "$srv" -6 route add default via $gw6 dev srv1 table 10
}

add_vrf || exit 1
# the same address on two links
ip -n "$srv" link add dummy1 type dummy || exit 1
ip -n "$srv" link set dummy1 up
ip -n "$srv" addr add fe80::1/64 dev dummy1 nodad
ip -n "$srv" addr add fe80::1/64 dev srv0 nodad
ip -n "$srv" neigh add fe80::7 lladdr "$gw_mac" dev srv0 nud permanent
check_num "the_namespace_has_its_own_table" \
    "$(in_srv cat /proc/sys/net/ipv4/tcp_ehash_entries)" -eq 512

# An NFS server: version 4 only, which does without a portmapper.
nfsd=/proc/fs/nfsd
in_srv mount -t nfsd nfsd $nfsd || exit 1
nfsd_write() {
	in_srv bash -c 'echo "$2" >"$1"' - "$nfsd/$1" "$2"
}
{
	nfsd_write versions "-3 +4" && nfsd_write portlist "tcp 2049" &&
		nfsd_write threads 1
} || exit 1

seg_tap "$tools/differential.py" "$srv" scenarios_listeners "$@"
check "the_nfs_server_stops" nfsd_write threads 0
umount $nfsd
finish
