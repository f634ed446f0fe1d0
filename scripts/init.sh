#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# PID 1 of the test VM.  The serial ports carry: 0 the kernel's log, 1 what the
# scenario prints, 2 the exit code, written last and by nothing else, 3 a tar
# of /out.
export PATH=/usr/sbin:/usr/bin HOME=/root TMPDIR=/tmp TERM=dumb
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm /out
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
ln -s /proc/self/fd /dev/fd
hostname guest
ip link set lo up
# A burst of a flood waits here for the other CPU; by default 1000 packets do.
echo 50000 >/proc/sys/net/core/netdev_max_backlog

for port in 1 2 3; do
	stty -F /dev/ttyS$port raw -echo
done

# What nobody refers to any more, if this kernel knows: an object is named once
# it is five seconds old and two scans have not found it.
report_leaks() {
	local leaks=/sys/kernel/debug/kmemleak
	[ -e $leaks ] || return
	sleep 6
	echo scan >$leaks
	echo scan >$leaks
	cat $leaks >/dev/ttyS0
}

cd /ho || exit 1
if [ -e /ho/interactive ]; then
	stty -F /dev/ttyS1 sane
	echo "selftests are in /ho/selftests, the module is /ho/halfopen.ko;" \
	    "exit ends the VM" >/dev/ttyS1
	setsid dash -c 'exec bash -i </dev/ttyS1 >/dev/ttyS1 2>&1'
	rc=0
else
	setsid dash /ho/command </dev/null >/dev/ttyS1 2>&1
	rc=$?
fi

report_leaks
# tcsetattr() drains a port: nothing is lost when the power goes.
stty -F /dev/ttyS1 raw -echo
if [ -n "$(ls -A /out)" ]; then
	tar -C /out -cf /dev/ttyS3 .
	stty -F /dev/ttyS3 raw -echo
fi
# What the last packets broke may take a moment to be noticed and printed.
stty -F /dev/ttyS0 -echo
echo "exit $rc" >/dev/ttyS2
stty -F /dev/ttyS2 raw -echo
# QEMU does not reboot, it ends; that takes no ACPI, as a power-off would.
reboot -f
