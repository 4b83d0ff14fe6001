/* Bytes from here to there, whole. */
#ifndef EC2FS_FS_COPY_H
#define EC2FS_FS_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Writes all of it at that offset; 0 or a negative errno. */
int write_all(int fd, const void *data, size_t len, off_t off);
/* Copies the first `size` bytes of a file over the beginning of another, holes as holes, without
 * copying where the file system can share. 0 or a negative errno. */
int copy_all(int from, int to, uint64_t size);

#endif
