/* What is left of a resource that somebody takes apart, file by file. */
#include "ec2fs/tree/internal.h"

#include <string.h>

struct taking {
	const struct resource *r;
	const tree_id *gone;
	size_t count;
};

static bool is_gone(const struct taking *t, tree_id id)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->gone[i] == id)
			return true;
	return false;
}

/* Has somebody given it a value? */
static bool is_set(const struct resource *r, const struct entry *e)
{
	const struct field *f = resource_field(r, e->name);

	return f && f->value && f->value->len && f->mtime;
}

static bool is_left(const struct view *v, const struct taking *t, const struct entry *e,
		    bool spec_gone)
{
	if (e->dir) {
		/* Other resources in it have a say of their own; links go with it. */
		if (e->dir->child == KIND_TAG)
			view_each (v, t->r->number, KIND_TAG, tag)
				if (!is_gone(t, node_resource_id(tag->number)))
					return true;
		return false;
	}
	if (!e->store && !(e->flags & TREE_BLOB))
		return false;
	/* What acts, or shows others' values, has none. */
	if (e->flags & (TREE_COMMAND | TREE_WAIT | TREE_NOT_COPIED) || e->store == store_spec)
		return false;
	if ((e->flags & ENTRY_SPEC) && spec_gone)
		return false;
	return is_set(t->r, e) && !is_gone(t, node_entry_id(t->r->number, e));
}

const char *tree_left_in(struct tree *t, tree_id id, tree_id before, const tree_id *gone,
			 size_t count)
{
	struct view v = cloud_read(t->cloud);
	const char *left = NULL;
	struct node n;

	if (node_get(&v, id, &n) == 0 && !n.entry && kind_ops(n.r->kind)->dir) {
		const struct entry *entries = kind_ops(n.r->kind)->dir->entries;
		struct taking taking = {n.r, gone, count};
		bool spec_gone = false;

		for (const struct entry *e = entries; e && e->name; e++)
			if (e->store == store_spec)
				spec_gone = is_gone(&taking, node_entry_id(n.r->number, e));
		for (const struct entry *e = entries; e && e->name && !left; e++) {
			if (before && node_entry_id(n.r->number, e) == before)
				break;
			if (is_left(&v, &taking, e, spec_gone))
				left = e->name;
		}
	}
	cloud_read_end(t->cloud);
	return left;
}
