/* What changed, on its way to the kernel's caches; see internal.h for why it has a thread of its
 * own. */
#ifndef EC2FS_FS_INVALIDATE_H
#define EC2FS_FS_INVALIDATE_H

#include "ec2fs/fs/internal.h"

struct notifier *notifier_new(struct fs *fs);
/* Starts the thread. */
int notifier_start(struct notifier *n);
/* From here on what changes is no longer told; waits, at most a second, until the thread is idle.
 * While requests are still served. */
void notifier_quiesce(struct notifier *n);
/* Ends the thread and frees; answers what was left to it. Accepts NULL. */
void notifier_free(struct notifier *n);

/* The tree's watch function; context is the fs. */
void notifier_watch(void *context, enum tree_event event, tree_id id, tree_id parent,
		    const char *name);
/* Content or facts of that node changed. Any thread. */
void invalidate_node(struct fs *fs, tree_id id);
/* That name is another node now, or none. Any thread. */
void invalidate_entry(struct fs *fs, tree_id parent, const char *name);

/*
 * The names that the directory lists are others now, or are told otherwise to others. The kernel
 * has forgotten its listing when this returns: unlike what is above it does not take long, and may
 * be called where the directory is locked. Any thread.
 */
void listing_changed(struct fs *fs, tree_id dir);
/* Part of a listing is answered now: what of it the kernel keeps has to be true for everybody, and
 * for as long as nothing is told, if is_plain. The last part (`end`) completes it. Before the
 * answer. */
void listing_told(struct fs *fs, tree_id dir, bool is_plain, bool end);

/* The number of the latest change there was, of whatever node. */
uint64_t changes_now(struct fs *fs);
/* The number of the latest change of that node (of a few others, too, rarely). */
uint64_t changes_of(struct fs *fs, tree_id id);
/* Did it change since then, or does the kernel not know yet of a change of it? */
bool changed_since(struct fs *fs, tree_id id, uint64_t number);
/* Did it change a moment ago, so that it may just be changing again? */
bool changed_lately(struct fs *fs, tree_id id);
/* The kernel is told facts about the node now, and may keep them. */
void facts_told(struct fs *fs, tree_id id);

/*
 * Answers with the count, or with the negative errno in it (a plain success is count 0 of a request
 * other than WRITE: `write` false), once the kernel knows all changes until now. Only for requests
 * that hold none of the kernel's locks that the notifier may want: WRITE, FLUSH, FSYNC.
 */
void reply_when_known(struct fs *fs, fuse_req_t req, bool write, ssize_t count);

#endif
