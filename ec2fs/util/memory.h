/*
 * Allocation of small things. ec2fs is crash-only here: what was acknowledged is durable, so a
 * daemon that gets no 100 bytes ends and starts again. Buffers whose size a user chooses are
 * allocated with malloc(3) and answer ENOMEM.
 */
#ifndef EC2FS_UTIL_MEMORY_H
#define EC2FS_UTIL_MEMORY_H

#include <stddef.h>

void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *format, ...)
	__attribute__((malloc, returns_nonnull, format(printf, 1, 2)));

#define xnew(type) ((type *)xcalloc(1, sizeof(type)))

/* Makes room for one more element in an array that grows by doubling. */
#define array_reserve(array, count, capacity)                                                      \
	do {                                                                                       \
		if ((count) == (capacity)) {                                                       \
			(capacity) = (capacity) ? 2 * (capacity) : 8;                              \
			(array) = xrealloc((array), (capacity) * sizeof(*(array)));                \
		}                                                                                  \
	} while (0)

#endif
