/* What /proc tells about the process behind a request. */
#ifndef EC2FS_FS_CALLERS_H
#define EC2FS_FS_CALLERS_H

#include "ec2fs/fs/internal.h"

/*
 * FLUSH comes whenever a descriptor is closed, the last one or not: bash's `> f` closes one before
 * it writes to another. True when neither the caller nor a process it descends from has the file
 * (as stat(2) numbers it) open any more, so that this was the last close as far as can be told.
 * False, too, where /proc does not tell, or the caller is exiting.
 */
bool caller_closed_last(const struct tree_caller *who, uint64_t ino);
/* Is the caller being ended by a signal, so that its files are closed for it? */
bool caller_is_killed(const struct tree_caller *who);

#endif
