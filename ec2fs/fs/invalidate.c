/*
 * What the kernel is to forget; notifier.c tells it, in a thread of its own. Changes are numbered;
 * a small table of slots, many nodes to a slot, remembers the latest change of each and whether the
 * kernel knows. While it does not, answers carry no cache time and opens keep no pages, so nobody
 * who comes after a change was acknowledged meets something older, however long the notifier takes.
 */
#include "ec2fs/fs/notifier_internal.h"

#include "ec2fs/fs/nodes.h"
#include "ec2fs/fs/waiters.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

#define LATELY (NS_PER_SECOND / 5)
/* More than lies between the answer to a READDIR and what the kernel makes of it. */
#define LISTING_TAKES (10 * NS_PER_SECOND)

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

void batch_add_node(struct batch *b, tree_id id, uint64_t number, bool echo)
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
		batch_add_node(&n->next, id, number, false);
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

void told_anew(struct fs *fs, tree_id id)
{
	forget_now(fs, id);
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
