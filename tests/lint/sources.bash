# The C files of this tree: known to git or new, never ignored ones.
c_files()
{
	git ls-files --cached --others --exclude-standard -- '*.c' '*.h' | sort -u | while read -r file; do
		[ ! -e "$file" ] || echo "$file"
	done
}
shell_files()
{
	git ls-files --cached --others --exclude-standard | sort -u | while read -r file; do
		[ -f "$file" ] || continue
		case $file in *.bats | *.bash | *.sh) echo "$file" && continue ;; esac
		read -r first <"$file" 2>/dev/null
		case $first in '#!/bin/bash'* | '#!/bin/sh'*) echo "$file" ;; esac
	done
}
