#include "ec2fs/fs/hidden.h"

#include "ec2fs/fs/relinking.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

#define MOMENT (5 * NS_PER_SECOND)

struct hidden_name {
	tree_id dir;
	char *name;
	int64_t until; /* monotonic ns */
};

struct hidden {
	atomic_size_t count; /* mostly 0 */
	pthread_mutex_t lock;
	struct hidden_name *names;
	size_t capacity;
};

struct hidden *hidden_new(void)
{
	struct hidden *h = xnew(struct hidden);

	pthread_mutex_init(&h->lock, NULL);
	return h;
}

void hidden_free(struct hidden *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->count; i++)
		free(h->names[i].name);
	free(h->names);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

static void take_out(struct hidden *h, size_t i)
{
	free(h->names[i].name);
	h->names[i] = h->names[h->count - 1];
	h->count--;
}

/* Under the lock: its place, or -1. Forgets those whose moment is over on the way. */
static ssize_t find(struct hidden *h, tree_id dir, const char *name)
{
	int64_t now = monotonic_now();
	ssize_t found = -1;

	for (size_t i = h->count; i-- > 0;) {
		if (h->names[i].until <= now) {
			/* The last one, already looked at, comes here. */
			if (found == (ssize_t)h->count - 1)
				found = (ssize_t)i;
			take_out(h, i);
		} else if (h->names[i].dir == dir && strcmp(h->names[i].name, name) == 0) {
			found = (ssize_t)i;
		}
	}
	return found;
}

void hide_name(struct fs *fs, tree_id dir, const char *name)
{
	struct hidden *h = fs->hidden;
	ssize_t i;

	pthread_mutex_lock(&h->lock);
	i = find(h, dir, name);
	if (i < 0) {
		size_t count = h->count;

		array_reserve(h->names, count, h->capacity);
		h->names[count] = (struct hidden_name){.dir = dir, .name = xstrdup(name)};
		i = (ssize_t)count;
		h->count++;
	}
	h->names[i].until = monotonic_now() + MOMENT;
	pthread_mutex_unlock(&h->lock);
}

bool unhide_name(struct fs *fs, tree_id dir, const char *name)
{
	struct hidden *h = fs->hidden;
	ssize_t i;

	if (!atomic_load(&h->count))
		return false;
	pthread_mutex_lock(&h->lock);
	i = find(h, dir, name);
	if (i >= 0)
		take_out(h, (size_t)i);
	pthread_mutex_unlock(&h->lock);
	return i >= 0;
}

/* Is the directory the resource's own, or a fixed one of it? */
static bool is_of(struct fs *fs, tree_id dir, tree_id resource, const struct tree_caller *who)
{
	struct tree_node facts;

	return tree_facts(fs->tree, dir, who, &facts) == 0 && facts.resource == resource;
}

void unhide_names_of(struct fs *fs, tree_id resource, const struct tree_caller *who)
{
	struct hidden *h = fs->hidden;
	tree_id *dirs;
	size_t count;

	if (!atomic_load(&h->count))
		return;
	/* The tree is asked without the lock. */
	pthread_mutex_lock(&h->lock);
	count = h->count;
	dirs = xcalloc(count + 1, sizeof(*dirs));
	for (size_t i = 0; i < count; i++)
		dirs[i] = h->names[i].dir;
	pthread_mutex_unlock(&h->lock);
	for (size_t d = 0; d < count; d++) {
		if (!is_of(fs, dirs[d], resource, who))
			continue;
		pthread_mutex_lock(&h->lock);
		for (size_t i = h->count; i-- > 0;)
			if (h->names[i].dir == dirs[d])
				take_out(h, i);
		pthread_mutex_unlock(&h->lock);
	}
	free(dirs);
}

bool name_is_hidden(struct fs *fs, tree_id dir, const char *name)
{
	struct hidden *h = fs->hidden;
	ssize_t i;

	if (relinking_waits(fs, dir, name))
		return true;
	if (!atomic_load(&h->count))
		return false;
	pthread_mutex_lock(&h->lock);
	i = find(h, dir, name);
	pthread_mutex_unlock(&h->lock);
	return i >= 0;
}

bool hides_names(struct fs *fs, tree_id dir)
{
	struct hidden *h = fs->hidden;
	bool any = relinking_waits_in(fs, dir);

	if (any)
		return true;
	if (!atomic_load(&h->count))
		return false;
	pthread_mutex_lock(&h->lock);
	/* Those whose moment is over count as well, until somebody asks for a name. */
	for (size_t i = 0; i < h->count && !any; i++)
		any = h->names[i].dir == dir;
	pthread_mutex_unlock(&h->lock);
	return any;
}
