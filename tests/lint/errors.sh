#!/bin/bash
# docs/errors.md has the codes and errnos of ec2fs/util/error.h, all of them and no other.
diff <(sed -z 's/[ \t]*\\\n[ \t]*/ /g' ec2fs/util/error.h | grep -o 'X([A-Za-z_]*, "[^"]*", E[A-Z]*)' |
	sed 's/.*, "\([^"]*\)", \(E[A-Z]*\))/\1 \2/' | sort -u) \
	<(sed -n 's/^| `\([A-Za-z.]*\)` | \(E[A-Z]*\) |.*/\1 \2/p' docs/errors.md | sort -u) |
	sed -n 's/^</only in error.h:/p; s/^>/only in errors.md:/p' | { ! grep .; }
