/*
 * The notifier: one thread that tells the kernel what to forget. Changes are numbered; a small
 * table of slots, many nodes to a slot, remembers the latest change of each and whether the kernel
 * knows. While it does not, answers carry no cache time and opens keep no pages, so nobody who
 * comes after a change was acknowledged meets something older, however long the notifier takes.
 */
#include "ec2fs/fs/invalidate.h"

#include "ec2fs/fs/nodes.h"
#include "ec2fs/fs/poll.h"
#include "ec2fs/fs/waiters.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 4096

/*
 * The kernel made no inode of a node yet, but an answer about it may be on its way, made before the
 * change: it is told once more, this long after. ns.
 */
#define ECHO_AFTER (50 * NS_PER_SECOND / 1000)
#define RECENTLY NS_PER_SECOND
#define LATELY (NS_PER_SECOND / 5)
/* More than lies between the answer to a READDIR and what the kernel makes of it. */
#define LISTING_TAKES (10 * NS_PER_SECOND)

struct slot {
	atomic_uint_least64_t changed;  /* number of the latest change */
	atomic_uint_least64_t notified; /* the kernel knows of changes up to this */
	atomic_int_least64_t when;      /* it changed; monotonic ns */
	/* When the names in it last changed, and when part of a listing was last told; coarse ns.
	 */
	atomic_int_least64_t renamed, listed;
	atomic_int_least64_t told; /* when the kernel was last given facts to keep; monotonic ns */
};

struct item {
	uint64_t number;
	tree_id id; /* the node, or with a name the directory */
	char *name; /* NULL: the node itself */
	bool echo;  /* told for the second time */
};

struct waiting_reply {
	fuse_req_t req;
	bool write;
	ssize_t count;
};

struct batch {
	struct item *items;
	size_t count, capacity;
	struct table index; /* of the items that are nodes: their position + 1 */
	struct waiting_reply *replies;
	size_t reply_count, reply_capacity;
};

struct notifier {
	struct fs *fs;
	struct slot slots[SLOTS];
	atomic_uint_least64_t number;
	pthread_mutex_t lock; /* everything below */
	pthread_cond_t changed;
	pthread_t thread;
	bool running, busy, closed, ending;
	struct batch next;
	struct item *echoes; /* to be told again at echo_at */
	size_t echo_count, echo_capacity;
	int64_t echo_at;
};

static struct slot *slot_of(struct notifier *n, tree_id id)
{
	return &n->slots[hash_u64(id) % SLOTS];
}

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

/*
 * Changes of one node are one item. The index holds positions instead of pointers, as the array
 * moves; what is looked for lies behind its last item.
 */
static bool same_node(const void *item, const void *key)
{
	const struct batch *b = key;
	size_t position = (size_t)(uintptr_t)item - 1;

	return b->items[position].id == b->items[b->count].id;
}

/* Under the lock. */
static void add_node(struct batch *b, tree_id id, uint64_t number, bool echo)
{
	uint64_t hash = hash_u64(id);
	void *found;

	array_reserve(b->items, b->count, b->capacity);
	b->items[b->count] = (struct item){.number = number, .id = id, .echo = echo};
	found = table_find(&b->index, hash, same_node, b);
	if (found) {
		struct item *item = &b->items[(size_t)(uintptr_t)found - 1];

		item->number = number > item->number ? number : item->number;
		item->echo = item->echo && echo;
		return;
	}
	b->count++;
	table_add(&b->index, hash, (void *)(uintptr_t)b->count);
}

static int64_t coarse_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

static void changed_to(struct slot *slot, uint64_t number)
{
	atomic_store(&slot->when, coarse_now());
	/* Numbers are given under the lock, so they only grow. */
	atomic_store(&slot->changed, number);
}

void invalidate_node(struct fs *fs, tree_id id)
{
	struct notifier *n = fs->notifier;

	pthread_mutex_lock(&n->lock);
	if (!n->closed) {
		uint64_t number = atomic_load(&n->number) + 1;

		/* First the slot: who reads the number also finds what it counts. */
		changed_to(slot_of(n, id), number);
		atomic_store(&n->number, number);
		add_node(&n->next, id, number, false);
		pthread_cond_signal(&n->changed);
	}
	pthread_mutex_unlock(&n->lock);
}

void invalidate_entry(struct fs *fs, tree_id parent, const char *name)
{
	struct notifier *n = fs->notifier;

	pthread_mutex_lock(&n->lock);
	if (!n->closed) {
		struct batch *b = &n->next;

		array_reserve(b->items, b->count, b->capacity);
		b->items[b->count++] = (struct item){.id = parent, .name = xstrdup(name)};
		pthread_cond_signal(&n->changed);
	}
	pthread_mutex_unlock(&n->lock);
}

/*
 * A directory's pages hold its listing, a symlink's where it leads. They are locked for moments
 * only, or by a READLINK, which is answered at once: so this may be told by any thread, also where
 * the directory is locked.
 */
static void forget_now(struct fs *fs, tree_id dir_or_link)
{
	fuse_lowlevel_notify_inval_inode(fs->session, ino_of(fs, dir_or_link), 0, 0);
}

void listing_changed(struct fs *fs, tree_id dir)
{
	struct notifier *n = fs->notifier;
	struct slot *slot = slot_of(n, dir);
	int64_t now = coarse_now();

	if (!fs->keeps_listings)
		return;
	atomic_store(&slot->renamed, now);
	forget_now(fs, dir);
	/* An answer may be on its way that was made before the change. */
	if (now - atomic_load(&slot->listed) >= RECENTLY)
		return;
	pthread_mutex_lock(&n->lock);
	if (!n->closed) {
		if (!n->echo_count)
			n->echo_at = monotonic_now() + ECHO_AFTER;
		array_reserve(n->echoes, n->echo_count, n->echo_capacity);
		n->echoes[n->echo_count++] = (struct item){.id = dir, .echo = true};
		pthread_cond_signal(&n->changed);
	}
	pthread_mutex_unlock(&n->lock);
}

/* Only a listing that came to its end is used again, so that is when to look back. */
void listing_told(struct fs *fs, tree_id dir, bool is_plain, bool end)
{
	struct slot *slot = slot_of(fs->notifier, dir);
	int64_t now = coarse_now();

	if (!fs->keeps_listings)
		return;
	if (!is_plain)
		atomic_store(&slot->renamed, now);
	atomic_store(&slot->listed, now);
	if (end && now - atomic_load(&slot->renamed) < LISTING_TAKES)
		forget_now(fs, dir);
}

void notifier_watch(void *context, enum tree_event event, tree_id id, tree_id parent,
		    const char *name)
{
	struct fs *fs = context;

	switch (event) {
	case TREE_CHANGED:
		invalidate_node(fs, id);
		break;
	case TREE_LEADS:
		invalidate_node(fs, id);
		forget_now(fs, id);
		break;
	case TREE_ADDED:
		/* The kernel keeps no absent names. But facts of an earlier time there may be. */
		invalidate_node(fs, id);
		listing_changed(fs, parent);
		break;
	case TREE_GONE:
		invalidate_entry(fs, parent, name);
		listing_changed(fs, parent);
		invalidate_node(fs, id);
		break;
	}
	waiters_wake(fs->waiters);
}

uint64_t changes_now(struct fs *fs)
{
	return atomic_load(&fs->notifier->number);
}

uint64_t changes_of(struct fs *fs, tree_id id)
{
	return atomic_load(&slot_of(fs->notifier, id)->changed);
}

bool changed_since(struct fs *fs, tree_id id, uint64_t number)
{
	struct slot *slot = slot_of(fs->notifier, id);
	uint64_t changed = atomic_load(&slot->changed);

	return changed > number || changed != atomic_load(&slot->notified);
}

bool changed_lately(struct fs *fs, tree_id id)
{
	return coarse_now() - atomic_load(&slot_of(fs->notifier, id)->when) < LATELY;
}

void facts_told(struct fs *fs, tree_id id)
{
	atomic_store_explicit(&slot_of(fs->notifier, id)->told, coarse_now(), memory_order_relaxed);
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
			add_node(&n->next, n->echoes[i].id, n->echoes[i].number, true);
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
