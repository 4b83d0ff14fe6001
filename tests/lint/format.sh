#!/bin/bash
# C is formatted as .clang-format says: clang-format -i FILE does it.
. tests/lint/sources.bash
c_files | xargs clang-format --dry-run --Werror 2>&1 | sed -n 's/:[0-9:]* error: .*/ is not formatted/p' | sort -u | { ! grep .; }
