/*
 * Who takes a resource apart, and how far. rmdir of a resource deletes it whatever it holds; but
 * git, having removed one file that it knows, tries rmdir on what the file was in, and relies on
 * ENOTEMPTY where there is more. So: whoever has removed something in a resource, and then the
 * resource, is taken to mean it only if nothing that was set is left.
 */
#ifndef EC2FS_FS_DISMANTLING_H
#define EC2FS_FS_DISMANTLING_H

#include "ec2fs/fs/internal.h"

struct dismantlings *dismantlings_new(void);
void dismantlings_free(struct dismantlings *d); /* accepts NULL */

/* The caller has removed a node from the directory dir. */
void dismantling_note(struct fs *fs, const struct tree_caller *who, tree_id dir,
		      const struct tree_node *node);
/* The resource is removed: what was noted of it is forgotten. */
void dismantling_done(struct fs *fs, tree_id resource);
/* Is this rm -r of a resource that will not go? All that was set is gone for the caller, as far as
 * it is listed before the node, which is in the directory dir. Then what else is in it has to stay:
 * a refusal changes nothing. */
bool dismantling_is_vain(struct fs *fs, const struct tree_caller *who, tree_id dir,
			 const struct tree_node *node);
/* The node was made again. */
void dismantling_undo(struct fs *fs, tree_id node);
/* rmdir of the resource: 0, or a recorded refusal, -ENOTEMPTY. */
int dismantling_check(struct fs *fs, const struct tree_caller *who, tree_id resource);

#endif
