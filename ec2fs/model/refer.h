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

#endif
