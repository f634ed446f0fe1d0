# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of halfopenctl(8) for bash.

_halfopenctl() {
	local commands="status list top stats metrics check drain set save"
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local word words='' command='' i

	# readline takes "=" for a word of its own
	[ "$cur" != "=" ] || cur=
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-n | --netns) i=$((i + 1)) ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done

	case $command:$prev in
	:-n | :--netns)
		for word in /run/netns/*; do
			[ ! -e "$word" ] || words+=" ${word##*/}"
		done
		;;
	list:-s | list:--state) words="new retransmitted acked" ;;
	list:-p | list:--port)
		words=$(cut -d ' ' -f 1 /proc/net/halfopen_ports 2>/dev/null)
		;;
	metrics:-o | metrics:--output)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	:*) words="$commands -n --netns -j --json -V --version -h --help" ;;
	status:*) words="-c --rows -j --json -h --help" ;;
	list:*) words="-4 --ipv4 -6 --ipv6 -p --port -l --local -r --peer
		-s --state -e --extended -c --count -H --no-header
		-j --json -h --help" ;;
	top:*) words="-d --delay -n --frames -c --rows -b --batch
		-j --json -h --help" ;;
	stats:*)
		words="-z --nonzero -e --explain -j --json -h --help
			$(head -qn 1 /proc/net/stat/halfopen{,_declined,_overload} \
			    2>/dev/null | sed 's/^entries //')"
		;;
	metrics:*) words="-p --ports -s --sources -o --output -h --help" ;;
	check:*) words="-w --warning -c --critical -p --pressure
		-j --json -h --help" ;;
	drain:*) words="-t --timeout -q --quiet -j --json -h --help" ;;
	set:*)
		words="-j --json -h --help"
		for word in /proc/sys/net/halfopen/*; do
			[ ! -e "$word" ] || [ "${word##*/}" = lifetime_ms ] ||
				words+=" ${word##*/}="
		done
		;;
	save:*)
		case $cur in
		-*) words="-a --all -j --json -h --help" ;;
		*)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
			;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	[[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace
}

complete -F _halfopenctl halfopenctl
