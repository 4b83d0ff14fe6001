/* Snapshots of the back end `file`: files that nobody writes to, which share what they can. */
#include "volumes/file/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

size_t file_live_snapshots(struct volumes *base)
{
	/* FICLONE holds off writers while it shares the file's blocks. */
	return file_of(base)->clones ? 1 : 0;
}

/* Each of several copies is its share of the way. */
struct share {
	volumes_progress_fn *progress;
	void *context;
	size_t index, count;
};

static void tell_share(void *context, int percent)
{
	const struct share *s = context;

	if (s->progress)
		s->progress(s->context, (int)((s->index * 100 + (size_t)percent) / s->count));
}

/* Fills ID.part of a snapshot with what the volume has now. */
static int take(struct file_volumes *v, const struct volume_snapshot *s, struct share *share,
		int *ret_fd, struct ec2fs_error *error)
{
	cleanup_free char *from = file_path(&v->base, s->volume);
	cleanup_close int in = open(from, O_RDONLY | O_CLOEXEC);
	cleanup_close int out = -1;
	uint64_t size;
	int r;

	if (in < 0)
		return file_tell("opening", from, errno, error);
	r = file_begin(v, s->id, 0400, &out, error);
	if (r < 0)
		return r;
	/* Where this fails, copying would not be of one instant. */
	if (v->clones)
		r = ioctl(out, FICLONE, in) < 0 ? -errno : 0;
	else if ((r = volumes_size(in, &size)) == 0)
		r = volumes_copy(in, out, size, tell_share, share);
	if (r < 0)
		return file_tell("copying", from, -r, error);
	*ret_fd = steal_fd(&out);
	return 0;
}

static int take_all(struct file_volumes *v, const struct volume_snapshot *snapshots, size_t count,
		    int *fds, struct share *share, struct ec2fs_error *error)
{
	int r = 0;

	for (share->index = 0; r == 0 && share->index < count; share->index++)
		r = take(v, &snapshots[share->index], share, &fds[share->index], error);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = file_finish(v, snapshots[i].id, fds[i], error);
	return r;
}

int file_snapshot(struct volumes *base, const struct volume_snapshot *snapshots, size_t count,
		  volumes_progress_fn *progress, void *context, struct ec2fs_error *error)
{
	struct file_volumes *v = file_of(base);
	struct share share = {progress, context, 0, count};
	cleanup_free int *fds = NULL;
	size_t there = 0;
	int r;

	for (size_t i = 0; i < count; i++)
		there += file_is_there(v, snapshots[i].id);
	if (there == count)
		return 0;
	r = file_refuse_when_full(v, error);
	/* What a kill has left is of another instant. */
	for (size_t i = 0; r == 0 && there && i < count; i++)
		r = file_remove(base, snapshots[i].id, error);
	if (r < 0)
		return r;
	fds = xcalloc(count, sizeof(*fds));
	for (size_t i = 0; i < count; i++)
		fds[i] = -1;
	r = take_all(v, snapshots, count, fds, &share, error);
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		if (r < 0) {
			file_give_up(v, snapshots[i].id);
			file_remove(base, snapshots[i].id, NULL);
		}
	}
	return r;
}

/* The same file under another name, on the same file system. */
static bool link_it(struct file_volumes *v, const char *id, const char *path, uint64_t size)
{
	cleanup_free char *name = xasprintf("%s" FILE_ENDING, id);
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size == size &&
	       linkat(AT_FDCWD, path, v->dir_fd, name, AT_SYMLINK_FOLLOW) == 0;
}

int file_import(struct volumes *base, const char *id, const char *path, uint64_t size,
		volumes_progress_fn *progress, void *context, struct ec2fs_error *error)
{
	struct file_volumes *v = file_of(base);
	cleanup_close int in = -1;
	cleanup_close int out = -1;
	int r;

	if (file_is_there(v, id))
		return 0;
	in = open(path, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return file_tell("opening", path, errno, error);
	if (!v->clones && link_it(v, id, path, size))
		return fsync(v->dir_fd) < 0 ? file_tell("writing", id, errno, error) : 0;
	r = file_refuse_when_full(v, error);
	if (r == 0)
		r = file_begin(v, id, 0400, &out, error);
	if (r < 0)
		return r;
	if (ioctl(out, FICLONE, in) == 0)
		r = ftruncate(out, (off_t)size) < 0 ? -errno : 0;
	else
		r = volumes_copy(in, out, size, progress, context);
	if (r < 0)
		r = file_tell("copying", path, -r, error);
	else
		r = file_finish(v, id, out, error);
	if (r < 0)
		file_give_up(v, id);
	return r;
}

int file_snapshot_path(struct volumes *base, const char *id, char **ret, uint64_t *ret_size,
		       struct ec2fs_error *error)
{
	cleanup_free char *path = file_path(base, id);
	struct stat st;

	if (stat(path, &st) < 0)
		return file_tell("looking for", id, errno, error);
	*ret = steal_pointer(&path);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}
