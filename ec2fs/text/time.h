/* Times as EC2 writes them. */
#ifndef EC2FS_TEXT_TIME_H
#define EC2FS_TEXT_TIME_H

#include "ec2fs/util/strbuf.h"

#include <stdint.h>

/* ns since the epoch as "2026-11-24T02:00:00.000Z", appended. */
void time_print(int64_t ns, struct strbuf *out);
/* The same as "2026-11-24 02:00:00 GMT". */
void time_print_gmt(int64_t ns, struct strbuf *out);

#endif
