/* Many small pieces of memory that are freed together. */
#ifndef EC2FS_UTIL_ARENA_H
#define EC2FS_UTIL_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_block *blocks;
};

#define ARENA_INIT                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}

/* Zeroed, aligned for anything; never NULL. */
void *arena_alloc(struct arena *a, size_t size);
/* A copy; NULL of NULL. */
char *arena_copy(struct arena *a, const char *text);
char *arena_format(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *a);

#define cleanup_arena __attribute__((cleanup(arena_free)))

#endif
