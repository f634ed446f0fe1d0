#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make bench: what halfopen costs, side by side with the stack's own ways: in
# instructions, selftests/bench in a VM on a stock kernel; by the wall clock, in
# UML (bench-uml.sh) and with one CPU against two.
#
#   bench.sh [--base COMMIT] [--update]
#   bench.sh --check
#
# --base COMMIT: that commit's module as well, and the difference in percent.
# --update: selftests/bench/figures.tsv anew.  --check: the short one of
# make check, as TAP; a figure that is more than 2 % above that file's fails.
#
# A table goes to stdout; that table, a picture and the figures as TSV are left
# in the cache, in bench/.
set -u
. "$(dirname "$0")/common.sh"

kernel=6.1
figures=$ho_top/selftests/bench/figures.tsv
base=
update=
check=
while [ $# -gt 0 ]; do
	case $1 in
	--update) update=y ;;
	--check) check=y ;;
	--base)
		[ $# -gt 1 ] || die "$1 needs a value"
		base=$2
		shift
		;;
	*) die "unknown option $1" ;;
	esac
	shift
done
py() {
	python3 -I -B "$ho_top/scripts/bench.py" "$@"
}

work=$(mktemp -d "$ho_cache/bench.XXXXXX") || exit 1
cleanup() {
	local jobs
	mapfile -t jobs < <(jobs -p)
	[ ${#jobs[@]} -eq 0 ] || kill "${jobs[@]}" 2>/dev/null
	[ ! -d "$work/base" ] ||
		git -C "$ho_top" worktree remove --force "$work/base"
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# guest NAME KO VARIABLES PART...: what they say, into NAME.out.  A VM has one
# thread.
guest() {
	local name=$1 ko=$2 variables=$3
	shift 3
	say "$name: $*"
	"$ho_top/scripts/vm.sh" --kernel "$kernel" --exact --memory 2048 \
	    --timeout 3600 --ko "$ko" --command "export $variables
		for part in $*; do
			dash selftests/bench/\$part.sh || exit 1
		done" >"$work/$name.out" || {
		tail -n 20 "$work/$name.out" >&2
		die "$name did not come to its end"
	}
	say "$name: done"
}

# module TREE NAME: of that tree, put where no other build's end takes it away.
module() {
	local dir
	dir=$("$1/scripts/kernel.sh" module "$kernel") &&
		cp "$dir/halfopen.ko" "$work/$2.ko"
}

module "$ho_top" this || exit 1
short=(syn ingress connection segment expiry)

# An unlucky namespace may be met by both of a figure's measurements.
if [ -n "$check" ]; then
	for run in 1 2 3; do
		guest "run-$run" "$work/this.ko" "HO_BENCH_SHORT=y HO_BENCH_NATIVE=n" \
		    "${short[@]}"
		py check "$figures" "$work"/run-*.out >"$work/tap" && break
	done
	cat "$work/tap"
	! grep -q '^not ok' "$work/tap"
	exit
fi

"$ho_top/scripts/deps.sh" build vm demo || exit 1
out=$ho_cache/bench
rm -rf "$out"
mkdir -p "$out"
release=$("$ho_top/scripts/kernel.sh" release "$kernel") || exit 1

# both_guests NAME KO VARIABLES
both_guests() {
	local pid rc=0
	guest "$1" "$2" "$3" "${short[@]}" stray memory idle &
	pid=$!
	guest "$1-scale" "$2" "$3" scale || rc=1
	wait $pid || rc=1
	cat "$work/$1.out" "$work/$1-scale.out" >"$out/$1.log"
	return $rc
}

both_guests this "$work/this.ko" HO_BENCH_NATIVE=y || exit 1
if [ -n "$base" ]; then
	git -C "$ho_top" worktree add --detach "$work/base" "$base" \
	    >"$ho_logs/bench-worktree.log" 2>&1 ||
		die "no commit $base, see $ho_logs/bench-worktree.log"
	module "$work/base" base || exit 1
	both_guests base "$work/base.ko" HO_BENCH_NATIVE=n || exit 1
fi
# By the wall clock: nothing else ought to run meanwhile.
"$ho_top/scripts/bench-uml.sh" >"$out/uml.log" || exit 1
# Two CPUs that run at the same time take a kernel without static keys.
"$ho_top/scripts/vm.sh" --kernel plain --timeout 1800 \
    --command "exec dash selftests/bench/smp.sh" >"$out/smp.log" || exit 1
py tsv "$out/this.log" >"$out/figures.tsv"
{
	py table "$release" "$out"/{this,base}.log
	py table "wall clock, UML" "$out/uml.log"
	py table "wall clock, two emulated CPUs" "$out/smp.log"
} | tee "$out/table.txt"
py picture "$out/this.log" >"$out/syn.dat"
gnuplot <<-END
	set terminal pngcairo size 900,480 font "sans,12" background rgb "white"
	set output "$out/bench.png"
	set title "{/:Bold A SYN that is answered}, instructions past the input hook on $release\n(at ingress: past the device)"
	set style data histograms
	set style histogram clustered gap 1
	set style fill solid 1 noborder
	set boxwidth 0.9
	set grid ytics linecolor rgb "#d0d0d0"
	set tics nomirror
	set border 3
	set key top left reverse Left
	set yrange [0:*]
	set datafile separator "\t"
	plot "$out/syn.dat" using 2:xtic(1) linecolor rgb "#2858b0" title "IPv4", \
	     "" using 3 linecolor rgb "#d88018" title "IPv6"
END
if [ -n "$update" ]; then
	{
		echo "# Of make bench UPDATE=y on $release; make check fails 2 % above these."
		cat "$out/figures.tsv"
	} >"$figures"
	say "written: ${figures#"$ho_top/"}"
fi
say "table.txt, figures.tsv and bench.png are in $out"
