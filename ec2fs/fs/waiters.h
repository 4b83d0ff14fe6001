/* Requests that wait: a write to `wait` until its state has come. None of them occupies a worker.
 */
#ifndef EC2FS_FS_WAITERS_H
#define EC2FS_FS_WAITERS_H

#include "ec2fs/fs/internal.h"

struct waiters *waiters_new(struct fs *fs);
int waiters_start(struct waiters *w);
/* Answers what still waits with EINTR, ends the thread, frees. Accepts NULL. */
void waiters_free(struct waiters *w);

/* Something changed: look again. Any thread, under any lock. Accepts NULL. */
void waiters_wake(struct waiters *w);
/* Takes the request over: it is answered with size when tree_wait says so, else with an errno.
 * ino is the kernel's number for the file. timeout in ns from now, INT64_MAX for none. */
void waiter_park(struct fs *fs, fuse_req_t req, fuse_ino_t ino, tree_id id, const char *text,
		 size_t size, int64_t timeout);

#endif
