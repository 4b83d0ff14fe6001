/* Jobs by number, and child programs. */
#include "tests/lib/check.h"

#include "ec2fs/engine/queue.h"
#include "ec2fs/util/spawn.h"
#include "ec2fs/util/strbuf.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#define MOST 64

struct seen {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned runs[MOST], running[MOST], all, most_at_once, at_once;
	bool overlapped, hold;
	struct queue *queue;
};

static void run(void *context, uint64_t number)
{
	struct seen *s = context;

	pthread_mutex_lock(&s->lock);
	s->runs[number]++;
	s->all++;
	s->at_once++;
	if (s->at_once > s->most_at_once)
		s->most_at_once = s->at_once;
	if (s->running[number]++)
		s->overlapped = true;
	pthread_cond_broadcast(&s->changed);
	while (s->hold)
		pthread_cond_wait(&s->changed, &s->lock);
	s->running[number]--;
	s->at_once--;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static struct seen *begin(unsigned workers)
{
	struct seen *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	s->queue = queue_new(run, s, workers);
	return s;
}

static void end(struct seen *s)
{
	queue_stop(s->queue);
	queue_free(s->queue);
	assert_false(s->overlapped);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	free(s);
}

/* Waits for that many runs, and until nothing runs. */
static void await(struct seen *s, unsigned all, unsigned at_once)
{
	pthread_mutex_lock(&s->lock);
	while (s->all < all || s->at_once != at_once)
		pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static void hold(struct seen *s, bool on)
{
	pthread_mutex_lock(&s->lock);
	s->hold = on;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void a_job_that_runs_is_run_once_more(void **state)
{
	struct seen *s = begin(4);

	(void)state;
	hold(s, true);
	queue_kick(s->queue, 7);
	await(s, 1, 1);
	/* However often it is asked for meanwhile. */
	for (int i = 0; i < 10; i++)
		queue_kick(s->queue, 7);
	hold(s, false);
	await(s, 2, 0);
	queue_kick(s->queue, 7);
	await(s, 3, 0);
	assert_int_equal(s->runs[7], 3);
	end(s);
}

static void jobs_run_at_once_up_to_the_workers(void **state)
{
	struct seen *s = begin(3);

	(void)state;
	hold(s, true);
	for (uint64_t i = 0; i < 10; i++)
		queue_kick(s->queue, i);
	await(s, 3, 3);
	hold(s, false);
	await(s, 10, 0);
	assert_int_equal(s->most_at_once, 3);
	end(s);
}

static void appointments_are_kept_in_order(void **state)
{
	struct seen *s = begin(2);
	int64_t now = queue_now();

	(void)state;
	queue_kick_at(s->queue, 1, now + 3600 * 1000000000LL);
	queue_kick_at(s->queue, 2, now + 30000000);
	await(s, 1, 0);
	assert_int_equal(s->runs[2], 1);
	assert_true(queue_now() >= now + 30000000);
	assert_int_equal(s->runs[1], 0);
	/* Sooner counts, later does not put it off. */
	queue_kick_at(s->queue, 1, queue_now() + 10000000);
	queue_kick_at(s->queue, 1, queue_now() + 7200 * 1000000000LL);
	await(s, 2, 0);
	assert_int_equal(s->runs[1], 1);
	queue_kick_at(s->queue, 3, 1); /* long ago */
	await(s, 3, 0);
	end(s);
}

static void *kick_many(void *context)
{
	struct seen *s = context;
	uint64_t dice = (uint64_t)(uintptr_t)&dice;

	for (int i = 0; i < 5000; i++) {
		uint64_t n = check_dice(&dice) % MOST;

		if (i % 3)
			queue_kick(s->queue, n);
		else
			queue_kick_at(s->queue, n, queue_now() + (int64_t)n * 1000);
	}
	return NULL;
}

static void no_kick_is_lost_and_none_runs_twice_at_once(void **state)
{
	struct seen *s = begin(8);
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, kick_many, s);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	/* The last kick of each is answered by a run that began after it. */
	pthread_mutex_lock(&s->lock);
	memset(s->runs, 0, sizeof(s->runs));
	pthread_mutex_unlock(&s->lock);
	for (uint64_t n = 0; n < MOST; n++)
		queue_kick(s->queue, n);
	pthread_mutex_lock(&s->lock);
	for (int n = 0; n < MOST; n++)
		while (!s->runs[n])
			pthread_cond_wait(&s->changed, &s->lock);
	pthread_mutex_unlock(&s->lock);
	end(s);
}

static void what_waits_is_forgotten_at_the_end(void **state)
{
	struct seen *s = begin(1);

	(void)state;
	queue_kick_at(s->queue, 5, queue_now() + 3600 * 1000000000LL);
	hold(s, true);
	queue_kick(s->queue, 1);
	await(s, 1, 1);
	queue_kick(s->queue, 2);
	hold(s, false);
	end(s);
}

static void output_comes_and_the_environment_is_clean(void **state)
{
	const char *const argv[] = {"sh", "-c", "echo $LC_ALL; echo ${SECRET-none}; cat; pwd",
				    NULL};
	struct strbuf out cleanup_strbuf = STRBUF_INIT;

	(void)state;
	setenv("SECRET", "told", 1);
	unsetenv("PATH");
	assert_int_equal(spawn_run(argv, 10000, &out, NULL), 0);
	assert_memory_equal(strbuf_str(&out), "C\nnone\n/", 8);
}

static void a_failure_tells_what_the_program_said(void **state)
{
	const char *const fails[] = {"sh", "-c", "echo early >&2; echo 'no such thing' >&2; exit 3",
				     NULL};
	const char *const silent[] = {"false", NULL};
	const char *const dies[] = {"sh", "-c", "kill -SEGV $$", NULL};
	const char *const absent[] = {"ec2fs-no-such-program", NULL};
	struct ec2fs_error error = {0};

	(void)state;
	assert_int_equal(spawn_run(fails, 10000, NULL, &error), -EIO);
	assert_non_null(strstr(error.message, "no such thing"));
	assert_int_equal(spawn_run(silent, 10000, NULL, &error), -EIO);
	assert_non_null(strstr(error.message, "false"));
	assert_int_equal(spawn_run(dies, 10000, NULL, &error), -EIO);
	assert_int_equal(spawn_run(absent, 10000, NULL, &error), -ENOENT);
	assert_non_null(strstr(error.message, "ec2fs-no-such-program"));
}

static void what_takes_too_long_is_ended_with_its_children(void **state)
{
	const char *const argv[] = {"sh", "-c", "sleep 1000 & echo $!; wait", NULL};
	struct strbuf out cleanup_strbuf = STRBUF_INIT;
	struct ec2fs_error error = {0};
	pid_t child;

	(void)state;
	assert_int_equal(spawn_run(argv, 300, &out, &error), -ETIMEDOUT);
	child = atoi(strbuf_str(&out));
	assert_true(child > 1);
	/* Whoever inherits it reaps it, in a moment. */
	for (int i = 0; i < 500 && kill(child, 0) == 0; i++) {
		char path[64], line[256] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/stat", child);
		f = fopen(path, "r");
		if (f) {
			if (!fgets(line, sizeof(line), f))
				line[0] = '\0';
			fclose(f);
		}
		if (strstr(line, ") Z "))
			return;
		usleep(10000);
	}
	assert_int_not_equal(kill(child, 0), 0);
}

static void much_output_does_not_block(void **state)
{
	const char *const argv[] = {
		"sh", "-c", "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2", NULL};
	struct strbuf out cleanup_strbuf = STRBUF_INIT;

	(void)state;
	assert_int_equal(spawn_run(argv, 60000, &out, NULL), 0);
	assert_int_equal(out.len, 3000000);
}

static void descriptors_stay_here(void **state)
{
	const char *const argv[] = {"sh", "-c", "ls /proc/self/fd", NULL};
	struct strbuf out cleanup_strbuf = STRBUF_INIT;

	(void)state;
	assert_int_equal(spawn_run(argv, 10000, &out, NULL), 0);
	/* 0, 1, 2 and that of ls itself. */
	assert_string_equal(strbuf_str(&out), "0\n1\n2\n3\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_that_runs_is_run_once_more),
		cmocka_unit_test(jobs_run_at_once_up_to_the_workers),
		cmocka_unit_test(appointments_are_kept_in_order),
		cmocka_unit_test(no_kick_is_lost_and_none_runs_twice_at_once),
		cmocka_unit_test(what_waits_is_forgotten_at_the_end),
		cmocka_unit_test(output_comes_and_the_environment_is_clean),
		cmocka_unit_test(a_failure_tells_what_the_program_said),
		cmocka_unit_test(what_takes_too_long_is_ended_with_its_children),
		cmocka_unit_test(much_output_does_not_block),
		cmocka_unit_test(descriptors_stay_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
