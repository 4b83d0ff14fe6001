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

/* The last mount of ours at that path (id 0), or the one of that id; 0 when there is none. */
static long find_mount(const char *path, long id)
{
	cleanup_file FILE *f = fopen("/proc/self/mountinfo", "re");
	cleanup_free char *line = NULL;
	size_t size = 0;
	long found = 0;

	while (f && getline(&line, &size, f) > 0) {
		long one = strtol(line, NULL, 10);
		const char *at = line;

		/* "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT …" */
		for (int field = 0; at && field < 4; field++) {
			at = strchr(at, ' ');
			at = at ? at + 1 : NULL;
		}
		if (id ? one == id
		       : at && path && strstr(line, " - fuse.ec2fs ") &&
				    same_path(at, strcspn(at, " "), path))
			found = one;
	}
	return found;
}

static void *watch(void *argument)
{
	struct mount_watch *w = argument;
	struct pollfd fds[] = {{.fd = w->mounts, .events = POLLPRI},
			       {.fd = w->end, .events = POLLIN}};

	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[1].revents)
			break;
		if (find_mount(NULL, w->id))
			continue;
		fs_end_serving(w->fs);
		break;
	}
	return NULL;
}

struct mount_watch *mount_watch_new(struct fs *fs)
{
	struct mount_watch *w = xnew(struct mount_watch);

	w->fs = fs;
	w->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	w->end = eventfd(0, EFD_CLOEXEC);
	w->id = find_mount(fs->mountpoint, 0);
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
