#!/bin/bash
# One subject a file: none is longer than 500 lines; a test, which tells stories, 600.
. tests/lint/sources.bash
{ c_files; shell_files; } | sort -u | xargs wc -l | awk '$2 != "total" && $1 > ($2 ~ /^tests\// ? 600 : 500) { print $2 ": " $1 " lines"; bad = 1 } END { exit bad }'
