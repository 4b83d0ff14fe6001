#!/bin/bash
# Scripts and bats files have none of the faults that shellcheck warns of.
. tests/lint/sources.bash
# SC1091, SC2154: what `load` and bats bring along. SC2034: variables that other files read.
# SC2164, SC2103: bats ends a test at a failing cd by itself.
shell_files | xargs shellcheck --severity=warning --external-sources --shell=bash \
	--exclude=SC1091,SC2154,SC2034,SC2164,SC2103
