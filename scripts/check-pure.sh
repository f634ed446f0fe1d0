#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# check-pure.sh BUILD: the objects of module/core call nothing but each other
# and what a compiler may insert.  Includes alone do not show that: an inline
# function of an allowed header may reach far.
set -u
build=${1:?usage: check-pure.sh BUILD}

# SipHash; string functions that gcc emits by itself; entry, return and stack
# hooks; sanitizers and coverage of a debug build.
allowed='(__)?siphash_\w+|__hsiphash_\w+|hsiphash_\w+|mem(cpy|set|cmp|move)|__mem(cpy|set|move)'
allowed+='|__fentry__|__x86_return_thunk|__x86_indirect_thunk_\w+|__stack_chk_fail|__stack_chk_guard'
allowed+='|__(asan|ubsan|kcsan|tsan|sanitizer|gcov|kmsan)_\w+|llvm_gcov_\w+'

shopt -s nullglob
objects=("$build"/module/core/*.o)
[ "${#objects[@]}" -gt 0 ] || { echo "no objects in $build/module/core"; exit 1; }

own=$(nm -g --defined-only "${objects[@]}" | awk 'NF == 3 { print $3 }')
bad=0
for o in "${objects[@]}"; do
	while read -r sym; do
		[[ $sym =~ ^($allowed)$ ]] && continue
		grep -qxF "$sym" <<<"$own" && continue
		echo "${o#"$build"/}: uses $sym"
		bad=1
	done < <(nm -u "$o" | awk '{ print $2 }')
done
exit $bad
