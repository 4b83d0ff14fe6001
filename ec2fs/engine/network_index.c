#include "ec2fs/engine/network_index.h"

#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* An address of a VPC, and whose it is. */
struct place {
	char *vpc;
	uint32_t address;
	uint64_t instance;
};

struct network_index {
	pthread_mutex_t lock;
	struct table places; /* of struct place, by VPC and address */
};

struct network_index *network_index_new(void)
{
	struct network_index *x = xnew(struct network_index);

	pthread_mutex_init(&x->lock, NULL);
	return x;
}

static void place_free(struct place *p)
{
	if (p)
		free(p->vpc);
	free(p);
}

void network_index_free(struct network_index *x)
{
	for (size_t i = 0; i < x->places.capacity; i++)
		place_free(x->places.cells[i].item);
	table_free(&x->places);
	pthread_mutex_destroy(&x->lock);
	free(x);
}

static bool same_place(const void *item, const void *key)
{
	const struct place *a = item, *b = key;

	return a->address == b->address && strcmp(a->vpc, b->vpc) == 0;
}

static struct place *find(const struct network_index *x, const char *vpc, uint32_t address)
{
	const struct place key = {(char *)vpc, address, 0};

	return table_find(&x->places, hash_str(vpc, address), same_place, &key);
}

void network_index_set(struct network_index *x, const char *vpc, uint32_t address,
		       uint64_t instance)
{
	struct place *p;

	pthread_mutex_lock(&x->lock);
	p = find(x, vpc, address);
	if (!p) {
		p = xnew(struct place);
		p->vpc = xstrdup(vpc);
		p->address = address;
		table_add(&x->places, hash_str(vpc, address), p);
	}
	p->instance = instance;
	pthread_mutex_unlock(&x->lock);
}

void network_index_drop(struct network_index *x, const char *vpc, uint32_t address,
			uint64_t instance)
{
	struct place *p;

	pthread_mutex_lock(&x->lock);
	p = find(x, vpc, address);
	if (p && p->instance == instance)
		place_free(table_remove(&x->places, hash_str(vpc, address), same_place, p));
	pthread_mutex_unlock(&x->lock);
}

uint64_t network_index_get(struct network_index *x, const char *vpc, uint32_t address)
{
	const struct place *p;
	uint64_t instance;

	pthread_mutex_lock(&x->lock);
	p = find(x, vpc, address);
	instance = p ? p->instance : 0;
	pthread_mutex_unlock(&x->lock);
	return instance;
}
