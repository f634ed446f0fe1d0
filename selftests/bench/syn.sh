#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# What a SYN from somebody new costs past LOCAL_IN, until its SYN-ACK has left
# and reached the other end.
. "${0%/*}/lib.sh"

# The rules that its documentation has; the SYN does not get past it.
synproxy() {
	in_srv nft -f - <<-END
	table inet bench {
		chain pre {
			type filter hook prerouting priority raw
			tcp dport $port tcp flags syn notrack
		}
		chain in {
			type filter hook input priority 0
			tcp dport $port ct state invalid,untracked \
			    synproxy mss 1460 wscale 7 timestamp sack-perm
		}
	}
	END
}

natively() {
	measure "$1" "native queue SYN"
	srv_write ipv4/tcp_syncookies 2
	measure "$1" "native cookies SYN"
	srv_write ipv4/tcp_syncookies 0
	synproxy || exit 1
	measure "$1" "SYNPROXY SYN"
	in_srv nft flush ruleset
}

all() {
	begin
	measure_dropped "$1"
	! native_wanted || natively "$1"
	end

	begin_halfopen
	measure "$1" "stateful SYN"
	ho_sysctl max_backlog 0
	measure "$1" "stateless SYN"
	end
}

repeat all
for family in ipv4 ipv6; do
	for name in "native queue" "native cookies" SYNPROXY stateful stateless; do
		per_packet $family "$name SYN"
	done
done
