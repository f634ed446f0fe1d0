#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run the KUnit suites: build a UML kernel (once, in the cache), the test
# module, boot, load, unload, and print one TAP line per test case.
#
#   kunit.sh [--kernel-only] [--counts DIR] [GLOB]
#
# GLOB is KUnit's filter (halfopen_fsm, halfopen_*.parse*).  --counts builds in
# DIR/tree and leaves there how often each line ran (coverage.sh).
# --kernel-only stops after the kernel is built and prints its directory.
set -u
. "$(dirname "$0")/uml.sh"
. "$(dirname "$0")/kernel-build.sh"

counts=
kernel_only=
glob=
while [ $# -gt 0 ]; do
	case $1 in
	--counts)
		counts=${2:?}
		shift
		;;
	--kernel-only) kernel_only=y ;;
	-*) die "unknown option $1" ;;
	*) glob=$1 ;;
	esac
	shift
done

kernel=$(kernel_build uml um "linux modules" "$ho_top/scripts/uml.config") ||
	exit 1
[ -z "$kernel_only" ] || {
	echo "$kernel"
	exit 0
}

uml_work kunit "$counts"
log=$work/build.log

with_progress "building the test module" "$log" \
    uml_build "$kernel" halfopen_kunit.ko HO_KUNIT=1 || {
	cp "$log" "$ho_logs/kunit-build.log"
	grep -E 'error|warning|undefined|ERROR' "$log" | head -n 20 >&2
	die "the test module does not build, see $ho_logs/kunit-build.log"
}

warnings=$(grep -E 'warning: ' "$log" | sed "s|$tree/||")

say "running the suites"
uml_boot "$kernel" kunit.enable=1 \
    ${glob:+kunit.filter_glob="$glob"} \
    init="$ho_top/scripts/uml-init.sh" \
    ho_module="$tree/halfopen_kunit.ko"

# From nested KTAP to one line per leaf: suite.test, or suite.test.parameter.
flatten() {
	awk -v begin="loading $uml_token" '
	function report(ok, name, why,   skip) {
		skip = ""
		if (match(name, / # SKIP/)) {
			skip = substr(name, RSTART)
			name = substr(name, 1, RSTART - 1)
		}
		sub(/ # .*/, "", name)
		print (ok ? "ok - " : "not ok - ") "kunit: " name skip
		if (!ok) {
			if (why != "")
				print "#   " why
			printf "%s", detail
			failed++
		}
		detail = ""
		lines = 0
	}
	function check_plan(d, what) {
		if (plan[d] != "" && plan[d] != results[d])
			report(0, what, "planned " plan[d] ", saw " results[d])
		plan[d] = ""
		results[d] = 0
	}
	$0 == begin { loading = 1 }
	!loading { next }
	{
		match($0, /^ */)
		d = RLENGTH / 4
		line = substr($0, RLENGTH + 1)
	}
	line ~ /^KTAP version/ {
		started = 1
		results[d] = 0
		plan[d] = ""
		next
	}
	!started { next }
	line ~ /^1\.\.[0-9]+$/ { plan[d] = substr(line, 4); next }
	line ~ /^# Subtest: / { name[d] = substr(line, 12); base[d] = failed; next }
	line ~ /^(not )?ok [0-9]+ / {
		ok = line !~ /^not/
		sub(/^(not )?ok [0-9]+ (- )?/, "", line)
		results[d]++
		if (d == 2) {
			report(ok, name[1] "." name[2] "." line)
		} else if (d == 1) {
			if (!results[2])
				report(ok, name[1] "." line)
			else if (!ok && failed == base[2])
				report(0, name[1] "." line)
			check_plan(2, name[1] "." line)
		} else {
			suite = line
			sub(/ # .*/, "", suite)
			if (!results[1])
				report(0, suite, "no test in it")
			else if (!ok && failed == base[1])
				report(0, suite)
			check_plan(1, suite)
		}
		next
	}
	line ~ /^# .*: pass:[0-9]+ fail:/ { next }
	lines++ < 30 { detail = detail "#   " line "\n" }
	END {
		if (!results[0])
			report(0, "suites", "no suite ran to its end")
		check_plan(0, "suites")
	}' "$1"
}

while read -r line; do
	case $line in
	"ok - "*)
		tap_count=$((tap_count + 1))
		echo "ok $tap_count - ${line#ok - }" ;;
	"not ok - "*)
		tap_count=$((tap_count + 1))
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - ${line#not ok - }" ;;
	*)
		echo "$line" ;;
	esac
done < <(flatten "$console")

if [ -z "$warnings" ]; then
	tap_ok "kunit: no_compiler_warning"
else
	tap_not_ok "kunit: no_compiler_warning" "$warnings"
fi

uml_verdict kunit
tap_run "kunit: module_unloads" test -e "$work/out/unloaded"
[ -z "$counts" ] || uml_counts
tap_end
