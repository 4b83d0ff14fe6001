#include "ec2fs/util/table.h"

#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

static size_t home(const struct table *t, uint64_t hash)
{
	return (size_t)hash & (t->capacity - 1);
}

void *table_find(const struct table *t, uint64_t hash, table_same_fn *same, const void *key)
{
	if (!t->capacity)
		return NULL;
	for (size_t i = home(t, hash); t->cells[i].item; i = (i + 1) & (t->capacity - 1))
		if (t->cells[i].hash == hash && same(t->cells[i].item, key))
			return t->cells[i].item;
	return NULL;
}

static void place(struct table *t, uint64_t hash, void *item)
{
	size_t i = home(t, hash);

	while (t->cells[i].item)
		i = (i + 1) & (t->capacity - 1);
	t->cells[i] = (struct table_cell){hash, item};
}

static void grow(struct table *t)
{
	struct table old = *t;

	t->capacity = old.capacity ? 2 * old.capacity : 16;
	t->cells = xcalloc(t->capacity, sizeof(*t->cells));
	for (size_t i = 0; i < old.capacity; i++)
		if (old.cells[i].item)
			place(t, old.cells[i].hash, old.cells[i].item);
	free(old.cells);
}

void table_add(struct table *t, uint64_t hash, void *item)
{
	if (4 * (t->count + 1) > 3 * t->capacity)
		grow(t);
	place(t, hash, item);
	t->count++;
}

/* Closes the gap at i by moving back the cells whose probe passed over it. */
static void close_gap(struct table *t, size_t i)
{
	size_t mask = t->capacity - 1;

	for (size_t j = (i + 1) & mask; t->cells[j].item; j = (j + 1) & mask) {
		size_t h = home(t, t->cells[j].hash);

		if (((j - h) & mask) >= ((j - i) & mask)) {
			t->cells[i] = t->cells[j];
			i = j;
		}
	}
	t->cells[i] = (struct table_cell){0, NULL};
}

void *table_remove(struct table *t, uint64_t hash, table_same_fn *same, const void *key)
{
	if (!t->capacity)
		return NULL;
	for (size_t i = home(t, hash); t->cells[i].item; i = (i + 1) & (t->capacity - 1)) {
		void *item = t->cells[i].item;

		if (t->cells[i].hash != hash || !same(item, key))
			continue;
		close_gap(t, i);
		t->count--;
		return item;
	}
	return NULL;
}

void table_free(struct table *t)
{
	free(t->cells);
	*t = (struct table){0};
}

/* The finalizer of MurmurHash3: every bit of the number reaches every bit of the hash. */
uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	x ^= x >> 33;
	return x;
}

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t h = 0xcbf29ce484222325ULL ^ hash_u64(seed + 1);

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return hash_u64(h);
}

uint64_t hash_str(const char *s, uint64_t seed)
{
	return hash_bytes(s, strlen(s), seed);
}
