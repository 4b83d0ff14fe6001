/* What attachment.c and attachment_make.c share. */
#ifndef EC2FS_MODEL_ATTACHMENT_INTERNAL_H
#define EC2FS_MODEL_ATTACHMENT_INTERNAL_H

#include "ec2fs/model/storage.h"

void attachment_enter(struct view *v, struct resource *r, enum attachment_state state);
/* Nobody has the volume there any more: the attachment goes. */
void attachment_release(struct view *v, const struct resource *attachment);

#endif
