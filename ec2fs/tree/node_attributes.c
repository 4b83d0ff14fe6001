/* What a node shows and what stat(2) says of it: mode, owner, size, times, flags. */
#include "ec2fs/tree/internal.h"

#include <stdlib.h>
#include <string.h>

void node_show(struct tree *t, const struct view *v, const struct node *n,
	       const struct tree_caller *who, struct strbuf *out)
{
	struct show s = {t, v, n->r, n->entry, who, NULL};

	if (n->links)
		node_path_to(v, n, n->r, out);
	else if (n->entry && n->entry->show)
		n->entry->show(&s, out);
	else if (n->entry)
		show_field(&s, out);
}

void node_fill_brief(const struct node *n, struct tree_node *ret)
{
	*ret = (struct tree_node){.id = n->id, .nlink = 1};
	if (n->links)
		ret->mode = S_IFLNK | 0777;
	else if (n->entry)
		ret->mode = n->entry->mode;
	else
		ret->mode = S_IFDIR | n->r->mode;
}

static unsigned dir_flags(const struct view *v, const struct node *n)
{
	unsigned flags = n->entry ? 0 : TREE_RESOURCE;

	if (!n->entry && resource_is_inborn(v, n->r))
		flags |= TREE_INBORN;
	if (n->dir->links || n->dir->make_link)
		flags |= TREE_LINKS;
	if (n->dir->child == KIND_MEMBERSHIP)
		flags |= TREE_COPIED_LINKS;
	if (n->dir->links && !n->dir->links->make && !n->dir->make && !n->dir->make_link)
		flags |= TREE_COMPUTED;
	if (n->dir->make)
		flags |= kind_ops(n->dir->child)->file ? TREE_FREE_FILES : TREE_COLLECTION;
	return flags;
}

/* It was looked at and shows this: its time is when it came to. */
static void note_shown(struct tree *t, const struct node *n, const struct strbuf *text,
		       struct tree_node *ret)
{
	int64_t since = shown_since(t->shown_times, n->id, text->data, text->len,
				    n->entry->flags & TREE_LIVE, cloud_now(t->cloud));

	ret->mtime = since > ret->mtime ? since : ret->mtime;
}

/* What does not need the content. */
static void fill_file(struct tree *t, const struct view *v, const struct node *n,
		      const struct field *f, const struct tree_caller *who, struct tree_node *ret)
{
	const struct entry *e = n->entry;
	struct show s = {t, v, n->r, e, who, NULL};

	ret->flags |= e->flags & 0xffffff;
	if (e->extra && e->extra->still && e->extra->still(&s))
		ret->flags &= ~(unsigned)(TREE_LIVE | TREE_REFRESH);
	if (e->unset)
		ret->flags |= TREE_OPTIONAL;
	if (!e->store && !(e->flags & TREE_BLOB))
		ret->flags |= TREE_COMPUTED;
	else if (!(e->flags & (TREE_DOCUMENT | TREE_BLOB | TREE_COMMAND | TREE_WAIT)))
		ret->flags |= TREE_SCALAR;
	if (f && f->mtime)
		ret->flags |= TREE_WRITTEN;
	if (!(ret->flags & TREE_COMPUTED))
		ret->max = e->max ? e->max : SCALAR_MAX;
	if (f && (f->value || f->mtime))
		ret->mtime = f->mtime;
	else if (!e->store && !(e->flags & ENTRY_CONSTANT))
		ret->mtime = n->r->mtime;
}

static void fill_size(struct tree *t, const struct view *v, const struct node *n,
		      const struct tree_caller *who, struct tree_node *ret)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	const struct entry *e = n->entry;

	if (e->extra && e->extra->size) {
		struct show s = {t, v, n->r, e, who, NULL};

		ret->size = e->extra->size(&s);
		return;
	}
	if (e->flags & TREE_BLOB) {
		/* "NAME SIZE …", written by tree_blob_commit. */
		const char *value = resource_or(n->r, e->name, "");
		const char *size = strchr(value, ' ');

		ret->size = size ? strtoull(size, NULL, 10) : 0;
		return;
	}
	node_show(t, v, n, who, &text);
	ret->size = text.len;
	/* What can be written has the time of who wrote it, which is kept. */
	if (e->show && !e->store)
		note_shown(t, n, &text, ret);
}

static void fill(struct tree *t, const struct view *v, const struct node *n,
		 const struct tree_caller *who, bool sized, struct tree_node *ret)
{
	const struct resource *r = n->r;
	const struct entry *e = n->entry;
	bool is_tag = e && e == kind_ops(r->kind)->file;
	const struct field *f = e ? resource_field(r, e->name) : NULL;

	node_fill_brief(n, ret);
	ret->resource = node_resource_id(is_tag ? r->parent : r->number);
	ret->uid = f && f->uid >= 0 ? (uid_t)f->uid : r->uid;
	ret->gid = f && f->gid >= 0 ? (gid_t)f->gid : r->gid;
	if (f && f->mode >= 0)
		ret->mode = (ret->mode & S_IFMT) | (mode_t)f->mode;
	if (is_tag || (n->links && n->links->drop))
		ret->flags |= TREE_FREE;
	if (is_tag && resource_is_held(v, r))
		ret->flags |= TREE_HELD;
	if (n->dir) {
		ret->nlink = 2;
		ret->flags = dir_flags(v, n);
		node_fill_dir_time(t, n, f, ret);
	} else if (S_ISREG(ret->mode)) {
		fill_file(t, v, n, f, who, ret);
		if (sized)
			fill_size(t, v, n, who, ret);
	} else {
		struct strbuf text cleanup_strbuf = STRBUF_INIT;

		node_show(t, v, n, who, &text);
		ret->size = text.len;
		ret->mode = S_IFLNK | 0777;
		ret->mtime = r->mtime;
		if (e)
			note_shown(t, n, &text, ret);
	}
	ret->ctime = ret->mtime > r->mtime ? ret->mtime : r->mtime;
}

void node_fill(struct tree *t, const struct view *v, const struct node *n,
	       const struct tree_caller *who, struct tree_node *ret)
{
	fill(t, v, n, who, true, ret);
}

void node_fill_unsized(struct tree *t, const struct view *v, const struct node *n,
		       const struct tree_caller *who, struct tree_node *ret)
{
	fill(t, v, n, who, false, ret);
}
