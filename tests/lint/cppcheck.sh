#!/bin/bash
# cppcheck's warnings. Configured by what is true for all of the code: no header of the system is read, and
# it knows no cleanup attributes, so that what they free looks leaked to it (the sanitizers know better).
. tests/lint/sources.bash
c_files | grep '\.c$' | xargs cppcheck --quiet --std=c11 --language=c -I. -j 2 --inline-suppr --error-exitcode=1 \
	--enable=warning,performance,portability --suppress=missingIncludeSystem --suppress=resourceLeak --suppress=memleak --suppress=normalCheckLevelMaxBranches \
	-D__GNUC__ -DEC2FS_VERSION='""' --template='{file}:{line}: {id}: {message}'
