/* LSEEK: where data and holes are. (The kernel itself knows all other ways to seek.) */
#include "ec2fs/fs/open_file.h"

#include <sys/stat.h>
#include <unistd.h>

/* As far as its reader or writer can read. */
static int length_of(struct fs *fs, struct open_file *of, uint64_t *ret)
{
	struct tree_node facts;
	struct stat st;
	int r = 0;

	if (of->scratch) {
		scratch_stat(of->scratch, &st);
		*ret = (uint64_t)st.st_size;
	} else if (of->mode == OPEN_BLOB && !of->writer) {
		*ret = of->size;
	} else if (of->fd >= 0) {
		r = fstat(of->fd, &st) < 0 ? -errno : 0;
		*ret = (uint64_t)st.st_size;
	} else if (of->dirty) {
		*ret = of->text.len;
	} else if (of->flags & TREE_LOG) {
		*ret = of->shown_from + of->shown.len;
	} else if (of->mode == OPEN_DISCARD) {
		*ret = 0;
	} else {
		r = tree_stat(fs->tree, of->id, &of->who, &facts);
		*ret = r == 0 ? facts.size : 0;
	}
	return r;
}

/* A text has no holes, nor has a device; what is on disk has its own, encrypted or not. */
static off_t seek(struct open_file *of, uint64_t length, off_t off, int whence)
{
	off_t end = (off_t)length, found = -1;
	bool blob = of->mode == OPEN_BLOB && of->fd >= 0;

	if (off < 0 || off >= end)
		return -ENXIO;
	errno = EINVAL;
	if (blob)
		found = of->luks ? luks_seek(of->luks, of->fd, off, whence)
				 : lseek(of->fd, off, whence);
	if (found < 0 && errno == EINVAL)
		return whence == SEEK_DATA ? off : end;
	if (found < 0)
		return -errno;
	if (found < end)
		return found;
	return whence == SEEK_DATA ? -ENXIO : end;
}

void fs_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct open_file *of = open_file_ref(open_file_of(fi));
	uint64_t length = 0;
	off_t r;

	(void)ino;
	pthread_mutex_lock(&of->lock);
	r = whence == SEEK_DATA || whence == SEEK_HOLE ? length_of(fs, of, &length) : -EINVAL;
	if (r == 0)
		r = seek(of, length, off, whence);
	pthread_mutex_unlock(&of->lock);
	open_file_unref(fs, of);
	if (r < 0)
		reply_result(req, (int)r);
	else
		fuse_reply_lseek(req, r);
}
