#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PID 1 in the UML kernel for soak.sh and bench-uml.sh: run a selftest, power off.
# The kernel passes ho_module, ho_selftests, ho_out (paths of the host), ho_test,
# ho_waves (soak.sh) and ho_token as environment.  The root is the host's, read-only.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH HOME=/root
: "${ho_module:?}" "${ho_selftests:?}" "${ho_out:?}" "${ho_test:?}" "${ho_token:?}"

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmpfs /run
mkdir -p /run/out /run/ho/selftests /run/netns
# hostfs mounts show the host's files: nothing is hidden by the tmpfs on /tmp
mount -t hostfs -o "$ho_out" none /run/out
mount -t hostfs -o "$ho_selftests" none /run/ho/selftests
# insmod refuses files on hostfs
cp "$ho_module" /run/ho/halfopen.ko
mount -t tmpfs tmpfs /tmp
# programs of hostfs are slower to start
cp -r /run/ho/selftests /tmp/selftests
umount /run/ho/selftests
mkdir -p /run/bin
printf '#!/bin/sh\nexit 0\n' >/run/bin/modprobe
chmod +x /run/bin/modprobe
PATH=/run/bin:$PATH

ip link set lo up
HO_WAVES=${ho_waves:-} HO_KO=/run/ho/halfopen.ko dash "/tmp/selftests/$ho_test" \
    >/run/out/tap 2>&1
grep halfopen /proc/slabinfo /proc/modules >/run/out/leaks
# Out of band: only a run that came this far has it.
echo "$ho_token" >/run/out/end
# reboot(LINUX_REBOOT_CMD_POWER_OFF), as the host need not have poweroff.
perl -e 'syscall(169, 0xfee1dead, 672274793, 0x4321fedc, 0)'
