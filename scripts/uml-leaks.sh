# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Sourced by the init scripts of the UML kernel: looking for leaks.
leaks=/sys/kernel/debug/kmemleak

# kmemleak names an object only once it is five seconds old; the virtual clock
# makes the wait free.
leak_scan() {
	sleep 6
	echo scan >$leaks
	sleep 6
	echo scan >$leaks
}
