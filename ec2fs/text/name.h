/* Names that users give. */
#ifndef EC2FS_TEXT_NAME_H
#define EC2FS_TEXT_NAME_H

#include "ec2fs/util/error.h"

#include <stdbool.h>
#include <stddef.h>

/* May a resource be called so? 1 to 255 bytes of UTF-8, no control characters, no leading dot, and
 * not what mktemp(1) makes by default. */
int name_check(const char *name, struct ec2fs_error *error);
/* A tag's key: 1 to 128 characters, not beginning with "aws:" (EC2, "Tag restrictions"). */
int tag_key_check(const char *key, struct ec2fs_error *error);
/* A tag's value: at most 256 characters. */
int tag_value_check(const char *value, size_t len, struct ec2fs_error *error);
/* Text that a terminal can show: UTF-8, no control characters but tabs, and with `lines` the ends
 * of lines. */
int text_check(const char *text, size_t len, bool lines, struct ec2fs_error *error);
/* The number of characters, or -1 where a byte is not UTF-8 (then *ret_bad is its place). */
long utf8_length(const char *text, size_t len, size_t *ret_bad);

#endif
