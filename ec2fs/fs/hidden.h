/*
 * Names that were unlinked or renamed away, and are gone for a moment: the first half of the
 * unlink-and-create by which tar, mv, install and git write, and of rm -r. They come back by being
 * made again (which is a write), or by themselves.
 */
#ifndef EC2FS_FS_HIDDEN_H
#define EC2FS_FS_HIDDEN_H

#include "ec2fs/fs/internal.h"

struct hidden *hidden_new(void);
void hidden_free(struct hidden *h); /* accepts NULL */

/* Hides a name, for five seconds from now. */
void hide_name(struct fs *fs, tree_id dir, const char *name);
/* Shows it again; true when it was hidden. */
bool unhide_name(struct fs *fs, tree_id dir, const char *name);
/* Shows all that is hidden in the resource's directories: it stays. */
void unhide_names_of(struct fs *fs, tree_id resource, const struct tree_caller *who);
bool name_is_hidden(struct fs *fs, tree_id dir, const char *name);
/* Is any name in the directory hidden? */
bool hides_names(struct fs *fs, tree_id dir);

#endif
