/* What invalidate.c and notifier.c share. */
#ifndef EC2FS_FS_NOTIFIER_INTERNAL_H
#define EC2FS_FS_NOTIFIER_INTERNAL_H

#include "ec2fs/fs/invalidate.h"
#include "ec2fs/util/table.h"

#define SLOTS 4096

/*
 * The kernel made no inode of a node yet, but an answer about it may be on its way, made before the
 * change: it is told once more, this long after. ns.
 */
#define ECHO_AFTER (50 * NS_PER_SECOND / 1000)
#define RECENTLY NS_PER_SECOND

struct slot {
	atomic_uint_least64_t changed;  /* number of the latest change */
	atomic_uint_least64_t notified; /* the kernel knows of changes up to this */
	atomic_int_least64_t when;      /* it changed; monotonic ns */
	/* When the names in it last changed, and when part of a listing was last told; coarse ns.
	 */
	atomic_int_least64_t renamed, listed;
	atomic_int_least64_t told; /* when the kernel was last given facts to keep; monotonic ns */
};

struct item {
	uint64_t number;
	tree_id id; /* the node, or with a name the directory */
	char *name; /* NULL: the node itself */
	bool echo;  /* told for the second time */
};

struct waiting_reply {
	fuse_req_t req;
	bool write;
	ssize_t count;
};

struct batch {
	struct item *items;
	size_t count, capacity;
	struct table index; /* of the items that are nodes: their position + 1 */
	struct waiting_reply *replies;
	size_t reply_count, reply_capacity;
};

struct notifier {
	struct fs *fs;
	struct slot slots[SLOTS];
	atomic_uint_least64_t number;
	pthread_mutex_t lock; /* everything below */
	pthread_cond_t changed;
	pthread_t thread;
	bool running, busy, closed, ending;
	struct batch next;
	struct item *echoes; /* to be told again at echo_at */
	size_t echo_count, echo_capacity;
	int64_t echo_at;
};

static inline struct slot *slot_of(struct notifier *n, tree_id id)
{
	return &n->slots[hash_u64(id) % SLOTS];
}

/* invalidate.c, under the lock: changes of one node are one item. */
void batch_add_node(struct batch *b, tree_id id, uint64_t number, bool echo);

#endif
