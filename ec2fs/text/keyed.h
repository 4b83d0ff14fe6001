/* Flat keyed files: "key value" lines, "#" comments, blank lines. */
#ifndef EC2FS_TEXT_KEYED_H
#define EC2FS_TEXT_KEYED_H

#include "ec2fs/util/error.h"

#include <stddef.h>

/* One line; a non-zero answer ends the parse and is its result. */
typedef int keyed_line_fn(void *context, unsigned line, const char *key, const char *value,
			  struct ec2fs_error *error);

/* Calls each with every line that has a key. Refused (InvalidParameterValue, naming the line): NUL
 * bytes, a key twice, a key without a value. */
int keyed_parse(const char *text, size_t len, keyed_line_fn *each, void *context,
		struct ec2fs_error *error);

#endif
