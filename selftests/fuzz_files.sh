#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# Random bytes into every sysctl, odd reads of every file of /proc/net during a
# flood, wrong module parameters: refused, or meant and kept; whole lines only.
# timeout: 1800
. "${0%/*}/lib.sh"

writes=150	# to each file
seconds=6	# of reading
if [ -n "${HO_LONG:-}" ]; then
	writes=20000
	seconds=120
fi
seed=${HO_SEED:-1}

# refuses_to_load PARAMETER...: with a sentence in the log, and nothing stays.
refuses_to_load() {
	local said
	echo "fuzz_files: $*" >/dev/kmsg
	if insmod "$ho_ko" "$@" 2>/dev/null; then
		rmmod halfopen
		fail "insmod_refuses_$(echo "$*" | tr ' ' _)" "it loads"
		return
	fi
	said=$(dmesg | sed -n "/fuzz_files: $1/,\$p" | grep -ciE \
	    'halfopen: (buckets|prealloc)=|halfopen: .*invalid for parameter')
	check_num "insmod_refuses_$(echo "$*" | tr ' ' _)" "$said" -ge 1
}

[ -e "$ho_ko" ] || skip_all "no halfopen.ko"
module_unload
for dep in $(modinfo -F depends "$ho_ko" | tr ',' ' '); do
	modprobe "$dep"
done
for value in 0 1 255 4194305 4294967295 4294967296 -1 0x 64k many 1.5 ''; do
	refuses_to_load "buckets=$value"
done
for value in 4194305 4294967295 4294967296 -1 0x 64k many 1.5 ''; do
	refuses_to_load "prealloc=$value"
done
check_num "nothing_of_it_stays" "$(grep -c '^ho_\|^halfopen' /proc/slabinfo)" \
    -eq 0

setup
# in a namespace: 14 numbers, a key, a file that is read-only
seg_in_srv() {
	# shellcheck disable=SC2034 # where seg runs
	local cli="$srv"
	seg_tap "$@"
}
seg_in_srv "$tools/fuzzfiles.py" write "$seed" $writes

start_nginx || exit 1
flood $http_port 0 400 -s 5 >/dev/null &
wait_for 10 is -gt 100 half_open
seg_in_srv "$tools/fuzzfiles.py" read "$seed" $seconds
check_num "clients_are_served_meanwhile" \
    "$(fetch 5 "http://$srv4:$http_port/")" -eq 5
stop_floods
finish
