/* The directory of the back end `file`: whose it is, what is in it, how full it is. */
#include "volumes/file/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define OWNER ".owner"
#define SCRATCH ".scratch"
#define GIB (1ULL << 30)
/* A large file system is not full because a twentieth of it is all that is left. */
#define EARLY_BYTES (20 * GIB)
#define FULL_BYTES GIB

int file_tell(const char *what, const char *name, int number, struct ec2fs_error *error)
{
	if (number == ENOSPC || number == EDQUOT)
		return ec2fs_fail(error, EC2_InsufficientVolumeCapacity,
				  "%s %s: the file system is full", what, name);
	return ec2fs_fail_errno(error, number, EC2_InternalError, "%s %s: %s", what, name,
				strerror(number));
}

/* Writes the owner's name for who comes next; whole, or not at all. */
static int claim(int dir, const char *owner)
{
	cleanup_close int fd = openat(dir, SCRATCH, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int number = 0;

	if (fd < 0 || dprintf(fd, "%s\n", owner) < 0 || fsync(fd) < 0 ||
	    (linkat(dir, SCRATCH, dir, OWNER, 0) < 0 && errno != EEXIST) || fsync(dir) < 0)
		number = errno;
	unlinkat(dir, SCRATCH, 0);
	return -number;
}

/* Calls each with the names of volumes and snapshots that have that ending, which is cut off. */
static int each_name(int dir_fd, const char *ending, void (*each)(void *context, const char *id),
		     void *context)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		int number = errno;

		if (fd >= 0)
			close(fd);
		return -number;
	}
	while ((d = readdir(dir)) != NULL) {
		size_t len = strlen(d->d_name), cut = strlen(ending);

		if ((strncmp(d->d_name, "vol-", 4) != 0 && strncmp(d->d_name, "snap-", 5) != 0) ||
		    len <= cut || strcmp(d->d_name + len - cut, ending) != 0)
			continue;
		d->d_name[len - cut] = '\0';
		each(context, d->d_name);
	}
	return 0;
}

static void see(void *context, const char *id)
{
	(void)id;
	*(bool *)context = true;
}

/* What should have volumes and has neither them nor an owner is where a disk would be mounted. */
static int check_mounted(int dir, const char *name, const char *owner, struct ec2fs_error *error)
{
	bool any = false;
	int r = each_name(dir, FILE_ENDING, see, &any);

	if (r < 0)
		return file_tell("reading", name, -r, error);
	if (any)
		return 0;
	return ec2fs_fail_errno(error, ENODEV, EC2_Unavailable,
				"%s has none of its volumes: mount its disk; or, where they are "
				"lost, write %s to %s/" OWNER,
				name, owner, name);
}

static int check_owner(int dir, const char *name, const char *owner, bool made,
		       struct ec2fs_error *error)
{
	cleanup_close int fd = -1;
	char is[80] = "";
	ssize_t n;
	int r;

	if (faccessat(dir, OWNER, F_OK, 0) < 0) {
		r = made ? check_mounted(dir, name, owner, error) : 0;
		if (r < 0)
			return r;
		r = claim(dir, owner);
		if (r < 0)
			return file_tell("writing", name, -r, error);
	}
	fd = openat(dir, OWNER, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, is, sizeof(is) - 1);
	if (n < 0)
		return file_tell("reading", name, errno, error);
	is[strcspn(is, "\n")] = '\0';
	if (strcmp(is, owner) == 0)
		return 0;
	return ec2fs_fail_errno(error, EBUSY, EC2_IncorrectState,
				"%s belongs to another cloud, %s: give each its own directory, or "
				"remove %s/" OWNER,
				name, is, name);
}

static bool can_clone(int dir)
{
	cleanup_close int one = openat(dir, SCRATCH, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	cleanup_close int other = -1;
	bool can;

	unlinkat(dir, SCRATCH, 0);
	other = openat(dir, SCRATCH, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unlinkat(dir, SCRATCH, 0);
	can = one >= 0 && other >= 0 && write(one, "x", 1) == 1 && ioctl(other, FICLONE, one) == 0;
	return can;
}

int file_open(const char *uri, const char *owner, bool made, struct volumes **ret,
	      struct ec2fs_error *error)
{
	const char *dir = uri + strlen(FILE_SCHEME);
	cleanup_close int fd = -1;
	struct file_volumes *v;
	int r;

	if (!made && mkdir(dir, 0711) < 0 && errno != EEXIST)
		return file_tell("making", dir, errno, error);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return file_tell("opening", dir, errno, error);
	r = check_owner(fd, dir, owner, made, error);
	if (r < 0)
		return r;
	v = xnew(struct file_volumes);
	v->base.ops = &volumes_file;
	v->dir = xstrdup(dir);
	v->clones = can_clone(fd);
	v->dir_fd = steal_fd(&fd);
	*ret = &v->base;
	return 0;
}

void file_close(struct volumes *base)
{
	struct file_volumes *v = file_of(base);

	close(v->dir_fd);
	free(v->dir);
	free(v);
}

bool file_same(struct volumes *base, struct volumes *other)
{
	struct stat a, b;

	return fstat(file_of(base)->dir_fd, &a) == 0 && fstat(file_of(other)->dir_fd, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

struct listing {
	struct file_volumes *v;
	void (*each)(void *context, const struct volume_found *found);
	void *context;
};

static void tell_one(void *context, const char *id)
{
	struct listing *l = context;
	struct volume_found found = {.id = id, .snapshot = strncmp(id, "snap-", 5) == 0};
	cleanup_free char *name = xasprintf("%s" FILE_ENDING, id);
	struct stat st;

	/* It may have gone meanwhile. */
	if (fstatat(l->v->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	found.size = (uint64_t)st.st_size;
	l->each(l->context, &found);
}

int file_list(struct volumes *base, void (*each)(void *context, const struct volume_found *found),
	      void *context, struct ec2fs_error *error)
{
	struct listing l = {file_of(base), each, context};
	int r = each_name(l.v->dir_fd, FILE_ENDING, tell_one, &l);

	return r < 0 ? file_tell("reading", l.v->dir, -r, error) : 0;
}

static void remove_half(void *context, const char *id)
{
	file_give_up(context, id);
}

int file_sweep(struct volumes *base, struct ec2fs_error *error)
{
	struct file_volumes *v = file_of(base);
	int r = each_name(v->dir_fd, FILE_HALF, remove_half, v);

	return r < 0 ? file_tell("reading", v->dir, -r, error) : 0;
}

/* Is less left than this share of it, and than this many bytes? */
static bool short_of(const struct volumes_capacity *c, unsigned data, uint64_t bytes)
{
	return c->data >= data && c->available < bytes;
}

int file_capacity(struct volumes *base, struct volumes_capacity *ret, struct ec2fs_error *error)
{
	struct file_volumes *v = file_of(base);
	struct volumes_capacity c = {0};
	struct statvfs st;

	if (fstatvfs(v->dir_fd, &st) < 0)
		return file_tell("asking", v->dir, errno, error);
	c.total = (uint64_t)st.f_blocks * st.f_frsize;
	c.available = (uint64_t)st.f_bavail * st.f_frsize;
	c.data = c.total ? (unsigned)((double)(c.total - c.available) / (double)c.total * 10000)
			 : 10000;
	c.refused = short_of(&c, VOLUMES_FULL, FULL_BYTES);
	if (short_of(&c, VOLUMES_EARLY, EARLY_BYTES))
		snprintf(c.notice, sizeof(c.notice),
			 "the file system of %.120s is %u %% full, %.1f GiB are left%s", v->dir,
			 c.data / 100, (double)c.available / (double)GIB,
			 c.refused ? ": nothing new is made" : "");
	*ret = c;
	return 0;
}

int file_refuse_when_full(struct file_volumes *v, struct ec2fs_error *error)
{
	struct volumes_capacity c;
	int r = file_capacity(&v->base, &c, error);

	if (r == 0 && c.refused)
		r = ec2fs_fail(error, EC2_InsufficientVolumeCapacity, "%s", c.notice);
	return r;
}
