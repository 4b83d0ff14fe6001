/*
 * When what a file shows became another: of files that tell of other resources than their own
 * (members, spec, map.svg), whose fields have no time for that. In memory only: after a restart
 * such a file has the time of its resource.
 */
#ifndef EC2FS_TREE_SHOWN_TIMES_H
#define EC2FS_TREE_SHOWN_TIMES_H

#include "ec2fs/tree/tree.h"

struct shown_times; /* with a lock of its own, the innermost */

struct shown_times *shown_times_new(void);
void shown_times_free(struct shown_times *s); /* accepts NULL */
/* What that node shows may be another since now (ns since the epoch). */
void shown_changed(struct shown_times *s, tree_id id, int64_t now);
/* Its time was set. */
void shown_time_set(struct shown_times *s, tree_id id);
/* The node is looked at: when did it become what it shows (text, of that length)? 0: not known.
 * live: nobody tells of its changes, they are seen when it is looked at (now). */
int64_t shown_since(struct shown_times *s, tree_id id, const void *text, size_t len, bool live,
		    int64_t now);

#endif
