/* Lists of IPv4 CIDR blocks, one a line: `CIDR  # description`. */
#ifndef EC2FS_TEXT_CIDR_LIST_H
#define EC2FS_TEXT_CIDR_LIST_H

#include "ec2fs/text/cidr.h"

#include <stddef.h>

typedef int cidr_fn(void *context, unsigned line, struct cidr c, struct ec2fs_error *error);

/* Calls each with every block, in order. InvalidParameterValue, naming the line: what is no block,
 * host bits, the same block twice. A non-zero answer of each ends it. */
int cidrs_parse(const char *text, size_t len, cidr_fn *each, void *context,
		struct ec2fs_error *error);

#endif
