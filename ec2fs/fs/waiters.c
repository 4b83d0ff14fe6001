#include "ec2fs/fs/waiters.h"

#include "ec2fs/fs/invalidate.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>

struct waiter {
	fuse_req_t req;
	fuse_ino_t ino;
	tree_id id;
	struct tree_caller who;
	char *text;
	size_t size;
	int64_t deadline; /* CLOCK_MONOTONIC, ns; INT64_MAX: none */
	bool interrupted;
	struct waiter *next;
};

struct waiters {
	struct fs *fs;
	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	pthread_t thread;
	bool running, ending, look;
	struct waiter *first;
};

struct waiters *waiters_new(struct fs *fs)
{
	struct waiters *w = xnew(struct waiters);
	pthread_condattr_t monotonic;

	w->fs = fs;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return w;
}

void waiters_wake(struct waiters *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	if (w->first) {
		w->look = true;
		pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
}

/* libfuse calls this while the request lives; the pointer is only compared, for it may be answered
 * already. */
static void interrupted(fuse_req_t req, void *data)
{
	struct waiters *w = data;

	pthread_mutex_lock(&w->lock);
	for (struct waiter *x = w->first; x; x = x->next)
		if (x->req == req)
			x->interrupted = true;
	w->look = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static void answer(struct waiters *w, struct waiter *x, int result)
{
	reply_when_known(w->fs, x->req, true, result < 0 ? result : (ssize_t)x->size);
	free(x->text);
	free(x);
}

static int result_of(struct waiters *w, const struct waiter *x)
{
	int64_t ignored;
	int r;

	if (x->interrupted)
		return -EINTR;
	r = tree_wait(w->fs->tree, x->id, &x->who, x->text, &ignored);
	if (r == -EINPROGRESS && monotonic_now() >= x->deadline)
		return -ETIMEDOUT;
	return r;
}

/* Looks at each, under the lock but for the look itself; only this thread takes any out of the
 * list. */
static void look_at_all(struct waiters *w)
{
	struct waiter *all = w->first;

	while (all) {
		struct waiter *x = all;
		int r;

		all = x->next;
		pthread_mutex_unlock(&w->lock);
		r = result_of(w, x);
		pthread_mutex_lock(&w->lock);
		if (r == -EINPROGRESS && !x->interrupted)
			continue;
		/* New ones may have come before it: look for its predecessor anew. */
		for (struct waiter **p = &w->first; *p; p = &(*p)->next)
			if (*p == x) {
				*p = x->next;
				break;
			}
		pthread_mutex_unlock(&w->lock);
		answer(w, x, r == -EINPROGRESS ? -EINTR : r);
		pthread_mutex_lock(&w->lock);
	}
}

static int64_t next_deadline(const struct waiters *w)
{
	int64_t next = INT64_MAX;

	for (const struct waiter *x = w->first; x; x = x->next)
		if (x->deadline < next)
			next = x->deadline;
	return next;
}

static void *waiters_main(void *argument)
{
	struct waiters *w = argument;

	pthread_mutex_lock(&w->lock);
	while (!w->ending) {
		int64_t next = next_deadline(w);

		if (!w->look && next == INT64_MAX)
			pthread_cond_wait(&w->changed, &w->lock);
		else if (!w->look && monotonic_now() < next)
			pthread_cond_timedwait(
				&w->changed, &w->lock,
				&(struct timespec){next / NS_PER_SECOND, next % NS_PER_SECOND});
		if (!w->look && monotonic_now() < next_deadline(w))
			continue;
		w->look = false;
		look_at_all(w);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int waiters_start(struct waiters *w)
{
	int r = pthread_create(&w->thread, NULL, waiters_main, w);

	w->running = r == 0;
	return -r;
}

void waiters_free(struct waiters *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	if (w->running)
		pthread_join(w->thread, NULL);
	while (w->first) {
		struct waiter *x = w->first;

		w->first = x->next;
		answer(w, x, -EINTR);
	}
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	free(w);
}

void waiter_park(struct fs *fs, fuse_req_t req, fuse_ino_t ino, tree_id id, const char *text,
		 size_t size, int64_t timeout)
{
	struct waiters *w = fs->waiters;
	struct waiter *x = xnew(struct waiter);

	*x = (struct waiter){.req = req,
			     .ino = ino,
			     .id = id,
			     .who = caller_of(req),
			     .text = xstrdup(text),
			     .size = size,
			     .deadline =
				     timeout == INT64_MAX ? INT64_MAX : monotonic_now() + timeout};
	/* Before it is in the list, for then it may be answered and gone; what interrupts it until
	 * then is asked for. */
	fuse_req_interrupt_func(req, interrupted, w);
	pthread_mutex_lock(&w->lock);
	x->interrupted = fuse_req_interrupted(req);
	x->next = w->first;
	w->first = x;
	/* It may have come between the first look and now. */
	w->look = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}
