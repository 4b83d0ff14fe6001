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

/* Calls each with every entry of every directory kind, for the manual page and its check. */
void tree_describe(void (*each)(void *context, const char *dir, const char *name, mode_t mode,
				const char *help),
		   void *context);

#endif
