#include "ec2fs/util/arena.h"

#include "ec2fs/util/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 16384
#define ALIGNMENT _Alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	max_align_t data[];
};

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->blocks;
	void *piece;

	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!b || b->size - b->used < size) {
		size_t room = size > BLOCK ? size : BLOCK;

		b = xcalloc(1, sizeof(*b) + room);
		b->size = room;
		b->next = a->blocks;
		a->blocks = b;
	}
	piece = (char *)b->data + b->used;
	b->used += size;
	return piece;
}

char *arena_copy(struct arena *a, const char *text)
{
	size_t len = text ? strlen(text) + 1 : 0;

	return text ? memcpy(arena_alloc(a, len), text, len) : NULL;
}

char *arena_format(struct arena *a, const char *format, ...)
{
	char *text = NULL, *copy;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	copy = arena_copy(a, text);
	free(text);
	return copy;
}

void arena_free(struct arena *a)
{
	struct arena_block *next;

	for (struct arena_block *b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	a->blocks = NULL;
}
