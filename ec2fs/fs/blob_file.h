/* An open file whose content is too big for memory: what is written goes to a blob, which is taken
 * whole at the next flush. */
#ifndef EC2FS_FS_BLOB_FILE_H
#define EC2FS_FS_BLOB_FILE_H

#include "ec2fs/fs/open_file.h"

/* All under of->lock. The count, or a negative errno: then nothing that this handle wrote is taken,
 * and it fails until it is truncated to 0 or closed. */
ssize_t blob_file_write(struct fs *fs, struct open_file *of, struct fuse_bufvec *in, off_t off);
int blob_file_truncate(struct fs *fs, struct open_file *of, off_t size);
/* Takes it, durably, or refuses. */
int blob_file_flush(struct open_file *of);
/* What was written is nothing; from here on it fails with that errno (0: it does not). */
void blob_file_drop(struct open_file *of, int broken);

#endif
