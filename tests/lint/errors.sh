#!/bin/bash
# docs/errors.md has the codes and errnos of ec2fs/util/error.h, all of them and no other.
diff <(sed -n 's/^\tX([A-Za-z_]*, "\([^"]*\)", \(E[A-Z]*\)).*/\1 \2/p' ec2fs/util/error.h | sort -u) \
	<(sed -n 's/^| `\([A-Za-z.]*\)` | \(E[A-Z]*\) |.*/\1 \2/p' docs/errors.md | sort -u) |
	sed -n 's/^</only in error.h:/p; s/^>/only in errors.md:/p' | { ! grep .; }
