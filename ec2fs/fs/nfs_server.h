/* What the kernel's NFS server needs of a file system that it exports. */
#ifndef EC2FS_FS_NFS_SERVER_H
#define EC2FS_FS_NFS_SERVER_H

/*
 * The server keeps the mount that it found behind an export for half an hour, also one that is
 * dead. Makes it look again, as `exportfs -f` does; nothing where there is no such server, or we
 * are not root.
 */
void nfs_server_look_again(void);

#endif
