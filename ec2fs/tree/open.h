/* The life of a tree, for main. */
#ifndef EC2FS_TREE_OPEN_H
#define EC2FS_TREE_OPEN_H

#include "ec2fs/tree/tree.h"

struct cloud;
struct engine;
struct blobs;

/* The namespace over a cloud; cloud, engine (NULL in tests) and blobs outlive it. */
struct tree *tree_open(struct cloud *cloud, struct engine *engine, struct blobs *blobs);
void tree_close(struct tree *t);

/* Removes the blobs that no field names. */
int tree_sweep_blobs(struct tree *t, struct ec2fs_error *error);

/* Appends what the tables say of every file, in mdoc(7): the middle of the page ec2fs.tree(7). */
void tree_manual(struct strbuf *out);

#endif
