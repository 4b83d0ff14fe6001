/* Links that a tool unlinks and makes anew: what is gone for now, and when it is detached. */
#include "ec2fs/fs/relinking.h"

#include "ec2fs/fs/callers.h"
#include "ec2fs/fs/scratch.h"
#include "ec2fs/util/memory.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define MOMENT NS_PER_SECOND
#define LOOK_EVERY (NS_PER_SECOND / 10)
/* Who has written lately. */
#define WRITERS 64
#define WHILE (60 * NS_PER_SECOND)

struct gone {
	tree_id dir;
	char *name;
	struct tree_caller who;
	int64_t at; /* monotonic ns */
};

struct relinkings {
	struct fs *fs;
	atomic_size_t count; /* of gone; mostly 0 */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool running, ending;
	struct gone *gone;
	size_t capacity;
	struct {
		pid_t pid;
		int64_t at;
	} writers[WRITERS];
	size_t next_writer;
};

struct relinkings *relinkings_new(struct fs *fs)
{
	struct relinkings *r = xnew(struct relinkings);
	pthread_condattr_t monotonic;

	r->fs = fs;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return r;
}

/* Under the lock. */
static ssize_t find(const struct relinkings *r, tree_id dir, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->gone[i].dir == dir && strcmp(r->gone[i].name, name) == 0)
			return (ssize_t)i;
	return -1;
}

static struct gone take_out(struct relinkings *r, size_t i)
{
	struct gone taken = r->gone[i];

	r->gone[i] = r->gone[r->count - 1];
	r->count--;
	return taken;
}

static bool place_is_held(struct relinkings *r, const struct gone *g)
{
	struct scratch *s = scratch_find(r->fs, g->dir, g->name, &g->who);

	scratch_unref(s);
	return s != NULL;
}

static bool has_ended(const struct tree_caller *who)
{
	return kill(who->pid, 0) < 0 && errno == ESRCH;
}

/* Of one who ended amidst it, with its place held, nothing is detached. */
static void settle(struct relinkings *r, struct gone *g)
{
	struct scratch *place = scratch_find(r->fs, g->dir, g->name, &g->who);
	struct tree_node node;

	if (place)
		scratch_drop(place);
	else if (tree_lookup(r->fs->tree, g->dir, g->name, &g->who, &node) == 0 &&
		 (node.flags & TREE_OPTIONAL))
		tree_unset(r->fs->tree, node.id, &g->who);
	else
		tree_unlink(r->fs->tree, g->dir, g->name, &g->who);
	scratch_unref(place);
	free(g->name);
}

/* Under the lock; lets go of it to settle one that is due. False: none is. */
static bool settle_one(struct relinkings *r,
		       bool (*is_due)(struct relinkings *r, const struct gone *g,
				      const void *context),
		       const void *context)
{
	for (size_t i = 0; i < r->count; i++) {
		struct gone taken;

		if (!is_due(r, &r->gone[i], context))
			continue;
		taken = take_out(r, i);
		pthread_mutex_unlock(&r->lock);
		settle(r, &taken);
		pthread_mutex_lock(&r->lock);
		return true;
	}
	return false;
}

static bool is_over(struct relinkings *r, const struct gone *g, const void *context)
{
	(void)context;
	return has_ended(&g->who) || (monotonic_now() - g->at > MOMENT && !place_is_held(r, g));
}

static bool is_any(struct relinkings *r, const struct gone *g, const void *context)
{
	(void)r;
	(void)g;
	(void)context;
	return true;
}

static void *relinkings_main(void *argument)
{
	struct relinkings *r = argument;

	pthread_mutex_lock(&r->lock);
	while (!r->ending) {
		int64_t next = monotonic_now() + LOOK_EVERY;

		while (settle_one(r, is_over, NULL))
			;
		if (r->ending)
			break;
		if (!r->count)
			pthread_cond_wait(&r->changed, &r->lock);
		else
			pthread_cond_timedwait(
				&r->changed, &r->lock,
				&(struct timespec){next / NS_PER_SECOND, next % NS_PER_SECOND});
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

int relinkings_start(struct relinkings *r)
{
	int result = pthread_create(&r->thread, NULL, relinkings_main, r);

	r->running = result == 0;
	return -result;
}

void relinkings_free(struct relinkings *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->ending = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	if (r->running)
		pthread_join(r->thread, NULL);
	pthread_mutex_lock(&r->lock);
	while (settle_one(r, is_any, NULL))
		;
	pthread_mutex_unlock(&r->lock);
	free(r->gone);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->changed);
	free(r);
}

void relinking_wrote(struct fs *fs, const struct tree_caller *who)
{
	struct relinkings *r = fs->relinkings;
	size_t place = WRITERS;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < WRITERS && place == WRITERS; i++)
		if (r->writers[i].pid == who->pid)
			place = i;
	if (place == WRITERS)
		place = r->next_writer++ % WRITERS;
	r->writers[place].pid = who->pid;
	r->writers[place].at = monotonic_now();
	pthread_mutex_unlock(&r->lock);
}

/* Under the lock. */
static bool has_written(const struct relinkings *r, pid_t pid)
{
	for (size_t i = 0; i < WRITERS; i++)
		if (r->writers[i].pid == pid && monotonic_now() - r->writers[i].at < WHILE)
			return true;
	return false;
}

bool relinking_unlinks(struct fs *fs, const struct tree_caller *who, tree_id dir, const char *name)
{
	struct relinkings *r = fs->relinkings;
	size_t count;
	bool writes;

	pthread_mutex_lock(&r->lock);
	writes = who->pid > 0 && has_written(r, who->pid) && find(r, dir, name) < 0;
	pthread_mutex_unlock(&r->lock);
	/* An NFS server's threads write for all its clients. */
	if (!writes || caller_is_kernel(who))
		return false;
	pthread_mutex_lock(&r->lock);
	count = r->count;
	array_reserve(r->gone, count, r->capacity);
	r->gone[count] = (struct gone){dir, xstrdup(name), *who, monotonic_now()};
	r->count++;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return true;
}

void relinking_is_due(struct fs *fs, tree_id dir, const char *name)
{
	struct relinkings *r = fs->relinkings;
	ssize_t i;

	pthread_mutex_lock(&r->lock);
	i = find(r, dir, name);
	if (i >= 0)
		r->gone[i].at = monotonic_now();
	pthread_mutex_unlock(&r->lock);
}

bool relinking_waits(struct fs *fs, tree_id dir, const char *name)
{
	struct relinkings *r = fs->relinkings;
	bool waits;

	if (!atomic_load(&r->count))
		return false;
	pthread_mutex_lock(&r->lock);
	waits = find(r, dir, name) >= 0;
	pthread_mutex_unlock(&r->lock);
	return waits;
}

bool relinking_waits_in(struct fs *fs, tree_id dir)
{
	struct relinkings *r = fs->relinkings;
	bool any = false;

	if (!atomic_load(&r->count))
		return false;
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->count && !any; i++)
		any = r->gone[i].dir == dir;
	pthread_mutex_unlock(&r->lock);
	return any;
}

bool relinking_made(struct fs *fs, tree_id dir, const char *name)
{
	struct relinkings *r = fs->relinkings;
	ssize_t i;

	if (!atomic_load(&r->count))
		return false;
	pthread_mutex_lock(&r->lock);
	i = find(r, dir, name);
	if (i >= 0)
		free(take_out(r, (size_t)i).name);
	pthread_mutex_unlock(&r->lock);
	return i >= 0;
}

struct step {
	pid_t pid;
	tree_id dir;
	const char *name;
};

static bool is_behind(struct relinkings *r, const struct gone *g, const void *context)
{
	const struct step *s = context;

	return g->who.pid == s->pid &&
	       !(s->name && g->dir == s->dir && strcmp(g->name, s->name) == 0) &&
	       !place_is_held(r, g);
}

void relinking_goes_on(struct fs *fs, const struct tree_caller *who, tree_id dir, const char *name)
{
	struct relinkings *r = fs->relinkings;
	struct step step = {who->pid, dir, name};

	if (!atomic_load(&r->count))
		return;
	pthread_mutex_lock(&r->lock);
	while (settle_one(r, is_behind, &step))
		;
	pthread_mutex_unlock(&r->lock);
}
