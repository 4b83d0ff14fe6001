#include "ec2fs/fs/blob_file.h"

#include "ec2fs/fs/copy.h"

#include <fcntl.h>
#include <unistd.h>

#define FLUSH_EVERY (UINT64_C(8) << 20)

void blob_file_drop(struct open_file *of, int broken)
{
	tree_blob_free(of->blob); /* with its descriptor */
	of->blob = NULL;
	of->fd = -1;
	of->dirty = false;
	of->broken = broken;
}

static int fail(struct fs *fs, struct open_file *of, int number)
{
	struct ec2fs_error error;

	blob_file_drop(of, number);
	if (number == -EFBIG)
		ec2fs_fail(&error, EC2_ValueTooLong, "it takes at most %zu bytes", of->max);
	else if (number == -ENOSPC)
		ec2fs_fail(&error, EC2_InsufficientVolumeCapacity,
			   "the file system of the state directory is full; nothing of it is kept");
	else
		ec2fs_fail_errno(&error, -number, EC2_InternalError,
				 "writing it to the host's disk failed; nothing of it is kept");
	return tree_refuse(fs->tree, of->id, NULL, &of->who, NULL, 0, &error);
}

/* The blob that is being written, begun when need be. */
static int begin(struct fs *fs, struct open_file *of)
{
	uint64_t size;
	int from, r;

	if (of->blob)
		return 0;
	r = tree_blob_begin(fs->tree, of->id, &of->who, &of->blob, &of->fd);
	if (r < 0 || of->truncated)
		return r;
	/* Who writes without truncating changes a part of what is there. */
	r = tree_blob_open(fs->tree, of->id, NULL, &from, &size);
	if (r == 0) {
		r = copy_all(from, of->fd, size);
		close(from);
	}
	/* Nothing, or what can be read only: the end of the writing is refused. */
	if (r == -ENODATA || r == -EOPNOTSUPP)
		return 0;
	return r < 0 ? fail(fs, of, r) : 0;
}

/* The disk writes while more comes, so that the flush at the end finds little left to do. */
static void set_disk_to_work(struct open_file *of, size_t len)
{
	of->unflushed += len;
	if (of->unflushed < FLUSH_EVERY)
		return;
	of->unflushed = 0;
	sync_file_range(of->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* A disk image goes from the kernel's pipe to its file without passing through here. */
ssize_t blob_file_write(struct fs *fs, struct open_file *of, struct fuse_bufvec *in, off_t off)
{
	struct fuse_bufvec out = FUSE_BUFVEC_INIT(fuse_buf_size(in));
	ssize_t n;
	int r;

	of->wrote = true;
	if (of->broken)
		return of->broken;
	if ((uint64_t)off + fuse_buf_size(in) > of->max)
		return fail(fs, of, -EFBIG);
	r = begin(fs, of);
	if (r < 0)
		return r;
	out.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	out.buf[0].fd = of->fd;
	out.buf[0].pos = off;
	n = fuse_buf_copy(&out, in, 0);
	if (n < 0)
		return fail(fs, of, (int)n);
	open_file_wrote(of);
	set_disk_to_work(of, (size_t)n);
	return n;
}

int blob_file_truncate(struct fs *fs, struct open_file *of, off_t size)
{
	int r;

	if (size == 0) {
		blob_file_drop(of, 0);
		of->truncated = true;
		return 0;
	}
	if (of->broken)
		return of->broken;
	if ((uint64_t)size > of->max)
		return fail(fs, of, -EFBIG);
	r = begin(fs, of);
	if (r < 0)
		return r;
	if (ftruncate(of->fd, size) < 0)
		return fail(fs, of, -errno);
	open_file_wrote(of);
	return 0;
}

int blob_file_flush(struct open_file *of)
{
	int r = of->blob && of->dirty ? tree_blob_commit(of->blob) : 0;

	/* Taken, it is finished: more writes begin with a copy of it. */
	blob_file_drop(of, r);
	of->truncated = false;
	return r;
}
