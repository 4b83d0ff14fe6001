#include "ec2fs/fs/maker.h"

#include "ec2fs/fs/callers.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW (60 * NS_PER_SECOND)

/* A process, told from a later one with the same number by when it began. */
struct process {
	pid_t pid;
	pid_t session;
	uint64_t began; /* in clock ticks since boot */
};

struct maker {
	tree_id dir;
	struct process process;
	uid_t uid;
	int64_t until; /* monotonic ns */
	bool copies;
	char **made;
	size_t made_count, made_capacity;
};

struct makers {
	atomic_size_t count; /* mostly 0 */
	pthread_mutex_t lock;
	struct maker *all;
	size_t capacity;
};

struct makers *makers_new(void)
{
	struct makers *makers = xnew(struct makers);

	pthread_mutex_init(&makers->lock, NULL);
	return makers;
}

static void maker_free(struct maker *m)
{
	for (size_t i = 0; i < m->made_count; i++)
		free(m->made[i]);
	free(m->made);
}

void makers_free(struct makers *makers)
{
	if (!makers)
		return;
	for (size_t i = 0; i < makers->count; i++)
		maker_free(&makers->all[i]);
	free(makers->all);
	pthread_mutex_destroy(&makers->lock);
	free(makers);
}

static bool process_read(pid_t pid, struct process *ret)
{
	struct process_stat stat;

	if (!process_stat_read(pid, &stat))
		return false;
	*ret = (struct process){pid, stat.session, stat.starttime};
	return true;
}

/* The process of the caller, who may be any of its threads. */
static bool process_get(const struct tree_caller *who, struct process *ret)
{
	pid_t pid = caller_process(who);

	return pid && process_read(pid, ret);
}

/* Under the lock; forgets those whose time is over. */
static struct maker *find(struct makers *makers, tree_id dir)
{
	int64_t now = monotonic_now();
	struct maker *found = NULL;

	for (size_t i = makers->count; i-- > 0;) {
		struct maker *m = &makers->all[i];

		if (m->until <= now) {
			maker_free(m);
			if (found == &makers->all[makers->count - 1])
				found = m;
			*m = makers->all[makers->count - 1];
			makers->count--;
		} else if (m->dir == dir) {
			found = m;
		}
	}
	return found;
}

void maker_begins(struct fs *fs, tree_id dir, const struct tree_caller *who)
{
	struct makers *makers = fs->makers;
	struct process process;
	struct maker *m;

	/* The NFS server's threads take turns for all its clients. */
	if (caller_is_kernel(who) || !process_get(who, &process))
		return;
	pthread_mutex_lock(&makers->lock);
	m = find(makers, dir);
	if (m) {
		maker_free(m);
	} else {
		size_t count = makers->count;

		array_reserve(makers->all, count, makers->capacity);
		m = &makers->all[count];
		makers->count++;
	}
	*m = (struct maker){
		.dir = dir, .process = process, .uid = who->uid, .until = monotonic_now() + WINDOW};
	pthread_mutex_unlock(&makers->lock);
}

bool maker_at_work(struct fs *fs, tree_id dir)
{
	bool is;

	if (!atomic_load(&fs->makers->count))
		return false;
	pthread_mutex_lock(&fs->makers->lock);
	is = find(fs->makers, dir) != NULL;
	pthread_mutex_unlock(&fs->makers->lock);
	return is;
}

static bool has_made(const struct maker *m, const char *name)
{
	for (size_t i = 0; i < m->made_count; i++)
		if (strcmp(m->made[i], name) == 0)
			return true;
	return false;
}

bool maker_misses(struct fs *fs, tree_id dir, const char *name, const struct tree_node *node,
		  const struct tree_caller *who)
{
	struct makers *makers = fs->makers;
	struct process process;
	struct maker *m;
	bool misses;

	/* A link may have come with another file of the copy (spec). */
	if (!atomic_load(&makers->count) || (tree_is_free(node) && !S_ISLNK(node->mode)) ||
	    (node->flags & TREE_RESOURCE && !(node->flags & TREE_INBORN)) ||
	    !maker_at_work(fs, dir) || !process_get(who, &process))
		return false;
	pthread_mutex_lock(&makers->lock);
	m = find(makers, dir);
	misses = m && (m->copies || !(node->flags & TREE_WRITTEN)) &&
		 m->process.pid == process.pid && m->process.began == process.began &&
		 !has_made(m, name);
	pthread_mutex_unlock(&makers->lock);
	return misses;
}

static bool is_maker(struct fs *fs, tree_id dir, const struct tree_caller *who, bool itself)
{
	struct makers *makers = fs->makers;
	struct process process;
	struct maker *m;
	bool is;

	if (!maker_at_work(fs, dir) || !process_get(who, &process))
		return false;
	pthread_mutex_lock(&makers->lock);
	m = find(makers, dir);
	if (itself)
		is = m && m->process.pid == process.pid && m->process.began == process.began;
	else
		is = m && m->uid == who->uid &&
		     (m->process.pid == process.pid || m->process.session == process.session);
	pthread_mutex_unlock(&makers->lock);
	return is;
}

bool maker_is(struct fs *fs, tree_id dir, const struct tree_caller *who)
{
	return is_maker(fs, dir, who, false);
}

bool maker_is_itself(struct fs *fs, tree_id dir, const struct tree_caller *who)
{
	return is_maker(fs, dir, who, true);
}

static bool is_alive(const struct process *process)
{
	struct process now;

	return process_read(process->pid, &now) && now.began == process->began;
}

bool maker_lives(struct fs *fs, const struct tree_caller *who)
{
	struct makers *makers = fs->makers;
	struct process process;
	bool lives = false;

	if (!atomic_load(&makers->count) || !process_get(who, &process))
		return false;
	pthread_mutex_lock(&makers->lock);
	for (size_t i = 0; i < makers->count && !lives; i++) {
		const struct maker *m = &makers->all[i];

		lives = m->uid == who->uid && m->process.session == process.session &&
			m->until > monotonic_now() && is_alive(&m->process);
	}
	pthread_mutex_unlock(&makers->lock);
	return lives;
}

void maker_copies(struct fs *fs, tree_id dir)
{
	struct makers *makers = fs->makers;
	struct maker *m;

	pthread_mutex_lock(&makers->lock);
	m = find(makers, dir);
	if (m)
		m->copies = true;
	pthread_mutex_unlock(&makers->lock);
}

void maker_made(struct fs *fs, tree_id dir, const char *name)
{
	struct makers *makers = fs->makers;
	struct maker *m;

	if (!atomic_load(&makers->count))
		return;
	pthread_mutex_lock(&makers->lock);
	m = find(makers, dir);
	if (m) {
		m->until = monotonic_now() + WINDOW;
		if (!has_made(m, name)) {
			array_reserve(m->made, m->made_count, m->made_capacity);
			m->made[m->made_count++] = xstrdup(name);
		}
	}
	pthread_mutex_unlock(&makers->lock);
}
