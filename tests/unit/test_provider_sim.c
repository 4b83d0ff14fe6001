/* The simulated machines: their life, the events they send, the faults that can be ordered. */
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/provider.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define ID "i-0123456789abcdef0"
#define OWNER "11111111-2222-3333-4444-555555555555"

/* A provider, and all that it told. */
struct cloud {
	struct provider *p;
	char directory[64], console[96], memory[96];
	pthread_mutex_t lock;
	pthread_cond_t told;
	unsigned links, changes, ends[MACHINE_END_SAVED + 1];
};

static void on_machine(void *context, const char *id, enum machine_end end)
{
	struct cloud *c = context;

	assert_string_equal(id, ID);
	pthread_mutex_lock(&c->lock);
	c->changes++;
	c->ends[end]++;
	pthread_cond_broadcast(&c->told);
	pthread_mutex_unlock(&c->lock);
}

static void on_link(void *context, bool up)
{
	struct cloud *c = context;

	pthread_mutex_lock(&c->lock);
	c->links += up;
	pthread_cond_broadcast(&c->told);
	pthread_mutex_unlock(&c->lock);
}

static const struct provider_events events = {.machine = on_machine, .link = on_link};

/* Waits until the counter, one of c's, is at least that high; false after ten seconds. */
static bool reaches(struct cloud *c, const unsigned *counter, unsigned value)
{
	struct timespec until;
	int r = 0;
	bool reached;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	pthread_mutex_lock(&c->lock);
	while (*counter < value && r == 0)
		r = pthread_cond_timedwait(&c->told, &c->lock, &until);
	reached = *counter >= value;
	pthread_mutex_unlock(&c->lock);
	return reached;
}

static void open_cloud(struct cloud *c, const char *uri)
{
	const char *tmp = getenv("TMPDIR");
	const struct provider_ops *ops = provider_for(uri);
	struct ec2fs_error error;

	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->told, NULL);
	snprintf(c->directory, sizeof(c->directory), "%s/sim-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(c->directory));
	snprintf(c->console, sizeof(c->console), "%s/console", c->directory);
	snprintf(c->memory, sizeof(c->memory), "%s/memory", c->directory);
	assert_ptr_equal(ops, &provider_sim);
	assert_int_equal(ops->open(uri, &events, c, &c->p, &error), 0);
	assert_true(reaches(c, &c->links, 1));
}

static void close_cloud(struct cloud *c)
{
	c->p->ops->destroy(c->p, ID, NULL);
	c->p->ops->close(c->p);
	unlink(c->console);
	unlink(c->memory);
	assert_int_equal(rmdir(c->directory), 0);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->told);
}

static struct machine_spec spec_of(const struct cloud *c)
{
	return (struct machine_spec){
		.id = ID,
		.owner = OWNER,
		.uuid = "ec2a0000-0000-4000-8000-000000000000",
		.type = "t3.micro",
		.architecture = "x86_64",
		.vcpus = 2,
		.memory = 1ULL << 30,
		.console = c->console,
		.mac = "02:00:00:00:00:01",
	};
}

static void start(struct cloud *c)
{
	struct machine_spec spec = spec_of(c);
	struct ec2fs_error error = {0};

	if (c->p->ops->start(c->p, &spec, &error) < 0)
		fail_msg("%s", error.message);
}

static enum machine_state observe(struct cloud *c)
{
	enum machine_state state;

	assert_int_equal(c->p->ops->observe(c->p, ID, &state, NULL), 0);
	return state;
}

static char *read_file(const char *path)
{
	cleanup_file FILE *f = fopen(path, "r");
	char *text = xcalloc(1, 4096);

	assert_non_null(f);
	text[fread(text, 1, 4095, f)] = '\0';
	return text;
}

/* A word for the guest, written as a shell would. */
static void say_to_guest(const struct cloud *c, const char *word)
{
	cleanup_free char *path = xasprintf("%s.guest", c->console);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "%s\n", word);
	assert_int_equal(fclose(f), 0);
}

static void test_options(void **state)
{
	const struct {
		const char *uri, *story;
	} bad[] = {
		{"sim:", "neither"},
		{"sim:speed=fast", "sim has no \"speed\"; it has start,"},
		{"sim:start", "something like 200ms"},
		{"sim:start=200", "not \"200\""},
		{"sim:start=-1s", "not \"-1s\""},
		{"sim:start=1234567890s", "not"},
		{"sim:fail=everything", "its verbs are start restore"},
		{"sim:fail-start=", "not \"\""},
		{"sim:start=1s,vcpus=0", "vcpus"},
		{"sim:memory=4TB", "4TiB"},
		{"sim:ignore-power-button=1", "sim has no"},
	};
	const char *const good[] = {
		"sim",
		"sim:start=200ms",
		"sim:start=1s,boot=1m,save=0s,restore=5ms,shutdown=30s,crash-after=5s",
		"sim:ignore-power-button,fail-start=3,fail=save,fail=restore",
		"sim:vcpus=4,memory=16GiB",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(provider_sim.check(good[i], NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ec2fs_error error = {0};

		assert_int_equal(provider_sim.check(bad[i].uri, &error), -EINVAL);
		if (!strstr(error.message, bad[i].story))
			fail_msg("%s: %s", bad[i].uri, error.message);
	}
}

static void test_who_claims_what(void **state)
{
	(void)state;
	assert_ptr_equal(provider_for("sim"), &provider_sim);
	assert_ptr_equal(provider_for("sim:anything"), &provider_sim);
	assert_ptr_equal(provider_for("qemu:///system"), &provider_libvirt);
	assert_ptr_equal(provider_for("qemu+ssh://host/system"), &provider_libvirt);
	assert_null(provider_for("simulator"));
	assert_null(provider_for("xen:///"));
	assert_null(provider_for(""));
}

static void test_a_life(void **state)
{
	struct cloud c;
	cleanup_free char *console = NULL;

	(void)state;
	open_cloud(&c, "sim");
	assert_int_equal(observe(&c), MACHINE_ABSENT);
	start(&c);
	assert_int_equal(observe(&c), MACHINE_RUNNING);
	assert_true(reaches(&c, &c.changes, 1));
	start(&c); /* what runs is started already */

	assert_int_equal(c.p->ops->shutdown(c.p, ID, NULL), 0);
	assert_true(reaches(&c, &c.ends[MACHINE_END_GUEST], 1));
	assert_int_equal(observe(&c), MACHINE_ABSENT);
	assert_int_equal(c.p->ops->shutdown(c.p, ID, NULL), -ENOENT);
	assert_int_equal(c.p->ops->destroy(c.p, ID, NULL), 0);

	start(&c);
	assert_int_equal(c.p->ops->destroy(c.p, ID, NULL), 0);
	assert_true(reaches(&c, &c.ends[MACHINE_END_DESTROYED], 1));
	assert_int_equal(observe(&c), MACHINE_ABSENT);

	console = read_file(c.console);
	assert_non_null(
		strstr(console, "Linux version 0.0 (sim) t3.micro: 2 processors, 1024 MiB"));
	assert_non_null(strstr(console, "reboot: Power down\r\n"));
	close_cloud(&c);
}

static void test_a_guest_that_boots_obeys_when_it_is_up(void **state)
{
	struct cloud c;
	cleanup_free char *console = NULL;
	char *login;

	(void)state;
	open_cloud(&c, "sim:boot=100ms,shutdown=1ms");
	start(&c);
	assert_int_equal(c.p->ops->shutdown(c.p, ID, NULL), 0);
	assert_int_equal(observe(&c), MACHINE_RUNNING);
	assert_true(reaches(&c, &c.ends[MACHINE_END_GUEST], 1));
	console = read_file(c.console);
	login = strstr(console, "login:");
	assert_non_null(login);
	assert_non_null(strstr(login, "Power down"));
	close_cloud(&c);
}

static void test_power_button_ignored(void **state)
{
	struct cloud c;

	(void)state;
	open_cloud(&c, "sim:ignore-power-button,shutdown=1ms");
	start(&c);
	assert_int_equal(c.p->ops->shutdown(c.p, ID, NULL), 0);
	assert_int_equal(c.p->ops->reboot(c.p, ID, NULL), 0);
	usleep(50000);
	assert_int_equal(observe(&c), MACHINE_RUNNING);
	close_cloud(&c);
}

static void test_reboot_and_reset_keep_it_running(void **state)
{
	cleanup_free char *console = NULL;
	struct cloud c;
	unsigned boots = 0;

	(void)state;
	open_cloud(&c, "sim");
	start(&c);
	assert_int_equal(c.p->ops->reboot(c.p, ID, NULL), 0);
	assert_int_equal(observe(&c), MACHINE_RUNNING);
	assert_int_equal(c.p->ops->reset(c.p, ID, NULL), 0);
	assert_int_equal(observe(&c), MACHINE_RUNNING);
	console = read_file(c.console);
	for (const char *s = console; (s = strstr(s, "Linux version")); s++)
		boots++;
	assert_int_equal(boots, 3);
	assert_int_equal(c.ends[MACHINE_END_GUEST] + c.ends[MACHINE_END_DESTROYED], 0);
	close_cloud(&c);
}

static void test_words_for_the_guest(void **state)
{
	cleanup_free char *console = NULL;
	struct cloud c;

	(void)state;
	open_cloud(&c, "sim");
	start(&c);
	say_to_guest(&c, "poweroff");
	assert_true(reaches(&c, &c.ends[MACHINE_END_GUEST], 1));
	start(&c);
	say_to_guest(&c, "good morning\ncrash");
	assert_true(reaches(&c, &c.ends[MACHINE_END_CRASHED], 1));
	assert_int_equal(observe(&c), MACHINE_ABSENT);
	console = read_file(c.console);
	assert_non_null(strstr(console, "good morning\r\n"));
	assert_non_null(strstr(console, "Kernel panic"));
	close_cloud(&c);
}

static void test_crash_after(void **state)
{
	struct cloud c;

	(void)state;
	open_cloud(&c, "sim:crash-after=20ms");
	start(&c);
	assert_true(reaches(&c, &c.ends[MACHINE_END_CRASHED], 1));
	close_cloud(&c);
}

static void test_save_and_restore(void **state)
{
	struct cloud c;
	struct machine_spec spec;
	struct machine_stats before, after;
	struct ec2fs_error error;
	FILE *f;

	(void)state;
	open_cloud(&c, "sim");
	spec = spec_of(&c);
	assert_int_equal(c.p->ops->save(c.p, ID, c.memory, NULL), -ENOENT);
	start(&c);
	usleep(5000);
	assert_int_equal(c.p->ops->stats(c.p, ID, &before, NULL), 0);
	assert_int_equal(c.p->ops->save(c.p, ID, c.memory, NULL), 0);
	assert_true(reaches(&c, &c.ends[MACHINE_END_SAVED], 1));
	assert_int_equal(observe(&c), MACHINE_ABSENT);

	/* It goes on where it stopped, and the file stays. */
	assert_int_equal(c.p->ops->restore(c.p, &spec, c.memory, NULL), 0);
	assert_int_equal(observe(&c), MACHINE_RUNNING);
	assert_int_equal(c.p->ops->stats(c.p, ID, &after, NULL), 0);
	assert_true(after.cpu_ns >= before.cpu_ns);
	assert_true(before.cpu_ns > 0 && before.memory > 0);
	assert_int_equal(access(c.memory, R_OK), 0);
	assert_int_equal(c.p->ops->destroy(c.p, ID, NULL), 0);

	/* Not just any file will do. */
	f = fopen(c.memory, "w");
	fputs("ec2fs sim 1\nid i-ffffffffffffffff0\nuptime 5\n", f);
	fclose(f);
	assert_int_equal(c.p->ops->restore(c.p, &spec, c.memory, &error), -EIO);
	assert_non_null(strstr(error.message, "not the saved memory of machine " ID));
	assert_int_equal(c.p->ops->restore(c.p, &spec, "/nowhere", &error), -EIO);
	assert_int_equal(observe(&c), MACHINE_ABSENT);
	close_cloud(&c);
}

static void test_faults_to_order(void **state)
{
	struct machine_spec spec;
	struct ec2fs_error error;
	struct cloud c;

	(void)state;
	open_cloud(&c, "sim:fail-start=2,fail=save,fail=capacity");
	spec = spec_of(&c);
	start(&c);
	assert_int_equal(c.p->ops->save(c.p, ID, c.memory, &error), -EIO);
	assert_string_equal(error.message, "sim was told to fail every save");
	assert_int_equal(c.p->ops->capacity(c.p, NULL, &error), -EIO);
	assert_int_equal(c.p->ops->destroy(c.p, ID, NULL), 0);
	assert_int_equal(c.p->ops->start(c.p, &spec, &error), -EIO);
	assert_string_equal(error.message, "sim was told to fail start number 2");
	assert_int_equal(observe(&c), MACHINE_ABSENT);
	start(&c); /* the third succeeds again */
	close_cloud(&c);
}

static void count_machine(void *context, const char *id, enum machine_state state)
{
	assert_string_equal(id, ID);
	assert_int_equal(state, MACHINE_RUNNING);
	++*(unsigned *)context;
}

static void test_machines_outlive_the_provider(void **state)
{
	struct machine_spec spec;
	struct ec2fs_error error;
	struct cloud c;
	unsigned found = 0;

	(void)state;
	open_cloud(&c, "sim:shutdown=1ms");
	start(&c);
	c.p->ops->close(c.p);
	assert_int_equal(provider_sim.open("sim:shutdown=1ms", &events, &c, &c.p, NULL), 0);
	assert_int_equal(c.p->ops->list(c.p, OWNER, count_machine, &found, NULL), 0);
	assert_int_equal(found, 1);
	assert_int_equal(c.p->ops->list(c.p, "somebody else", count_machine, &found, NULL), 0);
	assert_int_equal(found, 1);

	/* Somebody else's machine of that name is left alone. */
	spec = spec_of(&c);
	spec.owner = "somebody else";
	assert_int_equal(c.p->ops->start(c.p, &spec, &error), -EPERM);

	assert_int_equal(c.p->ops->shutdown(c.p, ID, NULL), 0);
	assert_true(reaches(&c, &c.ends[MACHINE_END_GUEST], 1));
	close_cloud(&c);
}

static void test_screenshot_and_capacity(void **state)
{
	cleanup_strbuf struct strbuf png = STRBUF_INIT;
	struct provider_capacity capacity;
	struct cloud c;

	(void)state;
	open_cloud(&c, "sim:vcpus=8,memory=16GiB");
	assert_int_equal(c.p->ops->capacity(c.p, &capacity, NULL), 0);
	assert_int_equal(capacity.vcpus, 8);
	assert_int_equal(capacity.memory, 16ULL << 30);
	assert_false(capacity.accelerated);
	assert_int_equal(c.p->ops->screenshot(c.p, ID, &png, NULL), -ENOENT);
	start(&c);
	assert_int_equal(c.p->ops->screenshot(c.p, ID, &png, NULL), 0);
	assert_true(png.len > 100);
	assert_memory_equal(png.data, "\x89PNG\r\n\x1a\n", 8);
	assert_memory_equal(png.data + 16, "\0\0\1\x40\0\0\0\xc8", 8); /* 320 by 200 */
	close_cloud(&c);
}

struct burst {
	struct cloud *c;
	unsigned number;
};

static void *start_and_stop(void *context)
{
	struct burst *b = context;
	struct provider *p = b->c->p;
	struct machine_spec spec = spec_of(b->c);
	cleanup_free char *console = xasprintf("%s-%u", b->c->console, b->number);
	char id[32];

	snprintf(id, sizeof(id), "i-%017u", b->number);
	spec.id = id;
	spec.console = console;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(p->ops->start(p, &spec, NULL), 0);
		p->ops->shutdown(p, id, NULL);
		assert_int_equal(p->ops->destroy(p, id, NULL), 0);
	}
	unlink(console);
	return NULL;
}

static void ignore_machine(void *context, const char *id, enum machine_end end)
{
	(void)id;
	(void)end;
	pthread_mutex_lock(&((struct cloud *)context)->lock);
	((struct cloud *)context)->changes++;
	pthread_mutex_unlock(&((struct cloud *)context)->lock);
}

static void test_many_threads(void **state)
{
	const struct provider_events quiet = {.machine = ignore_machine, .link = on_link};
	struct burst bursts[8];
	pthread_t threads[8];
	struct provider *first;
	struct cloud c;

	(void)state;
	open_cloud(&c, "sim:shutdown=1ms,crash-after=2ms");
	first = c.p;
	assert_int_equal(
		provider_sim.open("sim:crash-after=2ms,shutdown=1ms", &quiet, &c, &c.p, NULL), 0);
	for (unsigned i = 0; i < 8; i++) {
		bursts[i] = (struct burst){&c, i};
		pthread_create(&threads[i], NULL, start_and_stop, &bursts[i]);
	}
	first->ops->close(first);
	for (unsigned i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	close_cloud(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_who_claims_what),
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_a_guest_that_boots_obeys_when_it_is_up),
		cmocka_unit_test(test_power_button_ignored),
		cmocka_unit_test(test_reboot_and_reset_keep_it_running),
		cmocka_unit_test(test_words_for_the_guest),
		cmocka_unit_test(test_crash_after),
		cmocka_unit_test(test_save_and_restore),
		cmocka_unit_test(test_faults_to_order),
		cmocka_unit_test(test_machines_outlive_the_provider),
		cmocka_unit_test(test_screenshot_and_capacity),
		cmocka_unit_test(test_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
