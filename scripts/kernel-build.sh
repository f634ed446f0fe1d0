# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# shellcheck disable=SC2154 # of common.sh
#
# Sourced after common.sh by what needs a kernel of its own: configure one from
# a fragment, see that Kconfig kept every symbol, compile, keep it in the cache.

# Every symbol has to be what the fragment asks for after Kconfig: a missing
# dependency would otherwise switch a checker off in silence.
kernel_configure() {
	local src=$1 arch=$2 dir=$3 line bad=
	make -C "$src" ARCH="$arch" O="$dir" \
	    KCONFIG_ALLCONFIG="$dir/fragment.config" allnoconfig || return 1
	while read -r line; do
		grep -qxF "$line" "$dir/.config" || bad="$bad $line"
	done < <(grep '^CONFIG_' "$dir/fragment.config")
	while read -r _ line _; do
		! grep -q "^$line=" "$dir/.config" || bad="$bad no $line"
	done < <(grep '^# CONFIG_.* is not set$' "$dir/fragment.config")
	[ -z "$bad" ] || echo "not as wanted in the final .config:$bad"
	[ -z "$bad" ]
}

# What the source needs, once.
kernel_fix() {
	local file

	# UML 6.12 keeps 2.7 KB for a task's vector registers and hands all of
	# it back to the host, which refuses any other size than its own: on a
	# CPU with AMX (11 KB) no program starts.  Let it use the old FXSAVE
	# area there; 6.13 asks the host for the size.
	file=$1/arch/x86/um/os-Linux/registers.c
	grep -q 'iov_len < FP_SIZE' "$file" || grep -q host_fp_size "$file" ||
		sed -i 's/pid, NT_X86_XSTATE, &iov) == 0)/pid, NT_X86_XSTATE, \&iov) == 0 \&\& iov.iov_len < FP_SIZE * sizeof(unsigned long))/' "$file"
	# An allocation that a stack filter made fail shows its stack even if
	# its caller wants no warning: tests ask whose it was.
	file=$1/lib/fault-inject.c
	grep -q 'FAULT_NOWARN) || attr->require_start' "$file" ||
		sed -i 's/(!(flags & FAULT_NOWARN))/(!(flags \& FAULT_NOWARN) || attr->require_start)/' "$file"
}

kernel_compile() {
	local src=$1 arch=$2 dir=$3
	shift 3
	kernel_fix "$src"
	kernel_configure "$src" "$arch" "$dir" &&
		nice make -C "$src" ARCH="$arch" O="$dir" -j"$(nproc)" "$@"
}

# kernel_build NAME ARCH "TARGET..." FRAGMENT...: print the directory of the
# kernel that the fragments together ask for (everything else is off), built if
# it is not there yet.  Its name has all that it depends on; the source stays in
# the cache too, as an O= build refers back to it.
kernel_build() {
	local name=$1 arch=$2 targets=$3 version hash dir src log
	shift 3
	version=$(source_version) || return 1
	hash=$( (cat "$@"; declare -f kernel_fix; gcc --version) | sha256sum | cut -c1-12)
	dir=$ho_cache/$name/$version-$hash
	log=$ho_logs/$name-build.log
	mkdir -p "$dir"
	exec 8>"$dir.lock"
	flock 8
	if [ ! -e "$dir/.complete" ]; then
		src=$(source_tree) || return 1
		cat "$@" >"$dir/fragment.config"
		# shellcheck disable=SC2086 # one word per target
		with_progress "building the $name kernel" "$log" \
		    kernel_compile "$src" "$arch" "$dir" $targets || {
			tail -n 20 "$log" >&2
			die "the $name kernel does not build, see $log"
		}
		touch "$dir/.complete"
	fi
	exec 8>&-
	echo "$dir"
}
