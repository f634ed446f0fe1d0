#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PID 1 in the UML kernel for debug.sh: run selftests, look for leaks, power
# off.  The kernel passes ho_module, ho_selftests, ho_nginx, ho_out (paths of
# the host), ho_tests and ho_token as environment.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH HOME=/root
: "${ho_module:?}" "${ho_selftests:?}" "${ho_nginx:?}" "${ho_tests:?}"
. "${0%/*}/uml-guest.sh"

mount -t devtmpfs dev /dev
mkdir -p /run/ho/selftests /run/netns /run/bin
# hostfs mounts show the host's files: nothing is hidden by the tmpfs on /tmp
mount -t hostfs -o "$ho_selftests" none /run/ho/selftests
# insmod refuses files on hostfs
cp "$ho_module" /run/ho/halfopen.ko
cp "$ho_nginx" /run/bin/nginx
mount -t tmpfs tmpfs /tmp
for dir in /var/lib /var/log; do
	mount -t tmpfs tmpfs $dir
	mkdir $dir/nginx
done

# What tests load is built in, or their scenarios say that it is missing.
printf '#!/bin/sh\nexit 0\n' >/run/bin/modprobe
chmod +x /run/bin/modprobe
PATH=/run/bin:$PATH
# HZ is 100: this lane is about memory and locks, not about time.
export HO_SLACK=0.25

leak_scan
echo clear >$leaks
ip link set lo up
# shellcheck disable=SC2046 # a list of names
dash /run/ho/selftests/run.sh $(echo "$ho_tests" | tr , ' ') >/run/out/tap 2>&1
save_counts
leak_scan
power_off
