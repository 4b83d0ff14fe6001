/*
 * The times that were set lately. cp -a, tar and rsync set a file's time after they wrote it and
 * before they close it; but a document or blob is taken when it is closed, and changes then. The
 * time is to be what they set.
 */
#ifndef EC2FS_FS_SET_TIMES_H
#define EC2FS_FS_SET_TIMES_H

#include "ec2fs/fs/internal.h"

struct set_times *set_times_new(void);
void set_times_free(struct set_times *t); /* accepts NULL */

/* Somebody set that node's mtime (ns since the epoch) just now. */
void time_was_set(struct fs *fs, tree_id id, int64_t mtime);
/* Was it set after that moment (monotonic ns)? To what? */
bool time_set_since(struct fs *fs, tree_id id, int64_t since, int64_t *ret);

#endif
