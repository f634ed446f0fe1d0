#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PID 1 in the UML kernel for debug.sh: run selftests, look for leaks, power
# off.  The kernel passes ho_module, ho_selftests, ho_out (paths of the host),
# ho_tests and ho_token as environment.  The root is the host's, read-only.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH HOME=/root
. "${0%/*}/uml-leaks.sh"
: "${ho_module:?}" "${ho_selftests:?}" "${ho_out:?}" "${ho_tests:?}" "${ho_token:?}"

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /run
mkdir -p /run/out /run/ho/selftests /run/netns
# hostfs mounts show the host's files: nothing is hidden by the tmpfs on /tmp
mount -t hostfs -o "$ho_out" none /run/out
mount -t hostfs -o "$ho_selftests" none /run/ho/selftests
# insmod refuses files on hostfs
cp "$ho_module" /run/ho/halfopen.ko
mount -t tmpfs tmpfs /tmp

# What tests load is built in, or their scenarios say that it is missing.
mkdir -p /run/bin
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
leak_scan
cat $leaks >/run/out/leaks
# Out of band: only a run that came this far has it.
echo "$ho_token" >/run/out/end
perl -e 'syscall(169, 0xfee1dead, 672274793, 0x4321fedc, 0)'
