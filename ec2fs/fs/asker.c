#include "ec2fs/fs/asker.h"

#include "ec2fs/util/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096
/* For a thread to fall asleep, on a machine that is busy with others, too; microseconds. */
#define PAUSE 100
#define TRIES 5000

/* The calls that make a name: which argument is its path, and which the flags that must have
 * O_CREAT (-1: none). */
static const struct making {
	long number;
	int path, flags;
} calls[] = {
#ifdef SYS_open
	{SYS_open, 0, 1},   {SYS_mkdir, 0, -1},   {SYS_mknod, 0, -1},   {SYS_symlink, 1, -1},
#endif
	{SYS_openat, 1, 2}, {SYS_mkdirat, 1, -1}, {SYS_mknodat, 1, -1}, {SYS_symlinkat, 2, -1},
};

/* As much of the text there as is mapped; always NUL-terminated. */
static bool read_text(pid_t thread, unsigned long address, char *out, size_t size)
{
	size_t got = 0;

	while (got < size - 1) {
		/* A read that crosses into a page that is not there fails as a whole. */
		size_t piece = PAGE - (address + got) % PAGE;
		struct iovec to, from;
		ssize_t n;

		if (piece > size - 1 - got)
			piece = size - 1 - got;
		to = (struct iovec){out + got, piece};
		from = (struct iovec){(void *)(address + got), piece};
		n = process_vm_readv(thread, &to, 1, &from, 1, 0);
		if (n <= 0)
			return false;
		got += (size_t)n;
		out[got] = '\0';
		if (memchr(out, '\0', got))
			return true;
	}
	return false;
}

static bool is_last_part(char *path, const char *name)
{
	size_t len = strlen(path);
	const char *slash;

	while (len && path[len - 1] == '/')
		path[--len] = '\0';
	slash = strrchr(path, '/');
	return strcmp(slash ? slash + 1 : path, name) == 0;
}

/* The system call that the thread waits in. It may not have come to wait yet: then it is "running",
 * and tells nothing. */
static bool call_of(pid_t thread, long *ret_number, unsigned long args[6])
{
	char path[40], text[256];

	snprintf(path, sizeof(path), "/proc/%d/syscall", thread);
	for (int tries = 0; tries < TRIES; tries++) {
		cleanup_file FILE *f = fopen(path, "re");

		if (!f || !fgets(text, sizeof(text), f))
			return false;
		if (strncmp(text, "running", 7) != 0)
			return sscanf(text, "%ld %lx %lx %lx %lx %lx %lx", ret_number, &args[0],
				      &args[1], &args[2], &args[3], &args[4], &args[5]) == 7;
		usleep(PAUSE);
	}
	return false;
}

bool asker_removes_below(pid_t thread)
{
	unsigned long args[6];
	long number;

	return call_of(thread, &number, args) && number == SYS_unlinkat && (int)args[0] != AT_FDCWD;
}

enum asker asker_of(pid_t thread, const char *name)
{
	unsigned long args[6];
	char path[PATH_MAX];
	long number;

	if (!call_of(thread, &number, args))
		return ASKER_UNKNOWN;
	/* Its flags are in a struct; it is rare enough to be asked for. */
	if (number == SYS_openat2)
		return ASKER_UNKNOWN;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].number != number)
			continue;
		if (calls[i].flags >= 0 && !(args[calls[i].flags] & O_CREAT))
			return ASKER_OTHER;
		if (!read_text(thread, args[calls[i].path], path, sizeof(path)))
			return ASKER_UNKNOWN;
		return is_last_part(path, name) ? ASKER_MAKES : ASKER_OTHER;
	}
	return ASKER_OTHER;
}
