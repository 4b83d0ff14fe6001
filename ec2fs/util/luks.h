/*
 * Encrypted volumes as QEMU's driver opens them: LUKS version 1, aes-xts-plain64 with 256 bits.
 * libcryptsetup makes headers and finds keys; what they encrypt is read and written here without
 * device-mapper, which a guest's own input and output, QEMU's affair, does not need either.
 */
#ifndef EC2FS_UTIL_LUKS_H
#define EC2FS_UTIL_LUKS_H

#include "ec2fs/util/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What the header takes, before the first byte that a guest sees: a whole extent of LVM. */
#define LUKS_HEADER (4ULL << 20)
/* What is encrypted at once. */
#define LUKS_SECTOR 512

struct luks;

/*
 * Makes an open file or device an encrypted one, with a new master key under that passphrase. What
 * was in it is noise then. The header is on the disk afterwards.
 */
int luks_format(int fd, const char *passphrase, struct ec2fs_error *error);
/*
 * Opens one, made here or otherwise with the same ciphers. Not LUKS, or other ciphers: Unsupported
 * (EOPNOTSUPP); another passphrase: UnauthorizedOperation (EACCES). One may be used by several
 * threads.
 */
int luks_open(int fd, const char *passphrase, struct luks **ret, struct ec2fs_error *error);
/* Accepts NULL. */
void luks_free(struct luks *l);
/* As pread(2), in the clear; at counts from the first byte that a guest sees. -1 and errno. What
 * was never written, and is noise to a guest, is zeroes. */
ssize_t luks_read(const struct luks *l, int fd, void *buffer, size_t len, off_t at);
/* As lseek(2) by SEEK_DATA or SEEK_HOLE; at and the result count as luks_read's. -1 and errno. */
off_t luks_seek(const struct luks *l, int fd, off_t at, int whence);
/* Whole sectors, all of them; 0 or a negative errno. data is overwritten. */
int luks_write(const struct luks *l, int fd, void *data, size_t len, off_t at);

static inline void cleanup_luksp(struct luks **l)
{
	luks_free(*l);
}

#define cleanup_luks __attribute__((cleanup(cleanup_luksp)))

#endif
