/* Volumes as sparse files of a directory: "file:DIR". */
#include "volumes/file/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static bool claims(const char *uri)
{
	return strncmp(uri, FILE_SCHEME, strlen(FILE_SCHEME)) == 0;
}

static int check(const char *uri, struct ec2fs_error *error)
{
	if (uri[strlen(FILE_SCHEME)] != '/')
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write file: and an absolute path, such as "
				  "file:/var/lib/ec2fs/volumes");
	return 0;
}

bool file_is_there(const struct file_volumes *v, const char *id)
{
	cleanup_free char *name = xasprintf("%s" FILE_ENDING, id);

	return faccessat(v->dir_fd, name, F_OK, 0) == 0;
}

int file_begin(struct file_volumes *v, const char *id, int mode, int *ret_fd,
	       struct ec2fs_error *error)
{
	cleanup_free char *part = xasprintf("%s" FILE_HALF, id);
	int fd;

	/* Another life's may have another mode, and may be a link to who knows what. */
	unlinkat(v->dir_fd, part, 0);
	fd = openat(v->dir_fd, part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return file_tell("making", part, errno, error);
	*ret_fd = fd;
	return 0;
}

int file_finish(struct file_volumes *v, const char *id, int fd, struct ec2fs_error *error)
{
	cleanup_free char *part = xasprintf("%s" FILE_HALF, id);
	cleanup_free char *name = xasprintf("%s" FILE_ENDING, id);

	if (fsync(fd) < 0 || renameat(v->dir_fd, part, v->dir_fd, name) < 0 || fsync(v->dir_fd) < 0)
		return file_tell("writing", name, errno, error);
	return 0;
}

void file_give_up(struct file_volumes *v, const char *id)
{
	cleanup_free char *part = xasprintf("%s" FILE_HALF, id);

	unlinkat(v->dir_fd, part, 0);
}

static int fill(int out, uint64_t size, const char *image, struct ec2fs_error *error)
{
	cleanup_close int in = -1;
	struct stat st;
	int r;

	if (image) {
		in = open(image, O_RDONLY | O_CLOEXEC);
		if (in < 0 || fstat(in, &st) < 0)
			return file_tell("opening", image, errno, error);
		if ((uint64_t)st.st_size > size)
			return ec2fs_fail(error, EC2_InvalidParameterValue,
					  "%s is bigger than the volume",
					  strstr(image, "/snap-") ? "the snapshot" : "the image");
		r = volumes_copy_sparse(in, out);
		if (r < 0)
			return file_tell("copying", image, -r, error);
	}
	if (ftruncate(out, (off_t)size) < 0)
		return file_tell("making", "a volume", errno, error);
	return 0;
}

static int create(struct volumes *base, const char *id, uint64_t size, const char *image,
		  struct ec2fs_error *error)
{
	struct file_volumes *v = file_of(base);
	cleanup_close int fd = -1;
	int r;

	if (file_is_there(v, id))
		return 0;
	r = file_refuse_when_full(v, error);
	if (r == 0)
		r = file_begin(v, id, 0600, &fd, error);
	if (r < 0)
		return r;
	r = fill(fd, size, image, error);
	if (r == 0)
		r = file_finish(v, id, fd, error);
	if (r < 0)
		file_give_up(v, id);
	return r;
}

static int clone_snapshot(struct volumes *base, const char *id, uint64_t size, const char *snapshot,
			  struct ec2fs_error *error)
{
	cleanup_free char *path = file_path(base, snapshot);

	return create(base, id, size, path, error);
}

/* Opens a volume for writing, and tells its size. */
static int open_volume(struct file_volumes *v, const char *id, int *ret_fd, uint64_t *ret_size,
		       struct ec2fs_error *error)
{
	cleanup_free char *name = xasprintf("%s" FILE_ENDING, id);
	cleanup_close int fd = openat(v->dir_fd, name, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return file_tell("opening", name, errno, error);
	*ret_fd = steal_fd(&fd);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

static int resize(struct volumes *base, const char *id, uint64_t size, struct ec2fs_error *error)
{
	cleanup_close int fd = -1;
	uint64_t is;
	int r = open_volume(file_of(base), id, &fd, &is, error);

	if (r < 0)
		return r;
	if (size < is)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "a volume only grows, and this one has %llu bytes",
				  (unsigned long long)is);
	if (size > is && ftruncate(fd, (off_t)size) < 0)
		return file_tell("growing", id, errno, error);
	return fsync(fd) < 0 ? file_tell("growing", id, errno, error) : 0;
}

static int wipe(struct volumes *base, const char *id, struct ec2fs_error *error)
{
	cleanup_close int fd = -1;
	uint64_t size;
	int r = open_volume(file_of(base), id, &fd, &size, error);

	if (r < 0)
		return r;
	if (size && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size) < 0 &&
	    (errno != EOPNOTSUPP || ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)size) < 0))
		return file_tell("wiping", id, errno, error);
	return fsync(fd) < 0 ? file_tell("wiping", id, errno, error) : 0;
}

int file_remove(struct volumes *base, const char *id, struct ec2fs_error *error)
{
	struct file_volumes *v = file_of(base);
	cleanup_free char *name = xasprintf("%s" FILE_ENDING, id);

	if (unlinkat(v->dir_fd, name, 0) < 0 && errno != ENOENT)
		return file_tell("removing", name, errno, error);
	return 0;
}

char *file_path(struct volumes *base, const char *id)
{
	return xasprintf("%s/%s" FILE_ENDING, file_of(base)->dir, id);
}

const struct volumes_ops volumes_file = {
	.name = "file",
	.claims = claims,
	.check = check,
	.open = file_open,
	.close = file_close,
	.same = file_same,
	.sweep = file_sweep,
	.create = create,
	.clone = clone_snapshot,
	.resize = resize,
	.wipe = wipe,
	.remove = file_remove,
	.path = file_path,
	.live_snapshots = file_live_snapshots,
	.snapshot = file_snapshot,
	.import = file_import,
	.remove_snapshot = file_remove,
	.snapshot_path = file_snapshot_path,
	.list = file_list,
	.capacity = file_capacity,
};
