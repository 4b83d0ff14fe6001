/* Numbers and booleans. */
#ifndef EC2FS_TEXT_NUMBER_H
#define EC2FS_TEXT_NUMBER_H

#include "ec2fs/util/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits; out of the range: ERANGE. */
int number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *ret,
		 struct ec2fs_error *error);
/* true or false. */
int bool_parse(const char *text, bool *ret, struct ec2fs_error *error);

#endif
