/* `events`: recent changes, a line each, newest last. In memory only. */
#ifndef EC2FS_TREE_EVENTS_H
#define EC2FS_TREE_EVENTS_H

#include "ec2fs/util/strbuf.h"

#include <stdint.h>

struct events; /* with a lock of its own, the innermost */

struct events *events_new(void);
void events_free(struct events *e);
/* One line, "TIME TEXT"; control characters in it are escaped. now in ns since the epoch. */
void events_add(struct events *e, int64_t now, const char *text);
/* What is remembered. *ret_start (may be NULL): how many bytes were forgotten before it. */
void events_show(struct events *e, uint64_t *ret_start, struct strbuf *out);

#endif
