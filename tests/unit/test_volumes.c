/* Volumes as files, blobs, and what a disk image is. */
#include "tests/lib/check.h"

#include "ec2fs/store/blobs.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "volumes/volumes.h"

#include <endian.h>
#include <fcntl.h>

#define MIB (1ULL << 20)
#define ID "vol-0123456789abcdef0"

static char *at(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void put(const char *dir, const char *name, const void *data, size_t len, off_t offset,
		off_t size)
{
	cleanup_free char *path = at(dir, name);
	cleanup_close int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, offset), len);
	if (size)
		assert_int_equal(ftruncate(fd, size), 0);
}

static bool there(const char *dir, const char *name)
{
	cleanup_free char *path = at(dir, name);

	return access(path, F_OK) == 0;
}

static struct volumes *open_volumes(const char *dir)
{
	cleanup_free char *uri = xasprintf("file:%s/volumes", dir);
	struct volumes *v = NULL;
	struct ec2fs_error error = {0};

	assert_ptr_equal(volumes_for(uri), &volumes_file);
	if (volumes_file.open(uri, "owner", false, &v, &error) < 0)
		fail_msg("%s", error.message);
	return v;
}

static void a_volume_begins_as_its_image_and_is_thin(void **state)
{
	struct volumes *v = open_volumes(*state);
	cleanup_free char *image = at(*state, "image");
	cleanup_free char *path = v->ops->path(v, ID);
	char text[16] = "";
	struct stat st;

	/* Two islands of data in 64 MiB. */
	put(*state, "image", "beginning", 9, 0, 0);
	put(*state, "image", "end", 3, (off_t)(64 * MIB - 512), (off_t)(64 * MIB));
	assert_int_equal(v->ops->create(v, ID, 256 * MIB, image, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 256 * MIB);
	assert_true((uint64_t)st.st_blocks * 512 < 4 * MIB);
	assert_int_equal(st.st_mode & 0777, 0600);
	{
		cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);

		assert_int_equal(pread(fd, text, 9, 0), 9);
		assert_string_equal(text, "beginning");
		assert_int_equal(pread(fd, text, 3, (off_t)(64 * MIB - 512)), 3);
		assert_memory_equal(text, "end", 3);
		assert_int_equal(pread(fd, text, 1, (off_t)(32 * MIB)), 1);
		assert_int_equal(text[0], 0);
	}
	/* Made again it stays as it is. */
	put(*state, "volumes/" ID ".raw", "guest", 5, 0, 0);
	assert_int_equal(v->ops->create(v, ID, 256 * MIB, image, NULL), 0);
	{
		cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);

		assert_int_equal(pread(fd, text, 5, 0), 5);
		assert_memory_equal(text, "guest", 5);
	}
	assert_int_equal(v->ops->remove(v, ID, NULL), 0);
	assert_int_equal(v->ops->remove(v, ID, NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
	v->ops->close(v);
}

static void what_cannot_be_made_leaves_nothing(void **state)
{
	struct volumes *v = open_volumes(*state);
	cleanup_free char *image = at(*state, "image");
	struct ec2fs_error error = {0};

	put(*state, "image", "x", 1, 0, 2 * MIB);
	assert_int_equal(v->ops->create(v, ID, MIB, image, &error), -EINVAL);
	assert_non_null(strstr(error.message, "bigger"));
	assert_int_equal(v->ops->create(v, ID, MIB, "/nowhere", &error), -ENOENT);
	assert_int_equal(v->ops->create(v, ID, UINT64_MAX / 2, NULL, &error), -EFBIG);
	assert_false(there(*state, "volumes/" ID ".raw"));
	assert_false(there(*state, "volumes/" ID ".part"));
	v->ops->close(v);
}

static void count(void *context, const struct volume_found *found)
{
	assert_string_equal(found->id, ID);
	assert_int_equal(found->size, MIB);
	++*(int *)context;
}

static void half_made_volumes_are_swept(void **state)
{
	struct volumes *v = open_volumes(*state);
	int found = 0;

	assert_int_equal(v->ops->create(v, ID, MIB, NULL, NULL), 0);
	put(*state, "volumes/vol-1.part", "half", 4, 0, 0);
	put(*state, "volumes/somebody-elses", "x", 1, 0, 0);
	put(*state, "volumes/else.part", "x", 1, 0, 0);
	assert_int_equal(v->ops->list(v, count, &found, NULL), 0);
	assert_int_equal(found, 1);
	assert_int_equal(v->ops->sweep(v, NULL), 0);
	assert_false(there(*state, "volumes/vol-1.part"));
	assert_true(there(*state, "volumes/" ID ".raw"));
	assert_true(there(*state, "volumes/somebody-elses"));
	assert_true(there(*state, "volumes/else.part"));
	/* One that was begun is begun again. */
	put(*state, "volumes/vol-2.part", "rubbish", 7, 0, 0);
	assert_int_equal(v->ops->create(v, "vol-2", MIB, NULL, NULL), 0);
	{
		cleanup_free char *path = v->ops->path(v, "vol-2");
		cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
		char c = 1;

		assert_int_equal(pread(fd, &c, 1, 0), 1);
		assert_int_equal(c, 0);
	}
	v->ops->close(v);
}

static void storage_is_told_by_its_uri(void **state)
{
	(void)state;
	assert_null(volumes_for("lvm"));
	assert_null(volumes_for(""));
	assert_int_equal(volumes_file.check("file:/a", NULL), 0);
	assert_int_equal(volumes_file.check("file:a", NULL), -EINVAL);
}

static bool wanted(void *context, const char *name)
{
	return strcmp(context, name) == 0;
}

static char *make_blob(struct blobs *b, const char *text)
{
	char *name = NULL;
	int fd;

	assert_int_equal(blob_begin(b, &fd, &name, NULL), 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(blob_finish(b, fd, name, NULL), 0);
	close(fd);
	return name;
}

static void blobs_are_whole_or_not_there(void **state)
{
	cleanup_free char *kept = NULL;
	cleanup_free char *orphan = NULL;
	cleanup_free char *half = NULL;
	cleanup_free char *given_up = NULL;
	struct blobs *b;
	uint64_t size = 0;
	int fd;

	assert_int_equal(blobs_open(*state, &b, NULL), 0);
	kept = make_blob(b, "kept");
	orphan = make_blob(b, "orphan");
	assert_string_not_equal(kept, orphan);
	assert_int_equal(blob_begin(b, &fd, &given_up, NULL), 0);
	assert_int_equal(blob_open(b, given_up, &(int){0}, &size, NULL), -ENOENT);
	blob_abandon(b, given_up);
	close(fd);
	assert_int_equal(blob_begin(b, &fd, &half, NULL), 0);
	close(fd);
	/* The next life. */
	blobs_close(b);
	assert_int_equal(blobs_open(*state, &b, NULL), 0);
	assert_int_equal(blobs_sweep(b, wanted, kept, NULL), 0);
	assert_int_equal(blob_open(b, half, &fd, &size, NULL), -ENOENT);
	assert_int_equal(blob_open(b, orphan, &fd, &size, NULL), -ENOENT);
	assert_int_equal(blob_open(b, kept, &fd, &size, NULL), 0);
	assert_int_equal(size, 4);
	close(fd);
	{
		cleanup_free char *path = xasprintf("%s/blobs/%s.part", (char *)*state, half);

		assert_int_equal(access(path, F_OK), -1);
	}
	blob_remove(b, kept);
	blob_remove(b, kept);
	assert_int_equal(blob_open(b, kept, &fd, &size, NULL), -ENOENT);
	blobs_close(b);
}

struct header {
	uint32_t magic, version;
	uint64_t backing;
	uint32_t backing_size, cluster_bits;
	uint64_t size;
	uint32_t crypt, l1_size;
	uint64_t l1, refcounts;
	uint32_t refcount_clusters, snapshots;
	uint64_t snapshots_at, incompatible, compatible, autoclear;
	uint32_t refcount_order, length;
} __attribute__((packed));

static int probe(const char *dir, const void *data, size_t len, off_t size, struct disk_info *info,
		 struct ec2fs_error *error)
{
	cleanup_free char *path = at(dir, "disk");
	cleanup_close int fd = -1;

	unlink(path);
	put(dir, "disk", data, len, 0, size);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return disk_probe(fd, info, error);
}

static struct header qcow2(void)
{
	return (struct header){.magic = htobe32(0x514649fb),
			       .version = htobe32(3),
			       .cluster_bits = htobe32(16),
			       .size = htobe64(8ULL << 30),
			       .length = htobe32(104)};
}

static void disks_are_known(void **state)
{
	struct disk_info info;
	struct header h = qcow2();

	assert_int_equal(probe(*state, "anything", 8, 1024, &info, NULL), 0);
	assert_int_equal(info.format, DISK_RAW);
	assert_int_equal(info.virtual_size, 1024);
	assert_int_equal(probe(*state, &h, sizeof(h), 4096, &info, NULL), 0);
	assert_int_equal(info.format, DISK_QCOW2);
	assert_int_equal(info.virtual_size, 8ULL << 30);
	h.version = htobe32(2);
	h.incompatible = ~0ULL; /* not there in version 2 */
	assert_int_equal(probe(*state, &h, sizeof(h), 4096, &info, NULL), 0);
}

static void a_qcow2_must_be_whole_and_sane(void **state)
{
	static const struct {
		size_t at;
		uint64_t value;
		size_t len;
		const char *told;
	} faults[] = {
		{offsetof(struct header, version), 4, 4, "version 4"},
		{offsetof(struct header, backing), 104, 8, "backing file"},
		{offsetof(struct header, size), 0, 8, "virtual size is 0"},
		{offsetof(struct header, size), (64ULL << 40) + 1, 8, "64 TiB"},
		{offsetof(struct header, size), UINT64_MAX, 8, "64 TiB"},
		{offsetof(struct header, crypt), 2, 4, "encrypted"},
		{offsetof(struct header, incompatible), 2, 8, "corrupt"},
		{offsetof(struct header, incompatible), 4, 8, "another file"},
		{offsetof(struct header, incompatible), 1ULL << 40, 8, "features"},
	};
	struct disk_info info;
	struct ec2fs_error error;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct header h = qcow2();
		uint64_t wide = htobe64(faults[i].value);
		uint32_t narrow = htobe32((uint32_t)faults[i].value);

		memcpy((char *)&h + faults[i].at, faults[i].len == 8 ? (void *)&wide : &narrow,
		       faults[i].len);
		error = (struct ec2fs_error){0};
		assert_int_equal(probe(*state, &h, sizeof(h), 4096, &info, &error), -EINVAL);
		if (!strstr(error.message, faults[i].told))
			fail_msg("told: %s; wanted: %s", error.message, faults[i].told);
	}
	for (size_t len = 4; len < 80; len++) {
		struct header h = qcow2();

		assert_int_equal(probe(*state, &h, len, 0, &info, &error), -EINVAL);
	}
}

static void what_is_no_disk_is_named(void **state)
{
	static const struct {
		const char *data;
		size_t len;
		const char *told;
	} others[] = {
		{"KDMV", 4, "VMDK"},
		{"vhdxfile", 8, "VHDX"},
		{"conectix", 8, "VHD"},
		{"\x1f\x8b\x08", 3, "gzip"},
		{"\xfd"
		 "7zXZ",
		 5, "xz"},
		{"\x28\xb5\x2f\xfd", 4, "zstd"},
		{"BZh9", 4, "bzip2"},
		{"PK\x03\x04", 4, "zip"},
		{"QED", 4, "QED"},
	};
	struct disk_info info;
	struct ec2fs_error error;
	char tar[512] = {0};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(probe(*state, others[i].data, others[i].len, 1024, &info, &error),
				 -EINVAL);
		if (!strstr(error.message, others[i].told))
			fail_msg("told: %s; wanted: %s", error.message, others[i].told);
	}
	memcpy(tar + 257, "ustar", 5);
	assert_int_equal(probe(*state, tar, sizeof(tar), 10240, &info, &error), -EINVAL);
	assert_non_null(strstr(error.message, "tar"));
	assert_int_equal(probe(*state, "", 0, 0, &info, &error), -EINVAL);
	assert_int_equal(probe(*state, "x", 1, 1000, &info, &error), -EINVAL);
	assert_non_null(strstr(error.message, "512"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_directory(a_volume_begins_as_its_image_and_is_thin),
		in_directory(what_cannot_be_made_leaves_nothing),
		in_directory(half_made_volumes_are_swept),
		cmocka_unit_test(storage_is_told_by_its_uri),
		in_directory(blobs_are_whole_or_not_there),
		in_directory(disks_are_known),
		in_directory(a_qcow2_must_be_whole_and_sane),
		in_directory(what_is_no_disk_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
