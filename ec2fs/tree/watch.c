/* From changed resources to the nodes that show them, for the kernel's caches and for `events`. */
#include "ec2fs/tree/internal.h"

#include <string.h>

void tree_tell(struct tree *t, enum tree_event event, tree_id id, tree_id parent, const char *name)
{
	if (t->watch)
		t->watch(t->watch_context, event, id, parent, name);
}

static bool field_differs(const struct resource *was, const struct resource *is, const char *key)
{
	const struct field *a = resource_field(was, key), *b = resource_field(is, key);

	if (!a || !b)
		return a != b;
	return a->value != b->value || a->mtime != b->mtime || a->mode != b->mode ||
	       a->uid != b->uid || a->gid != b->gid;
}

/* A value that a file shows became another one: a line in `events`. */
static void tell_event(struct tree *t, const struct view *v, const struct resource *is,
		       const struct entry *e, const char *old)
{
	struct strbuf line cleanup_strbuf = STRBUF_INIT;
	const char *new = resource_get(is, e->name);

	resource_path(v, is, &line);
	strbuf_addf(&line, "/%s", e->name);
	if ((e->flags & (ENTRY_QUIET | TREE_DOCUMENT | TREE_BLOB)))
		strbuf_adds(&line, " changed");
	else
		strbuf_addf(&line, " %s -> %s", old && *old ? old : "-", new &&*new ? new : "-");
	events_add(t->events, is->mtime, strbuf_str(&line));
}

static void tell_entries(struct tree *t, const struct view *v, const struct dir *dir,
			 const struct resource *was, const struct resource *is)
{
	for (const struct entry *e = dir->entries; e && e->name; e++) {
		bool stored = !e->show && S_ISREG(e->mode);
		bool differs = field_differs(was, is, e->name);

		if ((!stored && !(e->flags & ENTRY_CONSTANT)) || differs)
			tree_tell(t, TREE_CHANGED, node_entry_id(is->number, e), 0, NULL);
		if (differs && S_ISREG(e->mode)) {
			const char *old = resource_get(was, e->name);
			const char *new = resource_get(is, e->name);

			if (strcmp(old ? old : "", new ? new : "") != 0)
				tell_event(t, v, is, e, old);
		}
		/* What is there only at times has come or gone. */
		if (e->present && differs) {
			tree_tell(t, TREE_GONE, node_entry_id(is->number, e),
				  node_resource_id(is->number), e->name);
			tree_tell(t, TREE_ADDED, node_entry_id(is->number, e),
				  node_resource_id(is->number), e->name);
		}
		if (e->dir)
			tell_entries(t, v, e->dir, was, is);
	}
}

/* The times of all directories above. */
static void tell_above(struct tree *t, const struct view *v, const struct resource *r)
{
	while (r && r->kind != KIND_ROOT) {
		tree_tell(t, TREE_CHANGED, collection_id(r), 0, NULL);
		tree_tell(t, TREE_CHANGED, node_resource_id(r->parent), 0, NULL);
		r = view_get(v, r->parent);
	}
}

static void tell_link(struct tree *t, const struct view *v, const struct links *links,
		      const struct resource *r, enum tree_event event)
{
	struct strbuf name cleanup_strbuf = STRBUF_INIT;
	uint64_t owner;

	if (r && links->of(v, r, &owner, &name)) {
		tree_tell(t, TREE_LEADS, node_link_id(links, r->number), 0, NULL);
		tree_tell(t, event, node_link_id(links, r->number), node_id(owner, links->at),
			  strbuf_str(&name));
		tree_tell(t, TREE_CHANGED, node_id(owner, links->at), 0, NULL);
	}
}

static void tell_links(struct tree *t, const struct view *v, const struct cloud_event *event)
{
	static const struct links *const sets[] = {&by_id_links, &volume_snapshot_links,
						   &instance_address_links};

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		tell_link(t, v, sets[i], event->was, TREE_GONE);
		tell_link(t, v, sets[i], event->is, TREE_ADDED);
	}
}

/* Whatever mentions a resource by its name. */
static void tell_volatile(struct tree *t, const struct view *v, uint64_t parent)
{
	for (enum kind kind = KIND_ZONE; kind < KIND_MEMBERSHIP; kind++)
		view_each (v, parent, kind, r) {
			for (const struct entry *e = kind_ops(kind)->dir->entries; e->name; e++)
				if (e->flags & ENTRY_VOLATILE)
					tree_tell(t, TREE_CHANGED, node_entry_id(r->number, e), 0,
						  NULL);
			if (kind == KIND_VPC)
				tell_volatile(t, v, r->number);
		}
}

static void tell_coming_and_going(struct tree *t, const struct view *v, const struct resource *r,
				  const char *what)
{
	struct strbuf line cleanup_strbuf = STRBUF_INIT;

	resource_path(v, r, &line);
	strbuf_addf(&line, " %s", what);
	events_add(t->events, r->mtime, strbuf_str(&line));
}

/* Came or went the resource above it in the same commit? Then that is what there is to tell. */
static bool goes_without_saying(const struct cloud_event *events, size_t count,
				const struct resource *r)
{
	for (size_t i = 0; i < count; i++) {
		const struct cloud_event *e = &events[i];

		if ((!e->was && e->is && e->is->number == r->parent) ||
		    (!e->is && e->was && e->was->number == r->parent))
			return true;
	}
	return false;
}

/* What a volume tells of its attachments; the link is there only as long as there is one. */
static void tell_attachment(struct tree *t, uint64_t volume)
{
	static const char *const names[] = {"attached-device", "attachment-state", "attachments"};
	tree_id link = node_id(volume, "attachment");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		tree_tell(t, TREE_CHANGED, node_id(volume, names[i]), 0, NULL);
	tree_tell(t, TREE_LEADS, link, 0, NULL);
	tree_tell(t, TREE_GONE, link, node_resource_id(volume), "attachment");
	tree_tell(t, TREE_ADDED, link, node_resource_id(volume), "attachment");
}

/* Files of other resources that tell of this one. */
static void tell_others(struct tree *t, const struct view *v, const struct resource *r)
{
	uint64_t about = resource_reference(r);

	switch (r->kind) {
	case KIND_MEMBERSHIP:
		tree_tell(t, TREE_CHANGED, node_id(about, "members"), 0, NULL);
		tree_tell(t, TREE_CHANGED, node_id(r->parent, "spec"), 0, NULL);
		break;
	case KIND_INSTANCE:
		view_each (v, r->number, KIND_MEMBERSHIP, m)
			tree_tell(t, TREE_CHANGED, node_id(resource_reference(m), "members"), 0,
				  NULL);
		view_each (v, r->number, KIND_ATTACHMENT, a)
			tree_tell(t, TREE_LEADS, node_id(resource_reference(a), "attachment"), 0,
				  NULL);
		break;
	case KIND_VOLUME:
		view_each_about(v, r->number, KIND_ATTACHMENT, a)
			tree_tell(t, TREE_LEADS, node_resource_id(a->number), 0, NULL);
		break;
	case KIND_SECURITY_GROUP:
		view_each_about(v, r->number, KIND_MEMBERSHIP, m)
			tree_tell(t, TREE_LEADS, node_resource_id(m->number), 0, NULL);
		break;
	case KIND_ADDRESS:
		if (about == NO_NUMBER)
			break;
		tree_tell(t, TREE_CHANGED, node_id(about, "public-ip-address"), 0, NULL);
		tree_tell(t, TREE_CHANGED, node_id(about, "public-dns-name"), 0, NULL);
		break;
	case KIND_ATTACHMENT:
		tell_attachment(t, about);
		break;
	case KIND_VPC:
		view_each (v, r->number, KIND_ROUTE_TABLE, table)
			tree_tell(t, TREE_CHANGED, node_id(table->number, "routes"), 0, NULL);
		break;
	default:
		break;
	}
}

/* NULL for what no name leads to any more: it is removed to users, and still to be taken away. */
static const struct resource *shown(const struct resource *r)
{
	const struct entry *e = r && r->kind != KIND_ROOT ? collection_entry_of(r) : NULL;

	return e && e->dir->lists && !e->dir->lists(r) ? NULL : r;
}

static void tell_one(struct tree *t, const struct view *v, const struct cloud_event *events,
		     size_t count, const struct cloud_event *event)
{
	const struct resource *was = shown(event->was), *is = shown(event->is);
	const struct cloud_event seen = {was, is};
	bool moved = was && is &&
		     (strcmp(was->name, is->name) != 0 || collection_id(was) != collection_id(is));

	if (event->was)
		tell_others(t, v, event->was);
	if (event->is)
		tell_others(t, v, event->is);
	if (!was && !is)
		return;
	if (was && (!is || moved)) {
		tree_tell(t, TREE_GONE, node_resource_id(was->number), collection_id(was),
			  was->name);
		if (!goes_without_saying(events, count, was))
			tell_coming_and_going(t, v, was, moved ? "renamed" : "removed");
	}
	if (is && (!was || moved)) {
		tree_tell(t, TREE_ADDED, node_resource_id(is->number), collection_id(is), is->name);
		if (!goes_without_saying(events, count, is))
			tell_coming_and_going(t, v, is, moved ? "has its new name" : "made");
	}
	if (!was || !is || moved || is->kind == KIND_ADDRESS)
		tell_links(t, v, &seen);
	if (was && is) {
		tree_tell(t, TREE_CHANGED, node_resource_id(is->number), 0, NULL);
		if (kind_ops(is->kind)->dir)
			tell_entries(t, v, kind_ops(is->kind)->dir, was, is);
	}
	tell_above(t, v, is ? is : was);
	if ((is ? is : was)->kind == KIND_PEERING && (moved || !is || !was)) {
		/* Tables of both VPCs name it, and one may be in another region. */
		view_each (v, ROOT_NUMBER, KIND_REGION, region)
			tell_volatile(t, v, region->number);
	} else if ((moved || !is) && (is ? is : was)->kind < KIND_MEMBERSHIP) {
		/* Tags and memberships are named nowhere else, and there may be very many. */
		const struct resource *region = view_region(v, is ? is : was);

		if (region)
			tell_volatile(t, v, region->number);
	}
}

void tree_cloud_changed(void *context, const struct cloud_event *events, size_t count)
{
	struct tree *t = context;
	struct view v = cloud_read(t->cloud);

	for (size_t i = 0; i < count; i++)
		tell_one(t, &v, events, count, &events[i]);
	cloud_read_end(t->cloud);
	tree_tell(t, TREE_CHANGED, node_id(ROOT_NUMBER, "events"), 0, NULL);
	tree_tell(t, TREE_CHANGED, node_id(ROOT_NUMBER, "metrics"), 0, NULL);
}
