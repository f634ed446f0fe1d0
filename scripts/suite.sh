#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Packages of a Debian suite, which need not be this machine's, from the mirror
# that apt here uses.
#
#   suite.sh native SUITE              is it this machine's own?
#   suite.sh system SUITE              lines of sources.list for a system of it,
#                                      with its updates (and backports, if
#                                      SUITE is those)
#   suite.sh update SUITE              fetch its package lists
#   suite.sh refresh SUITE             ... if they are older than a day
#   suite.sh newest SUITE GLOB         the package with the highest version in
#                                      its name
#   suite.sh fetch SUITE DIR PACKAGE...      the packages, into DIR
#   suite.sh fetch-all SUITE DIR PACKAGE...  ... with all that an empty system
#                                            needs for them
#
# Backports and experimental come with the suite that they build on.  Lists
# change by update and refresh alone, so that a run sees the same versions from
# its begin to its end.
set -u
. "$(dirname "$0")/common.sh"

codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
max_age=86400	# s

native() {
	[ "$1" = "$codename" ]
}

# apt_of SUITE COMMAND ARG...: with the configuration for the suite.
apt_of() {
	local suite=$1 cmd=$2 dir=$ho_cache/suites/$1
	shift 2
	if native "$suite"; then
		"$cmd" -q -o APT::Sandbox::User=root "$@"
		return
	fi
	"$cmd" -q -o APT::Sandbox::User=root -o APT::Install-Recommends=false \
	    -o Acquire::Languages=none -o Acquire::Retries=3 \
	    -o Dir::Etc::sourcelist="$dir/sources.list" \
	    -o Dir::Etc::sourceparts=/dev/null \
	    -o Dir::Etc::preferences=/dev/null \
	    -o Dir::Etc::preferencesparts=/dev/null \
	    -o Dir::State::lists="$dir/lists" -o Dir::Cache="$dir/cache" \
	    -o Dir::State::status="$dir/status" "$@"
}

# mirror_of NAME
mirror_of() {
	apt-get indextargets --format '$(CODENAME) $(REPO_URI)' \
	    'Created-By: Packages' | sed -n "s/^$1 //p" | head -n 1
}

system() {
	local suite base=${1%-backports} uri security
	uri=$(mirror_of "$codename")
	security=$(mirror_of "$codename-security")
	[ -n "$uri" ] || die "apt has no mirror of $codename"
	for suite in "$base" "$base-updates" "$1"; do
		echo "deb [signed-by=$keyring] $uri $suite main"
	done | sort -u
	[ -z "$security" ] ||
		echo "deb [signed-by=$keyring] $security $base-security main"
}

sources() {
	local uri base
	uri=$(mirror_of "$codename")
	[ -n "$uri" ] || die "apt has no mirror of $codename"
	case $1 in
	*-backports) base=${1%-backports} ;;
	experimental) base=sid ;;
	*) base= ;;
	esac
	for suite in $base "$1"; do
		echo "deb [signed-by=$keyring] $uri $suite main"
	done
}

# locked SUITE COMMAND...: by one process at a time.
locked() {
	local dir=$ho_cache/suites/$1
	shift
	mkdir -p "$dir"
	(
		exec 9>"$dir/lock"
		flock 9
		"$@"
	)
}

do_update() {
	local suite=$1 dir=$ho_cache/suites/$1 log=$ho_logs/suite-$1.log
	if ! native "$suite"; then
		mkdir -p "$dir"/{lists,cache/archives}/partial
		: >"$dir/status"
		sources "$suite" >"$dir/sources.list" || return 1
	fi
	with_progress "package lists of $suite" "$log" apt_of "$suite" \
	    apt-get -o APT::Update::Error-Mode=any update || {
		say "no new package lists of $suite, see $log"
		return 1
	}
	touch "$dir/updated"
}

# Those of this machine are kept by whoever keeps it, and by deps.sh.
do_refresh() {
	local file=$ho_cache/suites/$1/updated age
	! native "$1" || return 0
	age=$((EPOCHSECONDS - $(stat -c %Y "$file" 2>/dev/null || echo 0)))
	[ "$age" -le "$max_age" ] || do_update "$1" || [ -e "$file" ]
}

need_lists() {
	native "$1" || [ -e "$ho_cache/suites/$1/updated" ] ||
		locked "$1" do_refresh "$1" || die "no package lists of $1"
}

# Asking apt takes a second, so the answer is kept until its lists change.
newest() {
	local suite=$1 glob=$2 memo name lists=/var/lib/apt/lists
	need_lists "$suite"
	memo=$ho_cache/suites/$suite/newest-${glob//\*/_}
	native "$suite" || lists=$ho_cache/suites/$suite/updated
	if [ "$memo" -nt "$lists" ] && [ "$memo" -nt "$0" ]; then
		cat "$memo"
		return
	fi
	mkdir -p "${memo%/*}"
	name=$(apt_of "$suite" apt-cache pkgnames "${glob%%\**}" |
		while read -r name; do
			# shellcheck disable=SC2254 # it is a pattern
			case $name in
			$glob) echo "$name" ;;
			esac
		done | sort -V | tail -n 1)
	[ -n "$name" ] || return 1
	echo "$name" | tee "$memo.$$"
	mv "$memo.$$" "$memo"
}

fetch() (
	suite=$1
	need_lists "$suite"
	cd "$2" || exit 1
	shift 2
	with_progress "fetching $*" "$ho_logs/fetch-$suite.log" \
	    apt_of "$suite" apt-get download "$@"
)

fetch_all() {
	local suite=$1 dir=$2
	! native "$suite" || die "$suite has packages installed already"
	need_lists "$suite"
	shift 2
	mkdir -p "$dir/partial"
	with_progress "fetching ${*: -1} and what it needs" \
	    "$ho_logs/fetch-$suite.log" apt_of "$suite" apt-get -y \
	    -o Dir::Cache::archives="$dir" --download-only install "$@"
}

[ $# -ge 2 ] || die "see the head of this file for how to call it"
case $1 in
native) native "$2" ;;
system) system "$2" ;;
update) locked "$2" do_update "$2" ;;
refresh) locked "$2" do_refresh "$2" ;;
newest | fetch) "$@" ;;
fetch-all) fetch_all "${@:2}" ;;
*) die "unknown command $1" ;;
esac
