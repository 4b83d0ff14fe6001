#include "ec2fs/fs/mount_watch.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mount_watch {
	struct fs *fs;
	pthread_t thread;
	int mounts; /* /proc/self/mountinfo, which polls as changed when mounts change */
	int end;    /* eventfd: mount_watch_free */
	long id;    /* of the mount */
};

/* A path as proc(5) writes it: blanks and backslashes as \\ooo. */
static bool same_path(const char *written, size_t len, const char *path)
{
	size_t i = 0;

	for (; *path; path++) {
		char c;

		if (i >= len)
			return false;
		if (written[i] == '\\' && i + 3 < len) {
			c = (char)strtol(
				(char[]){written[i + 1], written[i + 2], written[i + 3], 0}, NULL,
				8);
			i += 4;
		} else {
			c = written[i++];
		}
		if (c != *path)
			return false;
	}
	return i == len;
}

bool mount_find(const char *path, long id, struct mount_facts *ret)
{
	cleanup_file FILE *f = fopen("/proc/self/mountinfo", "re");
	cleanup_free char *line = NULL;
	size_t size = 0;
	bool found = false;

	while (f && getline(&line, &size, f) > 0) {
		struct mount_facts one = {0};
		int at = 0;

		/* "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT …" */
		if (sscanf(line, "%ld %*d %*u:%u %*s %n", &one.id, &one.device_minor, &at) < 2 ||
		    !at)
			continue;
		if (id ? one.id != id
		       : !strstr(line, " - fuse.ec2fs ") ||
				    !same_path(line + at, strcspn(line + at, " "), path))
			continue;
		*ret = one;
		found = true;
	}
	return found;
}

static void *watch(void *argument)
{
	struct mount_watch *w = argument;
	struct mount_facts facts;
	struct pollfd fds[] = {{.fd = w->mounts, .events = POLLPRI},
			       {.fd = w->end, .events = POLLIN}};

	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[1].revents)
			break;
		if (mount_find(NULL, w->id, &facts))
			continue;
		fs_end_serving(w->fs);
		break;
	}
	return NULL;
}

struct mount_watch *mount_watch_new(struct fs *fs)
{
	struct mount_watch *w = xnew(struct mount_watch);
	struct mount_facts facts;

	w->fs = fs;
	w->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	w->end = eventfd(0, EFD_CLOEXEC);
	if (mount_find(fs->mountpoint, 0, &facts))
		w->id = facts.id;
	if (w->mounts >= 0 && w->end >= 0 && w->id &&
	    pthread_create(&w->thread, NULL, watch, w) == 0)
		return w;
	if (w->mounts >= 0)
		close(w->mounts);
	if (w->end >= 0)
		close(w->end);
	free(w);
	return NULL;
}

void mount_watch_free(struct mount_watch *w)
{
	if (!w)
		return;
	if (eventfd_write(w->end, 1) == 0)
		pthread_join(w->thread, NULL);
	close(w->mounts);
	close(w->end);
	free(w);
}
