/* The last refusals: what `errors` at the root and each resource's `error` tell. In memory only. */
#ifndef EC2FS_TREE_REFUSALS_H
#define EC2FS_TREE_REFUSALS_H

#include "ec2fs/util/error.h"
#include "ec2fs/util/strbuf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct refusals; /* with a lock of its own, the innermost */

struct refusals *refusals_new(void);
void refusals_free(struct refusals *r);

/* Remembers one of user uid; wrote (may be NULL) is shown in part. now in ns since the epoch. */
void refusals_add(struct refusals *r, int64_t now, uid_t uid, uint64_t resource, const char *path,
		  const void *wrote, size_t len, const struct ec2fs_error *error);
/* A change of the resource succeeded: true when its story was there and is told no more. */
bool refusals_clear(struct refusals *r, uint64_t resource);
/* The resource's last story, or nothing. It tells whose it was if not the owner's. */
void refusals_show_last(struct refusals *r, uint64_t resource, uid_t owner, struct strbuf *out);
/* The user's own, newest first; everybody's for root. */
void refusals_show(struct refusals *r, uid_t uid, struct strbuf *out);
/* How many there were since the start. */
uint64_t refusals_count(struct refusals *r);

#endif
