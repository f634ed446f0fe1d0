#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run the KUnit suites: build a UML kernel (once, in the cache), the test
# module, boot, load, unload, and print one TAP line per test case.
#
#   kunit.sh [--kernel-only] [--coverage] [GLOB]
#
# GLOB is KUnit's filter (halfopen_fsm, halfopen_*.parse*).  --coverage prints
# the line coverage of module/core and module/state.  --kernel-only stops after
# the kernel is built and prints its directory.
set -u
. "$(dirname "$0")/uml.sh"

coverage=
kernel_only=
glob=
for arg; do
	case $arg in
	--coverage) coverage=y ;;
	--kernel-only) kernel_only=y ;;
	-*) die "unknown option $arg" ;;
	*) glob=$arg ;;
	esac
done

config=$ho_top/scripts/uml.config

# Every symbol that the fragment asks for has to survive Kconfig: a missing
# dependency would otherwise switch a checker off in silence.
configure() {
	local src=$1 dir=$2 line bad=
	make -C "$src" ARCH=um O="$dir" KCONFIG_ALLCONFIG="$config" \
	    allnoconfig || return 1
	while read -r line; do
		grep -qxF "$line" "$dir/.config" || bad="$bad $line"
	done < <(grep '^CONFIG_' "$config")
	[ -z "$bad" ] || echo "not in the final .config:$bad"
	[ -z "$bad" ]
}

# UML 6.12 keeps 2.7 KB for a task's vector registers and hands all of it back
# to the host, which refuses any other size than its own: on a CPU with AMX
# (11 KB) no program starts.  Let it use the old FXSAVE area there; 6.13 asks
# the host for the size.
fix_xstate() {
	local file=$1/arch/x86/um/os-Linux/registers.c
	local old='pid, NT_X86_XSTATE, &iov) == 0)'
	local new='pid, NT_X86_XSTATE, \&iov) == 0 \&\& iov.iov_len < FP_SIZE * sizeof(unsigned long))'

	grep -q 'iov_len < FP_SIZE' "$file" || grep -q host_fp_size "$file" ||
		sed -i "s/$old/$new/" "$file"
}

compile() {
	local src=$1 dir=$2
	fix_xstate "$src"
	configure "$src" "$dir" &&
		nice make -C "$src" ARCH=um O="$dir" -j"$(nproc)" linux modules
}

# Print the directory of the built kernel.  The key names all it depends on;
# the source stays in the cache too, as an O= build refers back to it.
uml_kernel() {
	local version hash dir src
	version=$(source_version) || exit 1
	hash=$( (cat "$config"; gcc --version) | sha256sum | cut -c1-12)
	dir=$ho_cache/uml/$version-$hash
	mkdir -p "$dir"
	exec 8>"$dir.lock"
	flock 8
	if [ ! -e "$dir/.complete" ]; then
		src=$(source_tree) || exit 1
		with_progress "building the UML kernel" "$ho_logs/uml-build.log" \
		    compile "$src" "$dir" || {
			tail -n 20 "$ho_logs/uml-build.log" >&2
			die "the UML kernel does not build"
		}
		touch "$dir/.complete"
	fi
	exec 8>&-
	echo "$dir"
}

kernel=$(uml_kernel) || exit 1
[ -z "$kernel_only" ] || {
	echo "$kernel"
	exit 0
}

uml_work kunit
log=$work/build.log
console=$ho_logs/kunit-console.log

copy_tree "$work/tree"
with_progress "building the test module" "$log" \
    make -C "$kernel" ARCH=um M="$work/tree" HO_KUNIT=1 \
    ${coverage:+GCOV_PROFILE=y} -j"$(nproc)" halfopen_kunit.ko || {
	cp "$log" "$ho_logs/kunit-build.log"
	grep -E 'error|warning|undefined|ERROR' "$log" | head -n 20 >&2
	die "the test module does not build, see $ho_logs/kunit-build.log"
}

warnings=$(grep -E 'warning: ' "$log" | sed "s|$work/tree/||")

say "running the suites"
uml_boot "$kernel" "$console" kunit.enable=1 \
    ${glob:+kunit.filter_glob="$glob"} \
    init="$ho_top/scripts/uml-init.sh" \
    ho_module="$work/tree/halfopen_kunit.ko"

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

uml_verdict kunit "$console"
tap_run "kunit: module_unloads" test -e "$work/out/unloaded"

# kunit/core.c includes the sources under test, so its object counts for all.
if [ -n "$coverage" ]; then
	cp "$work"/out/*.gcda "$work/tree/kunit/"
	(cd "$work/tree" && gcov -n kunit/*.gcda) 2>/dev/null | awk -F"'" '
		/^File/ { file = $2 }
		/^Lines executed/ && file ~ /module\/(core|state)\// {
			sub(/.*\/module\//, "module/", file)
			sub(/^Lines executed:/, "")
			print "# coverage: " file ": " $0
			file = ""
		}' | sort
fi
tap_end
