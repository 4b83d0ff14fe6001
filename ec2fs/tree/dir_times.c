/* When a directory changed: the latest change anywhere below, or what somebody has set after that.
 */
#include "ec2fs/tree/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

/* Below a resource's directory: anything. Below a fixed one: what it lists. */
static int64_t latest_below(struct cloud *c, const struct resource *r, const struct dir *fixed)
{
	int64_t latest = 0;

	for (enum kind k = KIND_REGION; k < KIND_COUNT; k++) {
		int64_t below = cloud_children_mtime(c, r->number, k);

		if ((!fixed || k == fixed->child) && below > latest)
			latest = below;
	}
	return latest;
}

void node_fill_dir_time(struct tree *t, const struct node *n, const struct field *f,
			struct tree_node *ret)
{
	const struct entry *e = n->entry;
	int64_t set = (int64_t)resource_u64(n->r, e ? e->name : DIR_TIME_SET, 0);
	int64_t below = latest_below(t->cloud, n->r, e ? n->dir : NULL);

	ret->mtime = e && f && f->mtime ? f->mtime : n->r->mtime;
	if (below > set && (below > ret->mtime || e))
		ret->mtime = below;
	/* Links come and go with what they lead to. */
	if (e && n->dir->links) {
		int64_t now = cloud_now(t->cloud);
		int64_t since = shown_since(t->shown_times, n->id, &now, sizeof(now), false, now);

		ret->mtime = since > ret->mtime ? since : ret->mtime;
	}
}

void dir_time_is_set(const struct view *v, struct resource *r, const char *key)
{
	cleanup_free char *now = xasprintf("%lld", (long long)v->now);

	set_default(r, key, now);
}

static void hold(struct view *v, const struct resource *r, const struct entry *e)
{
	const char *key = e ? e->name : DIR_TIME_SET;
	int64_t set = (int64_t)resource_u64(r, key, 0);

	if (set && set >= latest_below(v->cloud, r, e ? e->dir : NULL))
		dir_time_is_set(v, view_edit(v, r), key);
}

void dir_times_hold(struct view *v, const struct resource *r)
{
	while (r->kind != KIND_ROOT) {
		const struct entry *e = collection_entry_of(r);

		r = view_get(v, r->parent);
		if (!r)
			return;
		if (e)
			hold(v, r, e);
		hold(v, r, NULL);
	}
}
