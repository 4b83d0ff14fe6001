/*
 * Blobs: attribute values too big for a row (an image's disk, kernel, ramdisk), one immutable file
 * each in DIR/blobs. The row holds the blob's name. A blob is written to a temporary name and
 * becomes durable in blob_finish; the model's transaction then refers to it; what no row refers to
 * is swept at the next start.
 */
#ifndef EC2FS_STORE_BLOBS_H
#define EC2FS_STORE_BLOBS_H

#include "ec2fs/util/error.h"

#include <stdbool.h>
#include <stdint.h>

struct blobs;

/* Opens DIR/blobs, made with mode 0711 unless present; removes temporary files of an earlier life.
 */
int blobs_open(const char *dir, struct blobs **ret, struct ec2fs_error *error);
void blobs_close(struct blobs *b);

/* A new temporary file, open for reading and writing; *ret_name, to be freed, is the name that the
 * blob will have ("b-" and 16 hex digits, never used before). Its mode is 0644: the directory is
 * what guards it, and the virtual machine's user must be able to read it by name. */
int blob_begin(struct blobs *b, int *ret_fd, char **ret_name, struct ec2fs_error *error);
/* Where the temporary file is, for another program to write it; to be freed. */
char *blob_temporary_path(struct blobs *b, const char *name);
/* Makes the temporary file durable (fsync of file and directory) under its name. fd stays open. */
int blob_finish(struct blobs *b, int fd, const char *name, struct ec2fs_error *error);
/* Gives up a temporary file. fd stays open. */
void blob_abandon(struct blobs *b, const char *name);

/* Opens a finished blob for reading; *ret_size in bytes. */
int blob_open(struct blobs *b, const char *name, int *ret_fd, uint64_t *ret_size,
	      struct ec2fs_error *error);
/* How many blocks of 512 bytes a finished blob takes; false: it is not there. */
bool blob_blocks(struct blobs *b, const char *name, uint64_t *ret);
/* Its path, to be freed. */
char *blob_path(struct blobs *b, const char *name);
/* Removes one; absent is fine. */
void blob_remove(struct blobs *b, const char *name);
/* Removes every blob for which wanted answers false. */
int blobs_sweep(struct blobs *b, bool (*wanted)(void *context, const char *name), void *context,
		struct ec2fs_error *error);

#endif
