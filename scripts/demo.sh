#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make demo: the same SYN flood against the same nginx on a stock kernel three
# times: native without cookies, native with cookies, halfopen.
#
#   demo.sh [--kernel TARGET] [--rate SYNS_PER_SECOND] [--seconds S]
set -u
. "$(dirname "$0")/common.sh"

kernel=6.1
rate=2000
seconds=20
while [ $# -gt 0 ]; do
	case $1 in
	--kernel | --rate | --seconds)
		[ $# -gt 1 ] || die "$1 needs a value"
		declare "${1#--}=$2"
		shift
		;;
	*) die "unknown option $1" ;;
	esac
	shift
done

"$ho_top/scripts/deps.sh" build vm demo || exit 1

out=$ho_cache/demo
rm -rf "$out"
mkdir -p "$out"
release=$("$ho_top/scripts/kernel.sh" release "$kernel") || exit 1
say "booting $release in an emulated machine with 2 CPUs"
"$ho_top/scripts/vm.sh" --kernel "$kernel" --timeout 400 --out "$out" \
    --add "$ho_top/scripts/demo-guest.sh" --command \
    "export DEMO_RATE=$rate DEMO_SECONDS=$seconds
     exec dash /ho/demo-guest.sh" || die "the demo did not run to its end"

data=$out/seconds.dat
[ "$(wc -l <"$out/summary.dat")" -eq 3 ] || die "the demo left no data"

summary() {
	printf '\n%-16s %8s %7s %6s %9s %9s %9s %9s %8s %8s\n' \
	    "" clients clients "" "p50 conn." "p99 conn." "half-open" \
	    "half-open" request cookies
	printf '%-16s %8s %7s %6s %9s %9s %9s %9s %8s %8s\n' \
	    "" ok failed "ok %" ms ms listener halfopen sockets sent
	awk -F '|' '{
		printf "%-16s %8d %7d %6.1f %9s %9s %9d %9d %+8d %8d\n", $1,
		       $2, $3, 100 * $2 / ($2 + $3), $4, $5, $6, $7, $8, $9
	}' "$out/summary.dat"
	printf '\nflood: %d SYN/s for %d s from random sources;' \
	    "$rate" "$seconds"
	printf ' half-open: the most in any second;\n'
	printf 'connect times of those who got in\n'
}

# flooded PHASE first|last: second of the flood.
flooded() {
	awk -v p="$1" -v end="$2" '$2 == p && $3 > 0 {
		if (!first) first = $1
		last = $1
	}
	END { print end == "first" ? first - 0.5 : last + 0.5 }' "$data"
}

# edge PHASE: where it ends on the time axis.
edge() {
	awk -v p="$1" '$2 == p { last = $1 } END { print last + 0.5 }' "$data"
}

# One picture that explains itself: who was served, and who held the flood.
picture() {
	local p names=("" "native queue" "native, SYN cookies" "halfopen") marks=""
	local served titles=""
	for p in 1 2 3; do
		marks="$marks
			set object rectangle from $(flooded "$p" first), graph 0 \
			to $(flooded "$p" last), graph 1 behind \
			fillcolor rgb '#f3e3dc' fillstyle solid noborder"
		served=$(sed -n "${p}p" "$out/summary.dat" | awk -F '|' \
		    '{ printf "%.0f", 100 * $2 / ($2 + $3) }')
		titles="$titles
			set label '{/:Bold ${names[p]}}: $served % of clients served' \
			at $(awk -v p="$p" \
			    '$2 == p { n++; s += $1 } END { print s / n }' \
			    "$data"), graph 1.07 center"
	done
	for p in 1 2; do
		marks="$marks
			set arrow from $(edge "$p"), graph 0 to $(edge "$p"), \
			graph 1 nohead linewidth 2 linecolor rgb '#707070'"
	done
	gnuplot <<-END
	set terminal pngcairo size 1200,720 font "sans,12" background rgb "white"
	set output "$out/demo.png"
	set multiplot layout 2,1 title \
	    "{/:Bold=15 $rate SYN/s against nginx, 20 real clients a second}\n$release, 2 emulated CPUs; shaded: the flood" \
	    margins 0.075,0.985,0.12,0.86 spacing 0,0.07
	set grid ytics linecolor rgb "#d0d0d0"
	set tics nomirror
	set border 3
	set xrange [0:$(edge 3)]
	set key inside center left samplen 2 opaque box linecolor rgb "#d0d0d0"
	$marks
	$titles
	set style fill solid 1 noborder
	set format x ""
	set ylabel "clients per second"
	set yrange [0:*]
	plot "$data" using 1:6 with fillsteps linecolor rgb "#c4e2ca" notitle, \
	     "" using 1:6 with steps linewidth 3 \
		linecolor rgb "#2c8c3c" title "served", \
	     "" using 1:7 with steps linewidth 3 \
		linecolor rgb "#c8302c" title "failed"
	unset label
	set format x "%g"
	set ylabel "half-open connections"
	set xlabel "seconds"
	set logscale y
	set format y "10^{%L}"
	set yrange [1:*]
	plot "$data" using 1:(\$4 > 0 ? \$4 : 1) with steps linewidth 3 \
		linecolor rgb "#d88018" title "in the listener", \
	     "" using 1:(\$5 > 0 ? \$5 : 1) with steps linewidth 3 \
		linecolor rgb "#2858b0" title "in halfopen"
	END
}

terminal() {
	gnuplot <<-END
	set terminal dumb 79 22
	set title "clients served and failed per second: native | native, cookies | halfopen"
	set xlabel "seconds"
	set key below
	set xrange [0:$(edge 3)]
	set yrange [0:*]
	set arrow from $(edge 1), graph 0 to $(edge 1), graph 1 nohead
	set arrow from $(edge 2), graph 0 to $(edge 2), graph 1 nohead
	plot "$data" using 1:6 with points pointtype "o" title "served", \
	     "" using 1:7 with points pointtype "x" title "failed"
	END
}

summary
terminal
picture
say "picture: $out/demo.png"
