/*
 * Ends the service when the mount point is unmounted. The kernel does not say so while a process in
 * another mount namespace still has a copy of the mount, and every QEMU that libvirt starts has
 * one.
 */
#ifndef EC2FS_FS_MOUNT_WATCH_H
#define EC2FS_FS_MOUNT_WATCH_H

#include "ec2fs/fs/internal.h"

/* Starts watching the fs's mount; NULL when that cannot be done (umount then ends only what nobody
 * copied). */
struct mount_watch *mount_watch_new(struct fs *fs);
void mount_watch_free(struct mount_watch *w); /* accepts NULL */

#endif
