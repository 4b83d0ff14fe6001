/* What /proc tells about the process behind a request. */
#ifndef EC2FS_FS_CALLERS_H
#define EC2FS_FS_CALLERS_H

#include "ec2fs/fs/internal.h"

/*
 * FLUSH comes whenever a descriptor is closed, the last one or not: bash's `> f` closes one before
 * it writes to another, and every command in `{ a; b; } > f` closes the shell's. Whether a process
 * that the caller descends from, or itself, still has the file (as stat(2) numbers it) open:
 */
enum closing {
	CLOSES_LAST, /* none has, as far as can be told */
	CLOSES_ONE,  /* one has */
	CLOSES_UNTOLD
};

enum closing caller_closes(const struct tree_caller *who, uint64_t ino);
/* Fills in the caller's supplementary groups. */
void caller_fill_groups(struct tree_caller *who);
/* Has the caller a file of that name open, as one has who copies it? */
bool caller_reads(const struct tree_caller *who, const char *name);
/* Is the caller being ended by a signal, so that its files are closed for it? */
bool caller_is_killed(const struct tree_caller *who);
/* Is it a thread of the kernel: its NFS server's, who speaks for many? */
bool caller_is_kernel(const struct tree_caller *who);
/* Is it an SFTP server, which opens and closes for programs at the other end? */
bool caller_is_sftp_server(const struct tree_caller *who);
/* One process? The threads of the kernel are. */
bool caller_is_same(const struct tree_caller *a, const struct tree_caller *b);
/* The process that a thread belongs to; FUSE tells the thread. 0 when there is none, or not for us.
 */
pid_t caller_process(const struct tree_caller *who);

#endif
