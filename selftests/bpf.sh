#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# timeout: 2000
#
# BPF programs that choose listeners, filter segments or are asked about a
# connection, LSM hooks and tracepoints, native against halfopen.
. "${0%/*}/lib.sh"
setup
modprobe -a sch_ingress cls_bpf || exit 1
[ -e /sys/kernel/btf/vmlinux ] || skip_all "no CONFIG_DEBUG_INFO_BTF"
differential scenarios_bpf "$@"
