#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PID 1 in the UML kernel: load the test module (that runs the suites), unload
# it, look for leaks, power off.  The kernel passes ho_module (the .ko) and
# ho_out (a host directory for the results) as environment.  The root is the
# host's, read-only; ho_out is the only place written to.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
. "${0%/*}/uml-leaks.sh"
: "${ho_module:?}" "${ho_out:?}" "${ho_token:?}"

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t tmpfs tmpfs /run
mkdir /run/out
mount -t hostfs -o "$ho_out" none /run/out

# jiffies wrap five minutes after boot: the timer's tests are to see that.
sleep 200
leak_scan
echo clear >$leaks

# The parser starts here: the kernel has a KTAP list of its own, an empty one.
echo "loading $ho_token"
# finit_module() by its x86-64 number, as insmod refuses files on hostfs.
perl -e 'open(my $f, "<", $ARGV[0]) or die "$ARGV[0]: $!\n";
	my $args = "";
	syscall(313, fileno($f), $args, 0) == 0 or die "finit_module: $!\n"' \
    "$ho_module"
find /sys/kernel/debug/gcov -name '*.gcda' | while read -r f; do
	cat "$f" >"/run/out/${f##*/}"
done
rmmod halfopen_kunit && echo unloaded >/run/out/unloaded
leak_scan
cat $leaks >/run/out/leaks
# Out of band: only a run that came this far has it.
echo "$ho_token" >/run/out/end
# reboot(LINUX_REBOOT_CMD_POWER_OFF), as the host need not have poweroff.
perl -e 'syscall(169, 0xfee1dead, 672274793, 0x4321fedc, 0)'
