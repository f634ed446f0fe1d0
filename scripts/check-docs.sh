#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# README.md and the man page halfopen(4) describe the code and nothing else:
#
# - every sysctl, counter, module parameter, tracepoint and file in /proc of the
#   code stands in both, and neither names one that the code does not have;
# - type, unit, default and range of each sysctl and parameter are the same in
#   both; those of a sysctl are what selftests/sysctl.sh asserts of the module
#   that runs, those of a parameter what module/main.c and limits.h say;
# - both have the same sentences for a counter, word by word.
#
# In README.md these names are in backquotes; there a sysctl is
# `net.halfopen.NAME`, or opens a table row or list entry like a counter or a
# parameter does: | `NAME` | or - `NAME`.  In the man page they are items of the
# list in their section.
set -u
cd "$(dirname "$0")/.." || exit 1
man=scripts/man/halfopen.4
bad=0

[ -e README.md ] || { echo "no README.md"; exit 1; }
[ -e $man ] || { echo "no $man"; exit 1; }

complain() {
	echo "$*"
	bad=1
}

# --- names --------------------------------------------------------------------

sysctls=$(sed -nE 's/.*HO_KNOB(_FN)?\(KNOB_\w+, "([^"]+)".*/\2/p' \
    module/sysctl.c 2>/dev/null)
counters=$(cat include/halfopen/counters.h include/halfopen/stats.h 2>/dev/null |
	sed -nE 's/^[[:space:]]*X\((\w+),.*/\1/p')
params=$(sed -nE 's/^module_param(_named)?\((\w+),.*/\2/p' \
    module/*.c module/*/*.c 2>/dev/null)
traces=$(sed -nE 's/^DEFINE_EVENT(_PRINT)?\(ho_conn_event, (\w+),.*/\2/p' \
    include/halfopen/trace.h)
files=$(sed -nE 's,.*proc_create_net\("(\w+)".*,/proc/net/\1,p' module/*.c
	sed -nE 's,^\s*\{ "(\w+)"\, ho_\w+ \}.*,/proc/net/\1,p' module/usage.c
	sed -nE 's,^\s*\{ "(\w+)"\, (0|HO_).*,/proc/net/stat/\1,p' module/stats.c)

# An empty list is a wrong pattern here rather than a module without any.
for list in sysctls counters params traces files; do
	[ -n "${!list}" ] || complain "found no $list in the code"
done

# of_man SECTION MACRO: names in the lists of a section.
of_man() {
	awk -v section="$1" -v macro="$2" '
		/^\.Sh / { inside = $0 == ".Sh " section }
		inside && $1 == ".It" && $2 == macro { print $3 }' $man
}

# same WHAT CODE MAN: two lists of names.
same() {
	local name
	while read -r name; do
		[ -z "$name" ] || complain "$man does not describe the $1 $name"
	done < <(comm -23 <(sort -u <<<"$2") <(sort -u <<<"$3"))
	while read -r name; do
		[ -z "$name" ] ||
			complain "$man describes the $1 $name, which the code does not have"
	done < <(comm -13 <(sort -u <<<"$2") <(sort -u <<<"$3"))
	[ -z "$(sort <<<"$3" | uniq -d)" ] ||
		complain "$man describes twice:" "$(sort <<<"$3" | uniq -d)"
}

same sysctl "$sysctls" \
    "$(of_man "SYSCTL VARIABLES" Va | sed 's/^net\.halfopen\.//')"
same counter "$counters" "$(of_man COUNTERS Va)"
same parameter "$params" "$(of_man "MODULE PARAMETERS" Cm)"
same tracepoint "$traces" "$(of_man TRACEPOINTS Ic)"
same file "$files" "$(of_man FILES Pa | grep '^/proc/')"

code=$(printf '%s\n' "$sysctls" "$counters" "$params" "$traces" | grep . | sort -u)
words=$(grep -oE '`[^`]+`' README.md | tr -d '`' | sed 's/^net\.halfopen\.//')
for name in $code; do
	grep -qxF "$name" <<<"$words" || complain "README.md does not describe $name"
done
for name in $files; do
	grep -qxE "($name|${name##*/})" <<<"$words" ||
		complain "README.md does not describe $name"
done

# Names in the tables and lists of the sections that describe them.
documented=$(
	sed -nE 's/.*`net\.halfopen\.(\w+)`.*/\1/p' README.md
	awk '
	/^#+ / {
		inside = tolower($0) ~ /sysctl|counter|parameter|configure|observe/
		next
	}
	inside && /^(\||-|\*) *`/ {
		split($0, part, "`")
		name = part[2]
		sub(/^net\.halfopen\./, "", name)
		if (name ~ /^[a-z][a-z0-9_]*$/)
			print name
	}' README.md
)
while read -r name; do
	complain "README.md describes $name, which the code does not have"
done < <(
	grep . <<<"$documented" | grep -vxF "$code"
	grep -oE '/proc/net/(stat/)?halfopen\w*' README.md | grep -vxF "$files"
)

# --- defaults and ranges ------------------------------------------------------

# "NAME UNIT|DEFAULT|RANGE" of sysctls and parameters.
facts_of_man() {
	awk '
	/^\.Sh / { inside = /SYSCTL VARIABLES|MODULE PARAMETERS/ }
	!inside { next }
	$1 == ".It" { name = $3; sub(/^net\.halfopen\./, "", name); next }
	name != "" {
		line = $0
		sub(/\.$/, "", line)
		if (!match(line, /^(Unsigned integer|String), /)) {
			print name, "no line with its type"
		} else {
			line = substr(line, RLENGTH + 1)
			unit = ""
			if (line !~ /^default /) {
				unit = line
				sub(/, default .*/, "", unit)
				sub(/^.*, default /, "default ", line)
			}
			sub(/^default /, "", line)
			range = line
			sub(/^[^,]*, /, "", range)
			sub(/^range /, "", range)
			sub(/,.*/, "", line)
			print name, unit "|" line "|" range
		}
		name = ""
	}' $man | sort
}

facts_of_readme() {
	awk -F ' *[|] *' '
	/^\| (sysctl|parameter) / { kind = $2; next }
	!/^\|/ { kind = "" }
	kind && $2 ~ /^`/ {
		gsub(/`/, "")
		if (kind == "sysctl")
			print $2, $3 "|" $4 "|" $5
		else
			print $2, "|" $3 "|" $4
	}' README.md | sort
}

difference=$(diff <(facts_of_readme) <(facts_of_man)) ||
	complain "README.md (<) and $man (>) differ:" "$difference"

# "NAME DEFAULT FIRST LAST"; the watermarks bound each other.
asserted=$(
	awk '$1 == "knob" && NF == 5 { print $2, $3, $4, $5 }' selftests/sysctl.sh
	for name in $params; do
		default=$(sed -nE "s/^static unsigned int $name = (\w+);/\1/p" \
		    module/main.c)
		default=$(sed -nE "s/^\s*$default\s*= ([0-9]+),.*/\1/p" \
		    include/halfopen/limits.h)
		echo "$name ${default:-0}" "$(sed -nE \
		    "s/^MODULE_PARM_DESC\($name, .*\(([0-9]+) to ([0-9]+)\).*/\1 \2/p" \
		    module/main.c)"
	done
)
while read -r name default first last; do
	fact=$(facts_of_readme | sed -n "s/^$name //p")
	range=${fact##*|}
	range=${range/high/75}
	range=${range/low/50}
	[ "$(cut -d '|' -f 2 <<<"$fact"):${range%%[ ,]*}:${range##*[ ,]}" = \
	    "$default:$first:$last" ] ||
		complain "README.md says of $name: $fact; the code:" \
		    "$default, $first to $last"
done <<<"$asserted"
for name in $sysctls; do
	case $name in
	cookie_key | lifetime_ms | fastpath) ;;	# no number or read-only
	*) grep -q "^$name " <<<"$asserted" ||
		complain "selftests/sysctl.sh does not assert bounds of $name" ;;
	esac
done

# --- sentences ----------------------------------------------------------------

# "NAME WORD WORD ...", without marks.
words_of() {
	sed -E 's/[^A-Za-z0-9_]+/ /g; s/^ //; s/ $//' | tr '[:upper:]' '[:lower:]' |
		sort
}

sentences_of_man() {
	awk '
	/^\.Sh / { inside = $2 == "COUNTERS"; next }
	!inside || /^\.(Ss|Bl)/ { next }
	/^\.(It|El)/ {
		if (text != "")
			print text
		text = $1 == ".It" ? $3 : ""
		next
	}
	{
		if (/^\.[A-Z]/)
			sub(/^\.[A-Z][a-z] /, "")
		text = text " " $0
	}' $man | words_of
}

sentences_of_readme() {
	awk -F ' [|] ' -v names="$counters" '
	BEGIN {
		count = split(names, list, /[ \n]+/)
		for (i = 1; i <= count; i++)
			wanted["| `" list[i] "`"] = 1
	}
	wanted[$1] {
		sub(/ \|$/, "")
		print $1, $2
	}' README.md | words_of
}

difference=$(diff <(sentences_of_readme) <(sentences_of_man)) ||
	complain "README.md (<) and $man (>) differ:" "$difference"
exit $bad
