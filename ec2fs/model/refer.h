/* Fields as users write them: names and IDs that mean other resources, documents. */
#ifndef EC2FS_MODEL_REFER_H
#define EC2FS_MODEL_REFER_H

#include "ec2fs/model/view.h"

/* The parent's child of that kind with that name or ID; or the refusal with that code, which names
 * the nearest one there is. */
int refer(const struct view *v, uint64_t parent, enum kind kind, enum ec2_code code,
	  const char *text, const struct resource **ret, struct ec2fs_error *error);

/* Sets the field to a document; one of blanks alone takes it away. */
void set_document(struct view *v, struct resource *r, const char *key, const char *text,
		  size_t len);

/* The zone of that name. The name of another region's zone (us-west-2b, in us-east-1) means the one
 * here with the same letter where resources are being copied, and where that is the zone already
 * (current, may be NULL): what was copied may be written again. NULL: none. */
const struct resource *refer_zone(const struct view *v, uint64_t region, const char *current,
				  const char *text);
/* Is the text the name of a zone as EC2 calls them, in a region of another name? *ret_zone (may be
 * NULL) becomes the zone with its letter here, or NULL. */
bool zone_is_foreign(const struct view *v, uint64_t region, const char *text,
		     const struct resource **ret_zone);

#endif
