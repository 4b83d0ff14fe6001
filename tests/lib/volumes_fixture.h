/* Volumes of the back end `file` in a directory of the test's own, on the file system at hand or on
 * one that clones: for tests of it. */
#ifndef TESTS_LIB_VOLUMES_FIXTURE_H
#define TESTS_LIB_VOLUMES_FIXTURE_H

#include "tests/lib/check.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/spawn.h"
#include "volumes/volumes.h"

#include <fcntl.h>

#define MIB (1ULL << 20)
#define SIZE (64 * MIB)
#define VOL "vol-0123456789abcdef0"
#define VOL2 "vol-0123456789abcdef1"
#define SNAP "snap-0123456789abcdef0"
#define SNAP2 "snap-0123456789abcdef1"

/* Where a file system that clones is mounted; NULL while the one at hand is tested. */
static char *cloning;

static inline int fresh(void **state)
{
	char *dir = cloning ? xasprintf("%s/test", cloning) : NULL;

	if (!dir)
		return check_directory(state);
	*state = dir;
	return mkdir(dir, 0755);
}

#define on_it(test) cmocka_unit_test_setup_teardown(test, fresh, check_remove)

static inline struct volumes *open_as(const char *dir, const char *owner, struct ec2fs_error *error)
{
	cleanup_free char *uri = xasprintf("file:%s/volumes", dir);
	struct volumes *v = NULL;

	volumes_file.open(uri, owner, false, &v, error);
	return v;
}

static inline struct volumes *begin(void **state)
{
	struct ec2fs_error error = {0};
	struct volumes *v = open_as(*state, "owner", &error);

	if (!v || v->ops->sweep(v, &error) < 0)
		fail_msg("%s", error.message);
	return v;
}

static inline void put_at(const char *path, const char *text, off_t at)
{
	cleanup_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
}

static inline void put(struct volumes *v, const char *id, const char *text, off_t at)
{
	cleanup_free char *path = v->ops->path(v, id);

	put_at(path, text, at);
}

static inline void has_at(const char *path, const char *text, off_t at)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char is[64] = "";

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, is, strlen(text), at), strlen(text));
	assert_string_equal(is, text);
}

static inline void has(struct volumes *v, const char *id, const char *text, off_t at)
{
	cleanup_free char *path = v->ops->path(v, id);

	has_at(path, text, at);
}

static inline uint64_t size_of(struct volumes *v, const char *id)
{
	cleanup_free char *path = v->ops->path(v, id);
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

struct found {
	int volumes, snapshots;
	uint64_t bytes;
};

static inline void count(void *context, const struct volume_found *one)
{
	struct found *f = context;

	*(one->snapshot ? &f->snapshots : &f->volumes) += 1;
	f->bytes += one->size;
}

static inline void holds(struct volumes *v, int volumes, int snapshots)
{
	struct found f = {0};

	assert_int_equal(v->ops->list(v, count, &f, NULL), 0);
	assert_int_equal(f.volumes, volumes);
	assert_int_equal(f.snapshots, snapshots);
}

static inline void take(struct volumes *v, const char *volume, const char *id)
{
	const struct volume_snapshot s = {volume, id};
	struct ec2fs_error error = {0};

	if (v->ops->snapshot(v, &s, 1, NULL, NULL, &error) < 0)
		fail_msg("%s", error.message);
}

static char *home;

/* An xfs of its own in a file. */
static inline int mount_one(void)
{
	struct ec2fs_error error = {.message = "only root mounts"};
	cleanup_free char *disk = NULL;
	cleanup_free char *at = NULL;
	cleanup_close int fd = -1;
	int r = -1;

	if (geteuid() == 0 && check_directory((void **)&home) == 0) {
		const char *const mkfs[] = {
			"mkfs.xfs", "-q", "-m", "reflink=1", disk = xasprintf("%s/disk", home),
			NULL};
		const char *const mount[] = {
			"mount", "-o", "loop", disk, at = xasprintf("%s/xfs", home), NULL};

		fd = open(disk, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd >= 0 && ftruncate(fd, 512 << 20) == 0 && mkdir(at, 0755) == 0)
			r = spawn_run(mkfs, 60000, NULL, &error);
		if (r == 0)
			r = spawn_run(mount, 60000, NULL, &error);
	}
	if (r == 0)
		cloning = steal_pointer(&at);
	else
		print_message("# %s\n", error.message);
	return r;
}

static inline void unmount_one(void)
{
	const char *const umount[] = {"umount", "--lazy", cloning, NULL};
	struct ec2fs_error error = {0};

	if (cloning && spawn_run(umount, 60000, NULL, &error) < 0)
		print_message("# %s\n", error.message);
	free(cloning);
	cloning = NULL;
	if (home)
		check_remove((void **)&home);
}

#endif
