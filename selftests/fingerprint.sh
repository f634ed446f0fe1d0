#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# check: one kernel
# timeout: 1200
#
# nmap and p0f cannot tell a host with the module from one without, and its numbers
# are as random.
. "${0%/*}/lib.sh"
setup
command -v nmap >/dev/null || skip_all "no nmap"
start_nginx || exit 1
# nmap compares with 6,000 systems, which takes its time: a quarter of them,
# all Linux, can tell as well which one this host looks like.  Names of services
# and of vendors of network cards are not the subject.
mkdir "$tmp/nmap"
ln -s /usr/share/nmap/* "$tmp/nmap/"
rm "$tmp/nmap/nmap-os-db" "$tmp/nmap/nmap-services" "$tmp/nmap/nmap-mac-prefixes"
echo "http 80/tcp 0.5" >"$tmp/nmap/nmap-services"
touch "$tmp/nmap/nmap-mac-prefixes"
awk -v RS= -v ORS='\n\n' '/(^|\n)(MatchPoints|Class Linux)/' \
    /usr/share/nmap/nmap-os-db >"$tmp/nmap/nmap-os-db"
export NMAPDIR="$tmp/nmap"
seg_tap "$tools/fingerprint.py" "$srv"
finish
