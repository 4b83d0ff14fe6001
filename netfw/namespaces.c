/* Named network namespaces. */
#include "netfw/namespaces.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/log.h"
#include "netfw/links.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define DIRECTORY "/run/netns"
#define OWN "/proc/thread-self/ns/net"

static int fail(struct ec2fs_error *error, int number, const char *what, const char *name)
{
	return ec2fs_fail(error,
			  number == EPERM || number == EACCES ? EC2_OperationNotPermitted
							      : EC2_InternalError,
			  "cannot %s %s: %s", what, name, strerror(number));
}

static void path_of(const char *name, char path[64])
{
	snprintf(path, 64, DIRECTORY "/%s", name);
}

int netns_enter(int fd, int *ret_back)
{
	int back = open(OWN, O_RDONLY | O_CLOEXEC);

	if (back < 0)
		return -errno;
	if (setns(fd, CLONE_NEWNET) < 0) {
		int number = errno;

		close(back);
		return -number;
	}
	*ret_back = back;
	return 0;
}

void netns_leave(int *back)
{
	if (*back < 0)
		return;
	if (setns(*back, CLONE_NEWNET) < 0) {
		log_error("a thread cannot leave a network namespace: %s", strerror(errno));
		abort();
	}
	close(*back);
	*back = -1;
}

int netns_socket(int fd, int domain, int type, int protocol)
{
	cleanup_netns int back = -1;
	int r = netns_enter(fd, &back), s;

	if (r < 0)
		return r;
	s = socket(domain, type | SOCK_CLOEXEC, protocol);
	return s < 0 ? -errno : s;
}

/* In the namespace that the thread is in. */
static int write_setting(const struct netns_setting *s)
{
	char path[128];
	size_t len = strlen(s->value);
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", s->path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && s->optional ? 0 : -errno;
	n = write(fd, s->value, len);
	if (n < 0)
		n = -errno;
	close(fd);
	return n < 0 ? (int)n : 0;
}

static int write_settings(const struct netns_setting *settings, size_t count, const char *name,
			  struct ec2fs_error *error)
{
	for (size_t i = 0; i < count; i++) {
		int r = write_setting(&settings[i]);

		if (r < 0) {
			fail(error, -r, "set", settings[i].path);
			return ec2fs_wrap(error, "%s", name);
		}
	}
	return 0;
}

int netns_set(const struct netns *ns, const struct netns_setting *settings, size_t count,
	      struct ec2fs_error *error)
{
	cleanup_netns int back = -1;
	int r = netns_enter(ns->fd, &back);

	if (r < 0)
		return fail(error, -r, "enter", ns->name);
	return write_settings(settings, count, ns->name, error);
}

void netns_close(struct netns *ns)
{
	rtnl_close(&ns->rtnl);
	if (ns->fd >= 0)
		close(ns->fd);
	ns->fd = -1;
}

/* Takes fd, on failure too. */
static int open_rtnl(struct netns *ns, int fd, const char *name, struct ec2fs_error *error)
{
	int s = netns_socket(fd, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	if (s < 0) {
		close(fd);
		return fail(error, -s, "enter", name);
	}
	*ns = (struct netns){.fd = fd};
	snprintf(ns->name, sizeof(ns->name), "%s", name);
	rtnl_init(&ns->rtnl, s, name);
	return 0;
}

int netns_open_own(struct netns *ns, const char *where, struct ec2fs_error *error)
{
	int fd = open(OWN, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? fail(error, errno, "open", OWN) : open_rtnl(ns, fd, where, error);
}

int netns_open_fd(struct netns *ns, int fd, const char *where, struct ec2fs_error *error)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? fail(error, errno, "open", where) : open_rtnl(ns, copy, where, error);
}

/* -ENOENT also for a file to which no namespace is bound: what a crash may leave. */
static int open_named(const char *name)
{
	char path[64];
	struct statfs fs;
	int fd;

	path_of(name, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

int netns_open(struct netns *ns, const char *name, const char *mark, struct ec2fs_error *error)
{
	struct link lo;
	int fd = open_named(name), r;

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0)
		return fail(error, -fd, "open " DIRECTORY "/", name);
	r = open_rtnl(ns, fd, name, error);
	if (r < 0)
		return r;
	r = link_get(&ns->rtnl, "lo", &lo, error);
	if (r == 0 && strcmp(lo.alias, mark) != 0)
		r = ec2fs_fail(error, EC2_InternalError,
			       "the network namespace %s belongs to somebody else", name);
	if (r < 0)
		netns_close(ns);
	return r;
}

/* As ip-netns(8) does it, so that both can work beside each other. Takes the directory's lock. */
static int prepare_directory(int *ret_lock, struct ec2fs_error *error)
{
	int fd;

	if (mkdir(DIRECTORY, 0755) < 0 && errno != EEXIST)
		return fail(error, errno, "make", DIRECTORY);
	fd = open(DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(error, errno, "open", DIRECTORY);
	if (flock(fd, LOCK_EX) < 0) {
		int r = fail(error, errno, "lock", DIRECTORY);

		close(fd);
		return r;
	}
	*ret_lock = fd;
	if (mount("", DIRECTORY, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL || mount(DIRECTORY, DIRECTORY, "none", MS_BIND | MS_REC, NULL) < 0 ||
	    mount("", DIRECTORY, "none", MS_SHARED | MS_REC, NULL) < 0)
		return fail(error, errno, "share", DIRECTORY);
	return 0;
}

/* The new namespace, which the thread is in, gets its mark. */
static int set_mark(struct netns *ns, const char *mark, struct ec2fs_error *error)
{
	struct link lo;
	int r = link_get(&ns->rtnl, "lo", &lo, error);

	if (r == 0)
		r = link_set_alias(&ns->rtnl, &lo, mark, error);
	return r < 0 ? r : link_up(&ns->rtnl, &lo, error);
}

/* Binds the thread's namespace to its name. */
static int publish(const char *name, struct ec2fs_error *error)
{
	cleanup_close int lock = -1;
	char path[64];
	int r = prepare_directory(&lock, error), fd;

	if (r < 0)
		return r;
	path_of(name, path);
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0);
	if (fd < 0)
		return fail(error, errno, "make", path);
	close(fd);
	if (mount(OWN, path, "none", MS_BIND, NULL) < 0) {
		r = fail(error, errno, "bind", path);
		unlink(path);
		return r;
	}
	return 0;
}

static int create(struct netns *ns, const char *name, const char *mark,
		  const struct netns_setting *settings, size_t count, struct ec2fs_error *error)
{
	cleanup_netns int back = open(OWN, O_RDONLY | O_CLOEXEC);
	int r;

	if (back < 0)
		return fail(error, errno, "open", OWN);
	if (unshare(CLONE_NEWNET) < 0)
		return fail(error, errno, "make the network namespace", name);
	r = netns_open_own(ns, name, error);
	if (r < 0)
		return r;
	r = write_settings(settings, count, name, error);
	if (r == 0)
		r = set_mark(ns, mark, error);
	if (r == 0)
		r = publish(name, error);
	if (r < 0)
		netns_close(ns);
	return r;
}

int netns_create(struct netns *ns, const char *name, const char *mark,
		 const struct netns_setting *settings, size_t count, struct ec2fs_error *error)
{
	int r = netns_open(ns, name, mark, error);

	if (r == -ENOENT)
		return create(ns, name, mark, settings, count, error);
	if (r < 0)
		return r;
	r = netns_set(ns, settings, count, error);
	if (r < 0)
		netns_close(ns);
	return r;
}

int netns_remove(const char *name, const char *mark, struct ec2fs_error *error)
{
	struct netns ns = NETNS_INIT;
	char path[64];
	int r = netns_open(&ns, name, mark, error);

	path_of(name, path);
	if (r == -ENOENT) {
		unlink(path); /* the file of one that was never bound */
		return 0;
	}
	if (r < 0)
		return r;
	netns_close(&ns);
	if (umount2(path, MNT_DETACH) < 0)
		return fail(error, errno, "unmount", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return fail(error, errno, "remove", path);
	return 0;
}

int netns_list(const char *prefix, const char *mark, void (*each)(void *context, const char *name),
	       void *context, struct ec2fs_error *error)
{
	cleanup_dir DIR *d = opendir(DIRECTORY);
	struct dirent *entry;

	if (!d)
		return errno == ENOENT ? 0 : fail(error, errno, "read", DIRECTORY);
	while ((entry = readdir(d))) {
		struct netns ns = NETNS_INIT;

		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    strlen(entry->d_name) >= sizeof(ns.name) ||
		    netns_open(&ns, entry->d_name, mark, NULL) < 0)
			continue;
		netns_close(&ns);
		each(context, entry->d_name);
	}
	return 0;
}
