/* poll(2) of files: POLLPRI and POLLERR when the content changed since the last look, as kernfs
 * does. */
#ifndef EC2FS_FS_POLL_H
#define EC2FS_FS_POLL_H

#include "ec2fs/fs/internal.h"

struct polls *polls_new(void);
void polls_free(struct polls *polls); /* accepts NULL */

/* Wakes whoever polls that node. */
void poll_changed(struct fs *fs, tree_id id);
/* That open file is polled no more. */
void poll_forget(struct fs *fs, uint64_t handle);

#endif
