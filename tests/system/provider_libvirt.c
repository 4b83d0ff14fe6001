/*
 * The libvirt provider on real machines: the tiny image, started by a libvirtd of this test's own,
 * which may be stopped and killed. Needs root, libvirt and QEMU; run from the repository's root.
 */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/libvirt/domain_xml.h"
#include "providers/provider.h"

#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define ID "i-0123456789abcdef0"
#define OWNER "6b1c9a52-7c1c-4f7e-9f0c-2d3c4b5a6978"
#define PATIENCE_S 60

static const char *reason_to_skip;
static char directory[64], uri[160];

/* All that the provider told about ID, and about the link. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t told;
	unsigned up, down, changes, ends[MACHINE_END_SAVED + 1];
} seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER};

static struct provider *p;

static void on_machine(void *context, const char *id, enum machine_end end)
{
	(void)context;
	if (strcmp(id, ID) != 0)
		return;
	pthread_mutex_lock(&seen.lock);
	seen.changes++;
	seen.ends[end]++;
	pthread_cond_broadcast(&seen.told);
	pthread_mutex_unlock(&seen.lock);
}

static void on_link(void *context, bool up)
{
	(void)context;
	pthread_mutex_lock(&seen.lock);
	seen.up += up;
	seen.down += !up;
	pthread_cond_broadcast(&seen.told);
	pthread_mutex_unlock(&seen.lock);
}

static const struct provider_events events = {.machine = on_machine, .link = on_link};

/* Waits until the counter, one of seen's, has that value. */
static void expect(const unsigned *counter, unsigned value, const char *what)
{
	struct timespec until;
	unsigned now;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&seen.lock);
	while (*counter < value && r == 0)
		r = pthread_cond_timedwait(&seen.told, &seen.lock, &until);
	now = *counter;
	pthread_mutex_unlock(&seen.lock);
	if (now != value)
		fail_msg("%s: %u, not %u", what, now, value);
}

#define expect_end(end) expect(&seen.ends[end], 1, #end)

static unsigned all_ends(void)
{
	return seen.ends[MACHINE_END_GUEST] + seen.ends[MACHINE_END_DESTROYED] +
	       seen.ends[MACHINE_END_CRASHED] + seen.ends[MACHINE_END_SAVED];
}

static void forget(void)
{
	pthread_mutex_lock(&seen.lock);
	seen.up = seen.down = seen.changes = 0;
	memset(seen.ends, 0, sizeof(seen.ends));
	pthread_mutex_unlock(&seen.lock);
}

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int run(const char *format, ...)
{
	cleanup_strbuf struct strbuf command = STRBUF_INIT;
	va_list args;
	int status;

	va_start(args, format);
	strbuf_vaddf(&command, format, args);
	va_end(args);
	status = system(command.data);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *in_directory(const char *name)
{
	return xasprintf("%s/%s", directory, name);
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = xcalloc(1, 65536);

	if (f) {
		text[fread(text, 1, 65535, f)] = '\0';
		fclose(f);
	}
	return text;
}

static unsigned greetings(void)
{
	cleanup_free char *path = in_directory("console");
	cleanup_free char *text = read_file(path);
	unsigned count = 0;

	for (const char *s = text; (s = strstr(s, "Hello from ec2fs")); s++)
		count++;
	return count;
}

/* Waits until the guest has greeted that many times, and listens to the power button. */
static void await_greeting(unsigned count)
{
	for (int i = 0; i < PATIENCE_S * 20; i++) {
		if (greetings() >= count) {
			usleep(200000);
			return;
		}
		usleep(50000);
	}
	fail_msg("no greeting number %u on the console", count);
}

static enum machine_state observe(void)
{
	struct ec2fs_error error = {0};
	enum machine_state state;

	if (p->ops->observe(p, ID, &state, &error) < 0)
		fail_msg("observe: %s", error.message);
	return state;
}

static void good(int r, const char *what, const struct ec2fs_error *error)
{
	if (r < 0)
		fail_msg("%s: %s: %s", what, ec2_code_name(error->code), error->message);
}

#define verb(name, ...)                                                                            \
	do {                                                                                       \
		struct ec2fs_error error_ = {0};                                                   \
		good(p->ops->name(p, __VA_ARGS__, &error_), #name, &error_);                       \
	} while (0)

/* What a machine needs, with paths that live as long as it does. */
struct machine {
	char kernel[96], ramdisk[96], console[96], disk_path[96], cmdline[96];
	struct machine_disk disk;
	struct machine_spec spec;
};

/* number: each has a disk and a console of its own; word: what the guest is to do once it is up. */
static void make_machine(struct machine *m, unsigned number, const char *id, const char *word)
{
	memset(m, 0, sizeof(*m));
	snprintf(m->kernel, sizeof(m->kernel), "%s/kernel", directory);
	snprintf(m->ramdisk, sizeof(m->ramdisk), "%s/ramdisk", directory);
	snprintf(m->console, sizeof(m->console), number ? "%s/console-%u" : "%s/console", directory,
		 number);
	snprintf(m->disk_path, sizeof(m->disk_path), "%s/disk-%u", directory, number);
	snprintf(m->cmdline, sizeof(m->cmdline), "console=ttyS0 quiet ec2fs.test=%s", word);
	assert_int_equal(run("cp --sparse=always %s/disk %s", directory, m->disk_path), 0);
	unlink(m->console);
	m->disk = (struct machine_disk){
		.path = m->disk_path, .target = "vda", .serial = "vol0123456789abcdef0"};
	m->spec = (struct machine_spec){
		.id = id,
		.owner = OWNER,
		.uuid = "ec2a1b2c-3d4e-4f50-8a6b-7c8d9e0f1a2b",
		.type = "t3.nano",
		.architecture = "x86_64",
		.vcpus = 1,
		.memory = 192ULL << 20,
		.kernel = m->kernel,
		.ramdisk = m->ramdisk,
		.cmdline = m->cmdline,
		.console = m->console,
		.mac = "02:00:00:00:00:01",
		.disks = &m->disk,
		.disk_count = 1,
	};
}

static void open_provider(void)
{
	struct ec2fs_error error = {0};

	good(provider_libvirt.open(uri, &events, NULL, &p, &error), "open", &error);
}

/* Before every test: libvirtd runs, the provider is connected, nothing is told yet. */
static int connected(void **state)
{
	(void)state;
	if (reason_to_skip)
		return 0;
	assert_int_equal(run("tests/lib/private-libvirtd start %s", directory), 0);
	forget();
	open_provider();
	expect(&seen.up, 1, "links");
	forget();
	return 0;
}

static int disconnected(void **state)
{
	(void)state;
	if (p) {
		p->ops->destroy(p, ID, NULL);
		p->ops->close(p);
	}
	p = NULL;
	return 0;
}

#define skip_if_impossible()                                                                       \
	do {                                                                                       \
		if (reason_to_skip) {                                                              \
			print_message("# skipped: %s\n", reason_to_skip);                          \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

static void count_machine(void *context, const char *id, enum machine_state state)
{
	if (strcmp(id, ID) == 0 && state == MACHINE_RUNNING)
		++*(unsigned *)context;
}

static unsigned listed(const char *owner)
{
	unsigned count = 0;

	verb(list, owner, count_machine, &count);
	return count;
}

static void test_a_life(void **state)
{
	cleanup_strbuf struct strbuf png = STRBUF_INIT;
	struct provider_capacity capacity;
	struct machine_stats stats;
	struct machine m;
	char *console;

	(void)state;
	skip_if_impossible();
	make_machine(&m, 0, ID, "none");
	assert_int_equal(observe(), MACHINE_ABSENT);
	assert_int_equal(listed(OWNER), 0);
	verb(start, &m.spec);
	assert_int_equal(observe(), MACHINE_RUNNING);
	assert_int_equal(listed(OWNER), 1);
	assert_int_equal(listed("6b1c9a52-0000-0000-0000-000000000000"), 0);
	verb(start, &m.spec); /* what runs is started already */
	await_greeting(1);

	/* The guest knows who it is, from its SMBIOS. */
	console = read_file(m.console);
	assert_non_null(strstr(console, "instance  " ID));
	assert_non_null(strstr(console, "boots     1"));
	free(console);

	verb(stats, ID, &stats);
	assert_true(stats.cpu_ns > 100000000);
	assert_true(stats.memory > 50 << 20);
	assert_true(stats.disk_read_bytes > 0 && stats.disk_write_requests > 0);
	verb(screenshot, ID, &png);
	assert_true(png.len > 100);
	assert_memory_equal(png.data, "\x89PNG\r\n\x1a\n", 8);
	verb(capacity, &capacity);
	assert_int_equal(capacity.vcpus, sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(capacity.memory > m.spec.memory);

	verb(shutdown, ID);
	expect_end(MACHINE_END_GUEST);
	assert_int_equal(observe(), MACHINE_ABSENT);
	assert_int_equal(all_ends(), 1);
	assert_int_equal(p->ops->shutdown(p, ID, NULL), -ENOENT);
	assert_int_equal(p->ops->stats(p, ID, &stats, NULL), -ENOENT);
	verb(destroy, ID);
}

static void test_saved_and_restored(void **state)
{
	cleanup_free char *memory = in_directory("memory");
	cleanup_free char *moved = in_directory("console-moved");
	struct machine m;

	(void)state;
	skip_if_impossible();
	make_machine(&m, 0, ID, "none");
	verb(start, &m.spec);
	await_greeting(1);
	verb(save, ID, memory);
	expect_end(MACHINE_END_SAVED);
	assert_int_equal(observe(), MACHINE_ABSENT);

	verb(restore, &m.spec, memory);
	assert_int_equal(observe(), MACHINE_RUNNING);
	assert_int_equal(access(memory, F_OK), 0);
	verb(restore, &m.spec, memory); /* what runs is restored already */
	assert_int_equal(greetings(), 1);
	verb(shutdown, ID);
	expect_end(MACHINE_END_GUEST);

	/* The state directory may have moved since: today's paths count. */
	m.spec.console = moved;
	verb(restore, &m.spec, memory);
	assert_int_equal(access(moved, F_OK), 0);
	verb(destroy, ID);
	expect_end(MACHINE_END_DESTROYED);
	unlink(memory);
}

static void test_guest_powers_itself_off(void **state)
{
	struct machine m;

	(void)state;
	skip_if_impossible();
	make_machine(&m, 0, ID, "poweroff");
	verb(start, &m.spec);
	expect_end(MACHINE_END_GUEST);
	assert_int_equal(observe(), MACHINE_ABSENT);
}

static void test_guest_panics(void **state)
{
	struct machine m;

	(void)state;
	skip_if_impossible();
	make_machine(&m, 0, ID, "crash");
	verb(start, &m.spec);
	expect_end(MACHINE_END_CRASHED);
	assert_int_equal(observe(), MACHINE_ABSENT);
	assert_int_equal(all_ends(), 1);
}

static void test_qemu_dies(void **state)
{
	struct machine m;

	(void)state;
	skip_if_impossible();
	make_machine(&m, 0, ID, "none");
	verb(start, &m.spec);
	assert_int_equal(run("kill -9 $(cat %s/run/libvirt/qemu/" ID ".pid)", directory), 0);
	expect_end(MACHINE_END_CRASHED);
	assert_int_equal(observe(), MACHINE_ABSENT);
}

static void test_reboot_and_reset(void **state)
{
	struct machine m;

	(void)state;
	skip_if_impossible();
	make_machine(&m, 0, ID, "none");
	verb(start, &m.spec);
	await_greeting(1);
	verb(reboot, ID);
	await_greeting(2);
	assert_int_equal(observe(), MACHINE_RUNNING);
	verb(reset, ID);
	await_greeting(3);
	assert_int_equal(observe(), MACHINE_RUNNING);
	assert_int_equal(all_ends(), 0);
	/* A power button pressed now is no late reboot. */
	verb(shutdown, ID);
	expect_end(MACHINE_END_GUEST);
}

static void test_a_guest_that_does_not_listen(void **state)
{
	struct machine m;

	(void)state;
	skip_if_impossible();
	make_machine(&m, 0, ID, "hang");
	verb(start, &m.spec);
	await_greeting(1);
	verb(shutdown, ID);
	verb(reboot, ID);
	usleep(500000);
	assert_int_equal(observe(), MACHINE_RUNNING);
	assert_int_equal(greetings(), 1);
	verb(reset, ID);
	await_greeting(2);
	verb(destroy, ID);
	expect_end(MACHINE_END_DESTROYED);
	assert_int_equal(all_ends(), 1);
}

/* A domain that only has the name: somebody else's. */
static void test_what_is_not_ours_is_left_alone(void **state)
{
	static const char metadata[] = "<x:mine xmlns:x='urn:somebody:else'/>";
	cleanup_strbuf struct strbuf xml = STRBUF_INIT;
	struct ec2fs_error error = {0};
	virConnectPtr connection;
	enum machine_state machine;
	virDomainPtr domain;
	struct machine m;
	char *ours, *end;

	(void)state;
	skip_if_impossible();
	make_machine(&m, 0, ID, "none");
	assert_int_equal(domain_xml(&m.spec, false, &xml, NULL), 0);
	ours = strstr(xml.data, "<ec2fs:machine");
	end = strstr(ours, "/>") + 2;
	assert_true((size_t)(end - ours) > strlen(metadata));
	memset(ours, ' ', (size_t)(end - ours));
	memcpy(ours, metadata, strlen(metadata));

	connection = virConnectOpen(uri);
	assert_non_null(connection);
	domain = virDomainCreateXML(connection, xml.data, 0);
	assert_non_null(domain);
	assert_int_equal(p->ops->start(p, &m.spec, &error), -EPERM);
	assert_non_null(strstr(error.message, "somebody else"));
	assert_int_equal(p->ops->observe(p, ID, &machine, NULL), -EPERM);
	assert_int_equal(p->ops->shutdown(p, ID, NULL), -EPERM);
	assert_int_equal(p->ops->reset(p, ID, NULL), -EPERM);
	assert_int_equal(p->ops->save(p, ID, "/nowhere", NULL), -EPERM);
	assert_int_equal(p->ops->destroy(p, ID, NULL), -EPERM);
	assert_int_equal(listed(OWNER), 0);
	assert_int_equal(virDomainIsActive(domain), 1);
	assert_int_equal(virDomainDestroy(domain), 0);
	virDomainFree(domain);

	/* The same machine, but another state directory's. */
	m.spec.owner = "00000000-0000-4000-8000-000000000000";
	verb(start, &m.spec);
	assert_int_equal(listed(OWNER), 0);
	assert_int_equal(p->ops->destroy(p, ID, &error), -EPERM);
	assert_non_null(strstr(error.message, "another ec2fs"));
	assert_int_equal(listed(m.spec.owner), 1);
	verb(destroy, ID);
	virConnectClose(connection);
}

static void test_failures_tell_why(void **state)
{
	struct ec2fs_error error = {0};
	struct machine m;

	(void)state;
	skip_if_impossible();
	make_machine(&m, 0, ID, "none");
	m.disk.path = "/no/such/disk";
	assert_int_equal(p->ops->start(p, &m.spec, &error), -EIO);
	assert_non_null(strstr(error.message, "/no/such/disk"));
	assert_int_equal(observe(), MACHINE_ABSENT);

	make_machine(&m, 0, ID, "none");
	m.spec.memory = 1ULL << 46;
	assert_int_equal(p->ops->start(p, &m.spec, &error), -ENOMEM);
	assert_int_equal(observe(), MACHINE_ABSENT);

	m.spec.memory = 192ULL << 20;
	assert_int_equal(p->ops->restore(p, &m.spec, "/no/such/memory", &error), -EIO);
	assert_non_null(strstr(error.message, "/no/such/memory"));
	assert_int_equal(run("echo nonsense >%s/memory", directory), 0);
	assert_int_equal(
		p->ops->restore(p, &m.spec, strcat(strcpy(m.kernel, directory), "/memory"), &error),
		-EIO);
	assert_int_equal(observe(), MACHINE_ABSENT);
	assert_int_equal(all_ends(), 0);
}

static void test_libvirtd_goes_and_comes(void **state)
{
	struct ec2fs_error error = {0};
	enum machine_state machine;
	struct machine m;

	(void)state;
	skip_if_impossible();
	make_machine(&m, 0, ID, "none");
	verb(start, &m.spec);
	await_greeting(1);
	assert_int_equal(run("tests/lib/private-libvirtd stop %s", directory), 0);
	expect(&seen.down, 1, "links down");
	assert_int_equal(p->ops->observe(p, ID, &machine, &error), -EAGAIN);
	assert_int_equal(error.code, EC2_Unavailable);
	assert_non_null(strstr(error.message, "no connection to libvirt"));
	assert_int_equal(run("tests/lib/private-libvirtd start %s", directory), 0);
	expect(&seen.up, 1, "links up");
	assert_int_equal(observe(), MACHINE_RUNNING);

	/* Killed in the middle, with the guest going off meanwhile. */
	verb(shutdown, ID);
	assert_int_equal(run("tests/lib/private-libvirtd kill %s", directory), 0);
	expect(&seen.down, 2, "links down");
	assert_int_equal(run("tests/lib/private-libvirtd start %s", directory), 0);
	expect(&seen.up, 2, "links up");
	for (int i = 0; i < PATIENCE_S * 10 && observe() != MACHINE_ABSENT; i++)
		usleep(100000);
	assert_int_equal(observe(), MACHINE_ABSENT);
	verb(start, &m.spec);
	verb(destroy, ID);
}

static void test_opened_before_libvirtd(void **state)
{
	struct ec2fs_error error = {0};
	struct provider_capacity capacity;
	struct timespec before, after;

	(void)state;
	skip_if_impossible();
	p->ops->close(p);
	p = NULL;
	assert_int_equal(run("tests/lib/private-libvirtd stop %s", directory), 0);
	forget();
	clock_gettime(CLOCK_MONOTONIC, &before);
	open_provider();
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_true(after.tv_sec - before.tv_sec <= 1);
	usleep(300000);
	assert_int_equal(p->ops->capacity(p, &capacity, &error), -EAGAIN);
	assert_non_null(strstr(error.message, "libvirt-sock"));
	assert_int_equal(seen.up, 0);
	assert_int_equal(run("tests/lib/private-libvirtd start %s", directory), 0);
	expect(&seen.up, 1, "links up");
	verb(capacity, &capacity);
}

/* Closing while it connects, and while events come. */
static void test_opened_and_closed_at_once(void **state)
{
	(void)state;
	skip_if_impossible();
	for (int i = 0; i < 20; i++) {
		struct provider *other;

		assert_int_equal(provider_libvirt.open(uri, &events, NULL, &other, NULL), 0);
		usleep((useconds_t)i * 500);
		other->ops->close(other);
	}
}

struct burst {
	struct machine machine;
	char id[32], uuid[40], mac[20];
	int result;
	struct ec2fs_error error;
};

static void *start_one(void *context)
{
	struct burst *b = context;

	b->result = p->ops->start(p, &b->machine.spec, &b->error);
	return NULL;
}

static void test_ten_at_once(void **state)
{
	static struct burst bursts[10];
	pthread_t threads[10];
	unsigned count = 0;

	(void)state;
	skip_if_impossible();
	for (unsigned i = 0; i < 10; i++) {
		struct burst *b = &bursts[i];

		snprintf(b->id, sizeof(b->id), "i-0000000000000000%u", i);
		make_machine(&b->machine, i + 1, b->id, "hang");
		snprintf(b->uuid, sizeof(b->uuid), "ec2a1b2c-3d4e-4f50-8a6b-00000000000%u", i);
		b->machine.spec.uuid = b->uuid;
		pthread_create(&threads[i], NULL, start_one, b);
	}
	for (unsigned i = 0; i < 10; i++) {
		pthread_join(threads[i], NULL);
		good(bursts[i].result, "start", &bursts[i].error);
	}
	verb(list, OWNER, count_machine, &count);
	assert_int_equal(count, 0); /* none of them is ID */
	for (unsigned i = 0; i < 10; i++) {
		enum machine_state machine;

		verb(observe, bursts[i].id, &machine);
		assert_int_equal(machine, MACHINE_RUNNING);
		verb(destroy, bursts[i].id);
	}
}

static int prepare(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	if (geteuid() != 0)
		reason_to_skip = "only root can run a libvirtd for the system";
	else if (run("PATH=$PATH:/usr/sbin; for p in libvirtd virtlogd qemu-system-x86_64 unshare "
		     "nsenter; do command -v $p; done >/dev/null") != 0)
		reason_to_skip = "libvirt or QEMU is not installed";
	else if (run("unshare --mount --propagation private true") != 0)
		reason_to_skip = "no mount namespace can be made here";
	if (reason_to_skip)
		return 0;
	snprintf(directory, sizeof(directory), "%s/provider-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0711), 0); /* QEMU is another user */
	snprintf(uri, sizeof(uri), "qemu+unix:///system?socket=%s/run/libvirt/libvirt-sock",
		 directory);
	if (run("examples/images/make-tiny-image %s >&2", directory) != 0)
		reason_to_skip = "the tiny image cannot be made";
	return 0;
}

static int tidy(void **state)
{
	(void)state;
	if (!*directory)
		return 0;
	assert_int_equal(run("tests/lib/private-libvirtd end %s", directory), 0);
	assert_int_equal(run("rm -rf %s", directory), 0);
	return 0;
}

#define test(name) cmocka_unit_test_setup_teardown(name, connected, disconnected)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(test_a_life),
		test(test_saved_and_restored),
		test(test_guest_powers_itself_off),
		test(test_guest_panics),
		test(test_qemu_dies),
		test(test_reboot_and_reset),
		test(test_a_guest_that_does_not_listen),
		test(test_what_is_not_ours_is_left_alone),
		test(test_failures_tell_why),
		test(test_libvirtd_goes_and_comes),
		test(test_opened_before_libvirtd),
		test(test_opened_and_closed_at_once),
		test(test_ten_at_once),
	};

	return cmocka_run_group_tests(tests, prepare, tidy);
}
