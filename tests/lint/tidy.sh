#!/bin/bash
# clang-tidy, with the checks of .clang-tidy. What passed is not checked again until it, a header or the
# configuration changes.
. tests/lint/sources.bash
cache=${BUILD:-build}/tidy
mkdir -p "$cache"
common=$({ echo "$CLANG_CFLAGS" && cat .clang-tidy && c_files | grep '\.h$' | xargs cat; } | sha256sum)

check()
{
	local sum
	sum=$(echo "$common" | cat - "$1" | sha256sum | cut -c -40)
	[ ! -e "$cache/$sum" ] || return 0
	# shellcheck disable=SC2086 # flags are words; their quotes are the shell's
	eval clang-tidy --quiet '"$1"' -- $CLANG_CFLAGS 2>/dev/null | grep -E 'error:|warning:'
	[ "${PIPESTATUS[0]}" = 0 ] || return 1
	: >"$cache/$sum"
}
export -f check
export cache common
c_files | grep '\.c$' | xargs -P 2 -I {} bash -c 'check {}'
