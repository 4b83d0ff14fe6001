#include "netfw/imds/keep.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define KEPT_MAX 65536

static int fail(struct ec2fs_error *error, int number, const char *path)
{
	return ec2fs_fail_errno(error, number, EC2_InternalError, "%s: %s", path, strerror(number));
}

/* 0, -ENOENT, or the errno of what is wrong with the file. */
static int read_kept(const char *path, struct strbuf *out)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char buffer[4096];
	size_t start = out->len;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0 && out->len - start < KEPT_MAX)
		strbuf_add(out, buffer, (size_t)n);
	return n < 0 ? -errno : 0;
}

/* A temporary file next to path; its name, owned by the caller, goes to *ret. */
static int write_beside(const char *path, mode_t mode, const struct strbuf *content, char **ret)
{
	cleanup_free char *name = xasprintf("%s.XXXXXX", path);
	cleanup_close int fd = mkostemp(name, O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fchmod(fd, mode) < 0 ||
	    write(fd, strbuf_str(content), content->len) != (ssize_t)content->len ||
	    fsync(fd) < 0) {
		int number = errno ? errno : EIO;

		unlink(name);
		return -number;
	}
	*ret = steal_pointer(&name);
	return 0;
}

int imds_keep(const char *directory, const char *name, int (*make)(struct strbuf *out),
	      struct strbuf *out, struct ec2fs_error *error)
{
	cleanup_free char *path = xasprintf("%s/%s", directory, name);
	cleanup_strbuf struct strbuf made = STRBUF_INIT;
	cleanup_free char *temporary = NULL;
	int r = read_kept(path, out);

	if (r != -ENOENT)
		return r < 0 ? fail(error, -r, path) : 0;
	if (mkdir(directory, 0711) < 0 && errno != EEXIST)
		return fail(error, errno, directory);
	if ((r = make(&made)) < 0)
		return fail(error, -r, path);
	r = write_beside(path, 0600, &made, &temporary);
	if (r < 0)
		return fail(error, -r, path);
	/* Never over a file that is there: who came first has perhaps used it already. */
	if (link(temporary, path) < 0 && errno != EEXIST)
		r = -errno;
	unlink(temporary);
	if (r < 0 || (r = read_kept(path, out)) < 0)
		return fail(error, -r, path);
	return 0;
}

int imds_publish(const char *directory, const char *name, mode_t mode, const struct strbuf *content,
		 struct ec2fs_error *error)
{
	cleanup_free char *path = xasprintf("%s/%s", directory, name);
	cleanup_free char *temporary = NULL;
	int r = write_beside(path, mode, content, &temporary);

	if (r == 0 && rename(temporary, path) < 0) {
		r = -errno;
		unlink(temporary);
	}
	return r < 0 ? fail(error, -r, path) : 0;
}
