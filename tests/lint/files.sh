#!/bin/bash
# Documents name no source file that is not there. In architecture.md ec2fs/ is left out.
status=0
for page in README.md docs/*.md; do
	while read -r file; do
		[ -e "$file" ] || [ -e "ec2fs/$file" ] || { echo "$page: there is no $file" && status=1; }
	done < <(grep -oE '`[a-z0-9_/-]+/[a-z0-9_]+\.[ch]`' "$page" | tr -d '`' | sort -u)
done
exit $status
