/* The keys of encrypted volumes, a file each. */
#include "ec2fs/engine/encryption.h"

#include "ec2fs/model/storage.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DIRECTORY "volume-keys"
#define HALF ".part"
#define KEY_BYTES 32

static char *directory(struct engine *e)
{
	return xasprintf("%s/" DIRECTORY, e->state_dir);
}

char *volume_key_path(struct engine *e, const char *key)
{
	return xasprintf("%s/" DIRECTORY "/%s", e->state_dir, key);
}

static int tell(const char *path, struct ec2fs_error *error)
{
	return ec2fs_fail_errno(
		error, errno, errno == ENOSPC ? EC2_InsufficientVolumeCapacity : EC2_InternalError,
		"%s: %s", path, strerror(errno));
}

/* Hexadecimal, without a line's end: what QEMU and cryptsetup take from a file as it is. */
static int write_key(struct engine *e, int fd, const char *path, struct ec2fs_error *error)
{
	unsigned char bytes[KEY_BYTES];
	char text[2 * KEY_BYTES + 1];
	int r = 0;

	cloud_random(e->cloud, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	if (write(fd, text, 2 * sizeof(bytes)) != (ssize_t)(2 * sizeof(bytes)) || fsync(fd) < 0)
		r = tell(path, error);
	explicit_bzero(bytes, sizeof(bytes));
	explicit_bzero(text, sizeof(text));
	return r;
}

static int sync_directory(const char *path, struct ec2fs_error *error)
{
	cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? tell(path, error) : 0;
}

int volume_key_make(struct engine *e, const char *key, struct ec2fs_error *error)
{
	cleanup_free char *dir = directory(e);
	cleanup_free char *path = volume_key_path(e, key);
	cleanup_free char *half = xasprintf("%s" HALF, path);
	cleanup_close int fd = -1;
	int r;

	/* Who was killed may not have come to make sure of what is there. */
	if (access(path, F_OK) == 0)
		return sync_directory(dir, error);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return tell(dir, error);
	r = sync_directory(e->state_dir, error);
	if (r < 0)
		return r;
	unlink(half);
	fd = open(half, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r = fd < 0 ? tell(half, error) : write_key(e, fd, half, error);
	if (r == 0 && rename(half, path) < 0)
		r = tell(path, error);
	return r < 0 ? r : sync_directory(dir, error);
}

void volume_key_forget(struct engine *e, const char *key)
{
	cleanup_free char *path = key ? volume_key_path(e, key) : NULL;
	struct view v;
	bool wanted;

	if (!key)
		return;
	/* What nothing has, nothing can get any more: it is only handed on. */
	v = cloud_read(e->cloud);
	wanted = volume_key_is_wanted(&v, key);
	cloud_read_end(e->cloud);
	if (!wanted && unlink(path) < 0 && errno != ENOENT)
		log_warning("%s: %s", path, strerror(errno));
}

void volume_keys_sweep(struct engine *e)
{
	cleanup_free char *path = directory(e);
	cleanup_dir DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && (d = readdir(dir)) != NULL)
		if (strncmp(d->d_name, "vol-", 4) == 0)
			volume_key_forget(e, d->d_name);
}
