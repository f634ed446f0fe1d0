#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# check: one kernel
# rows: B-31 B-43
# timeout: 1800
#
# SYNs whose sources collide under hashes that have no secret: in the table they
# are spread as any others, and no chain is long.
. "${0%/*}/lib.sh"
count=20000 buckets=16384
[ -z "${HO_LONG:-}" ] || count=1000000 buckets=1048576
chain_max=16

insmod "$ho_ko" buckets=$buckets || skip_all "no halfopen.ko"
setup
start_server -6 0 -p 80 || exit 1
for limit in max_backlog max_port_backlog max_source_backlog; do
	ho_sysctl $limit 4194304
done
ho_sysctl source_synack_rate 0
ho_sysctl max_memory_bytes 268435456
ho_sysctl synack_retries 0

cat >"$tmp/weak.py" <<'END_PY'
"""How many values a hash without a secret has over entries of /proc/net/halfopen."""
import ipaddress
import re
import struct
import sys

MASK = 0xffffffff


def rol(x, n):
    return (x << n | x >> (32 - n)) & MASK


def jhash2(words):
    """As <linux/jhash.h> has it, from 0 on."""
    s = [(0xdeadbeef + (len(words) << 2)) & MASK] * 3
    while len(words) > 3:
        s = [(x + word) & MASK for x, word in zip(s, words)]
        words = words[3:]
        for i, shift in enumerate((4, 6, 8, 16, 19, 4)):
            x, y, z = i % 3, (i + 1) % 3, (i + 2) % 3
            s[x] = ((s[x] - s[z]) & MASK) ^ rol(s[z], shift)
            s[z] = (s[z] + s[y]) & MASK
    for i, word in enumerate(words):
        s[i] = (s[i] + word) & MASK
    for i, shift in enumerate((14, 11, 25, 16, 4, 14, 24)):
        x, y = (i + 2) % 3, (i + 1) % 3
        s[x] = ((s[x] ^ s[y]) - rol(s[y], shift)) & MASK
    return s[2]


def weak_xor(raddr, laddr, rport, lport):
    words = struct.unpack("!%dH" % (len(raddr) // 2), raddr)
    for word in words:
        rport ^= word
    return rport ^ lport


def weak_low(raddr, laddr, rport, lport):
    return raddr[-1], rport & 15


def weak_jhash(raddr, laddr, rport, lport):
    key = raddr + laddr + struct.pack("!HH", rport, lport) + bytes(4)
    return jhash2(struct.unpack("<10I", key))


weak = {"xor": weak_xor, "low": weak_low, "jhash": weak_jhash}[sys.argv[1]]
values = set()
for line in sys.stdin:
    local, remote = line.split()[3:5]
    (laddr, lport), (raddr, rport) = (
        re.match(r"\[?([^]]*?)\]?:(\d+)$", end).groups()
        for end in (local, remote))
    laddr, raddr = (ipaddress.ip_address(a).packed for a in (laddr, raddr))
    values.add(weak(raddr, laddr, int(rport), int(lport)))
print(len(values))
END_PY

# The length of a chain before each insertion (ho_bucket.len, behind a pointer
# and a lock), as a histogram.  In a kernel that checks locks they are larger,
# and only the bound of a chain is looked at.
tracing=/sys/kernel/tracing
event=$tracing/events/halfopen_test/insert
histogram='hist:keys=len:size=256'
watch_chains() {
	[ ! -e /proc/lockdep ]
}
! watch_chains ||
	echo 'p:halfopen_test/insert halfopen:ho_table_insert_locked' \
	    'len=+12($arg2):u16' >$tracing/kprobe_events || exit 1

longest_chain() {
	awk '$2 == "len:" && $3 + 1 > max { max = $3 + 1 }
	     END { print max + 0 }' $event/hist
}

# collide NAME FLOOD HASH
collide() {
	local name="$1" send="$2" hash="$3"
	ho_sysctl synack_timeout_ms 120000
	! watch_chains || echo $histogram >$event/trigger
	$send 80 $count 0 -C "$hash" >/dev/null
	check_num "${name}_all_are_in_the_table" "$(ho_stat entries)" -eq $count
	check_num "${name}_a_weak_hash_has_one_chain" \
	    "$(in_srv cat /proc/net/halfopen | head -n 1000 |
		python3 -B -S "$tmp/weak.py" "$hash")" -eq 1
	if watch_chains; then
		echo "# $name: $(longest_chain) entries in the longest chain"
		check_num "${name}_no_chain_is_long" \
		    "$(longest_chain)" -lt $chain_max
		check_num "${name}_there_are_chains" "$(longest_chain)" -gt 1
		echo "!$histogram" >$event/trigger
	fi
	ho_sysctl synack_timeout_ms 100
	check "${name}_they_expire" wait_for 200 is -eq 0 ho_stat entries
}

collide xor_v4 flood xor
collide xor_v6 flood_v6 xor
collide low_bits_v4 flood low
collide jhash_v6 flood_v6 jhash
check_num "no_chain_was_at_its_bound" "$(ho_stat cookie_chain)" -eq 0
! watch_chains || echo >$tracing/kprobe_events
finish
