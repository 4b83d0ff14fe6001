/* The back end `file`, on the file system at hand and on one that clones: snapshots and the rest.
 */
#include "tests/lib/volumes_fixture.h"

#include <sys/statvfs.h>

static void a_snapshot_keeps_its_instant(void **state)
{
	struct volumes *v = begin(state);
	cleanup_free char *path = NULL;
	uint64_t size;
	struct stat st;

	assert_int_equal(v->ops->create(v, VOL, SIZE, NULL, NULL), 0);
	put(v, VOL, "monday", 5000);
	take(v, VOL, SNAP);
	put(v, VOL, "sunday", 5000);
	assert_int_equal(v->ops->snapshot_path(v, SNAP, &path, &size, NULL), 0);
	assert_int_equal(size, SIZE);
	has_at(path, "monday", 5000);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0400);
	/* Taken again it stays what it is. */
	take(v, VOL, SNAP);
	has_at(path, "monday", 5000);
	assert_int_equal(v->ops->clone(v, VOL2, 2 * SIZE, SNAP, NULL), 0);
	has(v, VOL2, "monday", 5000);
	assert_int_equal(size_of(v, VOL2), 2 * SIZE);
	put(v, VOL2, "friday", 5000);
	has_at(path, "monday", 5000);
	holds(v, 2, 1);
	/* In any order: each stays whole without the others. */
	assert_int_equal(v->ops->remove(v, VOL, NULL), 0);
	has_at(path, "monday", 5000);
	take(v, VOL2, SNAP2);
	assert_int_equal(v->ops->remove_snapshot(v, SNAP, NULL), 0);
	assert_int_equal(v->ops->remove_snapshot(v, SNAP, NULL), 0);
	assert_int_equal(v->ops->remove(v, VOL2, NULL), 0);
	assert_int_equal(v->ops->clone(v, VOL, 2 * SIZE, SNAP2, NULL), 0);
	has(v, VOL, "friday", 5000);
	holds(v, 1, 1);
	v->ops->close(v);
}

static void several_are_taken_or_none(void **state)
{
	const struct volume_snapshot both[] = {{VOL, SNAP}, {VOL2, SNAP2}};
	struct volumes *v = begin(state);
	struct ec2fs_error error = {0};
	cleanup_free char *path = NULL;
	uint64_t size;

	assert_int_equal(v->ops->create(v, VOL, SIZE, NULL, NULL), 0);
	assert_int_equal(v->ops->snapshot(v, both, 2, NULL, NULL, &error), -ENOENT);
	assert_non_null(strstr(error.message, VOL2));
	holds(v, 1, 0);
	assert_int_equal(v->ops->create(v, VOL2, SIZE, NULL, NULL), 0);
	put(v, VOL, "earlier", 0);
	/* As if killed between the two: what is there is of another instant. */
	take(v, VOL, SNAP);
	put(v, VOL, "instant", 0);
	put(v, VOL2, "instant", 0);
	assert_int_equal(v->ops->snapshot(v, both, 2, NULL, NULL, NULL), 0);
	holds(v, 2, 2);
	assert_int_equal(v->ops->snapshot_path(v, SNAP, &path, &size, NULL), 0);
	has_at(path, "instant", 0);
	v->ops->close(v);
}

static void touch(const char *dir, const char *name)
{
	cleanup_free char *path = xasprintf("%s/volumes/%s", dir, name);
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0444);

	assert_true(fd >= 0);
}

static void half_made_snapshots_are_swept_and_begun_again(void **state)
{
	struct volumes *v = begin(state);

	assert_int_equal(v->ops->create(v, VOL, SIZE, NULL, NULL), 0);
	touch(*state, SNAP ".part");
	holds(v, 1, 0);
	take(v, VOL, SNAP);
	touch(*state, SNAP2 ".part");
	assert_int_equal(v->ops->sweep(v, NULL), 0);
	{
		cleanup_free char *part = xasprintf("%s/volumes/" SNAP2 ".part", (char *)*state);

		assert_int_equal(access(part, F_OK), -1);
	}
	holds(v, 1, 1);
	v->ops->close(v);
}

static char *image(const char *dir)
{
	char *path = xasprintf("%s/image", dir);
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_int_equal(ftruncate(fd, (off_t)SIZE), 0);
	put_at(path, "image", (off_t)SIZE - 512);
	return path;
}

static void listen(void *context, int percent)
{
	int *last = context;

	assert_in_range(percent, *last, 100);
	*last = percent;
}

static void an_image_becomes_a_snapshot(void **state)
{
	struct volumes *v = begin(state);
	cleanup_free char *from = image(*state);
	cleanup_free char *path = NULL;
	uint64_t size;
	int last = 0;

	assert_int_equal(v->ops->import(v, SNAP, from, SIZE, listen, &last, NULL), 0);
	assert_int_equal(v->ops->clone(v, VOL, SIZE, SNAP, NULL), 0);
	has(v, VOL, "image", (off_t)SIZE - 512);
	/* The image may go, and guests do not write to it. */
	put(v, VOL, "guest", (off_t)SIZE - 512);
	has_at(from, "image", (off_t)SIZE - 512);
	assert_int_equal(unlink(from), 0);
	assert_int_equal(v->ops->import(v, SNAP, from, SIZE, NULL, NULL, NULL), 0);
	assert_int_equal(v->ops->clone(v, VOL2, SIZE, SNAP, NULL), 0);
	has(v, VOL2, "image", (off_t)SIZE - 512);
	assert_int_equal(v->ops->import(v, SNAP2, from, SIZE, NULL, NULL, NULL), -ENOENT);
	/* The first bytes of what is longer: as from a device. */
	assert_int_equal(v->ops->snapshot_path(v, SNAP, &path, &size, NULL), 0);
	last = 0;
	assert_int_equal(v->ops->import(v, SNAP2, path, SIZE / 2, listen, &last, NULL), 0);
	assert_int_equal(size_of(v, SNAP2), SIZE / 2);
	holds(v, 2, 2);
	v->ops->close(v);
}

static void clones_are_no_smaller_than_their_snapshot(void **state)
{
	struct volumes *v = begin(state);
	struct ec2fs_error error = {0};

	assert_int_equal(v->ops->clone(v, VOL2, SIZE, SNAP, &error), -ENOENT);
	assert_int_equal(v->ops->create(v, VOL, SIZE, NULL, NULL), 0);
	take(v, VOL, SNAP);
	assert_int_equal(v->ops->clone(v, VOL2, SIZE - 512, SNAP, &error), -EINVAL);
	assert_int_equal(error.code, EC2_InvalidParameterValue);
	assert_non_null(strstr(error.message, "the snapshot is bigger"));
	holds(v, 1, 1);
	v->ops->close(v);
}

static void volumes_grow_and_never_shrink(void **state)
{
	struct volumes *v = begin(state);
	struct ec2fs_error error = {0};

	assert_int_equal(v->ops->create(v, VOL, SIZE, NULL, NULL), 0);
	put(v, VOL, "kept", (off_t)SIZE - 4);
	for (int i = 0; i < 2; i++)
		assert_int_equal(v->ops->resize(v, VOL, 3 * SIZE, NULL), 0);
	has(v, VOL, "kept", (off_t)SIZE - 4);
	assert_int_equal(v->ops->resize(v, VOL, 2 * SIZE, &error), -EINVAL);
	assert_int_equal(error.code, EC2_InvalidParameterValue);
	assert_int_equal(size_of(v, VOL), 3 * SIZE);
	assert_int_equal(v->ops->resize(v, VOL2, SIZE, &error), -ENOENT);
	v->ops->close(v);
}

static void what_is_wiped_is_gone(void **state)
{
	struct volumes *v = begin(state);
	cleanup_free char *path = v->ops->path(v, VOL);
	cleanup_free char *nothing = xcalloc(1, 8);
	struct stat st;

	assert_int_equal(v->ops->create(v, VOL, SIZE, NULL, NULL), 0);
	put(v, VOL, "secret", 12345);
	take(v, VOL, SNAP);
	assert_int_equal(v->ops->wipe(v, VOL, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, SIZE);
	assert_int_equal(st.st_blocks, 0);
	{
		cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
		char is[8];

		assert_int_equal(pread(fd, is, 8, 12345), 8);
		assert_memory_equal(is, nothing, 8);
	}
	has(v, SNAP, "secret", 12345);
	v->ops->close(v);
}

static void a_directory_has_one_owner(void **state)
{
	struct volumes *v = begin(state);
	cleanup_free char *mark = xasprintf("%s/volumes/.owner", (char *)*state);
	struct ec2fs_error error = {0};

	v->ops->close(v);
	assert_null(open_as(*state, "another", &error));
	assert_int_equal(error.number, EBUSY);
	assert_non_null(strstr(error.message, mark));
	v = begin(state);
	v->ops->close(v);
	assert_int_equal(unlink(mark), 0);
	v = open_as(*state, "another", &error);
	assert_non_null(v);
	v->ops->close(v);
}

static void what_is_left_is_told(void **state)
{
	struct volumes *v = begin(state);
	struct volumes_capacity c;

	assert_int_equal(v->ops->capacity(v, &c, NULL), 0);
	assert_in_range(c.available, 1, c.total);
	assert_in_range(c.data, 0, 10000);
	assert_int_equal(c.metadata, 0);
	v->ops->close(v);
}

static void snapshots_share_what_they_can(void **state)
{
	struct volumes *v = begin(state);
	cleanup_free char *path = v->ops->path(v, VOL);
	struct statvfs before, after;

	assert_int_equal(v->ops->live_snapshots(v), 1);
	assert_int_equal(v->ops->create(v, VOL, SIZE, NULL, NULL), 0);
	{
		cleanup_close int fd = open(path, O_RDWR | O_CLOEXEC);
		cleanup_free char *block = xcalloc(1, MIB);

		memset(block, 'x', MIB);
		for (off_t at = 0; at < (off_t)SIZE; at += (off_t)MIB)
			assert_int_equal(pwrite(fd, block, MIB, at), MIB);
		assert_int_equal(fsync(fd), 0);
	}
	assert_int_equal(statvfs(path, &before), 0);
	take(v, VOL, SNAP);
	assert_int_equal(v->ops->clone(v, VOL2, SIZE, SNAP, NULL), 0);
	assert_int_equal(statvfs(path, &after), 0);
	assert_in_range((before.f_bfree - after.f_bfree) * before.f_frsize, 0, 2 * MIB);
	v->ops->close(v);
}

static void a_full_directory_takes_nothing_new(void **state)
{
	const struct volume_snapshot s = {VOL, SNAP};
	struct volumes *v = begin(state);
	cleanup_free char *filler = xasprintf("%s/filler", (char *)*state);
	struct ec2fs_error error = {0};
	struct volumes_capacity c;
	struct statvfs st;

	assert_int_equal(v->ops->create(v, VOL, SIZE, NULL, NULL), 0);
	assert_int_equal(statvfs(filler, &st) < 0 ? statvfs(*state, &st) : 0, 0);
	{
		cleanup_close int fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		uint64_t total = (uint64_t)st.f_blocks * st.f_frsize;
		off_t most = (off_t)((uint64_t)st.f_bavail * st.f_frsize - total * 15 / 100);

		/* 15 percent left: it is told. Then 3. */
		assert_int_equal(fallocate(fd, 0, 0, most), 0);
		assert_int_equal(v->ops->capacity(v, &c, NULL), 0);
		assert_false(c.refused);
		assert_non_null(strstr(c.notice, "full"));
		assert_int_equal(fallocate(fd, 0, most, (off_t)(total * 12 / 100)), 0);
	}
	assert_int_equal(v->ops->capacity(v, &c, NULL), 0);
	assert_true(c.refused);
	assert_int_equal(v->ops->create(v, VOL2, SIZE, NULL, &error), -ENOSPC);
	assert_int_equal(error.code, EC2_InsufficientVolumeCapacity);
	assert_int_equal(v->ops->snapshot(v, &s, 1, NULL, NULL, &error), -ENOSPC);
	assert_int_equal(v->ops->import(v, SNAP, filler, 4096, NULL, NULL, &error), -ENOSPC);
	holds(v, 1, 0);
	/* What is there can be removed. */
	assert_int_equal(v->ops->remove(v, VOL, NULL), 0);
	v->ops->close(v);
}

static void what_is_on_a_volume_is_told(void **state)
{
	struct volumes *v = begin(state);
	cleanup_free char *path = v->ops->path(v, VOL);
	cleanup_close int fd = -1;
	const char *const mkfs[] = {"mkfs.ext4", "-q", "-L", "da\tta", path, NULL};
	/* A partition from sector 63 on, as DOS makes it. */
	static const unsigned char entry[16] = {0x80, 1, 1,  0,           0x83, 254,
						63,   1, 63, [12] = 0x22, 8};
	struct disk_content c;
	struct ec2fs_error error = {0};

	assert_int_equal(v->ops->create(v, VOL, SIZE, NULL, NULL), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(disk_content(fd, &c, NULL), 0);
	assert_string_equal(c.type, "");
	if (spawn_run(mkfs, 60000, NULL, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(disk_content(fd, &c, NULL), 0);
	assert_string_equal(c.type, "ext4");
	assert_string_equal(c.label, "da?ta");
	assert_int_equal(strlen(c.uuid), 36);
	assert_int_equal(v->ops->wipe(v, VOL, NULL), 0);
	assert_int_equal(pwrite(fd, entry, sizeof(entry), 446), sizeof(entry));
	assert_int_equal(pwrite(fd, "\x55\xaa", 2, 510), 2);
	assert_int_equal(disk_content(fd, &c, NULL), 0);
	assert_string_equal(c.type, "dos");
	v->ops->close(v);
}

static void nothing_is_copied_of_zeroes(void **state)
{
	cleanup_free char *from = xasprintf("%s/from", (char *)*state);
	cleanup_free char *to = xasprintf("%s/to", (char *)*state);
	cleanup_close int in = open(from, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cleanup_close int out = open(to, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	const off_t islands[] = {0, 200 << 10, (5 << 20) + 3, (8 << 20) - 1};
	int pipe_like, last = 0;
	struct stat st;

	assert_int_equal(ftruncate(in, 8 << 20), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pwrite(in, "!", 1, islands[i]), 1);
	assert_int_equal(volumes_copy(in, out, 8 << 20, listen, &last), 0);
	assert_int_equal(last, 100);
	assert_int_equal(fstat(out, &st), 0);
	assert_int_equal(st.st_size, 8 << 20);
	assert_in_range(st.st_blocks * 512, 4096, MIB);
	for (size_t i = 0; i < 4; i++)
		has_at(to, "!", islands[i]);
	/* More than there is: zeroes. Less: less. */
	assert_int_equal(ftruncate(out, 0), 0);
	assert_int_equal(volumes_copy(in, out, 9 << 20, NULL, NULL), 0);
	assert_int_equal(fstat(out, &st), 0);
	assert_int_equal(st.st_size, 9 << 20);
	assert_int_equal(ftruncate(out, 0), 0);
	assert_int_equal(volumes_copy(in, out, 1 << 20, NULL, NULL), 0);
	assert_int_equal(fstat(out, &st), 0);
	assert_int_equal(st.st_size, 1 << 20);
	has_at(to, "!", 200 << 10);
	pipe_like = open("/dev/full", O_RDWR | O_CLOEXEC);
	assert_int_equal(volumes_copy(in, pipe_like, 1 << 20, NULL, NULL), -ENOSPC);
	close(pipe_like);
}

/* The name is all that is seen of a test that is skipped. */
static void cloning_needs_root_and_mkfs_xfs(void **state)
{
	(void)state;
	skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_it(a_snapshot_keeps_its_instant),
		on_it(several_are_taken_or_none),
		on_it(half_made_snapshots_are_swept_and_begun_again),
		on_it(an_image_becomes_a_snapshot),
		on_it(clones_are_no_smaller_than_their_snapshot),
		on_it(volumes_grow_and_never_shrink),
		on_it(what_is_wiped_is_gone),
		on_it(a_directory_has_one_owner),
		on_it(what_is_left_is_told),
		on_it(what_is_on_a_volume_is_told),
		on_it(nothing_is_copied_of_zeroes),
		/* Only where files are cloned, on a file system of the test's own: */
		on_it(snapshots_share_what_they_can),
		on_it(a_full_directory_takes_nothing_new),
	};
	const struct CMUnitTest without[] = {cmocka_unit_test(cloning_needs_root_and_mkfs_xfs)};
	int failed = _cmocka_run_group_tests("file", tests, sizeof(tests) / sizeof(tests[0]) - 2,
					     NULL, NULL);

	if (mount_one() < 0)
		failed += cmocka_run_group_tests(without, NULL, NULL);
	else
		failed += cmocka_run_group_tests_name("file, cloning", tests, NULL, NULL);
	unmount_one();
	return failed;
}
