#include "netfw/flow_file.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "netfw/netfw.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "flow-log"
#define OLDER FILE_NAME ".1"

/* What is shown begins where so many bytes are a whole number of parts, at the next line: for a
 * while it only grows, as `tail -f` wants it. */
#define PART (256 << 10)

/* What a crash left of a line goes. */
static int end_line(int fd, off_t *size)
{
	char tail[512];
	off_t at = *size > (off_t)sizeof(tail) ? *size - (off_t)sizeof(tail) : 0;
	ssize_t n = pread(fd, tail, sizeof(tail), at);
	const char *newline;

	if (n <= 0 || tail[n - 1] == '\n')
		return n < 0 ? -errno : 0;
	newline = memrchr(tail, '\n', (size_t)n);
	*size = newline ? at + (newline - tail) + 1 : at;
	return ftruncate(fd, *size) < 0 ? -errno : 0;
}

static int open_current(int dir, off_t *ret_size)
{
	int fd = openat(dir, FILE_NAME, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) < 0 ? -errno : 0;
	*ret_size = r == 0 ? st.st_size : 0;
	if (r == 0)
		r = end_line(fd, ret_size);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int flow_file_append(const char *directory, const struct strbuf *lines)
{
	cleanup_close int dir = -1, fd = -1;
	size_t done = 0;
	off_t size;

	if (mkdir(directory, 0711) < 0 && errno != EEXIST)
		return -errno;
	dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	fd = open_current(dir, &size);
	if (fd < 0)
		return fd;
	if (size > 0 && size + (off_t)lines->len > FLOW_FILE_MAX) {
		if (renameat(dir, FILE_NAME, dir, OLDER) < 0)
			return -errno;
		close(fd);
		fd = open_current(dir, &size);
		if (fd < 0)
			return fd;
	}
	while (done < lines->len) {
		ssize_t n = write(fd, lines->data + done, lines->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return 0;
}

static int open_to_read(const char *directory, const char *vpc, const char *name, struct stat *st)
{
	cleanup_free char *path = xasprintf("%s/%s/%s", directory, vpc, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && fstat(fd, st) == 0)
		return fd;
	*st = (struct stat){0};
	if (fd >= 0)
		close(fd);
	return -1;
}

/* From the first line that begins at or after that offset, to the last that is whole. */
static void show_from(int fd, off_t at, off_t size, struct strbuf *out)
{
	size_t start = out->len, skip = at > 0, len;
	char buffer[16384];
	const char *newline, *from;

	at -= (off_t)skip; /* the byte before tells whether a line begins there */
	while (at < size) {
		size_t most =
			size - at < (off_t)sizeof(buffer) ? (size_t)(size - at) : sizeof(buffer);
		ssize_t n = pread(fd, buffer, most, at);

		if (n <= 0)
			break;
		at += n;
		from = buffer;
		if (skip) {
			newline = memchr(buffer, '\n', (size_t)n);
			if (!newline)
				continue;
			from = newline + 1;
			skip = 0;
		}
		strbuf_add(out, from, (size_t)(buffer + n - from));
	}
	len = out->len - start;
	newline = len ? memrchr(out->data + start, '\n', len) : NULL;
	strbuf_truncate(out, newline ? (size_t)(newline + 1 - out->data) : start);
}

void netfw_flow_log_show(const char *directory, const char *vpc, struct strbuf *out)
{
	struct stat is, was;
	cleanup_close int current = open_to_read(directory, vpc, FILE_NAME, &is);
	cleanup_close int older = open_to_read(directory, vpc, OLDER, &was);
	off_t from = is.st_size / PART * PART - PART;

	/* It was renamed between the two looks. */
	if (older >= 0 && current >= 0 && is.st_ino == was.st_ino) {
		close(older);
		older = -1;
	}
	if (from < 0 && older >= 0)
		show_from(older, was.st_size > PART ? was.st_size - PART : 0, was.st_size, out);
	if (current >= 0)
		show_from(current, from > 0 ? from : 0, is.st_size, out);
}

void netfw_flow_log_remove(const char *directory, const char *vpc)
{
	static const char *const names[] = {FILE_NAME, OLDER};
	cleanup_free char *home = xasprintf("%s/%s", directory, vpc);

	for (size_t i = 0; i < 2; i++) {
		cleanup_free char *path = xasprintf("%s/%s", home, names[i]);

		unlink(path);
	}
	/* When nothing else of the VPC's is in it. */
	rmdir(home);
}
