#include "ec2fs/store/blobs.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define TEMPORARY ".part"

struct blobs {
	char *dir;
	int dir_fd;
};

static int tell(const char *what, const char *name, struct ec2fs_error *error)
{
	int number = errno;

	if (number == ENOSPC || number == EDQUOT)
		return ec2fs_fail(error, EC2_InsufficientVolumeCapacity,
				  "%s %s: the file system of the state directory is full", what,
				  name);
	return ec2fs_fail_errno(error, number, EC2_InternalError, "%s %s: %s", what, name,
				strerror(number));
}

static bool is_temporary(const char *name)
{
	size_t len = strlen(name), end = strlen(TEMPORARY);

	return len > end && strcmp(name + len - end, TEMPORARY) == 0;
}

/* Calls each with every name of ours in the directory. */
static int each_file(struct blobs *b, bool (*remove)(void *context, const char *name),
		     void *context)
{
	int fd = openat(b->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -errno;
	}
	while ((d = readdir(dir)) != NULL)
		if (strncmp(d->d_name, "b-", 2) == 0 && remove(context, d->d_name))
			unlinkat(b->dir_fd, d->d_name, 0);
	return 0;
}

static bool left_over(void *context, const char *name)
{
	(void)context;
	return is_temporary(name);
}

int blobs_open(const char *dir, struct blobs **ret, struct ec2fs_error *error)
{
	cleanup_free char *path = xasprintf("%s/blobs", dir);
	cleanup_close int fd = -1;
	struct blobs *b;

	if (mkdir(path, 0711) < 0 && errno != EEXIST)
		return tell("making", path, error);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return tell("opening", path, error);
	b = xnew(struct blobs);
	b->dir = steal_pointer(&path);
	b->dir_fd = steal_fd(&fd);
	each_file(b, left_over, NULL);
	*ret = b;
	return 0;
}

void blobs_close(struct blobs *b)
{
	if (!b)
		return;
	close(b->dir_fd);
	free(b->dir);
	free(b);
}

static char *temporary(const char *name)
{
	return xasprintf("%s" TEMPORARY, name);
}

int blob_begin(struct blobs *b, int *ret_fd, char **ret_name, struct ec2fs_error *error)
{
	cleanup_free char *name = NULL;
	cleanup_free char *part = NULL;
	uint64_t number;
	int fd;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return tell("no random bytes for", "a blob", error);
	name = xasprintf("b-%016" PRIx64, number);
	part = temporary(name);
	fd = openat(b->dir_fd, part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return tell("making", part, error);
	*ret_fd = fd;
	*ret_name = steal_pointer(&name);
	return 0;
}

char *blob_temporary_path(struct blobs *b, const char *name)
{
	return xasprintf("%s/%s" TEMPORARY, b->dir, name);
}

int blob_finish(struct blobs *b, int fd, const char *name, struct ec2fs_error *error)
{
	cleanup_free char *part = temporary(name);

	if (fsync(fd) < 0 || renameat(b->dir_fd, part, b->dir_fd, name) < 0 || fsync(b->dir_fd) < 0)
		return tell("writing", name, error);
	return 0;
}

void blob_abandon(struct blobs *b, const char *name)
{
	cleanup_free char *part = temporary(name);

	unlinkat(b->dir_fd, part, 0);
}

int blob_open(struct blobs *b, const char *name, int *ret_fd, uint64_t *ret_size,
	      struct ec2fs_error *error)
{
	cleanup_close int fd = openat(b->dir_fd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return tell("opening", name, error);
	*ret_size = (uint64_t)st.st_size;
	*ret_fd = steal_fd(&fd);
	return 0;
}

bool blob_blocks(struct blobs *b, const char *name, uint64_t *ret)
{
	struct stat st;

	if (fstatat(b->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*ret = (uint64_t)st.st_blocks;
	return true;
}

char *blob_path(struct blobs *b, const char *name)
{
	return xasprintf("%s/%s", b->dir, name);
}

void blob_remove(struct blobs *b, const char *name)
{
	unlinkat(b->dir_fd, name, 0);
}

struct sweep {
	bool (*wanted)(void *context, const char *name);
	void *context;
};

static bool unwanted(void *context, const char *name)
{
	struct sweep *s = context;

	return !is_temporary(name) && !s->wanted(s->context, name);
}

int blobs_sweep(struct blobs *b, bool (*wanted)(void *context, const char *name), void *context,
		struct ec2fs_error *error)
{
	struct sweep s = {wanted, context};

	return each_file(b, unwanted, &s) < 0 ? tell("reading", b->dir, error) : 0;
}
