/* A simulated provider with one machine, and all that it told: for tests of it. */
#ifndef TESTS_LIB_SIM_FIXTURE_H
#define TESTS_LIB_SIM_FIXTURE_H

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "providers/provider.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
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

static inline void on_machine(void *context, const char *id, enum machine_end end)
{
	struct cloud *c = context;

	assert_string_equal(id, ID);
	pthread_mutex_lock(&c->lock);
	c->changes++;
	c->ends[end]++;
	pthread_cond_broadcast(&c->told);
	pthread_mutex_unlock(&c->lock);
}

static inline void on_link(void *context, bool up)
{
	struct cloud *c = context;

	pthread_mutex_lock(&c->lock);
	c->links += up;
	pthread_cond_broadcast(&c->told);
	pthread_mutex_unlock(&c->lock);
}

static const struct provider_events events = {.machine = on_machine, .link = on_link};

/* Waits until the counter, one of c's, is at least that high; false after ten seconds. */
static inline bool reaches(struct cloud *c, const unsigned *counter, unsigned value)
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

static inline void open_cloud(struct cloud *c, const char *uri)
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

static inline void close_cloud(struct cloud *c)
{
	c->p->ops->destroy(c->p, ID, NULL);
	c->p->ops->close(c->p);
	unlink(c->console);
	unlink(c->memory);
	assert_int_equal(rmdir(c->directory), 0);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->told);
}

static inline struct machine_spec spec_of(const struct cloud *c)
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

static inline void start(struct cloud *c)
{
	struct machine_spec spec = spec_of(c);
	struct ec2fs_error error = {0};

	if (c->p->ops->start(c->p, &spec, &error) < 0)
		fail_msg("%s", error.message);
}

static inline enum machine_state observe(struct cloud *c)
{
	enum machine_state state;

	assert_int_equal(c->p->ops->observe(c->p, ID, &state, NULL), 0);
	return state;
}

static inline char *read_file(const char *path)
{
	cleanup_file FILE *f = fopen(path, "r");
	char *text = xcalloc(1, 4096);

	assert_non_null(f);
	text[fread(text, 1, 4095, f)] = '\0';
	return text;
}

/* A word for the guest, written as a shell would. */
static inline void say_to_guest(const struct cloud *c, const char *word)
{
	cleanup_free char *path = xasprintf("%s.guest", c->console);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "%s\n", word);
	assert_int_equal(fclose(f), 0);
}

#endif
