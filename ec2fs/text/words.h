/* Documents (lines.h) whose lines are words parted by blanks: routes, entries of network ACLs,
 * lists of CIDR blocks. */
#ifndef EC2FS_TEXT_WORDS_H
#define EC2FS_TEXT_WORDS_H

#include "ec2fs/util/error.h"

#include <stddef.h>

#define WORDS_MAX 8

/* The words of one line. */
struct words {
	unsigned line;               /* from 1 on */
	size_t begin, end;           /* the line in the text, its newline too */
	size_t count;                /* may be more than WORDS_MAX: the rest is not kept */
	const char *word[WORDS_MAX]; /* valid during the call */
	size_t at[WORDS_MAX];        /* where it begins in the text */
};

/* A non-zero answer ends the parse and is its result. */
typedef int words_fn(void *context, const struct words *w, struct ec2fs_error *error);

/* Calls each with every line that has words. Refused as by lines_parse, InvalidParameterValue;
 * refusals of each get the line's number too. */
int words_parse(const char *text, size_t len, words_fn *each, void *context,
		struct ec2fs_error *error);

#endif
