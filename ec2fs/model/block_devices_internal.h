/* What the files of model/block_devices.h share: the lines of a document as an array. */
#ifndef EC2FS_MODEL_BLOCK_DEVICES_INTERNAL_H
#define EC2FS_MODEL_BLOCK_DEVICES_INTERNAL_H

#include "ec2fs/model/block_devices.h"
#include "ec2fs/text/block_device.h"

#include <stdlib.h>

struct devices {
	struct block_device *all;
	size_t count, capacity;
};

static inline void devices_free(struct devices *d)
{
	free(d->all);
}

#define cleanup_devices __attribute__((cleanup(devices_free)))

void devices_add(struct devices *all, const struct block_device *d);
/* Adds those of a text. */
void devices_parse(const char *text, struct devices *ret);
/* Adds those of an image or an instance. */
void devices_read(const struct resource *r, struct devices *ret);
/* Called by its name without /dev/. NULL: there is none. */
struct block_device *devices_find(struct devices *all, const char *name);

#endif
