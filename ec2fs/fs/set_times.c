#include "ec2fs/fs/set_times.h"

#include "ec2fs/util/memory.h"

#include <stdlib.h>

/* Older ones are forgotten; that costs a wrong time, no more. */
#define KEPT 256

struct set_times {
	pthread_mutex_t lock;
	size_t next;
	struct set_time {
		tree_id id;
		int64_t mtime;
		int64_t at; /* monotonic ns */
	} all[KEPT];
};

struct set_times *set_times_new(void)
{
	struct set_times *t = xnew(struct set_times);

	pthread_mutex_init(&t->lock, NULL);
	return t;
}

void set_times_free(struct set_times *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void time_was_set(struct fs *fs, tree_id id, int64_t mtime)
{
	struct set_times *t = fs->set_times;

	pthread_mutex_lock(&t->lock);
	t->all[t->next] = (struct set_time){.id = id, .mtime = mtime, .at = monotonic_now()};
	t->next = (t->next + 1) % KEPT;
	pthread_mutex_unlock(&t->lock);
}

bool time_set_since(struct fs *fs, tree_id id, int64_t since, int64_t *ret)
{
	struct set_times *t = fs->set_times;
	bool found = false;

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < KEPT; i++)
		if (t->all[i].id == id && t->all[i].at > since) {
			since = t->all[i].at;
			*ret = t->all[i].mtime;
			found = true;
		}
	pthread_mutex_unlock(&t->lock);
	return found;
}
