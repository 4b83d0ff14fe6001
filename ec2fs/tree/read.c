/* What tree answers without changing anything. */
#include "ec2fs/tree/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

int tree_stat(struct tree *t, tree_id id, const struct tree_caller *who, struct tree_node *ret)
{
	struct view v = cloud_read(t->cloud);
	struct node n;
	int r = node_get(&v, id, &n);

	if (r == 0)
		node_fill(t, &v, &n, who, ret);
	cloud_read_end(t->cloud);
	return r;
}

int tree_facts(struct tree *t, tree_id id, const struct tree_caller *who, struct tree_node *ret)
{
	struct view v = cloud_read(t->cloud);
	struct node n;
	int r = node_get(&v, id, &n);

	if (r == 0)
		node_fill_unsized(t, &v, &n, who, ret);
	cloud_read_end(t->cloud);
	return r;
}

int tree_lookup(struct tree *t, tree_id dir, const char *name, const struct tree_caller *who,
		struct tree_node *ret)
{
	struct view v = cloud_read(t->cloud);
	struct node d, n;
	int r = node_get(&v, dir, &d);

	if (r == 0)
		r = node_lookup(t, &v, &d, name, who, &n);
	if (r == 0)
		node_fill(t, &v, &n, who, ret);
	cloud_read_end(t->cloud);
	return r;
}

int tree_lookup_absent(struct tree *t, tree_id dir, const char *name, const struct tree_caller *who,
		       struct tree_node *ret)
{
	struct view v = cloud_read(t->cloud);
	struct node d, n;
	int r = node_get(&v, dir, &d);

	if (r == 0)
		r = node_lookup_absent(&d, name, &n);
	if (r == 0)
		node_fill(t, &v, &n, who, ret);
	cloud_read_end(t->cloud);
	return r;
}

int tree_parent(struct tree *t, tree_id id, tree_id *ret)
{
	struct view v = cloud_read(t->cloud);
	struct node n;
	int r = node_get(&v, id, &n);

	if (r == 0)
		*ret = id == TREE_ROOT ? TREE_ROOT : node_parent(&v, &n);
	cloud_read_end(t->cloud);
	return r;
}

int tree_path(struct tree *t, tree_id id, struct strbuf *out)
{
	struct view v = cloud_read(t->cloud);
	struct node n;
	int r = node_get(&v, id, &n);

	if (r == 0)
		node_path(&v, &n, out);
	cloud_read_end(t->cloud);
	return r;
}

/* Fixed entries have the cookies 3, 4 …; children and links their resource's number, shifted. */
#define FIRST_FIXED 3
#define CHILD_COOKIE(number) ((number) << 16)
#define LINK_COOKIE(number) ((number) << 16 | 1)

/* The entry after a cookie: 1 and the name, or 0 at the end. */
static int next_entry(struct tree *t, const struct view *v, const struct node *d, uint64_t after,
		      const struct tree_caller *who, struct node *ret, struct strbuf *name,
		      uint64_t *cookie)
{
	const struct dir *dir = d->dir;
	const struct resource *r = NULL;
	uint64_t i = after < FIRST_FIXED ? 0 : after - FIRST_FIXED + 1;
	uint64_t count = 0;

	for (const struct entry *e = dir->entries; e && e->name; e++, count++) {
		if (after >= 1 << 16 || count < i || (e->flags & ENTRY_UNLISTED))
			continue;
		if (node_fixed(t, v, d, e, who, ret) < 0)
			continue;
		strbuf_adds(name, e->name);
		*cookie = FIRST_FIXED + count;
		return 1;
	}
	if (after < 1 << 16)
		after = 0;
	if (dir->child != KIND_ROOT && !(after & 1)) {
		r = view_next(v, d->r->number, dir->child, after >> 16);
		while (r && dir->lists && !dir->lists(r))
			r = view_next(v, d->r->number, dir->child, r->number);
		if (r) {
			strbuf_adds(name, r->name);
			*cookie = CHILD_COOKIE(r->number);
			return node_get(v, node_resource_id(r->number), ret) == 0;
		}
		after = 0;
	}
	if (dir->links) {
		uint64_t owner;

		r = dir->links->next(v, d->r, after >> 16);
		if (r && dir->links->of(v, r, &owner, name)) {
			*cookie = LINK_COOKIE(r->number);
			return node_get(v, node_link_id(dir->links, r->number), ret) == 0;
		}
	}
	return 0;
}

int tree_list(struct tree *t, tree_id id, uint64_t after, bool full, const struct tree_caller *who,
	      tree_list_fn *emit, void *context)
{
	struct strbuf name cleanup_strbuf = STRBUF_INIT;

	for (;;) {
		struct view v = cloud_read(t->cloud);
		struct tree_node facts;
		struct node d, n;
		int r = node_get(&v, id, &d);

		if (r == 0 && !d.dir)
			r = -ENOTDIR;
		strbuf_truncate(&name, 0);
		if (r == 0)
			r = next_entry(t, &v, &d, after, who, &n, &name, &after);
		if (r == 1 && full)
			node_fill(t, &v, &n, who, &facts);
		else if (r == 1)
			node_fill_brief(&n, &facts);
		cloud_read_end(t->cloud);
		if (r <= 0)
			return r;
		r = emit(context, strbuf_str(&name), after, &facts);
		if (r)
			return r < 0 ? r : 0;
	}
}

int tree_readlink(struct tree *t, tree_id id, struct strbuf *out)
{
	struct view v = cloud_read(t->cloud);
	struct node n;
	int r = node_get(&v, id, &n);

	if (r == 0)
		node_show(t, &v, &n, NULL, out);
	cloud_read_end(t->cloud);
	return r;
}

int tree_show(struct tree *t, tree_id id, const struct tree_caller *who, struct strbuf *out)
{
	struct view v = cloud_read(t->cloud);
	struct node n;
	int r = node_get(&v, id, &n);

	if (r == 0 && (n.dir || !n.entry))
		r = -EISDIR;
	if (r == 0)
		node_show(t, &v, &n, who, out);
	cloud_read_end(t->cloud);
	return r;
}

int tree_show_log(struct tree *t, tree_id id, const struct tree_caller *who, uint64_t *ret_start,
		  struct strbuf *out)
{
	struct view v = cloud_read(t->cloud);
	struct node n;
	int r = node_get(&v, id, &n);

	*ret_start = 0;
	if (r == 0 && (!n.entry || !(n.entry->flags & TREE_LOG)))
		r = -EINVAL;
	if (r == 0) {
		struct show s = {t, &v, n.r, n.entry, who, ret_start};

		n.entry->show(&s, out);
	}
	cloud_read_end(t->cloud);
	return r;
}

int tree_refresh(struct tree *t, tree_id id)
{
	struct view v = cloud_read(t->cloud);
	const struct entry *e = NULL;
	char *name = NULL;
	struct node n;
	int r = node_get(&v, id, &n);

	if (r == 0) {
		e = n.entry;
		name = xstrdup(n.r->id);
	}
	cloud_read_end(t->cloud);
	if (e && e->extra && e->extra->refresh)
		r = e->extra->refresh(t, id >> 16, name);
	free(name);
	return r;
}

int tree_wait(struct tree *t, tree_id id, const struct tree_caller *who, const char *text,
	      int64_t *ret_timeout)
{
	struct view v = cloud_read(t->cloud);
	struct ec2fs_error error = {0};
	struct node n;
	int r = node_get(&v, id, &n);

	*ret_timeout = INT64_MAX;
	if (r == -ESTALE)
		r = ec2fs_fail(&error, EC2_InvalidInstanceID_NotFound,
			       "it was removed while you waited");
	else if (r == 0 && n.entry && n.entry->extra && n.entry->extra->wait)
		r = n.entry->extra->wait(&v, n.r, text, ret_timeout, &error);
	else
		r = -EINVAL;
	cloud_read_end(t->cloud);
	if (r < 0 && error.number)
		tree_refuse(t, id, NULL, who, text, strlen(text), &error);
	return r;
}

/* The name of the blob that holds the file's content, to be freed, NULL when it is elsewhere, and
 * its entry. */
static int find_content(struct tree *t, tree_id id, char **ret_name, const struct entry **ret_entry)
{
	struct view v = cloud_read(t->cloud);
	const char *value = "";
	struct node n;
	int r = node_get(&v, id, &n);

	*ret_name = NULL;
	*ret_entry = NULL;
	if (r == 0 && n.entry) {
		value = resource_or(n.r, n.entry->name, "");
		*ret_entry = n.entry;
	}
	if (*value)
		*ret_name = xasprintf("%.*s", (int)strcspn(value, " "), value);
	cloud_read_end(t->cloud);
	return r;
}

int tree_blob_open(struct tree *t, tree_id id, struct luks **ret_luks, int *ret_fd,
		   uint64_t *ret_size)
{
	cleanup_free char *name = NULL;
	const struct entry *e;
	int r = find_content(t, id, &name, &e);

	if (r < 0)
		return r;
	if (name)
		return blob_open(t->blobs, name, ret_fd, ret_size, NULL);
	return e && e->extra && e->extra->open
		       ? e->extra->open(t, id >> 16, ret_luks, ret_fd, ret_size)
		       : -ENODATA;
}

bool tree_blob_blocks(struct tree *t, tree_id id, uint64_t *ret)
{
	cleanup_free char *name = NULL;
	const struct entry *e;

	if (find_content(t, id, &name, &e) < 0)
		return false;
	if (!name)
		return e && e->extra && e->extra->blocks && e->extra->blocks(t, id >> 16, ret);
	return blob_blocks(t->blobs, name, ret);
}

/* Zones share storages: each is asked once. */
struct storages {
	char **uris;
	size_t count, capacity;
};

static void add_storage(struct storages *all, const char *uri)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->uris[i], uri) == 0)
			return;
	array_reserve(all->uris, all->count, all->capacity);
	all->uris[all->count++] = xstrdup(uri);
}

/* What is behind a resource: its own zone's storage, or that of all zones below it. */
static void find_storages(const struct view *v, const struct resource *r, struct storages *all)
{
	const char *zone = resource_or(r, "availability-zone", resource_or(r, "@zone", ""));
	const struct resource *own = view_find(v, r->parent, KIND_ZONE, zone);

	if (r->kind == KIND_ZONE)
		own = r;
	if (own) {
		add_storage(all, resource_or(own, "storage", ""));
		return;
	}
	if (r->kind == KIND_ROOT) {
		view_each (v, r->number, KIND_REGION, region)
			find_storages(v, region, all);
		return;
	}
	r = view_region(v, r);
	view_each (v, r ? r->number : NO_NUMBER, KIND_ZONE, each)
		add_storage(all, resource_or(each, "storage", ""));
}

int tree_statfs(struct tree *t, tree_id id, uint64_t *total, uint64_t *available, uint64_t *files)
{
	struct view v = cloud_read(t->cloud);
	struct storages all = {0};
	struct node n;

	*files = 0;
	view_each (&v, ROOT_NUMBER, KIND_REGION, region)
		for (enum kind k = KIND_ZONE; k < KIND_TAG; k++)
			*files += view_count(&v, region->number, k);
	if (node_get(&v, id, &n) == 0)
		find_storages(&v, n.r, &all);
	cloud_read_end(t->cloud);
	*total = *available = 0;
	if (t->engine)
		engine_storage(t->engine, all.uris, all.count, total, available);
	for (size_t i = 0; i < all.count; i++)
		free(all.uris[i]);
	free(all.uris);
	return 0;
}
