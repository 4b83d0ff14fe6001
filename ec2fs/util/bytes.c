#include "ec2fs/util/bytes.h"

#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

struct bytes *bytes_new(const void *data, size_t len)
{
	struct bytes *b = xcalloc(1, sizeof(*b) + len + 1);

	atomic_init(&b->references, 1);
	b->len = len;
	if (len)
		memcpy(b->data, data, len);
	return b;
}

struct bytes *bytes_ref(struct bytes *b)
{
	if (b)
		atomic_fetch_add_explicit(&b->references, 1, memory_order_relaxed);
	return b;
}

void bytes_unref(struct bytes *b)
{
	if (b && atomic_fetch_sub_explicit(&b->references, 1, memory_order_acq_rel) == 1)
		free(b);
}
