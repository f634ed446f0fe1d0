#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
#   check-commands.sh           somebody runs every command of the documents
#   check-commands.sh --list    print those that selftests/commands.sh runs
#
# A command is an indented line of README.md, scripts/doc/*.md and the README.md
# of a folder named below, and a line ".Dl" of a man page.  Each must be known
# here: run in the VM, run by somebody else who is named and is there, or no
# command at all.  A "make TARGET" needs a target whose script check.sh runs, too.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0

# "FILE<tab>COMMAND" of everything that stands as a command.
lines() {
	awk '
	FNR == 1 { fenced = 0 }
	/^```/ { fenced = !fenced; next }
	fenced || !/^    [^ ]/ { next }
	{
		sub(/^    /, "")
		sub(/  +# .*/, "")
		print FILENAME "\t" $0
	}' README.md scripts/doc/*.md scripts/{man,bpftrace,monitoring}/README.md
	awk '/^\.Dl / {
		sub(/^\.Dl /, "")
		gsub(/\\e/, "\\")
		print FILENAME "\t" $0
	}' scripts/man/*.[1-9]
}

# what COMMAND: who runs it: "vm", "make", "text" for what is none, or a file and
# what has to be in it.
what() {
	case $1 in
	make | make\ *) echo make ;;
	sysctl\ * | echo\ * | cat\ * | sort\ * | grep\ * | lnstat\ * | \
	    while\ * | timeout\ * | halfopenctl\ * | insmod\ * | rmmod\ * | \
	    modprobe\ *) echo vm ;;
	# outputs, figures and arithmetic
	SYN-RECV\ * | [0-9]*\ entries:* | [0-9]*\ x\ * | backlog\ * | \
	    mode_s\ * | client\ * | \|\ * | \|\<* | \|-*) echo text ;;
	apt-get\ install\ linux-headers-*) echo "scripts/deps.sh headers_packages" ;;
	apt-get\ install\ bpftrace) echo "scripts/deps.sh bpftrace" ;;
	apt-get\ install\ *halfopen-dkms_*) echo "scripts/package-test.sh apt install" ;;
	openssl\ req\ *) echo "scripts/package-test.sh openssl req -new -x509" ;;
	*/sign-file\ *) echo "scripts/package-test.sh scripts/sign-file" ;;
	# at a firmware's own screen
	mokutil\ * | reboot) echo "scripts/debian/halfopen-dkms.README.Debian by hand" ;;
	scripts/bpftrace/*.bt)
		[ -x "$1" ] && echo "selftests/bpftrace.sh ${1##*/}"
		;;
	man\ scripts/man/*)
		[ -e "${1#man }" ] && echo "scripts/lint.sh mandoc"
		;;
	apt-get\ install\ prometheus-node-exporter | \
	    cp\ scripts/monitoring/* | systemctl\ *)
		echo "scripts/monitoring/README.md by hand"
		;;
	esac
}

# Scripts that no lane of check.sh runs.
by_hand="demo.sh check.sh"

check_make() {
	local words target scripts script
	read -r -a words <<<"$1"
	target=${words[1]:-modules}
	grep -q "^$target:" Makefile || {
		echo "Makefile has no target $target: $1"
		return 1
	}
	# shellcheck disable=SC2086
	scripts=$(sed -n "/^$target:/,/^\$/s,^\tscripts/\([a-z-]*\.[a-z]*\).*,\1,p" \
	    Makefile | grep -v '^deps\.sh')
	for script in $scripts; do
		[[ " $by_hand " == *" $script "* ]] ||
			grep -q "scripts/$script" scripts/check.sh \
			    scripts/package-test.sh || {
			echo "no lane of check.sh runs $script: $1"
			return 1
		}
	done
}

if [ "${1:-}" = --list ]; then
	while IFS=$'\t' read -r file command; do
		[ "$(what "$command")" != vm ] || printf '%s\t%s\n' "$file" "$command"
	done < <(lines)
	exit
fi

while IFS=$'\t' read -r file command; do
	who=$(what "$command")
	case $who in
	vm | text | *" by hand") ;;
	make) check_make "$command" || bad=1 ;;
	"")
		echo "$file: nobody runs: $command"
		bad=1
		;;
	*)
		grep -qF "${who#* }" "${who%% *}" || {
			echo "$file: ${who%% *} does not run: $command"
			bad=1
		}
		;;
	esac
done < <(lines)
[ "$(lines | wc -l)" -gt 50 ] || { echo "found no commands"; bad=1; }
exit $bad
