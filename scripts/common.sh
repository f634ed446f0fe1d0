# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced by the build and check scripts: where things are, progress lines,
# TAP results, and the kernel sources from Debian's linux-source package.
#
# Results go to stdout as TAP, progress and complaints to stderr, output of
# builds to log files in the cache.

ho_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ho_cache=${XDG_CACHE_HOME:-$HOME/.cache}/halfopen
ho_logs=$ho_cache/logs
ho_source_pkg=linux-source-6.12
mkdir -p "$ho_logs"

# One clock for a script and those it calls.
export HO_START=${HO_START:-$EPOCHSECONDS}

say() {
	printf '# [%4ds] %s\n' $((EPOCHSECONDS - HO_START)) "$*" >&2
}

die() {
	printf '# %s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# with_progress LABEL LOG COMMAND...: run the command with its output in LOG
# and say every ten seconds that it is still at it.  Returns its exit code.
with_progress() {
	local label=$1 log=$2 pid start=$SECONDS next
	shift 2
	say "$label"
	"$@" >"$log" 2>&1 &
	pid=$!
	next=$((SECONDS + 10))
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		if [ "$SECONDS" -ge "$next" ]; then
			say "$label: $((SECONDS - start)) s," \
			    "$(wc -l <"$log") lines of output"
			next=$((SECONDS + 10))
		fi
	done
	wait "$pid"
}

# --- TAP ---------------------------------------------------------------------

tap_count=0
tap_failed=0

tap_details() {
	[ -z "${1:-}" ] || printf '%s\n' "$1" | sed 's/^/#   /'
}

# tap_ok NAME [DETAILS], tap_not_ok NAME [DETAILS], tap_skip NAME REASON
tap_ok() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1"
	tap_details "${2:-}"
}

tap_not_ok() {
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	tap_details "${2:-}"
}

tap_skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# tap_run NAME COMMAND...: one result from an exit code; what the command
# prints is shown only if it failed.
tap_run() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		tap_ok "$name"
	else
		tap_not_ok "$name" "$(head -n 40 <<<"${out:-exit code not 0}")"
	fi
}

# The plan comes last: a script that dies half-way has none, and that shows.
tap_end() {
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ]
}

# --- sources -----------------------------------------------------------------

source_version() {
	dpkg-query -W -f '${Version}' "$ho_source_pkg" 2>/dev/null |
		grep . || die "package $ho_source_pkg is not installed"
}

# extract DIR [MEMBER...]: unpack the source package (or some members of it)
# into DIR once; safe to be called twice at a time.
extract() {
	local dir=$1
	shift
	(
		mkdir -p "$(dirname "$dir")"
		exec 9>"$dir.lock"
		flock 9
		[ -e "$dir/.complete" ] && exit 0
		rm -rf "$dir"
		mkdir -p "$dir"
		say "unpacking $ho_source_pkg"
		nice tar -C "$dir" --strip-components=1 \
		    -xJf "/usr/src/$ho_source_pkg.tar.xz" \
		    "${@/#/$ho_source_pkg/}" || exit 1
		touch "$dir/.complete"
	) || die "cannot unpack $ho_source_pkg"
}

# Print the directory of the whole kernel source, unpacking it if needed.
source_tree() {
	local dir
	dir=$ho_cache/src/$ho_source_pkg-$(source_version) || exit 1
	extract "$dir"
	echo "$dir"
}

# Print the directory with only the kernel's checking tools.
source_tools() {
	local dir
	dir=$ho_cache/src/checkers-$(source_version) || exit 1
	extract "$dir" scripts/checkpatch.pl scripts/spelling.txt \
	    scripts/const_structs.checkpatch scripts/kernel-doc \
	    scripts/coccinelle
	echo "$dir"
}

# copy_tree DIR: what is needed to build the modules, so that no build leaves
# anything in the working tree.
copy_tree() {
	rm -rf "$1"
	mkdir -p "$1"
	(cd "$ho_top" && for f in Kbuild include module kunit; do
		[ ! -e "$f" ] || echo "$f"
	done | tar --exclude='*.o' --exclude='*.ko' --exclude='.*.cmd' \
	    -T - -cf -) | tar -C "$1" -xf -
}

# without_asked_for FILE: the kernel's log, without the stacks that it shows for
# allocations which a test made fail.
without_asked_for() {
	awk '/FAULT_INJECTION: forcing a failure/ ||
	     /kmem_cache_create.*\(halfopen.*failed with error/ ||
	     /percpu: allocation failed/ { asked = 1 }
	     asked && /Call Trace/ { asked = 0; next }
	     { print }' "$1"
}
