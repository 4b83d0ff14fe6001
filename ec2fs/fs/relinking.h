/*
 * tar, cp -r and git write a link over one that is there by unlink and symlink; for an attached
 * volume that would be a detachment, and another attachment. So a link that is unlinked by a
 * process that has written files here is gone to all, but detached only if it is not made again: by
 * that process's next step, whatever else that is, or after a second, or when the process has
 * ended. Where tar holds its place with a file, the link waits for that file's end. Whoever writes
 * nothing (rm) detaches at once.
 *
 * So it is with files whose value goes when they are unlinked: a private key, which nobody could
 * write again, and the user data of a running instance, which may be written as they are.
 */
#ifndef EC2FS_FS_RELINKING_H
#define EC2FS_FS_RELINKING_H

#include "ec2fs/fs/internal.h"

struct relinkings *relinkings_new(struct fs *fs);
int relinkings_start(struct relinkings *r);
/* Ends its thread, and detaches what still waits for that; the tree is still there. Accepts NULL.
 */
void relinkings_free(struct relinkings *r);

/* The caller writes a file. */
void relinking_wrote(struct fs *fs, const struct tree_caller *who);
/* The caller unlinks the link: true when it is gone for now, and detached later. */
bool relinking_unlinks(struct fs *fs, const struct tree_caller *who, tree_id dir, const char *name);
/* The file that held the link's place is gone: it is made now, or not at all. */
void relinking_is_due(struct fs *fs, tree_id dir, const char *name);
/* Is a link of that name gone for now? */
bool relinking_waits(struct fs *fs, tree_id dir, const char *name);
/* Of any name in that directory. */
bool relinking_waits_in(struct fs *fs, tree_id dir);
/* It is made again: true when one was gone, which is there again. */
bool relinking_made(struct fs *fs, tree_id dir, const char *name);
/* The caller goes on to something else: what he unlinked is detached, but where a file holds its
 * place. name (may be NULL) in dir is left out: it is what he is about to make. */
void relinking_goes_on(struct fs *fs, const struct tree_caller *who, tree_id dir, const char *name);

#endif
