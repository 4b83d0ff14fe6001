#!/bin/bash
# Layers include only downwards: fs > tree > engine > model > store > text > util. The engine also knows the
# interfaces of providers, volumes and netfw; these know ec2fs/util and themselves, not each other.
. tests/lint/sources.bash
c_files | grep -E '^(ec2fs|providers|volumes|netfw)/' | xargs awk '
	function layer(path) { split(path, part, "/"); return part[1] == "ec2fs" ? part[2] : part[1] }
	BEGIN {
		n = split("util text store model engine tree fs", order, " ")
		for (i = 1; i <= n; i++) rank[order[i]] = i
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, quoted, "\""); header = quoted[2]
		from = layer(FILENAME); to = layer(header)
		if (FILENAME ~ /^ec2fs\/[^\/]*$/) next # main and options see all
		if (from == to) next
		if (from in rank && to in rank && rank[from] > rank[to]) next
		if (from == "engine" && header ~ /^(providers\/provider|volumes\/volumes|netfw\/netfw)\.h$/) next
		if (!(from in rank) && to == "util") next
		print FILENAME ":" FNR ": " from " must not include " header
		bad = 1
	}
	END { exit bad }'
