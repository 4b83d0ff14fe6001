/* An immutable, counted byte string: the value of an attribute, shared by all who hold it. */
#ifndef EC2FS_UTIL_BYTES_H
#define EC2FS_UTIL_BYTES_H

#include <stdatomic.h>
#include <stddef.h>

struct bytes {
	atomic_uint references;
	size_t len;
	char data[]; /* len bytes and a NUL */
};

/* A new one with one reference. */
struct bytes *bytes_new(const void *data, size_t len);
/* One reference more; NULL stays NULL. */
struct bytes *bytes_ref(struct bytes *b);
/* One reference less; accepts NULL. */
void bytes_unref(struct bytes *b);

static inline void cleanup_bytesp(struct bytes **b)
{
	bytes_unref(*b);
}

#define cleanup_bytes __attribute__((cleanup(cleanup_bytesp)))

#endif
