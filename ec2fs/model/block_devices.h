/* Block device mappings of images and launches: documents in the grammar of text/block_device.h. */
#ifndef EC2FS_MODEL_BLOCK_DEVICES_H
#define EC2FS_MODEL_BLOCK_DEVICES_H

#include "ec2fs/model/kinds.h"
#include "ec2fs/util/strbuf.h"

/* The document of an image or a draft; whether it may change is the caller's to know. */
SETTER(block_devices_set);
/* Appends it, as it was written as long as that is what it means. */
void block_devices_print(const struct view *v, const struct resource *r, struct strbuf *out);
/* Does it name the snapshot? */
bool block_devices_name(const struct resource *r, const struct resource *snapshot);
/* Each snapshot that the image names and that is there. */
void block_devices_of_image(const struct view *v, const struct resource *image,
			    void (*each)(void *context, const struct resource *snapshot),
			    void *context);
/* The snapshot that the image's root volumes begin as; NULL: none. */
const struct resource *image_root_snapshot(const struct view *v, const struct resource *image);
/* The image's devices are the instance's, and its volumes the snapshots NAMES-DEVICE. */
void block_devices_map_snapshots(struct view *v, struct resource *image, const char *names,
				 const struct resource *instance);
/* The image's root device is that snapshot. */
void block_devices_map_root(struct view *v, struct resource *image,
			    const struct resource *snapshot);
/* Makes the volumes of a launch, attached: the root first. Refuses before it is too late: the
 * caller throws the change away. */
int block_devices_launch(struct view *v, struct resource *instance, const struct resource *image,
			 struct ec2fs_error *error);
/* For the metadata service: the device ("sdb") that each disk of the instance store is mapped to,
 * by its number, "" where it is not; how many are. */
size_t block_devices_ephemeral(const struct resource *instance, char (*ret)[32], size_t most);

#endif
