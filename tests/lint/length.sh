#!/bin/bash
# One subject a file: none is longer than 500 lines.
. tests/lint/sources.bash
{ c_files; shell_files; } | sort -u | xargs wc -l | awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines"; bad = 1 } END { exit bad }'
