/*
 * fs: FUSE. Requests, open files, the kernel's caches, scratch files, poll. It knows how tools
 * write (temporary files, unlink and create, partial writes) and knows nothing of clouds: all names
 * and contents come from tree.
 */
#ifndef EC2FS_FS_FS_H
#define EC2FS_FS_FS_H

#include "ec2fs/tree/tree.h"
#include "ec2fs/util/error.h"

#include <stdbool.h>

struct fs_options {
	const char *mountpoint;
	const char *mount_options; /* comma-separated options for the kernel and libfuse, or NULL */
	bool debug;                /* libfuse's request log on standard error */
	int scratch_timeout;       /* seconds for which unused scratch files are kept */
};

struct fs;

/*
 * Mounts (subtype=ec2fs, fsname=ec2fs, allow_other when root, default_permissions). A stale mount
 * of ours on the mount point (ENOTCONN) is cleared first. tree outlives the fs.
 */
int fs_mount(struct tree *tree, const struct fs_options *options, struct fs **ret,
	     struct ec2fs_error *error);
/* Serves requests until unmounted or fs_stop; returns 0 at a clean end, or a negative errno.
 * Signals are the caller's business. */
int fs_serve(struct fs *fs);
/* Makes fs_serve return; async-signal-unsafe, from any thread. */
void fs_stop(struct fs *fs);
/* Unmounts, ends threads, frees. */
void fs_unmount(struct fs *fs);

#endif
