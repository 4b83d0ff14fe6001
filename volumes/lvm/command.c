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

/* flock(1) keeps the lock while the program runs, and survives a killed daemon with it. */
static int run(struct lvm_volumes *v, const char *const *first, const char *const *rest,
	       struct strbuf *out, struct ec2fs_error *error)
{
	const char *argv[MOST_WORDS] = {"flock", "--shared", "--close", v->lock_path};
	struct ec2fs_error e = {0};
	size_t n = 4;
	char *words;
	int r;

	while (first && *first && n + 1 < MOST_WORDS)
		argv[n++] = *first++;
	while (*rest && n + 1 < MOST_WORDS)
		argv[n++] = *rest++;
	if (*rest)
		return ec2fs_fail(error, EC2_InternalError, "%s: too many words", argv[4]);
	r = spawn_run(argv, TIMEOUT_MS, out, &e);
	if (r == 0)
		return 0;
	words = e.message;
	if (strncmp(words, "flock: ", strlen("flock: ")) == 0)
		words += strlen("flock: ");
	lvm_words(words);
	if (r == -ETIMEDOUT || r == -ENOENT)
		return ec2fs_fail_errno(error, -r, e.code, "%s", words);
	if (strstr(words, "failed to execute"))
		return ec2fs_fail_errno(error, ENOENT, EC2_InternalError,
					"%s is not installed (Debian: lvm2)", argv[4]);
	return ec2fs_fail(error, lvm_code(words), "%s: %s", first ? argv[5] : argv[4],
			  *words ? words : "it failed and told nothing");
}

int lvm_run(struct lvm_volumes *v, const char *const *argv, struct strbuf *out,
	    struct ec2fs_error *error)
{
	static const char *const lvm[] = {"lvm", NULL};

	return run(v, lvm, argv, out, error);
}

int lvm_run_other(struct lvm_volumes *v, const char *const *argv, struct ec2fs_error *error)
{
	return run(v, NULL, argv, NULL, error);
}

int lvm_wait_for_others(struct lvm_volumes *v, struct ec2fs_error *error)
{
	static const struct timespec pause = {.tv_nsec = 50000000};
	cleanup_close int fd = open(v->lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return ec2fs_fail_errno(error, errno, EC2_InternalError, "%s: %s", v->lock_path,
					strerror(errno));
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
