#include "ec2fs/engine/encryption.h"

#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE (1 << 20)

uint64_t encryption_held_size(const struct resource *volume, uint64_t size)
{
	return volume_key(volume) ? size + LUKS_HEADER : size;
}

static int read_key(struct engine *e, const char *key, char *ret, size_t size,
		    struct ec2fs_error *error)
{
	cleanup_free char *path = volume_key_path(e, key);
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	if (n <= 0)
		return ec2fs_fail(error, EC2_InternalError,
				  "the key %s, without which nothing can be read: %s", path,
				  n < 0 ? strerror(errno) : "it is empty");
	ret[n] = '\0';
	return 0;
}

int encryption_open(struct engine *e, const char *key, int fd, struct luks **ret,
		    struct ec2fs_error *error)
{
	char passphrase[256];
	int r = read_key(e, key, passphrase, sizeof(passphrase), error);

	if (r == 0)
		r = luks_open(fd, passphrase, ret, error);
	explicit_bzero(passphrase, sizeof(passphrase));
	return r < 0 ? ec2fs_wrap(error, "%s", key) : 0;
}

/* Zeroes too: what is left out would be noise. */
static int copy(const struct luks *l, int in, int out, uint64_t size)
{
	cleanup_free unsigned char *data = xcalloc(1, PIECE);
	int r = 0;

	for (uint64_t at = 0; r == 0 && at < size;) {
		size_t want = size - at < PIECE ? (size_t)(size - at) : PIECE;
		ssize_t n = pread(in, data, want, (off_t)at);
		size_t whole;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		/* Short of a sector only at the end. */
		whole = (size_t)n / LUKS_SECTOR * LUKS_SECTOR;
		if ((size_t)n < want && whole)
			n = (ssize_t)whole;
		whole = ((size_t)n + LUKS_SECTOR - 1) / LUKS_SECTOR * LUKS_SECTOR;
		memset(data + n, 0, whole - (size_t)n);
		r = luks_write(l, out, data, whole, (off_t)at);
		at += (uint64_t)n;
	}
	return r;
}

static int fill(const struct luks *l, int out, const char *path,
		const struct encryption_source *source, struct ec2fs_error *error)
{
	cleanup_close int in = open(source->path, O_RDONLY | O_CLOEXEC);
	uint64_t room = 0;
	int r = in < 0 ? -errno : volumes_size(out, &room);

	if (r == 0 && source->size + LUKS_HEADER > room)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "what it begins with is bigger than the volume");
	if (r == 0)
		r = copy(l, in, out, source->size);
	if (r < 0)
		return ec2fs_fail_errno(
			error, -r,
			r == -ENOSPC ? EC2_InsufficientVolumeCapacity : EC2_InternalError,
			"encrypting %s into %s: %s", source->path, path, strerror(-r));
	return 0;
}

int encryption_make(struct engine *e, const char *key, const char *path,
		    const struct encryption_source *source, struct ec2fs_error *error)
{
	cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC);
	cleanup_luks struct luks *l = NULL;
	char passphrase[256];
	int r;

	if (fd < 0)
		return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", path,
					strerror(errno));
	r = volume_key_make(e, key, error);
	if (r == 0)
		r = read_key(e, key, passphrase, sizeof(passphrase), error);
	if (r == 0)
		r = luks_format(fd, passphrase, error);
	if (r == 0)
		r = luks_open(fd, passphrase, &l, error);
	explicit_bzero(passphrase, sizeof(passphrase));
	if (r == 0 && source->path)
		r = fill(l, fd, path, source, error);
	if (r == 0 && fsync(fd) < 0)
		r = ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", path,
				     strerror(errno));
	return r;
}
