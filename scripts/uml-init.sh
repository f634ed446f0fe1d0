#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PID 1 in the UML kernel: load the test module (that runs the suites), unload
# it, look for leaks, power off.  The kernel passes ho_module (the .ko) and
# ho_out (a host directory for the results) as environment.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
: "${ho_module:?}"
. "${0%/*}/uml-guest.sh"

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
save_counts
rmmod halfopen_kunit && echo unloaded >/run/out/unloaded
leak_scan
power_off
