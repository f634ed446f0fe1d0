#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# What a SYN costs that is answered at netdev ingress, above the cost of dropping
# it there.
. "${0%/*}/lib.sh"

module_load || exit 1
[ -e /proc/sys/net/halfopen/fastpath ] || {
	module_unload
	echo "# this module has no net.halfopen.fastpath"
	exit 0
}
module_unload

all() {
	local rule="tcp dport $port"

	# in this chain that does not match IPv6
	[ "$1" = ipv4 ] || rule="ip6 nexthdr tcp"
	begin
	drop_at netdev "ingress device srv0" "$rule" || exit 1
	measure "$1" dropped
	end

	begin_halfopen
	ho_sysctl fastpath srv0
	measure "$1" "ingress SYN"
	ho_sysctl max_backlog 0
	measure "$1" "ingress stateless SYN"
	end
}

repeat all
for family in ipv4 ipv6; do
	per_packet $family "ingress SYN"
	per_packet $family "ingress stateless SYN"
done
