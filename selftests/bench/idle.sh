#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
#
# What a module costs that does nothing: the time of insmod, and what the kernel
# has less of, by its own account.
. "${0%/*}/lib.sh"

# In the initial namespace and two more.
begin
before=$(free_bytes)
ns=$(bash -c '
	begin=$EPOCHREALTIME
	insmod "$1"
	echo $(((${EPOCHREALTIME/./} - ${begin/./}) * 1000))' - "$ho_ko")
figure "$ns" instructions "insmod, with 3 namespaces"
figure $((before - $(free_bytes))) bytes "idle module, with 3 namespaces"
end
