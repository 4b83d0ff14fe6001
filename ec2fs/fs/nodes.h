/*
 * The kernel's numbers for nodes. A node of the tree has its tree_id in bits 0-55; bits 56-62 count
 * how often its name was given to a copy (see node_rename_away); bit 63 marks scratch files.
 * Nothing is counted or forgotten: any number the kernel comes with, however old or made up, is
 * looked up anew.
 */
#ifndef EC2FS_FS_NODES_H
#define EC2FS_FS_NODES_H

#include "ec2fs/fs/internal.h"
#include "ec2fs/fs/scratch.h"

#define SCRATCH_BIT (UINT64_C(1) << 63)

struct ids *ids_new(void);
void ids_free(struct ids *ids); /* accepts NULL */

/* What a number stands for: a scratch file (a reference) or a node of the tree. */
struct node_ref {
	struct scratch *scratch; /* NULL: a node of the tree */
	tree_id id;
};

/* -ESTALE: nothing any more. The reference is given back by node_unref (or cleanup_node). */
int node_resolve(struct fs *fs, fuse_ino_t ino, struct node_ref *ret);
/* For requests on directories: -ENOTDIR for scratch files. */
int dir_resolve(struct fs *fs, fuse_ino_t ino, tree_id *ret);
/* For requests on a name in a directory: also -ENAMETOOLONG, which the kernel leaves to us. */
int place_resolve(struct fs *fs, fuse_ino_t ino, const char *name, tree_id *ret);
void node_unref(struct node_ref *node);
#define cleanup_node __attribute__((cleanup(node_unref)))

/* The number by which the kernel is to know that node now. */
fuse_ino_t ino_of(struct fs *fs, tree_id id);
/*
 * RENAME of an attribute to the name of a copy: the kernel moves the number along with the name, so
 * the number becomes the scratch file's, and the attribute will be found under another one.
 */
void node_rename_away(struct fs *fs, tree_id id, struct scratch *scratch);

/* Content that the kernel must not keep, nor its size. */
static inline bool node_is_live(const struct tree_node *node)
{
	return node->flags & (TREE_LIVE | TREE_REFRESH | TREE_PER_CALLER);
}

/*
 * The kernel writes to one inode by one request at a time, and nobody who is next in line can even
 * be killed. So of a file that lets writers wait (TREE_WAIT) each writer has an inode of his own:
 * false, when this one has a writer, who must look the name up again (ESTALE makes the kernel do
 * so). Given back when his file is closed.
 */
bool wait_ino_claim(struct fs *fs, const struct tree_node *node, fuse_ino_t ino);
void wait_ino_release(struct fs *fs, fuse_ino_t ino);

/*
 * stat(2)'s struct, and for how many seconds the kernel may keep it; `since` is changes_now() of
 * before the node was looked at.
 */
double node_attr(struct fs *fs, const struct tree_node *node, uint64_t since, struct stat *ret);
/* A name's answer. brief: the name may be told otherwise to others, or soon. */
void node_entry(struct fs *fs, const struct tree_node *node, uint64_t since, bool brief,
		struct fuse_entry_param *ret);
void scratch_entry(struct scratch *s, struct fuse_entry_param *ret);

#endif
