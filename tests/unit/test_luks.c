/* Encrypted volumes: what is made here QEMU reads, and the other way round. */
#include "tests/lib/check.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/luks.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/spawn.h"

#include <fcntl.h>

#define KEY "q83vEjRWeJq83vEjRWeJq83vEjRWeJq83vEjRWeJq80="
#define SIZE (8ULL << 20)
#define PATIENCE_MS 120000

static char *in_dir(void **state, const char *name)
{
	return xasprintf("%s/%s", (char *)*state, name);
}

static int make(const char *path, uint64_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void put_key(void **state, char **ret_object)
{
	cleanup_free char *path = in_dir(state, "key");
	cleanup_close int fd = make(path, 0);

	assert_int_equal(write(fd, KEY, strlen(KEY)), strlen(KEY));
	*ret_object = xasprintf("secret,id=k,file=%s", path);
}

/* Something different everywhere. */
static void fill(unsigned char *data, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1103515245 + 12345;
		data[i] = (unsigned char)(seed >> 16);
	}
}

static struct luks *formatted(int fd)
{
	struct ec2fs_error error = {0};
	struct luks *l = NULL;

	if (luks_format(fd, KEY, &error) < 0 || luks_open(fd, KEY, &l, &error) < 0)
		fail_msg("%s", error.message);
	return l;
}

static void qemu_img(const char *const *argv)
{
	struct ec2fs_error error = {0};

	/* It measures the processor to choose a number of iterations, and gives up on a busy one:
	 * "Unable to get accurate CPU usage". */
	for (int tries = 0; tries < 20; tries++) {
		if (spawn_stream(argv, PATIENCE_MS, NULL, NULL, NULL, &error) == 0)
			return;
		if (access("/usr/bin/qemu-img", X_OK) < 0)
			skip();
		if (!strstr(error.message, "accurate CPU usage"))
			break;
	}
	fail_msg("%s", error.message);
}

static void test_what_is_written_is_read_at_any_place(void **state)
{
	cleanup_free char *path = in_dir(state, "volume");
	cleanup_free unsigned char *text = xcalloc(1, 64 * LUKS_SECTOR);
	cleanup_free unsigned char *copy = xcalloc(1, 64 * LUKS_SECTOR);
	cleanup_close int fd = make(path, LUKS_HEADER + SIZE);
	cleanup_luks struct luks *l = formatted(fd);

	fill(text, (size_t)64 * LUKS_SECTOR, 1);
	memcpy(copy, text, (size_t)64 * LUKS_SECTOR);
	assert_int_equal(luks_write(l, fd, copy, (size_t)64 * LUKS_SECTOR, 32 * LUKS_SECTOR), 0);
	/* On the disk it is something else. */
	assert_int_equal(pread(fd, copy, LUKS_SECTOR, (off_t)LUKS_HEADER + 32 * LUKS_SECTOR),
			 LUKS_SECTOR);
	assert_memory_not_equal(copy, text, LUKS_SECTOR);
	for (size_t at = 0; at < 3 * LUKS_SECTOR; at += 101)
		for (size_t len = 1; len < 2000; len += 333) {
			assert_int_equal(
				luks_read(l, fd, copy, len, (off_t)(32 * LUKS_SECTOR + at)), len);
			assert_memory_equal(copy, text + at, len);
		}
	/* Never written. */
	assert_int_equal(luks_read(l, fd, copy, 100, 0), 100);
	assert_true(copy[0] == 0 && memcmp(copy, copy + 1, 99) == 0);
	/* The end. */
	assert_int_equal(luks_read(l, fd, copy, 1000, (off_t)SIZE - 10), 10);
	assert_int_equal(luks_read(l, fd, copy, 1000, (off_t)SIZE), 0);
	assert_int_equal(luks_read(l, fd, copy, 1000, (off_t)SIZE + 5000), 0);
	assert_int_equal(luks_write(l, fd, copy, 100, 0), -EINVAL);
}

static void test_qemu_reads_what_is_made_here(void **state)
{
	cleanup_free char *path = in_dir(state, "volume");
	cleanup_free char *clear = in_dir(state, "clear");
	cleanup_free char *source =
		xasprintf("driver=luks,key-secret=k,file.driver=file,file.filename=%s", path);
	cleanup_free char *object = NULL;
	cleanup_free unsigned char *text = xcalloc(1, SIZE);
	cleanup_free unsigned char *copy = xcalloc(1, SIZE);
	cleanup_close int fd = make(path, LUKS_HEADER + SIZE);
	cleanup_luks struct luks *l = formatted(fd);
	cleanup_close int out = -1;
	const char *const argv[] = {"qemu-img", "convert", "--object", NULL,  "--image-opts",
				    source,     "-O",      "raw",      clear, NULL};
	const char *all[sizeof(argv) / sizeof(argv[0])];

	put_key(state, &object);
	memcpy(all, argv, sizeof(argv));
	all[3] = object;
	fill(text, SIZE, 2);
	memcpy(copy, text, SIZE);
	assert_int_equal(luks_write(l, fd, copy, SIZE, 0), 0);
	qemu_img(all);
	out = open(clear, O_RDONLY | O_CLOEXEC);
	assert_true(out >= 0);
	assert_int_equal(lseek(out, 0, SEEK_END), SIZE);
	assert_int_equal(pread(out, copy, SIZE, 0), SIZE);
	assert_memory_equal(copy, text, SIZE);
}

static void test_what_qemu_made_is_read(void **state)
{
	cleanup_free char *path = in_dir(state, "volume");
	cleanup_free char *clear = in_dir(state, "clear");
	cleanup_free char *object = NULL;
	cleanup_free unsigned char *text = xcalloc(1, SIZE);
	cleanup_free unsigned char *copy = xcalloc(1, SIZE);
	cleanup_close int in = make(clear, 0);
	cleanup_luks struct luks *l = NULL;
	cleanup_close int fd = -1;

	put_key(state, &object);
	fill(text, SIZE, 3);
	assert_int_equal(pwrite(in, text, SIZE, 0), SIZE);
	qemu_img((const char *const[]){"qemu-img", "convert", "--object", object, "-f", "raw", "-O",
				       "luks", "-o", "key-secret=k,iter-time=10", clear, path,
				       NULL});
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(luks_open(fd, KEY, &l, NULL), 0);
	assert_int_equal(luks_read(l, fd, copy, SIZE, 0), SIZE);
	assert_memory_equal(copy, text, SIZE);
}

static void test_refusals(void **state)
{
	cleanup_free char *path = in_dir(state, "volume");
	cleanup_close int fd = make(path, LUKS_HEADER + SIZE);
	struct ec2fs_error error = {0};
	struct luks *l = NULL;

	assert_int_equal(luks_open(fd, KEY, &l, &error), -EOPNOTSUPP);
	luks_free(formatted(fd));
	assert_int_equal(luks_open(fd, "another", &l, &error), -EACCES);
	/* A header cut short, a version to come. */
	assert_int_equal(pwrite(fd, "\0\2", 2, 6), 2);
	assert_int_equal(luks_open(fd, KEY, &l, &error), -EOPNOTSUPP);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(luks_open(fd, KEY, &l, &error), -EOPNOTSUPP);
	assert_null(l);
}

static void test_two_never_have_the_same_bytes(void **state)
{
	cleanup_free char *path = in_dir(state, "one");
	cleanup_free char *other = in_dir(state, "two");
	cleanup_close int a = make(path, LUKS_HEADER + SIZE);
	cleanup_close int b = make(other, LUKS_HEADER + SIZE);
	cleanup_luks struct luks *l = formatted(a);
	cleanup_luks struct luks *m = formatted(b);
	unsigned char x[LUKS_SECTOR] = {0}, y[LUKS_SECTOR] = {0};

	assert_int_equal(luks_write(l, a, x, sizeof(x), 0), 0);
	assert_int_equal(luks_write(m, b, y, sizeof(y), 0), 0);
	assert_memory_not_equal(x, y, sizeof(x));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_written_is_read_at_any_place,
						check_directory, check_remove),
		cmocka_unit_test_setup_teardown(test_qemu_reads_what_is_made_here, check_directory,
						check_remove),
		cmocka_unit_test_setup_teardown(test_what_qemu_made_is_read, check_directory,
						check_remove),
		cmocka_unit_test_setup_teardown(test_refusals, check_directory, check_remove),
		cmocka_unit_test_setup_teardown(test_two_never_have_the_same_bytes, check_directory,
						check_remove),
	};

	return cmocka_run_group_tests_name("luks", tests, NULL, NULL);
}
