#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every static check, one TAP line each.  Objects are built in a copy.
set -u
. "$(dirname "$0")/common.sh"
cd "$ho_top" || exit 1

# checkpatch types that mean nothing here, or are checked better elsewhere.
ignore=(
	# lists of counters are X-macros: X is a macro's name, not a value
	COMPLEX_MACRO MACRO_ARG_REUSE MACRO_ARG_UNUSED
	# out of tree there is no MAINTAINERS
	FILE_PATH_CHANGES
	# check-ifdef.sh knows where a version test is allowed
	LINUX_VERSION_CODE
)

mapfile -t c_files < <(find module include kunit -name '*.[ch]' \
    ! -name '*.mod.c' | sort)
mapfile -t tools_files < <(find selftests -name '*.[ch]' | sort)
mapfile -t ctl_files < <(find scripts/halfopenctl -name '*.[ch]' | sort)
mapfile -t headers < <(find include/halfopen -name '*.h' | sort)
mapfile -t scripts < <(find scripts selftests .ci -type f 2>/dev/null |
	sort | xargs grep -lE '^#!.*\b(ba)?sh\b|shellcheck shell=')

# checkpatch_of TYPES FILE...: TYPES mean nothing in these files, either.
checkpatch_of() {
	local IFS=, types
	types="${ignore[*]}${1:+,$1}"
	shift
	"$tools/scripts/checkpatch.pl" --no-tree --no-summary --strict --terse \
	    --show-types --max-line-length=80 --ignore "$types" -f "$@"
}

# In a program a signal handler's flag is volatile, in the kernel nothing is, and
# there are no macros for attributes.  A sentence that somebody reads stays in one
# piece, so that it can be found.  Tracepoints have a layout of their own.
checkpatch() {
	local bad=0 trace=include/halfopen/trace.h plain
	mapfile -t plain < <(printf '%s\n' "${c_files[@]}" | grep -vx "$trace")
	checkpatch_of "" "${plain[@]}" Kbuild || bad=1
	checkpatch_of PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE,TRAILING_SEMICOLON \
	    "$trace" || bad=1
	checkpatch_of VOLATILE "${tools_files[@]}" || bad=1
	checkpatch_of VOLATILE,PREFER_DEFINED_ATTRIBUTE_MACRO,LONG_LINE_STRING \
	    "${ctl_files[@]}" || bad=1
	return $bad
}

# No warning, and a comment for every function that a header declares; the
# wrappers of compat.h stand for functions that the kernel documents.
kernel_doc() {
	local out bad=0 f fn
	! "$tools/scripts/kernel-doc" -none "${c_files[@]}" 2>&1 |
		grep -iE 'warning:|error:' || bad=1
	for f in "${headers[@]}"; do
		out=$("$tools/scripts/kernel-doc" -none -v -Wall "$f" 2>&1)
		grep -iE 'warning:|error:' <<<"$out" && bad=1
		[ "${f##*/}" != compat.h ] || continue
		while read -r fn; do
			grep -qE "Scanning doc for function $fn\$" <<<"$out" &&
				continue
			echo "$f: $fn() has no kernel-doc"
			bad=1
		done < <(sed -nE 's/^[a-z][a-z0-9_ *]*[ *](ho_\w+)\(.*/\1/p' "$f")
	done
	return $bad
}

spelling() {
	local list
	mapfile -t list < <(find . -path ./.git -prune -o -type f \
	    -regex '.*\.\([chS]\|sh\|md\|txt\|config\|yml\|json\|bt\|service\|timer\|[1-9]\)\|.*/Makefile\|.*/Kbuild' \
	    -print)
	codespell -q 3 -L iif,nd "${list[@]}"
}

# Whether a page that they refer to is installed here does not matter.
man_pages() {
	! mandoc -T lint -W style scripts/man/*.[1-9] 2>&1 |
		grep -vE 'outdated mandoc.db|referenced manual not found'
}

# The kernel's own semantic patches, as "make coccicheck" would run them, but for
# a few that are programs in OCaml.
coccinelle() {
	local out
	# What spatch itself says is about the patches, unless it fails.
	out=$(grep -lr '^virtual report' "$tools/scripts/coccinelle" |
		xargs grep -L 'script:ocaml' | sort |
		xargs -P "$(nproc)" -I '{}' spatch -D report --very-quiet \
		    --no-show-diff --cocci-file '{}' -I include \
		    module include kunit 2>"$work/spatch") || {
		cat "$work/spatch"
		return 1
	}
	! grep . <<<"$out"
}

# Except SC2016: backquotes and $ in single quotes are meant as they stand;
# SC2317: functions are called by name, by a trap for example.
shell_scripts() {
	shellcheck -x -P SCRIPTDIR -e SC2016,SC2317 "${scripts[@]}"
}

# The kernel's own headers are not the subject, and bit-fields not what gcc 12
# follows: it takes them for uninitialised right after memset().
no_analyzer_warning() {
	! sed "s|$work/[^/]*/||" "$1" |
		grep -E '^(\./)?(module|include/halfopen)/.*\[-Wanalyzer' |
		grep -v 'Wanalyzer-use-of-uninitialized-value'
}

# The kernel's own headers are not the subject.  Nor is the balance of locks: a
# function that locks or returns NULL (ho_table_lock()) cannot be told to sparse,
# and lockdep watches them all in the UML kernel.
no_sparse_warning() {
	! sed "s|$work/[^/]*/||" "$1" |
		grep -E '^(\./)?(module|include/halfopen)/[^:]*:[0-9:]+ (warning|error):' |
		grep -v '\[-Wanalyzer'
}

tools=$(source_tools) || exit 1
work=$(mktemp -d "$ho_cache/lint.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

say "sources"
tap_run "lint: checkpatch" checkpatch
tap_run "lint: kernel-doc" kernel_doc
tap_run "lint: codespell" spelling
tap_run "lint: shellcheck" shell_scripts
tap_run "lint: coccinelle" coccinelle
tap_run "lint: layers" scripts/check-layers.sh
tap_run "lint: man pages" man_pages
tap_run "lint: docs" scripts/check-docs.sh
tap_run "lint: commands" scripts/check-commands.sh
tap_run "lint: monitoring" scripts/check-monitoring.sh

kdirs=()
for target in $(scripts/kernel.sh targets); do
	kdir=$(scripts/kernel.sh build "$target") || exit 1
	kdirs+=("$kdir")
	# The others come from another Debian, whose build root has no sparse.
	[[ $kdir == /usr/src/* ]] || continue
	log=$ho_logs/lint-$target.log
	copy_tree "$work/$target"
	with_progress "objects for $target, with sparse and -fanalyzer" "$log" \
	    make -C "$kdir" M="$work/$target" C=2 \
	    CF="-D__CHECK_ENDIAN__ -Wno-context" KCFLAGS=-fanalyzer \
	    CONFIG_DEBUG_INFO= CONFIG_DEBUG_INFO_BTF_MODULES= \
	    -j"$(nproc)" modules
	if [ ! -e "$work/$target/halfopen.ko" ]; then
		tap_not_ok "lint: sparse-$target" "$(grep -E 'rror' "$log" |
			head -n 20)"
		continue
	fi
	tap_run "lint: sparse-$target" no_sparse_warning "$log"
	tap_run "lint: analyzer-$target" no_analyzer_warning "$log"
	tap_run "lint: pure-$target" scripts/check-pure.sh "$work/$target"
	tap_run "lint: namespace-$target" \
	    scripts/check-namespace.sh "$work/$target"
	tap_run "lint: symbols-$target" \
	    scripts/check-symbols.sh "$work/$target" "$kdir"
done
tap_run "lint: ifdef" scripts/check-ifdef.sh "${kdirs[@]}"
tap_end
