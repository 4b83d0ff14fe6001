#include "ec2fs/fs/nodes.h"

#include "ec2fs/fs/invalidate.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VARIANT_SHIFT 56
#define VARIANTS 128

/* A node whose name was renamed away at least once. */
struct variant {
	tree_id id;
	unsigned now;
};

struct ids {
	atomic_size_t count; /* of variants: mostly none */
	atomic_uint next_wait;
	pthread_mutex_t lock;
	struct table variants;
	atomic_size_t claim_count;
	struct table claims; /* of fuse_ino_t */
};

struct ids *ids_new(void)
{
	struct ids *ids = xnew(struct ids);

	pthread_mutex_init(&ids->lock, NULL);
	return ids;
}

void ids_free(struct ids *ids)
{
	if (!ids)
		return;
	for (size_t i = 0; i < ids->variants.capacity; i++)
		free(ids->variants.cells[i].item);
	for (size_t i = 0; i < ids->claims.capacity; i++)
		free(ids->claims.cells[i].item);
	table_free(&ids->variants);
	table_free(&ids->claims);
	pthread_mutex_destroy(&ids->lock);
	free(ids);
}

static bool same_variant(const void *item, const void *key)
{
	return ((const struct variant *)item)->id == *(const tree_id *)key;
}

/* The node's present variant; -1 when it has never been renamed away. */
static int variant_of(struct ids *ids, tree_id id)
{
	const struct variant *v;
	int now;

	if (!atomic_load(&ids->count))
		return -1;
	pthread_mutex_lock(&ids->lock);
	v = table_find(&ids->variants, hash_u64(id), same_variant, &id);
	now = v ? (int)v->now : -1;
	pthread_mutex_unlock(&ids->lock);
	return now;
}

fuse_ino_t ino_of(struct fs *fs, tree_id id)
{
	int variant = variant_of(fs->ids, id);

	return variant < 0 ? id : id | (uint64_t)variant << VARIANT_SHIFT;
}

static bool same_ino(const void *item, const void *key)
{
	return *(const fuse_ino_t *)item == *(const fuse_ino_t *)key;
}

static bool is_claimed(struct ids *ids, fuse_ino_t ino)
{
	bool is;

	if (!atomic_load(&ids->claim_count))
		return false;
	pthread_mutex_lock(&ids->lock);
	is = table_find(&ids->claims, hash_u64(ino), same_ino, &ino);
	pthread_mutex_unlock(&ids->lock);
	return is;
}

bool wait_ino_claim(struct fs *fs, const struct tree_node *node, fuse_ino_t ino)
{
	struct ids *ids = fs->ids;
	struct strbuf path cleanup_strbuf = STRBUF_INIT;
	fuse_ino_t *item;
	tree_id dir;
	bool free;

	pthread_mutex_lock(&ids->lock);
	free = !table_find(&ids->claims, hash_u64(ino), same_ino, &ino);
	if (free) {
		item = xnew(fuse_ino_t);
		*item = ino;
		table_add(&ids->claims, hash_u64(ino), item);
		atomic_fetch_add(&ids->claim_count, 1);
	}
	pthread_mutex_unlock(&ids->lock);
	/* Who comes next by the name, to write or to chmod, is not to wait for this writer. */
	if (free && tree_parent(fs->tree, node->id, &dir) == 0 &&
	    tree_path(fs->tree, node->id, &path) == 0) {
		const char *slash = strrchr(strbuf_str(&path), '/');

		if (slash)
			invalidate_entry(fs, dir, slash + 1);
	}
	return free;
}

void wait_ino_release(struct fs *fs, fuse_ino_t ino)
{
	struct ids *ids = fs->ids;

	pthread_mutex_lock(&ids->lock);
	free(table_remove(&ids->claims, hash_u64(ino), same_ino, &ino));
	atomic_fetch_sub(&ids->claim_count, 1);
	pthread_mutex_unlock(&ids->lock);
}

/* The node's own number, unless somebody writes by it. */
static fuse_ino_t waiting_ino(struct fs *fs, tree_id id)
{
	fuse_ino_t ino = ino_of(fs, id);

	if (variant_of(fs->ids, id) >= 0)
		return ino;
	for (int i = 0; i < VARIANTS && is_claimed(fs->ids, ino); i++) {
		unsigned variant = atomic_fetch_add(&fs->ids->next_wait, 1) % VARIANTS;

		ino = id | (uint64_t)variant << VARIANT_SHIFT;
	}
	return ino;
}

int node_resolve(struct fs *fs, fuse_ino_t ino, struct node_ref *ret)
{
	tree_id id = ino & ((UINT64_C(1) << VARIANT_SHIFT) - 1);
	struct scratch *s = NULL;

	if (!(ino & SCRATCH_BIT)) {
		int variant = variant_of(fs->ids, id);

		if (variant < 0 || (unsigned)variant == ino >> VARIANT_SHIFT) {
			*ret = (struct node_ref){NULL, id};
			return 0;
		}
	}
	s = scratch_get(fs, ino);
	if (!s)
		return -ESTALE;
	id = scratch_became(s);
	if (id) {
		scratch_unref(s);
		s = NULL;
	}
	*ret = (struct node_ref){s, id};
	return 0;
}

int dir_resolve(struct fs *fs, fuse_ino_t ino, tree_id *ret)
{
	struct node_ref node cleanup_node = {0};
	int r = node_resolve(fs, ino, &node);

	if (r < 0)
		return r;
	if (node.scratch)
		return -ENOTDIR;
	*ret = node.id;
	return 0;
}

int place_resolve(struct fs *fs, fuse_ino_t ino, const char *name, tree_id *ret)
{
	return strlen(name) > NAME_MAX ? -ENAMETOOLONG : dir_resolve(fs, ino, ret);
}

void node_unref(struct node_ref *node)
{
	scratch_unref(node->scratch);
	node->scratch = NULL;
}

void node_rename_away(struct fs *fs, tree_id id, struct scratch *scratch)
{
	struct ids *ids = fs->ids;
	fuse_ino_t was = ino_of(fs, id);
	struct variant *v;

	scratch_alias(scratch, was);
	pthread_mutex_lock(&ids->lock);
	v = table_find(&ids->variants, hash_u64(id), same_variant, &id);
	if (!v) {
		v = xnew(struct variant);
		v->id = id;
		table_add(&ids->variants, hash_u64(id), v);
		atomic_fetch_add(&ids->count, 1);
	}
	v->now = (v->now + 1) % VARIANTS;
	was = id | (uint64_t)v->now << VARIANT_SHIFT;
	pthread_mutex_unlock(&ids->lock);
	/* After 128 times the oldest copy's number is the attribute's again. */
	scratch_unalias(fs, was);
}

static struct timespec timespec_of(int64_t ns)
{
	struct timespec t = {ns / NS_PER_SECOND, ns % NS_PER_SECOND};

	if (t.tv_nsec < 0) {
		t.tv_sec--;
		t.tv_nsec += NS_PER_SECOND;
	}
	return t;
}

/* cp, tar and du take a file that has less blocks than bytes for one with holes. */
static uint64_t blocks_of(struct fs *fs, const struct tree_node *node)
{
	uint64_t most = (node->size + 511) / 512, blocks;

	if ((node->flags & TREE_BLOB) && node->size &&
	    tree_blob_blocks(fs->tree, node->id, &blocks) && blocks < most)
		return blocks;
	return most;
}

double node_attr(struct fs *fs, const struct tree_node *node, uint64_t since, struct stat *ret)
{
	*ret = (struct stat){
		.st_ino = node->id,
		.st_mode = node->mode,
		.st_nlink = node->nlink ? node->nlink : 1,
		.st_uid = node->uid,
		.st_gid = node->gid,
		.st_size = (off_t)node->size,
		.st_blocks = (blkcnt_t)blocks_of(fs, node),
		.st_blksize = 4096,
		.st_mtim = timespec_of(node->mtime),
		.st_atim = timespec_of(node->mtime),
		.st_ctim = timespec_of(node->ctime),
	};
	facts_told(fs, node->id);
	/* An answer that may be out of date already is not kept. */
	return node_is_live(node) || changed_since(fs, node->id, since) ? 0 : KEEP_LONG;
}

void node_entry(struct fs *fs, const struct tree_node *node, uint64_t since, bool brief,
		struct fuse_entry_param *ret)
{
	fuse_ino_t own = ino_of(fs, node->id);
	fuse_ino_t ino = node->flags & TREE_WAIT ? waiting_ino(fs, node->id) : own;
	bool waits = ino != own;

	/* The kernel insists on 0 for its root. */
	*ret = (struct fuse_entry_param){.ino = ino, .generation = node->id != TREE_ROOT};
	ret->attr_timeout = node_attr(fs, node, since, &ret->attr);
	ret->entry_timeout = brief || waits ? 0 : KEEP_LONG;
}

void scratch_entry(struct scratch *s, struct fuse_entry_param *ret)
{
	*ret = (struct fuse_entry_param){.ino = scratch_ino(s), .generation = 1};
	scratch_stat(s, &ret->attr);
}
