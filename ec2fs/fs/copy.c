#include "ec2fs/fs/copy.h"

#include "ec2fs/util/cleanup.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PART ((size_t)256 * 1024)

int write_all(int fd, const void *data, size_t len, off_t off)
{
	const char *p = data;

	while (len) {
		ssize_t written = pwrite(fd, p, len, off);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		p += written;
		off += written;
		len -= (size_t)written;
	}
	return 0;
}

/* One stretch of data, by way of memory. */
static int copy_bytes(int from, int to, off_t off, off_t end)
{
	cleanup_free char *part = malloc(PART);

	if (!part)
		return -ENOMEM;
	while (off < end) {
		size_t want = (size_t)(end - off) < PART ? (size_t)(end - off) : PART;
		ssize_t got = pread(from, part, want, off);
		int r;

		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		r = write_all(to, part, (size_t)got, off);
		if (r < 0)
			return r;
		off += got;
	}
	return 0;
}

static int copy_stretch(int from, int to, off_t off, off_t end)
{
	while (off < end) {
		off_t in = off, out = off;
		ssize_t copied = copy_file_range(from, &in, to, &out, (size_t)(end - off), 0);

		if (copied <= 0)
			return copy_bytes(from, to, off, end);
		off += copied;
	}
	return 0;
}

int copy_all(int from, int to, uint64_t size)
{
	off_t off = 0, end = (off_t)size;

	if (ioctl(to, FICLONE, from) == 0)
		return ftruncate(to, end) < 0 ? -errno : 0;
	if (ftruncate(to, end) < 0)
		return -errno;
	while (off < end) {
		off_t data = lseek(from, off, SEEK_DATA);
		off_t hole;
		int r;

		if (data < 0 && errno == ENXIO)
			return 0; /* nothing but a hole from here on */
		if (data < 0)
			return copy_stretch(from, to, off, end);
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0 || hole > end)
			hole = end;
		r = copy_stretch(from, to, data, hole);
		if (r < 0)
			return r;
		off = hole;
	}
	return 0;
}
