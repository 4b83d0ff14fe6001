/* Sizes: "8 GiB", "512MiB", "8G"; a bare number counts in a unit the caller gives. */
#ifndef EC2FS_TEXT_SIZE_H
#define EC2FS_TEXT_SIZE_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"

#include <stdint.h>

/* *ret in bytes. K, M, G, T with or without iB are powers of 1024; B is bytes. */
int size_parse(const char *text, uint64_t unit, uint64_t *ret, struct ec2fs_error *error);
/* Exactly, in the biggest unit that divides it. */
void size_print(uint64_t bytes, struct strbuf *out);

#endif
