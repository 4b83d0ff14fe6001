/* The notifier's thread: tells the kernel what changed, and then answers who waited for that. */
#include "ec2fs/fs/notifier_internal.h"

#include "ec2fs/fs/nodes.h"
#include "ec2fs/fs/poll.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

struct notifier *notifier_new(struct fs *fs)
{
	struct notifier *n = xnew(struct notifier);
	pthread_condattr_t monotonic;

	n->fs = fs;
	pthread_mutex_init(&n->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&n->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return n;
}

static void answer(const struct waiting_reply *reply)
{
	if (reply->count > 0 || (reply->count == 0 && reply->write))
		fuse_reply_write(reply->req, (size_t)reply->count);
	else
		reply_result(reply->req, (int)reply->count);
}

void reply_when_known(struct fs *fs, fuse_req_t req, bool write, ssize_t count)
{
	struct waiting_reply reply = {req, write, count};
	struct notifier *n = fs->notifier;
	bool now;

	pthread_mutex_lock(&n->lock);
	now = n->closed || !n->running || (!n->busy && !n->next.count);
	if (!now) {
		struct batch *b = &n->next;

		array_reserve(b->replies, b->reply_count, b->reply_capacity);
		b->replies[b->reply_count++] = reply;
		pthread_cond_signal(&n->changed);
	}
	pthread_mutex_unlock(&n->lock);
	if (now)
		answer(&reply);
}

/* Tells one thing; true when it should be told again later. */
static bool tell(struct notifier *n, const struct item *item)
{
	struct fuse_session *session = n->fs->session;
	fuse_ino_t ino = ino_of(n->fs, item->id);
	int r;

	if (item->name) {
		fuse_lowlevel_notify_inval_entry(session, ino, item->name, strlen(item->name));
		return false;
	}
	r = fuse_lowlevel_notify_inval_inode(session, ino, 0, 0);
	poll_changed(n->fs, item->id);
	return r == -ENOENT && !item->echo &&
	       monotonic_now() - atomic_load(&slot_of(n, item->id)->told) < RECENTLY;
}

/* The kernel knows of the item's change now. */
static void told(struct notifier *n, const struct item *item)
{
	struct slot *slot = slot_of(n, item->id);
	uint64_t known = atomic_load(&slot->notified);

	/* Only this thread writes notified. */
	if (!item->name && item->number > known)
		atomic_store(&slot->notified, item->number);
}

static void work_off(struct notifier *n, struct batch *b)
{
	struct item *again = NULL;
	size_t count = 0, capacity = 0;

	for (size_t i = 0; i < b->count; i++) {
		if (!tell(n, &b->items[i]))
			continue;
		array_reserve(again, count, capacity);
		again[count] = b->items[i];
		again[count++].echo = true;
		b->items[i].number = 0;
	}
	/* Slots are shared: none counts as told before all of its nodes are. */
	for (size_t i = 0; i < b->count; i++) {
		told(n, &b->items[i]);
		free(b->items[i].name);
	}
	for (size_t i = 0; i < b->reply_count; i++)
		answer(&b->replies[i]);
	free(b->items);
	free(b->replies);
	table_free(&b->index);
	if (!count)
		return;
	pthread_mutex_lock(&n->lock);
	if (!n->echo_count)
		n->echo_at = monotonic_now() + ECHO_AFTER;
	for (size_t i = 0; i < count; i++) {
		array_reserve(n->echoes, n->echo_count, n->echo_capacity);
		n->echoes[n->echo_count++] = again[i];
	}
	pthread_mutex_unlock(&n->lock);
	free(again);
}

/* Under the lock: until there is something to do. */
static void sleep_until_needed(struct notifier *n)
{
	while (!n->ending && !n->next.count && !n->next.reply_count) {
		if (!n->echo_count) {
			pthread_cond_wait(&n->changed, &n->lock);
			continue;
		}
		if (monotonic_now() >= n->echo_at)
			break;
		pthread_cond_timedwait(
			&n->changed, &n->lock,
			&(struct timespec){n->echo_at / NS_PER_SECOND, n->echo_at % NS_PER_SECOND});
	}
	if (n->echo_count && monotonic_now() >= n->echo_at) {
		for (size_t i = 0; i < n->echo_count; i++)
			batch_add_node(&n->next, n->echoes[i].id, n->echoes[i].number, true);
		n->echo_count = 0;
	}
}

static void *notifier_main(void *argument)
{
	struct notifier *n = argument;

	pthread_mutex_lock(&n->lock);
	for (;;) {
		struct batch batch;

		sleep_until_needed(n);
		if (n->ending)
			break;
		batch = n->next;
		n->next = (struct batch){0};
		n->busy = true;
		pthread_mutex_unlock(&n->lock);
		work_off(n, &batch);
		pthread_mutex_lock(&n->lock);
		n->busy = false;
		pthread_cond_broadcast(&n->changed);
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}

int notifier_start(struct notifier *n)
{
	int r = pthread_create(&n->thread, NULL, notifier_main, n);

	pthread_mutex_lock(&n->lock);
	n->running = r == 0;
	pthread_mutex_unlock(&n->lock);
	return -r;
}

void notifier_quiesce(struct notifier *n)
{
	int64_t end = monotonic_now() + NS_PER_SECOND;
	struct timespec until = {end / NS_PER_SECOND, end % NS_PER_SECOND};

	pthread_mutex_lock(&n->lock);
	n->closed = true;
	while (n->running && (n->busy || n->next.count || n->next.reply_count))
		if (pthread_cond_timedwait(&n->changed, &n->lock, &until) == ETIMEDOUT)
			break;
	pthread_mutex_unlock(&n->lock);
}

void notifier_free(struct notifier *n)
{
	if (!n)
		return;
	pthread_mutex_lock(&n->lock);
	n->closed = n->ending = true;
	pthread_cond_broadcast(&n->changed);
	pthread_mutex_unlock(&n->lock);
	if (n->running)
		pthread_join(n->thread, NULL);
	for (size_t i = 0; i < n->next.count; i++)
		free(n->next.items[i].name);
	for (size_t i = 0; i < n->next.reply_count; i++)
		answer(&n->next.replies[i]);
	free(n->next.items);
	free(n->next.replies);
	table_free(&n->next.index);
	free(n->echoes);
	pthread_cond_destroy(&n->changed);
	pthread_mutex_destroy(&n->lock);
	free(n);
}
