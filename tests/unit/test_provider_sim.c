/* The simulated machines: their life, and the events they send. */
#include "tests/lib/sim_fixture.h"

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
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_a_guest_that_boots_obeys_when_it_is_up),
		cmocka_unit_test(test_power_button_ignored),
		cmocka_unit_test(test_reboot_and_reset_keep_it_running),
		cmocka_unit_test(test_words_for_the_guest),
		cmocka_unit_test(test_save_and_restore),
		cmocka_unit_test(test_machines_outlive_the_provider),
		cmocka_unit_test(test_screenshot_and_capacity),
		cmocka_unit_test(test_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
