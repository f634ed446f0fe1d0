#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# What a data segment of an established connection costs, system calls and all,
# and how much of that is the module's.  A segment passes a hook where it leaves
# and another one where it arrives: first where nobody else uses netfilter, then
# where chains for input and output are there already ("filtered").
. "${0%/*}/lib.sh"

trips=3000	# there and back

chains() {
	local in
	for in in in_srv in_cli; do
		$in nft -f - <<-END
		table inet bench {
			chain in { type filter hook input priority 0; }
			chain out { type filter hook output priority 0; }
		}
		END
	done
}

# segments FAMILY NAME
segments() {
	both_ends "$1" "$2" segments $trips
	chains || exit 1
	both_ends "$1" "$2, filtered" segments $trips
	end
}

all() {
	begin
	segments "$1" "native segment"
	begin_halfopen
	segments "$1" "segment"
}

repeat all
for family in ipv4 ipv6; do
	for kind in "" ", filtered"; do
		native=$(least "$family native segment$kind")
		ours=$(least "$family segment$kind")
		! native_wanted || figure $((native / trips / 2)) instructions \
		    "$family native segment$kind"
		figure $((ours / trips / 2)) instructions "$family segment$kind"
		figure $(((ours - native + 2 * trips) / trips / 4)) \
		    instructions "$family pass of a hook$kind"
	done
done
