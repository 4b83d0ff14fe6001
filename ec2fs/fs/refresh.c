#include "ec2fs/fs/refresh.h"

#include "ec2fs/fs/invalidate.h"
#include "ec2fs/fs/open_file.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>

/* More at a time are answered with what is there. */
#define MOST 16

struct refresh {
	struct fs *fs;
	fuse_req_t req;
	struct tree_node node;
	struct tree_caller who;
	struct fuse_file_info fi;
	pthread_mutex_t lock;
	bool answered;
};

static atomic_uint under_way;

static void answer(struct refresh *x)
{
	struct fs *fs = x->fs;
	int r = open_node(fs, &x->node, &x->who, changes_now(fs), &x->fi);

	if (r < 0)
		fuse_reply_err(x->req, -r);
	else if (fuse_reply_open(x->req, &x->fi) == -ENOENT)
		open_file_unref(fs, open_file_of(&x->fi));
}

static bool first_to_answer(struct refresh *x)
{
	bool first;

	pthread_mutex_lock(&x->lock);
	first = !x->answered;
	x->answered = true;
	pthread_mutex_unlock(&x->lock);
	return first;
}

static void *refresh_main(void *argument)
{
	struct refresh *x = argument;

	tree_refresh(x->fs->tree, x->node.id);
	/* While it was still the kernel may have kept it. */
	told_anew(x->fs, x->node.id);
	if (first_to_answer(x))
		answer(x);
	pthread_mutex_destroy(&x->lock);
	free(x);
	atomic_fetch_sub(&under_way, 1);
	return NULL;
}

void refresh_and_open(struct fs *fs, fuse_req_t req, const struct tree_node *node,
		      const struct fuse_file_info *fi)
{
	struct refresh *x = xnew(struct refresh);
	pthread_attr_t detached;
	pthread_t thread;
	bool started = false;

	*x = (struct refresh){
		.fs = fs, .req = req, .node = *node, .who = caller_of(req), .fi = *fi};
	pthread_mutex_init(&x->lock, NULL);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	if (atomic_fetch_add(&under_way, 1) < MOST)
		started = pthread_create(&thread, &detached, refresh_main, x) == 0;
	pthread_attr_destroy(&detached);
	if (started)
		return;
	answer(x);
	pthread_mutex_destroy(&x->lock);
	free(x);
	atomic_fetch_sub(&under_way, 1);
}

void refresh_wait_all(struct fs *fs)
{
	(void)fs;
	while (atomic_load(&under_way))
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}
