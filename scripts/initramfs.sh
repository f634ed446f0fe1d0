#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The parts of the test VM's initramfs that do not change from run to run:
#
#   initramfs.sh userland          print the path of a cpio with the programs
#   initramfs.sh programs          ... with further servers, for some tests
#   initramfs.sh bpftrace          ... with bpftrace, for one
#   initramfs.sh modules TARGET    ... with kernel modules
#
# Each is kept in the cache under a hash of all that went into it.  The kernel
# unpacks concatenated archives one over the other, so vm.sh appends the
# project's own files and a run starts at once.
set -u
. "$(dirname "$0")/common.sh"

# Sorted by what they are for: scripts, network set-up, servers and clients.
programs="dash bash kmod stdbuf
	  ip tc ss nstat lnstat nft ipvsadm
	  curl python3 nmap"

# What they read, beside their libraries.
data="/usr/share/nmap/nmap-os-db /usr/share/nmap/nmap-services
      /usr/share/nmap/nmap-payloads /usr/share/nmap/nmap-protocols
      /usr/share/nmap/nmap-mac-prefixes"

# With their dependencies.  xt_/ip_tables are left out: nft does it all.
wanted="veth dummy ifb vrf xfrm_user tun macvlan bridge 8021q bonding
	inet_diag tcp_diag sch_netem sch_ingress cls_u32 cls_matchall
	act_mirred act_gact act_pedit act_police act_csum sch_tbf sch_fq
	nf_conntrack_ftp nf_log_syslog
	nf_conntrack nf_nat nf_tables nft_ct nft_nat nft_masq nft_redir
	nft_chain_nat nft_objref
	nft_reject nft_reject_inet nft_limit nft_log nft_quota nft_hash
	nft_numgen nft_fib nft_fib_inet nft_socket nft_synproxy nft_queue
	ip_vs ip_vs_rr nft_tproxy nft_connlimit nfnetlink_queue br_netfilter
	smc smc_diag nfsd tcp_dctcp tcp_bbr tls cls_bpf act_bpf
	nf_synproxy_core nf_conntrack_netlink nft_compat
	esp4 esp6 ipip sit ip6_tunnel ip_gre mptcp_diag"

# The standard library without what no test can want.
python_skip="test idlelib lib2to3 ensurepip distutils tkinter turtledemo
	     pydoc_data unittest xml xmlrpc sqlite3 curses dbm wsgiref
	     venv site-packages dist-packages pydoc.py turtle.py
	     lib-dynload/_codecs_* config-*"

# cpio_of DIR FILE: reproducible, owned by root.
cpio_of() {
	(cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z |
		cpio -0 --quiet -o -H newc -R 0:0 --reproducible) >"$2.tmp" &&
		mv "$2.tmp" "$2"
}

which_program() {
	local PATH=/usr/sbin:/usr/bin:/sbin:/bin
	type -P "$1" || die "no $1 here: run scripts/deps.sh vm"
}

libraries_of() {
	ldd "$@" 2>/dev/null | sed -n 's/^[^/]*\(\/[^ ]*\) (0x.*/\1/p' | sort -u
}

# copy_files ROOT FILE...: to the same place, links followed.
copy_files() {
	local root=$1 file
	shift
	for file; do
		[ ! -e "$root$file" ] || continue
		mkdir -p "$root$(dirname "$file")"
		cp -L "$file" "$root$file" || return 1
	done
}

# Of the binaries in the directory that deps.sh unpacked, from there if it has
# them.
libraries_of_unpacked() {
	local dir=$1 out
	shift
	out=$(LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu:$dir/lib/x86_64-linux-gnu \
	    ldd "$@") || return 1
	! grep 'not found' <<<"$out" >&2 || return 1
	sed -n 's/^.* => \(\/[^ ]*\) (0x.*/\1/p' <<<"$out" | sort -u
}

nginx_binary() {
	local dir=$ho_cache/nginx
	"$ho_top/scripts/deps.sh" nginx >&2 || exit 1
	echo "$dir/usr/sbin/nginx"
}

python_tree() {
	local root=$1 lib excludes=() skip
	lib=$(/usr/bin/python3 -I -c \
	    'import sysconfig; print(sysconfig.get_path("stdlib"))')
	for skip in $python_skip; do
		excludes+=("--exclude=./$skip")
	done
	mkdir -p "$root$lib"
	tar -C "$lib" "${excludes[@]}" -cf - . | tar -C "$root$lib" -xf -
	# shellcheck disable=SC2046 # library paths have no blanks
	copy_files "$root" $(libraries_of "$root$lib"/lib-dynload/*.so)
}

users_and_groups() {
	echo "root:x:0:0:root:/root:/bin/dash"
	echo "nobody:x:65534:65534:nobody:/:/bin/false"
	echo "sshd:x:101:65534::/run/sshd:/bin/false"
}

make_userland() {
	local root=$1 nginx=$2 path prog
	mkdir -p "$root"/{etc,proc,sys,dev,run,tmp,root} \
	    "$root"/usr/{bin,sbin,lib,lib64} "$root"/var/{lib,log}/nginx
	for path in bin sbin lib lib64; do
		ln -s "usr/$path" "$root/$path"
	done
	for prog in $programs; do
		path=$(which_program "$prog") || return 1
		copy_files "$root" "$path" || return 1
		# shellcheck disable=SC2046
		copy_files "$root" $(libraries_of "$path") || return 1
	done
	# shellcheck disable=SC2086 # one word per file
	copy_files "$root" $data || return 1
	cp "$nginx" "$root/usr/sbin/nginx" || return 1
	# shellcheck disable=SC2046
	copy_files "$root" $(libraries_of "$nginx") || return 1
	copy_files "$root" /lib64/ld-linux-x86-64.so.2 \
	    /lib/x86_64-linux-gnu/libnss_files.so.2 || return 1
	python_tree "$root" || return 1
	users_and_groups >"$root/etc/passwd"
	echo "root:x:0:" >"$root/etc/group"
	echo "nogroup:x:65534:" >>"$root/etc/group"
	echo "127.0.0.1 localhost" >"$root/etc/hosts"
	for prog in modprobe insmod rmmod lsmod modinfo; do
		ln -s "$(which_program kmod)" "$root/usr/sbin/$prog"
	done
	cp -L "$(which_program busybox)" "$root/bin/busybox" || return 1
	# Never over a real program: busybox only fills the gaps.
	for prog in $(busybox --list); do
		[ ! -e "$root/bin/$prog" ] && [ ! -e "$root/sbin/$prog" ] &&
			ln -s busybox "$root/bin/$prog"
	done
	ln -sf dash "$root/bin/sh"
}

# The hash covers this script, the package versions and nothing that is slow.
userland() {
	local key file nginx tmp
	nginx=$(nginx_binary) || exit 1
	key=$( (cat "$0"; dpkg-query -W -f '${Package} ${Version}\n'
		sha256sum <"$nginx") | sha256sum | cut -c1-12)
	file=$ho_cache/initramfs/userland-$key.cpio
	build_once "$file" "packing the programs" make_userland "$nginx"
	echo "$file"
}

# A database cluster cannot be made by root, nor can its server run as root:
# whoever starts it gives /var/lib/postgresql to nobody.
make_cluster() {
	local root=$1 pg=$2 data=$1/var/lib/postgresql
	local user=()
	mkdir -p "$data"
	if [ "$(id -u)" -eq 0 ]; then
		chmod 755 "$root"
		chown 65534:65534 "$data"
		user=(setpriv "--reuid=65534" "--regid=65534" --clear-groups)
	fi
	"${user[@]}" env "LD_LIBRARY_PATH=$root/usr/lib/x86_64-linux-gnu" TZ=GMT \
	    "$pg/bin/initdb" -D "$data" -U root --no-locale -E UTF8 -A trust \
	    --no-sync --wal-segsize=1 >"$ho_logs/initdb.log" 2>&1
}

# merged_usr ROOT: what a part has below /lib is in /usr/lib of the others.
merged_usr() {
	local path
	mkdir -p "$1/usr/lib/x86_64-linux-gnu"
	for path in bin sbin lib lib64; do
		ln -s "usr/$path" "$1/$path"
	done
}

make_bpftrace() {
	local root=$1 dir=$2
	merged_usr "$root"
	mkdir -p "$root/usr/bin"
	# shellcheck disable=SC2046 # library paths have no blanks
	cp -L $(libraries_of_unpacked "$dir" "$dir/usr/bin/bpftrace") \
	    "$root/usr/lib/x86_64-linux-gnu" &&
		cp "$dir/usr/bin/bpftrace" "$root/usr/bin/"
}

# unpacked NAME LABEL: the part with what deps.sh unpacked under that name.
unpacked() {
	local name=$1 label=$2 key file dir=$ho_cache/$1
	"$ho_top/scripts/deps.sh" "$name" >&2 || exit 1
	key=$(cat "$0" "$dir/.versions" | sha256sum | cut -c1-12)
	file=$ho_cache/initramfs/$name-$key.cpio
	build_once "$file" "packing $label" "make_$name" "$dir"
	echo "$file"
}

make_programs() {
	local root=$1 dir=$2 pg=/usr/lib/postgresql/15 path
	local share=/usr/share/postgresql/15
	local programs=(/usr/sbin/sshd /usr/bin/ssh /usr/bin/ssh-keygen
			/usr/sbin/haproxy "$pg/bin/postgres" "$pg/bin/psql")
	merged_usr "$root"
	mkdir -p "$root$pg" "$root$share"
	# shellcheck disable=SC2046 # library paths have no blanks
	cp -L $(libraries_of_unpacked "$dir" "${programs[@]/#/$dir}" \
	    "$dir$pg/lib/dict_snowball.so") \
	    "$root/usr/lib/x86_64-linux-gnu" || return 1
	for path in "${programs[@]}"; do
		mkdir -p "$root${path%/*}"
		cp "$dir$path" "$root$path" || return 1
	done
	copy_files "$root" "$(which_program setpriv)" || return 1
	# initdb wants all that the VM does not.
	cp -r "$dir$pg/lib" "$root$pg/" && cp "$dir$pg/bin/initdb" \
	    "$root$pg/bin/" && cp -r "$dir$share/." "$root$share" || return 1
	make_cluster "$root" "$root$pg" || return 1
	# An empty lib/ is all that the server asks for by itself.
	rm -rf "${root:?}$pg/lib"/* "$root$pg/bin/initdb"
	find "$root$share" -mindepth 1 -maxdepth 1 ! -name 'timezonesets' \
	    -exec rm -rf {} +
}

make_modules() {
	local root=$1 tree=$2 rel=$3 base mod path
	base=$root/usr/lib/modules/$rel
	mkdir -p "$base/kernel"
	ln -s usr/lib "$root/lib"
	depmod -b "$ho_cache/images/$rel" "$rel" || return 1
	for mod in $wanted; do
		modprobe -d "$ho_cache/images/$rel" -S "$rel" \
		    --show-depends "$mod" 2>/dev/null |
			sed -n 's/^insmod \([^ ]*\).*/\1/p' | grep . ||
			say "$rel has no module $mod"
	done | sort -u | while read -r path; do
		mod=$base/kernel/${path##*/kernel/}
		mkdir -p "$(dirname "$mod")"
		case $path in
		*.xz) xz -dc "$path" >"${mod%.xz}" ;;
		*.zst) zstd -qdc "$path" >"${mod%.zst}" ;;
		*) cp "$path" "$mod" ;;
		esac
	done
	cp "$tree"/modules.{order,builtin,builtin.modinfo} "$base/"
	depmod -b "$root" "$rel"
}

modules() {
	local key file tree rel
	tree=$("$ho_top/scripts/kernel.sh" modules "$1") || exit 1
	rel=${tree##*/}
	key=$(sha256sum <"$0" | cut -c1-12)
	file=$ho_cache/initramfs/modules-$rel-$key.cpio
	build_once "$file" "packing the modules of $rel" \
	    make_modules "$tree" "$rel"
	echo "$file"
}

# build_once FILE LABEL COMMAND ARG...: COMMAND fills a directory, FILE is it.
build_once() {
	local file=$1 label=$2 cmd=$3
	shift 3
	mkdir -p "$(dirname "$file")"
	(
		exec 9>"$file.lock"
		flock 9
		[ ! -e "$file" ] || exit 0
		say "$label"
		tmp=$(mktemp -d) || exit 1
		trap 'rm -rf "$tmp"' EXIT
		"$cmd" "$tmp" "$@" && cpio_of "$tmp" "$file"
	) || die "$label failed"
}

case ${1:-} in
userland) userland ;;
programs) unpacked programs "OpenSSH, PostgreSQL and HAProxy" ;;
bpftrace) unpacked bpftrace bpftrace ;;
modules) modules "${2:?which target?}" ;;
*) die "unknown command ${1:-(none)}" ;;
esac
