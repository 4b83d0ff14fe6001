/* The way up: which directory holds a node, and its path. */
#include "ec2fs/tree/internal.h"

#include <string.h>

const struct entry *collection_entry(enum kind parent, enum kind child)
{
	const struct dir *dir = kind_ops(parent)->dir;

	if (dir->child == child)
		return NULL;
	for (const struct entry *e = dir->entries; e && e->name; e++)
		if (e->dir && e->dir->child == child)
			return e;
	return NULL;
}

static const struct entry *collection_entry_by_name(const char *name)
{
	for (const struct entry *e = kind_ops(KIND_REGION)->dir->entries; e->name; e++)
		if (strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

static const struct entry *collection_of(enum kind kind)
{
	if (kind == KIND_ROOT || kind == KIND_REGION)
		return NULL;
	if (kind == KIND_TAG) /* every kind that has tags has them at the same place */
		return collection_entry(KIND_INSTANCE, KIND_TAG);
	return collection_entry(kind_home(kind), kind);
}

const struct entry *collection_entry_of(const struct resource *r)
{
	/* What was removed is seen by its ID for a while. */
	if (r->kind == KIND_INSTANCE && resource_get(r, "@removed"))
		return collection_entry_by_name(by_id_links.at);
	return collection_of(r->kind);
}

tree_id collection_id(const struct resource *r)
{
	const struct entry *e = collection_entry_of(r);

	return e ? node_entry_id(r->parent, e) : node_resource_id(r->parent);
}

const struct entry *entry_holder(const struct resource *r, const struct entry *entry)
{
	for (const struct entry *e = kind_ops(r->kind)->dir->entries; e->name; e++)
		for (const struct entry *f = e->dir ? e->dir->entries : NULL; f && f->name; f++)
			if (f == entry)
				return e;
	return NULL;
}

tree_id node_parent(const struct view *v, const struct node *n)
{
	struct strbuf name cleanup_strbuf = STRBUF_INIT;
	const struct entry *holder;
	uint64_t owner;

	if (n->links)
		return n->links->of(v, n->r, &owner, &name) ? node_id(owner, n->links->at)
							    : TREE_ROOT;
	if (!n->entry || n->entry == kind_ops(n->r->kind)->file)
		return collection_id(n->r);
	holder = entry_holder(n->r, n->entry);
	return holder ? node_entry_id(n->r->number, holder) : node_resource_id(n->r->number);
}

void resource_path(const struct view *v, const struct resource *r, struct strbuf *out)
{
	const struct resource *parent;
	const struct entry *e;

	if (r->kind == KIND_ROOT)
		return;
	parent = view_get(v, r->parent);
	if (parent && parent->kind != KIND_ROOT) {
		resource_path(v, parent, out);
		strbuf_addc(out, '/');
	}
	e = collection_entry_of(r);
	if (e)
		strbuf_addf(out, "%s/", e->name);
	strbuf_adds(out, r->name);
}

void node_path(const struct view *v, const struct node *n, struct strbuf *out)
{
	if (n->links) {
		struct strbuf name cleanup_strbuf = STRBUF_INIT;
		const struct resource *owner;
		uint64_t number;

		if (n->links->of(v, n->r, &number, &name) && (owner = view_get(v, number))) {
			resource_path(v, owner, out);
			strbuf_addf(out, "/%s/%s", n->links->at, strbuf_str(&name));
		}
		return;
	}
	resource_path(v, n->r, out);
	if (n->entry && n->entry != kind_ops(n->r->kind)->file) {
		const struct entry *holder = entry_holder(n->r, n->entry);

		if (holder)
			strbuf_addf(out, "%s%s", out->len ? "/" : "", holder->name);
		strbuf_addf(out, "%s%s", out->len ? "/" : "", n->entry->name);
	}
}

/* From the directory that holds what is at `from`, to `to`; both begin at the root. */
static void relative_path(const char *from, const char *to, struct strbuf *out)
{
	size_t common = 0;

	for (size_t i = 0; from[i] && from[i] == to[i]; i++)
		if (from[i] == '/')
			common = i + 1;
	for (const char *p = from + common; *p; p++)
		if (*p == '/')
			strbuf_adds(out, "../");
	strbuf_adds(out, to + common);
}

void node_path_to(const struct view *v, const struct node *link, const struct resource *target,
		  struct strbuf *out)
{
	struct strbuf here cleanup_strbuf = STRBUF_INIT;
	struct strbuf there cleanup_strbuf = STRBUF_INIT;

	node_path(v, link, &here);
	resource_path(v, target, &there);
	relative_path(strbuf_str(&here), strbuf_str(&there), out);
}

void show_path_to(const struct show *s, const struct resource *target, struct strbuf *out)
{
	struct node from = {.r = s->r, .entry = s->entry};

	node_path_to(s->view, &from, target, out);
}
