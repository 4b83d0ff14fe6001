/* Documents of lines: one item a line, blank lines, and comments that begin with "#" at the
 * beginning of a line or after a blank. */
#ifndef EC2FS_TEXT_LINES_H
#define EC2FS_TEXT_LINES_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"

#include <stddef.h>

/* One line that is not empty: its content without comment and blanks at its ends, which the
 * function may cut up. A non-zero answer ends the parse and is its result. */
typedef int line_fn(void *context, unsigned line, char *content, struct ec2fs_error *error);

/* Calls each with every line that has content. Refused with that code, naming the line: control
 * characters, what is no UTF-8, a comment of more than 255 bytes beside an item. Refusals of each
 * get the line's number too. */
int lines_parse(const char *text, size_t len, enum ec2_code code, line_fn *each, void *context,
		struct ec2fs_error *error);

/* Where the content of a line (len bytes, no newline) begins and ends: its comment and the blanks
 * around are left out. */
void line_content(const char *line, size_t len, size_t *ret_begin, size_t *ret_end);

/* Appends the text, and a newline where its last line has none: what `>>` adds is then a line of
 * its own. */
void lines_complete(const char *text, size_t len, struct strbuf *out);

#endif
