#include "ec2fs/tree/shown_times.h"

#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"

#include <pthread.h>
#include <stdlib.h>

struct shown {
	tree_id id;
	int64_t told;  /* it may have changed then; 0: nobody said so since it was looked at */
	int64_t since; /* 0: not known */
	uint64_t hash; /* of what it showed */
	bool seen;
};

struct shown_times {
	pthread_mutex_t lock;
	struct table by_id;
};

struct shown_times *shown_times_new(void)
{
	struct shown_times *s = xnew(struct shown_times);

	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void shown_times_free(struct shown_times *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->by_id.capacity; i++)
		free(s->by_id.cells[i].item);
	table_free(&s->by_id);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static bool same_id(const void *item, const void *key)
{
	return ((const struct shown *)item)->id == *(const tree_id *)key;
}

static struct shown *find(struct shown_times *s, tree_id id)
{
	return table_find(&s->by_id, hash_u64(id), same_id, &id);
}

static struct shown *make(struct shown_times *s, tree_id id)
{
	struct shown *x = find(s, id);

	if (!x) {
		x = xnew(struct shown);
		x->id = id;
		table_add(&s->by_id, hash_u64(id), x);
	}
	return x;
}

void shown_changed(struct shown_times *s, tree_id id, int64_t now)
{
	pthread_mutex_lock(&s->lock);
	make(s, id)->told = now;
	pthread_mutex_unlock(&s->lock);
}

void shown_time_set(struct shown_times *s, tree_id id)
{
	struct shown *x;

	pthread_mutex_lock(&s->lock);
	x = find(s, id);
	if (x) {
		x->told = x->since = 0;
		x->seen = false;
	}
	pthread_mutex_unlock(&s->lock);
}

int64_t shown_since(struct shown_times *s, tree_id id, const void *text, size_t len, bool live,
		    int64_t now)
{
	uint64_t hash = hash_bytes(text, len, 0);
	struct shown *x;
	int64_t since = 0;

	pthread_mutex_lock(&s->lock);
	x = live ? make(s, id) : find(s, id);
	if (x && live && x->seen && x->hash != hash)
		x->since = now;
	/* What nobody has seen before is taken to be another. */
	if (x && x->told && (!x->seen || x->hash != hash))
		x->since = x->told;
	if (x) {
		x->told = 0;
		x->seen = true;
		x->hash = hash;
		since = x->since;
	}
	pthread_mutex_unlock(&s->lock);
	return since;
}
