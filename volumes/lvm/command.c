/* Running lvm. */
#include "volumes/lvm/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

/* One that is stopped within may have left devices suspended: this is for what hangs for good. */
#define TIMEOUT_MS (30 * 60 * 1000)
#define MOST_WORDS 32

void lvm_words(char *text)
{
	char *to = text, *from = text, *rest = text;

	while ((from = strsep(&rest, "\n")) != NULL) {
		size_t len;

		from += strspn(from, " \t");
		len = strlen(from);
		if (!len || strncmp(from, "WARNING:", strlen("WARNING:")) == 0)
			continue;
		if (to != text) {
			*to++ = ';';
			/* The line's end and, but for the first, its blanks are room enough. */
			if (to < from)
				*to++ = ' ';
		}
		memmove(to, from, len);
		to += len;
	}
	*to = '\0';
}

enum ec2_code lvm_code(const char *words)
{
	static const struct {
		const char *phrase;
		enum ec2_code code;
	} phrases[] = {
		{" in use", EC2_VolumeInUse},
		{"is used by", EC2_VolumeInUse},
		{"nsufficient free space", EC2_InsufficientVolumeCapacity},
		{"reached threshold", EC2_InsufficientVolumeCapacity},
		{"above threshold", EC2_InsufficientVolumeCapacity},
		{"No space left", EC2_InsufficientVolumeCapacity},
		{"out of data space", EC2_InsufficientVolumeCapacity},
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (strstr(words, phrases[i].phrase))
			return phrases[i].code;
	return EC2_InternalError;
}

static int open_lock(struct lvm_volumes *v, struct ec2fs_error *error)
{
	int fd = open(v->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", v->lock_path,
				strerror(errno));
}

/* The program holds the lock as its standard input: it survives a killed daemon with it. */
int lvm_run_other(struct lvm_volumes *v, const char *const *argv, struct strbuf *out,
		  struct ec2fs_error *error)
{
	cleanup_close int fd = open_lock(v, error);
	struct ec2fs_error e = {0};
	size_t name = strlen(argv[0]);
	char *words = e.message;
	int r;

	if (fd < 0)
		return fd;
	while (flock(fd, LOCK_SH) < 0)
		if (errno != EINTR)
			return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s",
						v->lock_path, strerror(errno));
	r = spawn_run_holding(fd, argv, TIMEOUT_MS, out, &e);
	if (r == 0)
		return 0;
	if (r == -ENOENT)
		return ec2fs_fail_errno(error, ENOENT, EC2_InternalError,
					"%s is not installed (Debian: lvm2)", argv[0]);
	if (r == -ETIMEDOUT)
		return ec2fs_fail_errno(error, -r, e.code, "%s", words);
	/* "lvm: what it told": its command says more. */
	if (strncmp(words, argv[0], name) == 0 && strncmp(words + name, ": ", 2) == 0)
		words += name + 2;
	lvm_words(words);
	return ec2fs_fail(error, lvm_code(words), "%s: %s",
			  strcmp(argv[0], "lvm") == 0 ? argv[1] : argv[0],
			  *words ? words : "it failed and told nothing");
}

int lvm_run(struct lvm_volumes *v, const char *const *argv, struct strbuf *out,
	    struct ec2fs_error *error)
{
	const char *words[MOST_WORDS] = {"lvm"};
	size_t n = 1;

	while (*argv && n + 1 < MOST_WORDS)
		words[n++] = *argv++;
	if (*argv)
		return ec2fs_fail(error, EC2_InternalError, "lvm %s: too many words", words[1]);
	return lvm_run_other(v, words, out, error);
}

int lvm_wait_for_others(struct lvm_volumes *v, struct ec2fs_error *error)
{
	static const struct timespec pause = {.tv_nsec = 50000000};
	cleanup_close int fd = open_lock(v, error);

	if (fd < 0)
		return fd;
	for (int left = TIMEOUT_MS / 50; flock(fd, LOCK_EX | LOCK_NB) < 0; left--) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s",
						v->lock_path, strerror(errno));
		if (left <= 0)
			return ec2fs_fail_errno(error, ETIMEDOUT, EC2_InternalError,
						"an lvm command of an earlier life does not end");
		nanosleep(&pause, NULL);
	}
	return 0;
}

int lvm_flush(struct lvm_volumes *v, struct ec2fs_error *error)
{
	for (size_t i = 0; i < v->device_count; i++) {
		cleanup_close int fd = open(v->devices[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || fsync(fd) < 0)
			return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s",
						v->devices[i], strerror(errno));
	}
	return 0;
}
