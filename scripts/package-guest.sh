#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# In the VM: /ho/root is what package-test.sh made of the Debian in which it has
# installed the packages.  The module that DKMS built is loaded from there, by
# hand and as at boot, with an administrator's settings and parameters.  Under a
# flood the halfopenctl of the packages says who does it; the module goes when its
# package does.  TAP on stdout.
set -u
root=/ho/root
count=0
failed=0

# result NAME COMMAND...
result() {
	local name="$1" out
	shift
	count=$((count + 1))
	if out=$("$@" 2>&1); then
		echo "ok $count - $name"
	else
		failed=$((failed + 1))
		echo "not ok $count - $name"
		printf '%s\n' "${out:-$*: exit code not 0}" | sed 's/^/#   /'
	fi
}

# in_root /PATH/COMMAND...: busybox has a chroot that runs commands of its own, if
# they have no path.
in_root() {
	chroot $root "$@"
}

# value_is FILE VALUE
value_is() {
	echo "$1 has $(cat "$1" 2>&1) instead of $2"
	[ "$(cat "$1")" = "$2" ]
}

loaded() {
	[ -d /sys/module/halfopen ]
}

not_loaded() {
	! loaded
}

# udev takes its time; udevadm settle does not wait in a chroot.
backlog_after_udev() {
	local tries=100
	until value_is /proc/sys/net/halfopen/max_backlog 12345; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# selftest NAME: with the module and the tool of the packages; ends with rmmod.
selftest() {
	HO_CTL=$root/usr/sbin/halfopenctl \
	    dash selftests/run.sh "$1" >"/tmp/$1" && return
	cat "/tmp/$1"
	return 1
}

# refused WORDS FILE: once only signed modules may be loaded, the kernel says why
# it does not take FILE.
refused() {
	in_root /usr/sbin/insmod "$2" && return 1
	dmesg | tail -n 5
	dmesg | tail -n 5 | grep -q "$1"
}

# Beside what dpkg and DKMS keep, nothing has the name.
nothing_left() {
	! find $root -xdev -name '*halfopen*' ! -path '*/proc/*' | grep .
}

mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount --bind /dev $root/dev
mount -t tmpfs run $root/run
# how its programs know a booted system from a chroot
mkdir -p $root/run/systemd/system
in_root /usr/lib/systemd/systemd-udevd --daemon

echo "net.halfopen.max_backlog = 12345" >$root/etc/sysctl.d/90-local.conf
result modprobe_finds_the_module in_root /usr/sbin/modprobe halfopen
result udev_applies_sysctl_d backlog_after_udev
result halfopenctl_status in_root /usr/sbin/halfopenctl status
result rmmod in_root /usr/sbin/rmmod halfopen

# as README.Debian has it
in_root /usr/bin/sed -i '/halfopen/s/^#//' /etc/modules-load.d/halfopen.conf
in_root /usr/bin/sed -i '/buckets/s/^#//' /etc/modprobe.d/halfopen.conf
result modules_load_d_loads_it in_root /usr/lib/systemd/systemd-modules-load
result ...with_the_parameters_of_modprobe_d \
    value_is /sys/module/halfopen/parameters/buckets 1048576
result udev_applies_sysctl_d_again backlog_after_udev
result handshake_selftest selftest handshake
result status_and_top_name_the_flooded_port_and_its_sources selftest ctl
# what top showed in a terminal
grep '^#   ' /tmp/ctl
result modprobe_again in_root /usr/sbin/modprobe halfopen

# Nobody has enrolled DKMS's key in here.
for file in "$root/lib/modules/$(uname -r)"/updates/dkms/halfopen.ko*; do
	signed=/signed.${file##*/halfopen.}
	cp "$file" "$root$signed"
done
cp halfopen.ko $root/unsigned.ko
result purge_in_a_running_system \
    in_root /usr/bin/dpkg --purge halfopen-tools halfopen-dkms
result ...unloads_the_module not_loaded
result ...leaves_no_file nothing_left

echo 1 >/sys/module/module/parameters/sig_enforce
result secure_boot_refuses_a_module_without_signature \
    refused "unsigned module" /unsigned.ko
result ...and_says_of_dkms_s_that_its_key_is_unknown \
    refused "unavailable key" "$signed"
echo "1..$count"
[ "$failed" -eq 0 ]
