/*
 * Ends the service when the mount point is unmounted. The kernel does not say so while a process in
 * another mount namespace still has a copy of the mount, and every QEMU that libvirt starts has
 * one.
 */
#ifndef EC2FS_FS_MOUNT_WATCH_H
#define EC2FS_FS_MOUNT_WATCH_H

#include "ec2fs/fs/internal.h"

struct mount_facts {
	long id;
	unsigned device_minor; /* also the number of the FUSE connection */
};

/* The last mount of ours at that path (id 0), or the one of that id. False when there is none. */
bool mount_find(const char *path, long id, struct mount_facts *ret);

/* Starts watching the fs's mount; NULL when that cannot be done (umount then ends only what nobody
 * copied). */
struct mount_watch *mount_watch_new(struct fs *fs);
void mount_watch_free(struct mount_watch *w); /* accepts NULL */

#endif
