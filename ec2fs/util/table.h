/* A hash table of pointers: the caller hashes and compares, the table owns nothing but its cells.
 */
#ifndef EC2FS_UTIL_TABLE_H
#define EC2FS_UTIL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_cell {
	uint64_t hash;
	void *item; /* NULL: empty */
};

struct table {
	struct table_cell *cells;
	size_t count, capacity; /* capacity is 0 or a power of two */
};

typedef bool table_same_fn(const void *item, const void *key);

/* The item of that hash for which same answers true, or NULL. */
void *table_find(const struct table *t, uint64_t hash, table_same_fn *same, const void *key);
/* Adds without looking whether it is there already. */
void table_add(struct table *t, uint64_t hash, void *item);
/* Takes out and returns the item, or NULL. */
void *table_remove(struct table *t, uint64_t hash, table_same_fn *same, const void *key);
/* Frees the cells; items are the caller's. */
void table_free(struct table *t);

/* Hashes of numbers and bytes; seed joins several into one. */
uint64_t hash_u64(uint64_t value);
uint64_t hash_bytes(const void *data, size_t len, uint64_t seed);
uint64_t hash_str(const char *s, uint64_t seed);

#endif
