/* Copying an image without copying what need not be. */
#include "volumes/volumes.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (1 << 20)

/* Where copy_file_range cannot: other file systems, old kernels. */
static int copy_by_hand(int in, int out, off_t at, off_t end)
{
	char *buffer = malloc(CHUNK);
	int r = buffer ? 0 : -ENOMEM;

	while (r == 0 && at < end) {
		size_t want = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		ssize_t n = pread(in, buffer, want, at), done = 0;

		if (n <= 0) {
			r = n < 0 ? -errno : -EIO;
			break;
		}
		while (r == 0 && done < n) {
			ssize_t w = pwrite(out, buffer + done, (size_t)(n - done), at + done);

			if (w < 0)
				r = -errno;
			else
				done += w;
		}
		at += n;
	}
	free(buffer);
	return r;
}

static int copy_range(int in, int out, off_t at, off_t end)
{
	while (at < end) {
		off_t from = at, to = at;
		ssize_t n = copy_file_range(in, &from, out, &to, (size_t)(end - at), 0);

		if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP ||
			      errno == ENOSYS || errno == EBADF))
			return copy_by_hand(in, out, at, end);
		if (n < 0)
			return -errno;
		if (n == 0)
			return copy_by_hand(in, out, at, end);
		at += n;
	}
	return 0;
}

int volumes_copy_sparse(int in, int out)
{
	off_t data = 0, hole;
	struct stat st;
	int r;

	if (ioctl(out, FICLONE, in) == 0)
		return 0;
	if (fstat(in, &st) < 0 || ftruncate(out, st.st_size) < 0)
		return -errno;
	while (data < st.st_size) {
		data = lseek(in, data, SEEK_DATA);
		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		hole = lseek(in, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		r = copy_range(in, out, data, hole);
		if (r < 0)
			return r;
		data = hole;
	}
	return 0;
}
