/*
 * A tool that copies a directory (cp -r, rsync -r, mv from elsewhere) makes it, and then makes
 * every file in it, insisting that the file is new. But here a directory that was just made is
 * full: its attributes appeared with it. So the process that made a directory does not see what
 * nobody has written yet when it is about to make that itself (asker.h), which is a write; what is
 * computed it may write and is ignored. Whoever reads sees everything. This ends 60 seconds after
 * the maker's last such step.
 */
#ifndef EC2FS_FS_MAKER_H
#define EC2FS_FS_MAKER_H

#include "ec2fs/fs/internal.h"

struct makers *makers_new(void);
void makers_free(struct makers *makers); /* accepts NULL */

/* This caller has just made that directory. */
void maker_begins(struct fs *fs, tree_id dir, const struct tree_caller *who);
/* Did somebody make that directory a short time ago: may its names be told one way to him and
 * another way to others? */
bool maker_at_work(struct fs *fs, tree_id dir);
/* Is this caller the maker, and does not see this node of the directory? */
bool maker_misses(struct fs *fs, tree_id dir, const char *name, const struct tree_node *node,
		  const struct tree_caller *who);
/* Is this caller the maker, or a process of his (rsync's receiver)? */
bool maker_is(struct fs *fs, tree_id dir, const struct tree_caller *who);
/* Is it the maker itself, not just another command of a shell's session? */
bool maker_is_itself(struct fs *fs, tree_id dir, const struct tree_caller *who);
/* Does the caller, or a process of its session, copy whole resources: did one make a directory a
 * short time ago and live on? (A shell's mkdir does not.) */
bool maker_lives(struct fs *fs, const struct tree_caller *who);
/* The maker insists that files are new (O_EXCL): it copies a directory, and sees nothing that it
 * has not made, even if another file of the copy (spec) has set it. */
void maker_copies(struct fs *fs, tree_id dir);
/* The maker made that name: he sees it from here on. */
void maker_made(struct fs *fs, tree_id dir, const char *name);

#endif
