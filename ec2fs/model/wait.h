/* Waiting for a state: what the file `wait` of an instance, volume, snapshot, image or NAT gateway
 * takes (EC2's waiters: InstanceRunning, VolumeAvailable, SnapshotCompleted …). */
#ifndef EC2FS_MODEL_WAIT_H
#define EC2FS_MODEL_WAIT_H

#include "ec2fs/model/view.h"
#include "ec2fs/util/error.h"

/* text: "STATE" or "STATE SECONDS". 0: it is there; -EINPROGRESS: it may still come; refused: it
 * cannot come any more, or the text is no state that one waits for. *ret_timeout, in ns, is set
 * where there are SECONDS. */
int state_wait(const struct view *v, const struct resource *r, const char *text,
	       int64_t *ret_timeout, struct ec2fs_error *error);

#endif
