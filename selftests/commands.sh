#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# timeout: 900
#
# Every command of README.md, the man pages and the tuning guide that can be run
# here does what it is for without an error, in the order in which they stand;
# scripts/check-commands.sh says who runs the others.
. "${0%/*}/lib.sh"
list=$ho_dir/../scripts/check-commands.sh
setup
forget_time_wait
start_nginx || exit 1

# For modprobe, and halfopenctl by its name.
updates=/lib/modules/$(uname -r)/updates
mkdir -p "$updates" "$tmp/bin" /etc/sysctl.d /var/lib/prometheus/node-exporter
cp "$ho_ko" "$updates/"
ln -s "$(command -v kmod)" "$tmp/bin/depmod"
"$tmp/bin/depmod" || exit 1
PATH=$PATH:$tools:$tmp/bin

# The files of the initial namespace only are there, the rest is where the
# traffic is.
run() {
	case $1 in
	*host_memory_bytes*) bash -c "$1" ;;
	*) in_srv bash -c "cd '${ho_ko%/*}' && $1" ;;
	esac
	code=$?
	# lnstat says 1 when it has done what -c asks for, timeout 124 or, as a
	# part of busybox, 143.
	case $1 in
	lnstat\ *) [ $code -eq 1 ] ;;
	timeout\ *) [ $code -eq 124 ] || [ $code -eq 143 ] ;;
	*) [ $code -eq 0 ] ;;
	esac
}

# before COMMAND: what it needs: the module, or none; somebody half-open, but for
# prefix lengths, which do not change twice while there are entries.
before() {
	case $1 in
	modprobe\ * | insmod\ *)
		module_unload
		return
		;;
	*source_prefix*) module_unload ;;
	esac
	module_loaded || {
		module_load || exit 1
		arm_oracle
	}
	case $1 in
	*source_prefix*) return ;;
	esac
	[ "$(half_open)" -gt 0 ] || {
		flood $http_port 20 0 -S 198.51.100.0/24 >/dev/null
		fetch 1 "http://$srv4:$http_port/" >/dev/null
	}
}

# after COMMAND: it did something.
after() {
	local knob value
	case $1 in
	sysctl\ *=*)
		knob=${1##* }
		value=${knob#*=}
		knob=${knob%%=*}
		knob=/proc/sys/$(echo "$knob" | tr . /)
		case $1 in
		*host_memory_bytes*) test "$(cat "$knob")" = "$value" ;;
		*) test "$(in_srv cat "$knob")" = "$value" ;;
		esac
		;;
	modprobe\ * | insmod\ *) module_loaded ;;
	rmmod\ *) ! module_loaded ;;
	cat\ * | sort\ * | lnstat\ * | halfopenctl\ list\ * | grep\ -c\ *)
		test -s "$tmp/said"
		;;
	while\ * | halfopenctl\ drain) test "$(half_open)" -eq 0 ;;
	*prom) test -s "${1##* }" ;;
	"halfopenctl save") grep -q max_backlog /etc/sysctl.d/60-halfopen.conf ;;
	esac
}

bash "$list" --list >"$tmp/list"
check_num "there_are_commands" "$(wc -l <"$tmp/list")" -gt 50
last=
number=0
while IFS='	' read -r file command; do
	# Each document begins with the module as it is by default.
	if [ "$file" != "$last" ]; then
		module_unload
		last=$file
		number=0
	fi
	number=$((number + 1))
	name=$(basename "$file")_${number}_$(echo "$command" | cut -c 1-40 |
		tr -c 'a-zA-Z0-9\n' _)
	before "$command"
	if run "$command" >"$tmp/said" 2>&1 </dev/null && after "$command"; then
		pass "$name"
	else
		fail "$name" "$command -> $code: $(head -n 5 "$tmp/said")"
	fi
done <"$tmp/list"
srv=
finish
