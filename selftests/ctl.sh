#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# timeout: 400
#
# halfopenctl: what it says is what the kernel says, and whatever goes wrong is a
# sentence and the right exit code.
. "${0%/*}/lib.sh"

ctl=${HO_CTL:-$tools/halfopenctl}
[ -x "$ctl" ] || skip_all "no halfopenctl"
tmp=$(mktemp -d) || exit 1
trap died EXIT

# run COMMAND...: its exit code into $rc, what it says into $tmp/out and $tmp/err.
run() {
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
}

# fails NAME CODE TEXT COMMAND...: with TEXT in one line on stderr and nothing on
# stdout; check says it on stdout, as plugins do.
fails() {
	local name="$1" code="$2" text="$3" said="$tmp/err" silent="$tmp/out"
	shift 3
	run "$@"
	case " $* " in
	*" check "*)
		said=$tmp/out
		silent=$tmp/err
		;;
	esac
	if [ "$rc" -eq "$code" ] && grep -qF -- "$text" "$said" &&
		[ ! -s "$silent" ]; then
		pass "$name"
	else
		fail "$name" "$* -> $rc, want $code and '$text'
$(cat "$tmp/out" "$tmp/err")"
	fi
}

in_ctl() {
	in_srv "$ctl" "$@"
}

as_nobody() {
	in_srv su -s /bin/dash nobody -c "$ctl $*"
}

# json NAME EXPRESSION WANT COMMAND...: what it finds in the document d, whose
# parts are put together with blanks.  Looked at all at once, by check_json.
json() {
	documents=$((documents + 1))
	printf '%s\n%s\n' "$1" "$3" >"$tmp/json/$documents.want"
	printf '%s\n' "$2" >"$tmp/json/$documents.expr"
	shift 3
	in_ctl "$@" >"$tmp/json/$documents.json" 2>&1
}

check_json() {
	seg_tap "$tools/ctl.py" json "$tmp/json"
}

# completed WORD...: what bash offers for the last one.
completed() {
	bash -c '. "$0"
		compopt() { :; }
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_halfopenctl
		printf "%s\n" "${COMPREPLY[@]}" | sort -u' \
	    "$ho_dir/../scripts/halfopenctl.bash" halfopenctl "$@"
}

# helped COMMAND: the options of its help.
helped() {
	{
		echo --help
		"$ctl" "$1" --help | grep '^  -' | grep -oE -- '--[a-z0-9-]+'
	} | sort -u
}

# --- without the module -------------------------------------------------------

module_unload
for args in status list "list -j" "top -b -n 1" top stats "stats --explain" \
    metrics "drain -t 1" set "set mode=1" "save -" "save $tmp/saved"; do
	# shellcheck disable=SC2086 # one word per argument
	fails "without_the_module_$(echo "$args" | tr -c 'a-z\n' _)" 1 \
	    "the module is not loaded: 'modprobe halfopen'" "$ctl" $args
done
fails "without_the_module_check_is_unknown" 3 \
    "HALFOPEN UNKNOWN - the module is not loaded" "$ctl" check
check "and_nothing_is_saved" test ! -e "$tmp/saved"

# --- bad arguments ------------------------------------------------------------

while IFS='|' read -r args text; do
	# shellcheck disable=SC2086
	fails "refused_$(echo "$args" | tr -c 'a-zA-Z0-9\n' _)" 2 "$text" \
	    "$ctl" $args
	grep -q "^Try 'halfopenctl .*--help'" "$tmp/err" ||
		fail "and_help_is_named" "$args"
done <<END
|which command?
--bogus|there is no option '--bogus'
-x status|there is no option '-x'
-n|option '-n' needs a value
bogus|there is no command 'bogus'
-n a/b status|'a/b' is no name of a network namespace
status x|'x' is too much
status -c 0|--rows takes a number from 1 to 1000
status -c 99999999999999999999999|--rows takes a number
list -p http|--port takes a number from 1 to 65535, not 'http'
list -p 80,,81|not ''
list -p 65536|--port
list -s open|--state is new, retransmitted or acked
list -l 1.2.3|--local: '1.2.3' is no IP address and no prefix
list -r 1.2.3.4/33|a prefix length is a number from 0 to 32, not '33'
list -r ::/129|from 0 to 128
list -4 -6|-4 and -6 leave nothing
list -r|option '-r' needs a value
top -d 0|--delay takes seconds from 0.1 to 3600
top -d nan|--delay
top -n 0|--frames takes a number from 1
top --batch=yes|there is no option '--batch=yes', or it takes no value
stats syn_token|there is no counter 'syn_token'
metrics -j|metrics have a format of their own
metrics -p 1001|--ports takes a number from 0 to 1000
drain -t soon|--timeout takes a number from 0 to 86400
set mode|'mode' is not of the form KNOB=VALUE
set mode=|mode= has no value
set max_backlogs=5|there is no knob 'max_backlogs', did you mean max_backlog?
set net.halfopen.retries=5|did you mean synack_retries?
set xyzzy=5|there is no knob 'xyzzy'
set lifetime_ms=5|lifetime_ms is read-only
save a b|'b' is too much
END
fails "check_of_bad_arguments_is_unknown" 3 \
    "HALFOPEN UNKNOWN - --warning 90 is above --critical 10" \
    "$ctl" check -w 90 -c 10
fails "check_of_bad_percent_is_unknown" 3 "--warning takes a number" \
    "$ctl" check -w 101
fails "check_of_a_bad_option_is_unknown" 3 "there is no option" "$ctl" check -z

for command in status list top stats metrics check drain set save; do
	run "$ctl" "$command" --help
	check_str "help_of_$command" \
	    "$rc $(head -n 1 "$tmp/out" | cut -d ' ' -f 1-6) $(cat "$tmp/err")" \
	    "0 Usage: halfopenctl [-n NETNS] [-j] $command "
	grep -q "^  $command " <<-END || fail "help_names_$command"
	$("$ctl" --help)
	END
	check_str "completed_options_of_$command" "$(completed "$command" --)" \
	    "$(helped "$command")"
done
check_str "commands_are_completed" "$(completed '' | grep -v -- - | tr '\n' ' ')" \
    "check drain list metrics save set stats status top "
[ ! -e "$ho_ko" ] || check_str "version_is_the_modules" "$("$ctl" --version)" \
    "halfopenctl $(modinfo -F version "$ho_ko")"

# --- knobs --------------------------------------------------------------------

rm -rf "$tmp"
setup
mkdir "$tmp/json"
documents=0
ho_sysctl verify_synack 0
in_ctl set >"$tmp/knobs"
check_str "set_shows_every_knob" \
    "$(awk 'NR > 1 { print $1 }' "$tmp/knobs" | sort | tr '\n' ' ')" \
    "$(in_srv ls /proc/sys/net/halfopen | sort | tr '\n' ' ')"
check_str "knobs_are_completed" "$(completed set max_b)" max_backlog=
check_str "namespaces_are_completed" "$(completed -n "$srv" | tail -n 1)" "$srv"
"$ctl" set | awk 'NR > 1 { print $1 }' | sort >"$tmp/initial"
check_str "and_those_of_the_initial_namespace" \
    "$(find /proc/sys/net/halfopen -type f | sed 's|.*/||' | sort |
	diff - "$tmp/initial")" ""
check_str "defaults_are_the_modules" \
    "$(awk 'NR > 1 && $3 != "-" && $2 != $3' "$tmp/knobs")" ""

# bound NAME RANGE-END STEP: it is taken and what lies beyond it is not.
bound() {
	run in_ctl set "$1=$2"
	echo "$1=$2: $rc $(cat "$tmp/out" "$tmp/err")"
	[ "$rc $(cat "$tmp/out")" = "0 net.halfopen.$1 = $2" ] || return 1
	run in_ctl set "$1=$(($2 + $3))"
	echo "$1=$(($2 + $3)): $rc $(cat "$tmp/err")"
	[ "$rc $(ho_sysctl "$1")" = "1 $2" ] &&
		grep -q "net.halfopen.$1=.* is refused: it takes [0-9]* to [0-9]*" \
		    "$tmp/err"
}

while read -r name value def min to max; do
	[ "$to" = to ] || continue
	check "range_of_$name" bound "$name" "$max" 1
	check "range_of_${name}_begins" bound "$name" "$min" -1
	ho_sysctl "$name" "$def"
done <<END
$(sed 1d "$tmp/knobs")
END

fails "what_was_set_before_a_refusal_stays" 1 "mode=7 is refused: it takes 0 to 2" \
    in_ctl -j set net.halfopen.synack_retries=3 mode=7 max_backlog=1
check_str "and_what_comes_after_it_is_not_set" \
    "$(ho_sysctl synack_retries) $(ho_sysctl max_backlog)" "3 65536"
fails "key_is_not_shown" 1 "cookie_key=... is refused: it takes auto" \
    in_ctl set cookie_key=0123
check "good_key_is_taken" in_ctl set \
    cookie_key=00112233445566778899aabbccddeeff
fails "no_other_namespace_has_the_hosts_cap" 1 \
    "is set in the initial network namespace alone" \
    in_ctl set host_memory_bytes=1
json "set_in_json" 'd["set"]["synack_retries"]' 5 -j set synack_retries=5
json "knobs_in_json" '[(k["name"], k["default"], k["min"], k["max"])
    for k in d["knobs"] if k["name"] == "synack_timeout_ms"][0]' \
    "synack_timeout_ms 1000 100 120000" set -j

# --- save ---------------------------------------------------------------------

# changed: what is not at its default.
changed() {
	in_ctl set | awk 'NR > 1 && $3 != "-" && $2 != $3 { print $1, $2 }'
}

# Marks above each other's default want an order.
for marks in "80 90" "10 20"; do
	low=${marks% *}
	high=${marks#* }
	case $low in
	80) in_ctl set pressure_high_pct="$high" pressure_low_pct="$low" ;;
	*) in_ctl set pressure_low_pct="$low" pressure_high_pct="$high" ;;
	esac >/dev/null
	in_ctl set max_backlog=1000 synack_timeout_ms=2500 >/dev/null
	changed >"$tmp/before"
	run in_ctl save "$tmp/saved"
	check_num "save_of_marks_$low" "$rc" -eq 0
	check "says_that_the_key_is_not_saved" \
	    grep -q "4 knobs saved.*cookie_key is not" "$tmp/out"
	check_num "only_what_was_changed_$low" \
	    "$(grep -c '^net.halfopen' "$tmp/saved")" -eq 4
	check_str "file_is_readable" "$(stat -c %a "$tmp/saved")" 644
	case $low in
	80) in_ctl set pressure_low_pct=50 pressure_high_pct=75 ;;
	*) in_ctl set pressure_high_pct=75 pressure_low_pct=50 ;;
	esac >/dev/null
	in_ctl set max_backlog=65536 synack_timeout_ms=1000 >/dev/null
	check_str "defaults_again_$low" "$(changed)" ""
	in_srv sysctl -q -p "$tmp/saved"
	check_str "saved_is_what_was_set_$low" "$(changed)" "$(cat "$tmp/before")"
	case $low in
	80) in_ctl set pressure_low_pct=50 pressure_high_pct=75 ;;
	*) in_ctl set pressure_high_pct=75 pressure_low_pct=50 ;;
	esac >/dev/null
	in_ctl set max_backlog=65536 synack_timeout_ms=1000 >/dev/null
done
in_ctl save -a - >"$tmp/all"
check_num "save_all_has_all_that_can_be_set" \
    "$(grep -c '^net.halfopen' "$tmp/all")" -eq \
    "$(awk 'NR > 1 && $3 != "-"' "$tmp/knobs" | wc -l)"
check_num "but_for_the_key" "$(grep -c '^net.*cookie_key' "$tmp/all")" -eq 0
json "saved_in_json" 'd["file"], len(d["saved"])' "None 0" -j save -
fails "no_such_directory" 1 "is there such a directory?" \
    in_ctl save "$tmp/no/such/file"
mkdir -p /etc/sysctl.d
rm -f /etc/sysctl.d/60-halfopen.conf
check "saves_where_sysctl_looks" in_ctl save
check "there" test -s /etc/sysctl.d/60-halfopen.conf
check_str "and_nothing_else_is_left_there" \
    "$(find /etc/sysctl.d -name '60-halfopen*' | wc -l)" 1
rm -f /etc/sysctl.d/60-halfopen.conf

arm_oracle

# --- who may ------------------------------------------------------------------

for args in status "list -c" "top -b -n 1" stats metrics check set "save -"; do
	# shellcheck disable=SC2086
	check "nobody_may_$(echo "$args" | tr -c 'a-z\n' _)" as_nobody $args
done
fails "nobody_must_not_set" 1 \
    "no permission to set net.halfopen.mode: run this as root" \
    as_nobody set mode=0
fails "nobody_must_not_drain" 1 "run this as root" as_nobody drain
check_str "and_mode_is_as_it_was" "$(ho_sysctl mode)" 1
fails "nobody_must_not_save" 1 "run this as root" as_nobody save
fails "nobody_must_not_enter" 1 \
    "cannot enter network namespace $cli: run this as root" \
    as_nobody -n "$cli" status
fails "no_such_namespace" 1 "there is no network namespace nowhere" \
    "$ctl" -n nowhere status
fails "no_such_namespace_is_unknown_to_check" 3 \
    "HALFOPEN UNKNOWN - there is no network namespace nowhere" \
    "$ctl" -n nowhere check
touch /run/netns/file-$$
fails "no_namespace" 1 "cannot enter network namespace file-$$" \
    "$ctl" -n file-$$ status
rm -f /run/netns/file-$$

# --- status -------------------------------------------------------------------

start_nginx || exit 1
ho_sysctl synack_timeout_ms 60000
run in_ctl status
check_num "status_when_quiet" "$rc" -eq 0
check "quiet_is_no_attack" grep -q "^No attack: " "$tmp/out"
check "nothing_to_do" grep -qx "Advice: nothing to do." "$tmp/out"
run in_ctl set mode=0
run in_ctl status
check "status_says_off" grep -q "^halfopen [0-9.]* is off since 20" "$tmp/out"
check "and_how_to_turn_it_on" grep -q "^Advice: .*set mode=1" "$tmp/out"
in_ctl set mode=1 >/dev/null

ho_sysctl max_port_backlog 200
flood_v6 $http_port6 20 0 -s 1 >/dev/null
flood_v6 $http_port6 4 0 -s 2 -S 2001:db8::200:5efe:0:0/96 >/dev/null
flood_v6 $http_port6 4 0 -s 3 -S 2001:db8:0:1::/120 >/dev/null
flood_v6 $http_port6 4 0 -s 4 -S 2001:db8:1:0:2::/80 >/dev/null
flood_v6 $http_port6 4 0 -s 5 -S ::/112 >/dev/null
flood $http_port_dual 10 0 -s 6 >/dev/null
flood $http_port 20 0 -s 7 >/dev/null
flood $http_port 150 0 -s 8 -S 203.0.113.0/24 >/dev/null
wait_for 10 in_srv grep -q "^$http_port .*pressure:1" /proc/net/halfopen_ports
run "$ctl" -n "$srv" status
check "status_names_the_attacked_port" \
    grep -Eq "^UNDER ATTACK: port $http_port, since 20.* \([0-9]+ s\), [0-9]+ SYN/s" \
    "$tmp/out"
check_str "which_comes_first" "$(awk '/^PORT/ { getline; print $1 }' "$tmp/out")" \
    $http_port
in_srv awk '/ 203\.0\.113\./ || $5 ~ /^203\.0\.113\./' /proc/net/halfopen \
    >"$tmp/top"
check_str "and_the_top_source_prefix" \
    "$(awk '/^SOURCE/ { getline; print $1, $2 }' "$tmp/out")" \
    "203.0.113.0/24 $(wc -l <"$tmp/top")"
check "advice_names_it" grep -Eq \
    "^Advice: 203.0.113.0/24 holds [0-9]+ of [0-9]+ entries: block it" "$tmp/out"
json "status_in_json" 'd["netns"], d["attack"]["ports"],
    d["ports"][0]["port"], d["sources"]["top"][0]["prefix"],
    d["sources"]["entries"], d["mode"], d["limits"][0]["name"]' \
    "$srv [80] 80 203.0.113.0/24 $(half_open) 1 backlog" -n "$srv" status -j
ho_sysctl source_prefix_v4 16
json "prefix_length_is_the_modules" 'd["sources"]["top"][0]["prefix"]' \
    203.0.0.0/16 status -j
fails "old_length_must_wait" 1 "entries are still counted by an earlier length" \
    in_ctl set source_prefix_v4=24
ho_sysctl max_port_backlog 49152

# --- list ---------------------------------------------------------------------

# One more kind: whose connection is complete and waits.
start_server -6 0 -p 81 -b 0 -s || exit 1
cat >"$tmp/park.py" <<'END'
from seg import Peer
peers = [Peer(dport=81) for i in range(3)]
for p in peers:
    p.syn()
for p in peers:
    p.expect_synack()
for p in peers:
    p.ack()
    p.data(b"hello")
END
seg "$tmp/park.py"
wait_for 5 in_srv grep -q acked /proc/net/halfopen

# Some SYN-ACKs are sent again: for a repeated SYN.
seg - <<'END'
import time
from seg import Peer
p = Peer(dport=80, src="203.0.113.250")
p.syn()
p.expect_synack()
time.sleep(1)
p.syn()
p.expect_synack()
END

# lines FILE...: without what moves.
lines() {
	sed 's/timer:(on,[0-9]*ms,/timer:(on,/' "$@" | sort
}

in_srv cat /proc/net/halfopen >"$tmp/proc"
in_ctl list -H >"$tmp/list"
lines "$tmp/proc" >"$tmp/want"
lines "$tmp/list" >"$tmp/got"
check_num "there_are_lines" "$(wc -l <"$tmp/want")" -ge 210
check_str "list_is_what_the_kernel_shows" \
    "$(diff "$tmp/want" "$tmp/got" | head -n 4)" ""
check_num "with_addresses_of_every_form" "$(grep -Ec \
    '2001:db8::200:5efe:[0-9.]+\]|\[2001:db8:0:1::|\[2001:db8:1:0:2:|\[::[0-9a-f]' \
    "$tmp/list")" -eq 16
check_str "list_has_a_header" "$(in_ctl list | head -n 1)" \
    "State Recv-Q Send-Q Local-Address:Port Peer-Address:Port Info"
check_num "age_is_shown_when_asked_for" \
    "$(in_ctl list -He | grep -c ' age:[0-9]*ms$')" -eq "$(wc -l <"$tmp/list")"
check_num "all_are_counted" "$(in_ctl list -c)" -eq "$(wc -l <"$tmp/list")"

# only NAME PATTERN OPTION...: those lines of the kernel's, and there are some.
only() {
	local name="$1" pattern="$2"
	shift 2
	grep -E -- "$pattern" "$tmp/proc" | lines >"$tmp/want"
	in_ctl list -H "$@" | lines >"$tmp/got"
	check_num "${name}_finds_some" "$(wc -l <"$tmp/got")" -gt 0
	check_str "${name}_finds_these" \
	    "$(diff "$tmp/want" "$tmp/got" | head -n 4)" ""
}

only port ':80 [0-9[]' -p 80
only ports ':(86|8080) [0-9[]' --port=86,8080
only v4 ' [0-9.]+:[0-9]+ [0-9.]+:[0-9]+ ' -4
only v6 '\[.*\[' -6
only peer_prefix ' 203\.0\.113\.[0-9]+:[0-9]+ timer' -r 203.0.113.9/24
only peer_address ' 203\.0\.113\.250:[0-9]+ timer' --peer 203.0.113.250
only peer_v6_prefix ' \[2001:db8:1:0:2:.* timer' -r 2001:db8:1:0:2::/80
only local_address ' \[fd00::1\]:86 ' -l '[fd00::1]'
only acked ' acked$' -s acked
only retransmitted 'retrans:[1-9]' -s retransmitted
only all_at_once ':80 203\..* retrans:0' -4 -p 80 -r 203.0.0.0/8 -s new
check_str "nobody_is_an_empty_list" "$(in_ctl list -H -r 192.0.2.1)" ""
json "list_in_json" '[len(d["entries"])] +
    sorted({e["state"] for e in d["entries"]}) +
    [e["peer_address"] for e in d["entries"] if e["state"] == "retransmitted"]' \
    "$(wc -l <"$tmp/proc") acked new retransmitted 203.0.113.250" list -j
json "count_in_json" 'd["count"]' "$(wc -l <"$tmp/proc")" list -j -c
check_num "another_namespace_has_none" "$("$ctl" -n "$cli" list -c)" -eq 0
check "status_says_who_waits" grep -q "^Advice: 2 connections to port 81 are complete and wait" \
    <<END
$(in_ctl status)
END

# --- stats --------------------------------------------------------------------

# counters: NAME VALUE as the kernel's files have it, sums over CPUs.
counters() {
	for file in halfopen halfopen_declined halfopen_overload \
	    halfopen_fastpath; do
		in_srv awk '
			NR == 1 { n = split($0, name); next }
			{
				for (i = 2; i <= n; i++)
					print name[i], $i
			}' /proc/net/stat/$file
	done | while read -r name value; do
		echo "$name $((0x$value))"
	done | awk '{ if (!($1 in sum)) order[++n] = $1; sum[$1] += $2 }
		END { for (i = 1; i <= n; i++) print order[i], sum[order[i]] }'
}

counters >"$tmp/want"
in_ctl stats | awk '{ print $1, $2 }' >"$tmp/got"
check_str "stats_are_the_kernels" "$(diff "$tmp/want" "$tmp/got" | head -n 4)" ""
in_ctl stats --explain >"$tmp/explained"
for word in What Rising; do
	check_num "each_counter_has_a_sentence_$word" \
	    "$(grep -Ec "^    $word: ....+\.\$" "$tmp/explained")" -eq \
	    "$(wc -l <"$tmp/want")"
done
check_str "one_counter" "$(in_ctl stats syn_taken | awk '{ print $2 }')" \
    "$(ho_stat syn_taken)"
check_str "only_those_that_moved" \
    "$(in_ctl stats -z | awk '{ print $1 }' | tr '\n' ' ')" \
    "$(awk '$2 { print $1 }' "$tmp/want" | tr '\n' ' ')"
json "stats_in_json" '[(c["name"], c["value"], c["file"])
    for c in d["counters"] if c["rising"] and c["meaning"]][0]' \
    "syn_taken $(ho_stat syn_taken) halfopen" stats -j -e

# --- metrics ------------------------------------------------------------------

# metric NAME
metric() {
	awk -v want="$1" '$1 == want { print $2 }' "$tmp/samples"
}

in_ctl metrics -s 3 >"$tmp/metrics"
python3 -B -S "$tools/ctl.py" metrics <"$tmp/metrics" >"$tmp/samples" 2>"$tmp/err"
check_str "metrics_are_openmetrics" "$? $(tail -n 1 "$tmp/err")" "0 "
for name in syn_taken synack_sent cookie_sent; do
	check_str "metric_$name" "$(metric halfopen_${name}_total)" \
	    "$(ho_stat $name)"
done
check_num "every_decline_is_a_label" \
    "$(grep -c '^halfopen_declined_total{reason=' "$tmp/samples")" -eq \
    "$(grep -c '^declined_' "$tmp/want")"
check_str "metric_of_a_port" \
    "$(metric "halfopen_port_entries{port=\"$http_port\"}")" \
    "$(in_ctl list -c -p $http_port)"
check_str "metric_of_a_limit" "$(metric 'halfopen_limit{limit="backlog"}')" 65536
check_str "metric_of_a_source" \
    "$(metric 'halfopen_source_entries{prefix="203.0.0.0/16"}')" \
    "$(in_ctl list -c -r 203.0.0.0/16)"
check_num "sources_are_bounded" \
    "$(grep -c '^halfopen_source_entries' "$tmp/samples")" -eq 3
check_num "ports_are_bounded" \
    "$(in_ctl metrics -p 2 | grep -c '^halfopen_port_entries')" -eq 2
check "metrics_into_a_file" in_ctl metrics -o "$tmp/halfopen.prom"
check_str "whole" "$(tail -n 1 "$tmp/halfopen.prom")" "# EOF"

# --- check --------------------------------------------------------------------

# plugin NAME CODE STATE ARGUMENT...
plugin() {
	local name="$1" code="$2" state="$3"
	shift 3
	run in_ctl check "$@"
	check_str "$name" "$rc $(cut -d ' ' -f 1-2 "$tmp/out")" \
	    "$code HALFOPEN $state"
	check "${name}_in_one_line_with_data" grep -Eqx \
	    'HALFOPEN [A-Z]+ - [^|]+ \| entries=[0-9]+;[0-9]+;[0-9]+;0;[0-9]+ memory=[0-9]+B;;;0;[0-9]+ waiting=[0-9]+;;;0;8192 ports_under_pressure=[0-9]+;;;0;65535' \
	    "$tmp/out"
	check_num "${name}_in_one_line" "$(wc -l <"$tmp/out")" -eq 1
}

plugin check_ok 0 OK
plugin check_warning 1 WARNING -w 0
plugin check_critical 2 CRITICAL -w 0 -c 0
used=$(half_open)
ho_sysctl max_backlog "$used"
plugin full_is_critical 2 CRITICAL
ho_sysctl max_backlog $((used * 2))
plugin at_the_threshold_is_ok 0 OK -w 50 -c 90
ho_sysctl max_backlog $((used * 2 - 1))
plugin above_it_is_a_warning 1 WARNING -w 50 -c 90
ho_sysctl max_backlog 65536
ho_sysctl mode 0
plugin off_is_a_warning 1 WARNING
ho_sysctl mode 1
wait_for 10 in_srv grep -q 'pressure:0' /proc/net/halfopen_ports
ho_sysctl max_port_backlog 200
wait_for 10 in_srv grep -q 'pressure:1' /proc/net/halfopen_ports
plugin pressure_is_one_if_asked_for 1 WARNING -p
plugin and_else_not 0 OK
ho_sysctl max_port_backlog 49152
json "check_in_json" 'd["state"], d["code"], d["entries"]' "OK 0 $used" check -j

# --- top ----------------------------------------------------------------------

run in_ctl top -b -n 2 -d 0.2
check_num "top_in_frames" "$rc" -eq 0
check_num "as_many_as_asked_for" "$(grep -c '^halfopen .*, on for' "$tmp/out")" \
    -eq 2
check_num "without_escapes" "$(grep -c "$(printf '\033')" "$tmp/out")" -eq 0
check "top_names_the_port" grep -Eq "^80 +$(in_ctl list -c -p 80) " "$tmp/out"
check "top_names_the_source" grep -Eq "^203.0.0.0/16 +1[0-9][0-9] " "$tmp/out"
flood $http_port 3000 500 -s 9 >/dev/null &
flooding=$!
json "top_in_json" 'len(d["frames"]),
    400 < d["frames"][-1]["rates"]["syns"] < 600' "3 True" top -j -n 3 -d 1
wait $flooding
for signal in INT TERM; do
	"$ctl" -n "$srv" top -b >"$tmp/frames" 2>&1 &
	pid=$!
	wait_for 5 grep -q SOURCE "$tmp/frames"
	kill -$signal $pid
	wait $pid
	check_num "frames_end_by_SIG$signal" $? -eq 0
done
ho_sysctl max_port_backlog 200
flood $http_port 2500 500 -s 11 -S 203.0.113.0/24 >/dev/null &
flooding=$!
wait_for 10 in_srv grep -q "^$http_port .*pressure:1" /proc/net/halfopen_ports
LANG=C.UTF-8 seg "$tools/ctl.py" capture "$tmp/screen" "$ctl" -n "$srv" top
wait $flooding
ho_sysctl max_port_backlog 49152
tap_note <"$tmp/screen"
check "screen_says_that_it_is_an_attack" grep -q "ATTACK.* $http_port" "$tmp/screen"
check "screen_names_the_port" grep -q "^80 " "$tmp/screen"
check "and_the_source" grep -q "^203.0.0.0/16 " "$tmp/screen"
check_num "and_is_full" "$(wc -l <"$tmp/screen")" -ge 18
LANG=C.UTF-8 seg_tap "$tools/ctl.py" terminal "$ctl" -n "$srv" top -d 0.3

# --- where the output goes ------------------------------------------------------

# shellcheck disable=SC2016
check_str "reader_that_goes_away_is_no_error" \
    "$(in_srv dash -c '"$1" list | head -n 1 | wc -l' - "$ctl" 2>&1)" 1
# shellcheck disable=SC2016
fails "full_disk_is_one" 1 "cannot write the output: No space left" \
    in_srv dash -c '"$1" list >/dev/full' - "$ctl"
# shellcheck disable=SC2016
fails "so_is_no_stdout" 1 "cannot write the output" \
    in_srv dash -c 'exec "$1" list >&-' - "$ctl"

# --- drain --------------------------------------------------------------------

stop_server
run in_ctl drain -t 1
check_num "drain_that_takes_too_long_fails" "$rc" -eq 1
check "and_says_what_is_left" grep -Eq \
    "time is up after 1 s, [0-9]+ entries are left. net.halfopen.mode stays 0.*set mode=1" \
    "$tmp/err"
check "with_progress" grep -Eq "^draining: [0-9]+ of [0-9]+ entries left, 0 s" \
    "$tmp/err"
check_str "mode_stays" "$(ho_sysctl mode)" 0
in_ctl set mode=1 >/dev/null
"$ctl" -n "$srv" drain -q >"$tmp/out" 2>"$tmp/err" &
pid=$!
wait_for 5 is -eq 0 ho_sysctl mode
kill -TERM $pid
wait $pid
check_num "signal_ends_drain" $? -eq 1
check "which_says_so" grep -q "stopped after 0 s, [0-9]* entries are left" \
    "$tmp/err"

in_ctl set mode=1 synack_retries=1 synack_timeout_ms=1000 >/dev/null
in_cli "$tools/clients" "$srv4" $http_port 10 20 1000 >"$tmp/clients" &
clients=$!
flood $http_port 500 100 -s 10 >/dev/null
run in_ctl drain
check_num "drain_under_traffic" "$rc" -eq 0
check_num "leaves_nothing" "$(half_open)" -eq 0
check "and_says_how_to_go_on" grep -q \
    "^The table is empty .*'rmmod halfopen'.*'halfopenctl set mode=1'" "$tmp/out"
json "drain_of_nothing_in_json" 'd["drained"], d["left"]' "True 0" drain -j
wait $clients
check_str "nobody_was_lost" \
    "$(sed -n 's/^total \([0-9]* [0-9]*\) .*/\1/p' "$tmp/clients")" "200 0"
check_json
finish
