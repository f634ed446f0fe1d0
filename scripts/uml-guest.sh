# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Sourced by the init scripts of the UML kernel: file systems, leaks, counts of
# lines, power off.  ho_out is a directory of the host, the only place that is
# written to; the root is the host's, read-only.
: "${ho_out:?}" "${ho_token:?}"
leaks=/sys/kernel/debug/kmemleak
counts=/sys/kernel/debug/gcov

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mount -t tmpfs tmpfs /run
mkdir /run/out
mount -t hostfs -o "$ho_out" none /run/out

# kmemleak names an object only once it is five seconds old; the virtual clock
# makes the wait free.
leak_scan() {
	sleep 6
	echo scan >$leaks
	sleep 6
	echo scan >$leaks
}

# Of modules built with GCOV_PROFILE, also of those that are unloaded.
save_counts() {
	find $counts -name '*.gcda' | while read -r f; do
		mkdir -p "/run/out/counts${f%/*}"
		cat "$f" >"/run/out/counts$f"
	done
}

# Out of band: only a run that came this far has the token.  reboot() with
# LINUX_REBOOT_CMD_POWER_OFF, as the host need not have poweroff.
power_off() {
	cat $leaks >/run/out/leaks
	echo "$ho_token" >/run/out/end
	perl -e 'syscall(169, 0xfee1dead, 672274793, 0x4321fedc, 0)'
}
