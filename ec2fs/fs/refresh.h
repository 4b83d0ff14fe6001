/* Files that must be asked for elsewhere before they are rendered: a screenshot, a hypervisor's
 * figures. */
#ifndef EC2FS_FS_REFRESH_H
#define EC2FS_FS_REFRESH_H

#include "ec2fs/fs/internal.h"

/* Takes the OPEN over: it is answered once the file is up to date, or after two seconds with what
 * is there, or with EINTR when it is interrupted. Uses no worker meanwhile. */
void refresh_and_open(struct fs *fs, fuse_req_t req, const struct tree_node *node,
		      const struct fuse_file_info *fi);
/* Waits until no refresh is under way. */
void refresh_wait_all(struct fs *fs);

#endif
