/* Names and lives of scratch files. There are few at a time: the table is a list. */
#include "ec2fs/fs/scratch.h"

#include "ec2fs/fs/invalidate.h"
#include "ec2fs/fs/maker.h"
#include "ec2fs/fs/nodes.h"
#include "ec2fs/fs/scratch_internal.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

#define SCRATCHES_MAX 1024
/* One that became a file of the tree: only who had it open still comes with its number. */
#define BECAME_FOR (30 * NS_PER_SECOND)
/* Cookies of directories have 62 bits for them. */
#define NUMBER_MASK (SCRATCH_BIT / 4 - 1)

struct scratches {
	pthread_mutex_t lock;
	atomic_size_t count;
	struct scratch *all[SCRATCHES_MAX]; /* by number */
	uint64_t number;                    /* the last one given */
	int64_t swept;
	int64_t timeout; /* ns */
};

struct scratches *scratches_new(int timeout)
{
	struct scratches *all = xnew(struct scratches);

	pthread_mutex_init(&all->lock, NULL);
	all->timeout = timeout * NS_PER_SECOND;
	/* Not the numbers of an earlier mount: an NFS client may still have those. */
	all->number = ((uint64_t)wall_now() >> 8) & NUMBER_MASK;
	return all;
}

static void scratch_free(struct scratch *s)
{
	scratch_forget_content(s);
	pthread_mutex_destroy(&s->lock);
	free(s->name);
	free(s);
}

void scratches_free(struct scratches *all)
{
	if (!all)
		return;
	for (size_t i = 0; i < all->count; i++)
		scratch_free(all->all[i]);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

/* Under the table's lock: true when that was the last reference, and it is in the table no more. */
static bool put(struct scratches *all, struct scratch *s)
{
	size_t i = 0;

	if (--s->references)
		return false;
	while (all->all[i] != s)
		i++;
	memmove(&all->all[i], &all->all[i + 1], (all->count - i - 1) * sizeof(all->all[0]));
	all->count--;
	return true;
}

void scratch_unref(struct scratch *s)
{
	struct scratches *all;
	bool last;

	if (!s)
		return;
	all = s->fs->scratches;
	pthread_mutex_lock(&all->lock);
	/* What the kernel asks for by number it still has. */
	if (s->became)
		s->used = monotonic_now();
	last = put(all, s);
	pthread_mutex_unlock(&all->lock);
	if (last)
		scratch_free(s);
}

void scratch_touch(struct scratch *s)
{
	pthread_mutex_lock(&s->fs->scratches->lock);
	s->used = monotonic_now();
	pthread_mutex_unlock(&s->fs->scratches->lock);
}

struct scratch *scratch_ref(struct scratch *s)
{
	pthread_mutex_lock(&s->fs->scratches->lock);
	s->references++;
	pthread_mutex_unlock(&s->fs->scratches->lock);
	return s;
}

/* Under the table's lock: lets go of those that nobody has used for long. */
static void sweep(struct fs *fs)
{
	struct scratches *all = fs->scratches;
	int64_t now = monotonic_now();

	if (now - all->swept < all->timeout / 60)
		return;
	all->swept = now;
	for (size_t i = all->count; i-- > 0;) {
		struct scratch *s = all->all[i];

		if (!s->kept || s->references > 1 ||
		    now - s->used < (s->became ? BECAME_FOR : all->timeout))
			continue;
		if (s->name)
			invalidate_entry(fs, s->dir, s->name);
		put(all, s);
		scratch_free(s);
	}
}

/* Under the table's lock: is there room for one more? What became a file of the tree longest ago
 * goes for it. */
static bool make_room(struct scratches *all)
{
	struct scratch *oldest = NULL;

	if (all->count < SCRATCHES_MAX)
		return true;
	for (size_t i = 0; i < all->count; i++) {
		struct scratch *s = all->all[i];

		if (s->kept && s->became && s->references == 1 &&
		    (!oldest || s->used < oldest->used))
			oldest = s;
	}
	if (!oldest)
		return false;
	put(all, oldest);
	scratch_free(oldest);
	return true;
}

static bool is_link(enum scratch_kind kind)
{
	return kind == SCRATCH_LINK || kind == SCRATCH_COPIED_LINK;
}

/* Under the table's lock. */
static struct scratch *named(struct scratches *all, tree_id dir, const char *name)
{
	for (size_t i = 0; i < all->count; i++) {
		struct scratch *s = all->all[i];

		if (s->name && s->dir == dir && strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}

int scratch_make(struct fs *fs, tree_id dir, const char *name, enum scratch_kind kind, mode_t mode,
		 const struct tree_caller *who, const char *content, struct scratch **ret)
{
	struct scratches *all = fs->scratches;
	struct scratch *s = xnew(struct scratch);
	int r = 0;

	*s = (struct scratch){.fs = fs,
			      .kind = kind,
			      .owner = who->uid,
			      .maker = who->pid,
			      .references = 2,
			      .kept = true,
			      .name = xstrdup(name),
			      .dir = dir,
			      .used = monotonic_now(),
			      .mode = (is_link(kind) ? S_IFLNK : S_IFREG) | (mode & 07777),
			      .uid = who->uid,
			      .gid = who->gid,
			      .mtime = wall_now(),
			      .fd = -1};
	pthread_mutex_init(&s->lock, NULL);
	if (content)
		strbuf_adds(&s->text, content);
	pthread_mutex_lock(&all->lock);
	sweep(fs);
	if (named(all, dir, name)) {
		r = -EEXIST;
	} else if (!make_room(all)) {
		r = -ENOSPC;
	} else {
		all->number = (all->number + 1) & NUMBER_MASK;
		s->ino = SCRATCH_BIT | all->number;
		all->all[all->count++] = s;
	}
	pthread_mutex_unlock(&all->lock);
	if (r < 0)
		scratch_free(s);
	else
		*ret = s;
	return r;
}

struct scratch *scratch_find(struct fs *fs, tree_id dir, const char *name,
			     const struct tree_caller *who)
{
	struct scratches *all = fs->scratches;
	struct scratch *s;

	if (!atomic_load(&all->count))
		return NULL;
	pthread_mutex_lock(&all->lock);
	sweep(fs);
	s = named(all, dir, name);
	if (s)
		s->references++;
	pthread_mutex_unlock(&all->lock);
	if (s && s->kind == SCRATCH_COPIED_LINK && s->maker != who->pid &&
	    !maker_is_itself(fs, dir, who)) {
		scratch_unref(s);
		s = NULL;
	}
	return s;
}

struct scratch *scratch_get(struct fs *fs, fuse_ino_t ino)
{
	struct scratches *all = fs->scratches;
	struct scratch *found = NULL;

	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < all->count && !found; i++)
		if (all->all[i]->ino == ino || all->all[i]->alias == ino)
			found = all->all[i];
	if (found)
		found->references++;
	pthread_mutex_unlock(&all->lock);
	return found;
}

enum scratch_kind scratch_kind(const struct scratch *s)
{
	return s->kind;
}

fuse_ino_t scratch_ino(struct scratch *s)
{
	fuse_ino_t ino;

	pthread_mutex_lock(&s->fs->scratches->lock);
	ino = s->alias ? s->alias : s->ino;
	pthread_mutex_unlock(&s->fs->scratches->lock);
	return ino;
}

tree_id scratch_dir(struct scratch *s)
{
	tree_id dir;

	pthread_mutex_lock(&s->fs->scratches->lock);
	dir = s->dir;
	pthread_mutex_unlock(&s->fs->scratches->lock);
	return dir;
}

char *scratch_name(struct scratch *s)
{
	char *name;

	pthread_mutex_lock(&s->fs->scratches->lock);
	name = s->name ? xstrdup(s->name) : NULL;
	pthread_mutex_unlock(&s->fs->scratches->lock);
	return name;
}

/* The first one of the directory after that number; a reference. */
static struct scratch *next_of(struct scratches *all, tree_id dir, uid_t uid, uint64_t after,
			       char **ret_name)
{
	struct scratch *found = NULL;

	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < all->count && !found; i++) {
		struct scratch *s = all->all[i];

		if (s->name && s->dir == dir && s->owner == uid && s->kind != SCRATCH_COPIED_LINK &&
		    (s->ino & NUMBER_MASK) > after)
			found = s;
	}
	if (found) {
		found->references++;
		*ret_name = xstrdup(found->name);
	}
	pthread_mutex_unlock(&all->lock);
	return found;
}

void scratch_list(struct fs *fs, tree_id dir, uid_t uid, uint64_t after, scratch_list_fn *emit,
		  void *context)
{
	int r = 0;

	if (atomic_load(&fs->scratches->count)) {
		pthread_mutex_lock(&fs->scratches->lock);
		sweep(fs);
		pthread_mutex_unlock(&fs->scratches->lock);
	}
	while (r == 0 && atomic_load(&fs->scratches->count)) {
		cleanup_free char *name = NULL;
		struct scratch *s cleanup_scratch = next_of(fs->scratches, dir, uid, after, &name);

		if (!s)
			return;
		after = s->ino & NUMBER_MASK;
		r = emit(context, name, after, s);
	}
}

bool scratch_in(struct fs *fs, tree_id dir)
{
	struct scratches *all = fs->scratches;
	bool any = false;

	if (!atomic_load(&all->count))
		return false;
	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < all->count && !any; i++)
		any = all->all[i]->name && all->all[i]->dir == dir;
	pthread_mutex_unlock(&all->lock);
	return any;
}

/* Under the table's lock: the name and the table's reference go. True: it is to be freed. */
static bool let_go(struct scratches *all, struct scratch *s)
{
	free(s->name);
	s->name = NULL;
	if (!s->kept)
		return false;
	s->kept = false;
	return put(all, s);
}

void scratch_drop(struct scratch *s)
{
	struct scratches *all = s->fs->scratches;

	pthread_mutex_lock(&all->lock);
	/* The caller has a reference. */
	let_go(all, s);
	pthread_mutex_unlock(&all->lock);
}

void scratch_move(struct scratch *s, tree_id dir, const char *name)
{
	struct scratches *all = s->fs->scratches;
	struct scratch *other;
	bool last = false;

	pthread_mutex_lock(&all->lock);
	other = named(all, dir, name);
	if (other && other != s)
		last = let_go(all, other);
	free(s->name);
	s->name = xstrdup(name);
	s->dir = dir;
	pthread_mutex_unlock(&all->lock);
	if (last)
		scratch_free(other);
}

void scratch_alias(struct scratch *s, fuse_ino_t ino)
{
	pthread_mutex_lock(&s->fs->scratches->lock);
	s->alias = ino;
	pthread_mutex_unlock(&s->fs->scratches->lock);
}

void scratch_unalias(struct fs *fs, fuse_ino_t ino)
{
	struct scratches *all = fs->scratches;

	pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < all->count; i++)
		if (all->all[i]->alias == ino)
			all->all[i]->alias = 0;
	pthread_mutex_unlock(&all->lock);
}

void scratch_become(struct scratch *s, tree_id id)
{
	struct scratches *all = s->fs->scratches;

	pthread_mutex_lock(&all->lock);
	s->became = id;
	free(s->name);
	s->name = NULL;
	s->used = monotonic_now();
	pthread_mutex_unlock(&all->lock);
	pthread_mutex_lock(&s->lock);
	scratch_forget_content(s);
	pthread_mutex_unlock(&s->lock);
}

tree_id scratch_became(struct scratch *s)
{
	tree_id id;

	pthread_mutex_lock(&s->fs->scratches->lock);
	id = s->became;
	pthread_mutex_unlock(&s->fs->scratches->lock);
	return id;
}
