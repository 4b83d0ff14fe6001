/* Copying an image without copying what need not be. */
#include "volumes/volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)4 << 20)
/* What a write to a device past the page cache begins and ends at: no disk has longer sectors. */
#define ALIGNED ((size_t)4096)
/* Zeroes are left out by pieces of this size: what a thin pool gives out at once, at the least. */
#define PIECE (64 << 10)

struct copying {
	int in, out;
	bool by_hand; /* copy_file_range() has refused: other file systems, devices, old kernels */
	bool device;  /* out is one: it is written in whole sectors, the last one filled up with
			 zeroes */
	uint64_t size;
	volumes_progress_fn *progress;
	void *context;
	int told;
};

static void tell_progress(struct copying *c, off_t at)
{
	int percent = c->size ? (int)((double)at / (double)c->size * 100) : 100;

	if (!c->progress || percent == c->told)
		return;
	c->told = percent;
	c->progress(c->context, percent);
}

static bool all_zero(const char *data, size_t len)
{
	return data[0] == 0 && memcmp(data, data + 1, len - 1) == 0;
}

static int write_all(int out, const char *data, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pwrite(out, data, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The pieces that are not all zeroes, joined where they touch. */
static int write_pieces(int out, const char *data, size_t len, off_t at)
{
	size_t start = 0, end = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < len; i += PIECE) {
		size_t piece = len - i < PIECE ? len - i : PIECE;

		if (!all_zero(data + i, piece)) {
			if (end != i) {
				r = write_all(out, data + start, end - start, at + (off_t)start);
				start = i;
			}
			end = i + piece;
		}
	}
	return r < 0 ? r : write_all(out, data + start, end - start, at + (off_t)start);
}

static int read_all(int in, char *data, size_t len, off_t at)
{
	while (len) {
		ssize_t n = pread(in, data, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int copy_by_hand(struct copying *c, off_t at, off_t end)
{
	char *buffer = aligned_alloc(ALIGNED, CHUNK);
	int r = buffer ? 0 : -ENOMEM;

	if (c->device)
		at -= at % (off_t)ALIGNED;
	while (r == 0 && at < end) {
		size_t len = (size_t)(end - at) < CHUNK ? (size_t)(end - at) : CHUNK;
		size_t over = c->device ? (ALIGNED - len % ALIGNED) % ALIGNED : 0;

		r = read_all(c->in, buffer, len, at);
		memset(buffer + len, 0, over);
		if (r == 0)
			r = write_pieces(c->out, buffer, len + over, at);
		at += (off_t)len;
		tell_progress(c, at);
	}
	free(buffer);
	return r;
}

static int copy_range(struct copying *c, off_t at, off_t end)
{
	while (!c->by_hand && at < end) {
		off_t from = at, to = at;
		/* In parts, so that progress is told. */
		size_t want = (size_t)(end - at) < 16 * CHUNK ? (size_t)(end - at) : 16 * CHUNK;
		ssize_t n = copy_file_range(c->in, &from, c->out, &to, want, 0);

		if (n < 0 && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP &&
		    errno != ENOSYS && errno != EBADF)
			return -errno;
		if (n <= 0)
			c->by_hand = true;
		else
			at += n;
		tell_progress(c, at);
	}
	return copy_by_hand(c, at, end);
}

int volumes_size(int fd, uint64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = (uint64_t)st.st_size;
	return S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, ret) < 0 ? -errno : 0;
}

static int write_past_cache(int device)
{
	int flags = fcntl(device, F_GETFL);

	/* Where it cannot be done it is done with the cache. */
	if (flags < 0 || (fcntl(device, F_SETFL, flags | O_DIRECT) < 0 && errno != EINVAL))
		return -errno;
	return 0;
}

int volumes_copy(int in, int out, uint64_t size, volumes_progress_fn *progress, void *context)
{
	struct copying c = {.in = in,
			    .out = out,
			    .size = size,
			    .progress = progress,
			    .context = context,
			    .told = -1};
	off_t data = 0, hole, end = (off_t)size;
	struct stat from, to;
	int r = 0;

	if (fstat(in, &from) < 0 || fstat(out, &to) < 0)
		return -errno;
	if (S_ISREG(to.st_mode) && ftruncate(out, end) < 0)
		return -errno;
	/* copy_file_range() knows only files. */
	c.by_hand = !S_ISREG(from.st_mode) || !S_ISREG(to.st_mode);
	c.device = S_ISBLK(to.st_mode);
	/* The page cache of a device works in pieces of 4 KiB: several times as slow. */
	if (c.device && (r = write_past_cache(out)) < 0)
		return r;
	while (data < end) {
		hole = end;
		if (S_ISREG(from.st_mode)) {
			data = lseek(in, data, SEEK_DATA);
			if (data < 0 && errno != ENXIO)
				return -errno;
			if (data < 0 || data >= end)
				break;
			hole = lseek(in, data, SEEK_HOLE);
			if (hole < 0)
				return -errno;
			if (hole > end)
				hole = end;
		}
		r = copy_range(&c, data, hole);
		if (r < 0)
			return r;
		data = hole;
	}
	tell_progress(&c, end);
	return 0;
}

int volumes_copy_sparse(int in, int out)
{
	uint64_t size;
	int r;

	if (ioctl(out, FICLONE, in) == 0)
		return 0;
	r = volumes_size(in, &size);
	return r < 0 ? r : volumes_copy(in, out, size, NULL, NULL);
}
