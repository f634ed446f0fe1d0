#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fuzz module/core in user space: the targets of selftests/fuzz, each for a
# fixed number of inputs from a fixed seed, beginning with its corpus.
#
#   fuzz.sh [TARGET...]	opts fsm ...; default: all.  HO_LONG=y: millions each
#   fuzz.sh --input HEX TARGET	this input alone: what a failure said
set -u
. "$(dirname "$0")/common.sh"
dir=$ho_top/selftests/fuzz

runs=100000
[ -z "${HO_LONG:-}" ] || runs=10000000
length=160	# the longest input that a target reads

alone=
input=
if [ "${1:-}" = --input ]; then
	[ $# -eq 3 ] || die "--input needs bytes in hex and a target"
	alone=y
	input=$2
	shift 2
fi

targets=("$@")
if [ $# -eq 0 ]; then
	mapfile -t targets < <(cd "$dir" && printf '%s\n' fuzz_*.c |
		sed 's/^fuzz_//; s/\.c$//')
fi

"$ho_top/scripts/deps.sh" fuzz || exit 1
work=$(mktemp -d "$ho_cache/fuzz.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# A compiler with a sanitizer takes its time: what did not change is kept.
build() {
	(
		exec 9>"$ho_cache/fuzz.lock"
		flock 9
		make -C "$dir" -j"$(nproc)" OUT="$ho_cache/fuzz" &&
			cp "$ho_cache/fuzz"/fuzz_* "$work/"
	)
}
with_progress "building the fuzz targets" "$ho_logs/fuzz-build.log" build || {
	tap_not_ok "fuzz: build" "$(grep -E 'error:|warning:' \
	    "$ho_logs/fuzz-build.log" | head -n 20)"
	tap_end
	exit 1
}

fuzz() {
	local target=$1
	shift
	nice "$work/fuzz_$target" -seed=1 -max_len=$length -timeout=10 \
	    -artifact_prefix="$work/$target." "$@"
}

# Without the stack of the fuzzer itself, then the input.
explain() {
	local target=$1 log=$2 found hex
	grep -E 'does not hold|ERROR|runtime error|SUMMARY|    #[0-9]+ .*(ho_|LLVMFuzzerTestOne)' \
	    "$log" | sed "s|$ho_top/||" | head -n 20
	for found in "$work/$target".*; do
		[ -e "$found" ] || continue
		hex=$(od -An -v -tx1 "$found" | tr -d ' \n')
		echo "input: ${hex:-none}"
		echo "again: scripts/fuzz.sh --input '$hex' $target"
	done
}

# The corpus is read, what is found goes elsewhere.
run() {
	local target=$1 log=$ho_logs/fuzz-$1.log start=$EPOCHREALTIME
	mkdir -p "$work/new.$target"
	if fuzz "$target" -runs=$runs -print_final_stats=1 \
	    "$work/new.$target" "$dir/corpus/$target" >"$log" 2>&1; then
		tap_ok "fuzz: $target"
		awk -v start="$start" -v end="$EPOCHREALTIME" '
			/number_of_executed/ { n = $2 }
			/DONE/ { edges = $4; features = $6 }
			END {
				printf "#   %d inputs, %d a second, ", n,
				       n / (end - start)
				printf "%d edges, %d features\n", edges, features
			}' "$log"
	else
		tap_not_ok "fuzz: $target" "$(explain "$target" "$log")"
	fi
}

if [ -n "$alone" ]; then
	for ((i = 0; i < ${#input}; i += 2)); do
		printf '%b' "\\x${input:i:2}"
	done >"$work/input"
	fuzz "${targets[0]}" "$work/input"
	exit
fi
for target in "${targets[@]}"; do
	[ -e "$work/fuzz_$target" ] || die "no target $target"
	say "$target: $runs inputs"
	run "$target"
done
tap_end
