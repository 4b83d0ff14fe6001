/* Volumes as sparse files of a directory: "file:DIR". */
#include "volumes/volumes.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define SCHEME "file:"
#define ENDING ".raw"
#define HALF_MADE ".part"

struct file_volumes {
	struct volumes base;
	char *dir;
	int dir_fd;
};

static struct file_volumes *of(struct volumes *v)
{
	return (struct file_volumes *)v;
}

static int tell(const char *what, const char *name, int number, struct ec2fs_error *error)
{
	if (number == ENOSPC || number == EDQUOT)
		return ec2fs_fail(error, EC2_InsufficientVolumeCapacity,
				  "%s %s: the file system is full", what, name);
	return ec2fs_fail_errno(error, number, EC2_InternalError, "%s %s: %s", what, name,
				strerror(number));
}

static bool claims(const char *uri)
{
	return strncmp(uri, SCHEME, strlen(SCHEME)) == 0;
}

static int check(const char *uri, struct ec2fs_error *error)
{
	if (uri[strlen(SCHEME)] != '/')
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write file: and an absolute path, such as "
				  "file:/var/lib/ec2fs/volumes");
	return 0;
}

static int open_dir(const char *uri, const char *owner, struct volumes **ret,
		    struct ec2fs_error *error)
{
	const char *dir = uri + strlen(SCHEME);
	struct file_volumes *v;
	int fd;

	(void)owner;
	if (mkdir(dir, 0711) < 0 && errno != EEXIST)
		return tell("making", dir, errno, error);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return tell("opening", dir, errno, error);
	v = xnew(struct file_volumes);
	v->base.ops = &volumes_file;
	v->dir = xstrdup(dir);
	v->dir_fd = fd;
	*ret = &v->base;
	return 0;
}

static void close_dir(struct volumes *base)
{
	struct file_volumes *v = of(base);

	close(v->dir_fd);
	free(v->dir);
	free(v);
}

static int fill(int out, uint64_t size, const char *image, struct ec2fs_error *error)
{
	cleanup_close int in = -1;
	struct stat st;
	int r;

	if (image) {
		in = open(image, O_RDONLY | O_CLOEXEC);
		if (in < 0 || fstat(in, &st) < 0)
			return tell("opening", image, errno, error);
		if ((uint64_t)st.st_size > size)
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "the image is bigger than the volume");
		r = volumes_copy_sparse(in, out);
		if (r < 0)
			return tell("copying", image, -r, error);
	}
	if (ftruncate(out, (off_t)size) < 0)
		return tell("making", "a volume", errno, error);
	return 0;
}

static int create(struct volumes *base, const char *id, uint64_t size, const char *image,
		  struct ec2fs_error *error)
{
	struct file_volumes *v = of(base);
	cleanup_free char *name = xasprintf("%s" ENDING, id);
	cleanup_free char *part = xasprintf("%s" HALF_MADE, id);
	cleanup_close int fd = -1;
	int r;

	if (faccessat(v->dir_fd, name, F_OK, 0) == 0)
		return 0;
	fd = openat(v->dir_fd, part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return tell("making", part, errno, error);
	r = fill(fd, size, image, error);
	if (r == 0 && (fsync(fd) < 0 || renameat(v->dir_fd, part, v->dir_fd, name) < 0 ||
		       fsync(v->dir_fd) < 0))
		r = tell("writing", name, errno, error);
	if (r < 0)
		unlinkat(v->dir_fd, part, 0);
	return r;
}

static int remove_one(struct volumes *base, const char *id, struct ec2fs_error *error)
{
	struct file_volumes *v = of(base);
	cleanup_free char *name = xasprintf("%s" ENDING, id);

	if (unlinkat(v->dir_fd, name, 0) < 0 && errno != ENOENT)
		return tell("removing", name, errno, error);
	return 0;
}

static char *path(struct volumes *base, const char *id)
{
	return xasprintf("%s/%s" ENDING, of(base)->dir, id);
}

/* Calls each with the names that begin with "vol-" and have that ending, which is cut off. */
static int each_name(struct file_volumes *v, const char *ending,
		     void (*each)(void *context, const char *id), void *context)
{
	int fd = openat(v->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		int number = errno;

		if (fd >= 0)
			close(fd);
		return -number;
	}
	while ((d = readdir(dir)) != NULL) {
		size_t len = strlen(d->d_name), cut = strlen(ending);

		if (strncmp(d->d_name, "vol-", 4) != 0 || len <= cut ||
		    strcmp(d->d_name + len - cut, ending) != 0)
			continue;
		d->d_name[len - cut] = '\0';
		each(context, d->d_name);
	}
	return 0;
}

struct listing {
	struct file_volumes *v;
	void (*each)(void *context, const struct volume_found *found);
	void *context;
};

static void tell_one(void *context, const char *id)
{
	struct listing *l = context;
	struct volume_found found = {.id = id};
	cleanup_free char *name = xasprintf("%s" ENDING, id);
	struct stat st;

	if (fstatat(l->v->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	found.size = (uint64_t)st.st_size;
	l->each(l->context, &found);
}

static int list(struct volumes *base, void (*each)(void *context, const struct volume_found *found),
		void *context, struct ec2fs_error *error)
{
	struct listing l = {of(base), each, context};
	int r = each_name(of(base), ENDING, tell_one, &l);

	return r < 0 ? tell("reading", of(base)->dir, -r, error) : 0;
}

static void remove_half(void *context, const char *id)
{
	struct file_volumes *v = context;
	cleanup_free char *part = xasprintf("%s" HALF_MADE, id);

	unlinkat(v->dir_fd, part, 0);
}

static int sweep(struct volumes *base, struct ec2fs_error *error)
{
	int r = each_name(of(base), HALF_MADE, remove_half, base);

	return r < 0 ? tell("reading", of(base)->dir, -r, error) : 0;
}

static int capacity(struct volumes *base, struct volumes_capacity *ret, struct ec2fs_error *error)
{
	struct statvfs st;

	if (fstatvfs(of(base)->dir_fd, &st) < 0)
		return tell("asking", of(base)->dir, errno, error);
	*ret = (struct volumes_capacity){
		.total = (uint64_t)st.f_blocks * st.f_frsize,
		.available = (uint64_t)st.f_bavail * st.f_frsize,
	};
	return 0;
}

const struct volumes_ops volumes_file = {
	.name = "file",
	.claims = claims,
	.check = check,
	.open = open_dir,
	.close = close_dir,
	.create = create,
	.remove = remove_one,
	.path = path,
	.list = list,
	.sweep = sweep,
	.capacity = capacity,
};
