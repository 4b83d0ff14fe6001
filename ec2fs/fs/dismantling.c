#include "ec2fs/fs/dismantling.h"

#include "ec2fs/fs/asker.h"
#include "ec2fs/fs/callers.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>

/* Older ones are forgotten: then rmdir means what it always does. */
#define KEPT 64
#define WHILE (60 * NS_PER_SECOND)

struct dismantling {
	tree_id resource;
	int64_t at; /* monotonic ns, of the latest removal */
	/* An NFS or 9P server has several threads for one client. */
	pid_t pids[8];
	size_t pid_count;
	tree_id gone[128];
	size_t count;
};

struct dismantlings {
	pthread_mutex_t lock;
	struct dismantling all[KEPT];
};

struct dismantlings *dismantlings_new(void)
{
	struct dismantlings *d = xnew(struct dismantlings);

	pthread_mutex_init(&d->lock, NULL);
	return d;
}

void dismantlings_free(struct dismantlings *d)
{
	if (!d)
		return;
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* Under the lock: that of the resource, or NULL. */
static struct dismantling *find(struct dismantlings *d, tree_id resource)
{
	int64_t now = monotonic_now();

	for (size_t i = 0; i < KEPT; i++)
		if (d->all[i].resource == resource && d->all[i].at + WHILE > now)
			return &d->all[i];
	return NULL;
}

static struct dismantling *find_or_make(struct dismantlings *d, tree_id resource)
{
	struct dismantling *x = find(d, resource);

	if (x)
		return x;
	x = &d->all[0];
	for (size_t i = 1; i < KEPT; i++)
		if (d->all[i].at < x->at)
			x = &d->all[i];
	*x = (struct dismantling){.resource = resource};
	return x;
}

static bool has_pid(const struct dismantling *x, pid_t pid)
{
	for (size_t i = 0; i < x->pid_count; i++)
		if (x->pids[i] == pid)
			return true;
	return false;
}

static bool has_gone(const struct dismantling *x, tree_id node)
{
	for (size_t i = 0; i < x->count; i++)
		if (x->gone[i] == node)
			return true;
	return false;
}

void dismantling_note(struct fs *fs, const struct tree_caller *who, tree_id dir,
		      const struct tree_node *node)
{
	struct dismantlings *d = fs->dismantlings;
	struct tree_node home;
	struct dismantling *x;

	/* An NFS server's threads remove tags for one client and resources for another. */
	if ((node->flags & TREE_FREE) && caller_is_kernel(who))
		return;
	if (tree_stat(fs->tree, dir, who, &home) < 0)
		return;
	pthread_mutex_lock(&d->lock);
	x = find_or_make(d, home.resource);
	x->at = monotonic_now();
	if (!has_pid(x, who->pid) && x->pid_count < sizeof(x->pids) / sizeof(x->pids[0]))
		x->pids[x->pid_count++] = who->pid;
	/* Names of values hide, and tags for rm -r; other resources are gone indeed. */
	if (!(node->flags & TREE_RESOURCE) && !has_gone(x, node->id) &&
	    x->count < sizeof(x->gone) / sizeof(x->gone[0]))
		x->gone[x->count++] = node->id;
	pthread_mutex_unlock(&d->lock);
}

void dismantling_undo(struct fs *fs, tree_id node)
{
	struct dismantlings *d = fs->dismantlings;

	pthread_mutex_lock(&d->lock);
	for (size_t i = 0; i < KEPT; i++)
		for (size_t j = 0; j < d->all[i].count; j++)
			if (d->all[i].gone[j] == node)
				d->all[i].gone[j] = d->all[i].gone[--d->all[i].count];
	pthread_mutex_unlock(&d->lock);
}

void dismantling_done(struct fs *fs, tree_id resource)
{
	struct dismantlings *d = fs->dismantlings;
	struct dismantling *x;

	pthread_mutex_lock(&d->lock);
	x = find(d, resource);
	if (x)
		*x = (struct dismantling){0};
	pthread_mutex_unlock(&d->lock);
}

bool dismantling_is_vain(struct fs *fs, const struct tree_caller *who, tree_id dir,
			 const struct tree_node *node)
{
	struct dismantlings *d = fs->dismantlings;
	struct dismantling is = {0};
	struct dismantling *x;
	struct tree_node home;

	if (tree_stat(fs->tree, dir, who, &home) < 0 || home.resource == TREE_ROOT)
		return false;
	pthread_mutex_lock(&d->lock);
	x = find(d, home.resource);
	if (x)
		is = *x;
	pthread_mutex_unlock(&d->lock);
	return is.count && has_pid(&is, who->pid) && asker_removes_below(who->pid) &&
	       !tree_left_in(fs->tree, home.resource, home.id == home.resource ? node->id : dir,
			     is.gone, is.count) &&
	       tree_stays(fs->tree, home.resource, who);
}

int dismantling_check(struct fs *fs, const struct tree_caller *who, tree_id resource)
{
	struct dismantlings *d = fs->dismantlings;
	struct dismantling is = {0};
	struct dismantling *x;
	struct ec2fs_error error;
	const char *left;

	pthread_mutex_lock(&d->lock);
	x = find(d, resource);
	if (x)
		is = *x;
	pthread_mutex_unlock(&d->lock);
	if (!has_pid(&is, who->pid))
		return 0;
	left = tree_left_in(fs->tree, resource, 0, is.gone, is.count);
	if (!left)
		return 0;
	ec2fs_fail(
		&error, EC2_DependencyViolation,
		"%s is left of it, and who removes it has removed but a part; rm -r removes it all",
		left);
	return tree_refuse(fs->tree, resource, NULL, who, NULL, 0, &error);
}
