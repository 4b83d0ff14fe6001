/* From identities and names to entries of the tables, and what a node is. */
#include "ec2fs/tree/internal.h"

#include "ec2fs/util/memory.h"
#include "ec2fs/util/table.h"

#include <stdlib.h>
#include <string.h>

/* Links, wherever they are. */
static const struct links *const all_links[] = {&by_id_links, &volume_snapshot_links,
						&instance_address_links};
#define LINKS_COUNT (sizeof(all_links) / sizeof(all_links[0]))

const struct kind_ops *kind_ops(enum kind kind)
{
	static const struct kind_ops *const ops[KIND_COUNT] = {
		[KIND_ROOT] = &root_kind,
		[KIND_REGION] = &region_kind,
		[KIND_ZONE] = &zone_kind,
		[KIND_INSTANCE_TYPE] = &instance_type_kind,
		[KIND_IMAGE] = &image_kind,
		[KIND_KEY_PAIR] = &key_pair_kind,
		[KIND_INSTANCE] = &instance_kind,
		[KIND_VOLUME] = &volume_kind,
		[KIND_SNAPSHOT] = &snapshot_kind,
		[KIND_SECURITY_GROUP] = &security_group_kind,
		[KIND_PREFIX_LIST] = &prefix_list_kind,
		[KIND_ADDRESS] = &address_kind,
		[KIND_VPC] = &vpc_kind,
		[KIND_SUBNET] = &subnet_kind,
		[KIND_ROUTE_TABLE] = &route_table_kind,
		[KIND_NETWORK_ACL] = &network_acl_kind,
		[KIND_NAT_GATEWAY] = &nat_gateway_kind,
		[KIND_PEERING] = &peering_kind,
		[KIND_VPN_GATEWAY] = &vpn_gateway_kind,
		[KIND_MEMBERSHIP] = &membership_kind,
		[KIND_ATTACHMENT] = &attachment_kind,
		[KIND_TAG] = &tag_kind,
	};

	return ops[kind];
}

/* 2 to 65535: 0 is the resource's own directory, and 1 makes the root's identity. */
static uint16_t name_number(const char *name)
{
	return (uint16_t)(2 + hash_str(name, 0x6e6f6465) % 65534);
}

tree_id node_id(uint64_t number, const char *entry_name)
{
	return number << 16 | name_number(entry_name);
}

tree_id node_resource_id(uint64_t number)
{
	return number == ROOT_NUMBER ? TREE_ROOT : number << 16;
}

tree_id node_link_id(const struct links *links, uint64_t number)
{
	return number << 16 | name_number(links->salt);
}

#define ORDERED 0xff00

static uint16_t entry_number(const struct entry *e)
{
	return e->order ? (uint16_t)(ORDERED + e->order)
			: name_number(e->identity ? e->identity : e->name);
}

tree_id node_entry_id(uint64_t number, const struct entry *e)
{
	return number << 16 | entry_number(e);
}

bool resource_is_inborn(const struct view *v, const struct resource *r)
{
	const struct kind_ops *ops = kind_ops(r->kind);

	return ops->inborn && ops->inborn(v, r);
}

bool resource_is_held(const struct view *v, const struct resource *r)
{
	const struct kind_ops *ops = kind_ops(r->kind);

	return ops->held && ops->held(v, r);
}

static void node_of_entry(const struct resource *r, const struct entry *e, struct node *ret)
{
	*ret = (struct node){.r = r, .entry = e, .dir = e->dir, .id = node_entry_id(r->number, e)};
}

static void node_of_resource(const struct resource *r, struct node *ret)
{
	const struct kind_ops *ops = kind_ops(r->kind);

	*ret = (struct node){
		.r = r, .entry = ops->file, .dir = ops->dir, .id = node_resource_id(r->number)};
}

/* Fixed directories may hold fixed entries of their own: names, or identities, are unique within a
 * resource's tables. */
static const struct entry *entry_by_number(const struct dir *dir, uint16_t number)
{
	for (const struct entry *e = dir ? dir->entries : NULL; e && e->name; e++) {
		const struct entry *below;

		if (entry_number(e) == number)
			return e;
		below = e->dir ? entry_by_number(e->dir, number) : NULL;
		if (below)
			return below;
	}
	return NULL;
}

int node_get(const struct view *v, tree_id id, struct node *ret)
{
	uint64_t number = id == TREE_ROOT ? ROOT_NUMBER : id >> 16;
	uint16_t sub = id == TREE_ROOT ? 0 : (uint16_t)id;
	const struct resource *r = view_get(v, number);
	const struct entry *e;

	if (!r)
		return -ESTALE;
	if (!sub) {
		node_of_resource(r, ret);
		return 0;
	}
	for (size_t i = 0; i < LINKS_COUNT; i++)
		if (name_number(all_links[i]->salt) == sub) {
			*ret = (struct node){.r = r, .links = all_links[i], .id = id};
			return 0;
		}
	e = entry_by_number(kind_ops(r->kind)->dir, sub);
	if (!e)
		return -ESTALE;
	node_of_entry(r, e, ret);
	return 0;
}

static bool entry_present(struct tree *t, const struct view *v, const struct resource *r,
			  const struct entry *e, const struct tree_caller *who)
{
	struct show s = {t, v, r, e, who};

	return !e->present || e->present(&s);
}

static int lookup_link(const struct view *v, const struct node *dir, const char *name,
		       struct node *ret)
{
	uint64_t after = 0;
	const struct resource *r;

	while ((r = dir->dir->links->next(v, dir->r, after)) != NULL) {
		struct strbuf at cleanup_strbuf = STRBUF_INIT;
		uint64_t owner;

		if (dir->dir->links->of(v, r, &owner, &at) && strcmp(strbuf_str(&at), name) == 0) {
			*ret = (struct node){.r = r,
					     .links = dir->dir->links,
					     .id = node_link_id(dir->dir->links, r->number)};
			return 0;
		}
		after = r->number;
	}
	return -ENOENT;
}

static const struct entry *find_entry(const struct dir *dir, const char *name)
{
	for (const struct entry *e = dir->entries; e && e->name; e++)
		if (strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

int node_lookup(struct tree *t, const struct view *v, const struct node *dir, const char *name,
		const struct tree_caller *who, struct node *ret)
{
	const struct resource *child;
	const struct entry *e;

	if (!dir->dir)
		return -ENOTDIR;
	e = find_entry(dir->dir, name);
	if (e && !(e->flags & ENTRY_UNLISTED)) {
		if (!entry_present(t, v, dir->r, e, who))
			return -ENOENT;
		node_of_entry(dir->r, e, ret);
		return 0;
	}
	if (dir->dir->child != KIND_ROOT) {
		child = view_find(v, dir->r->number, dir->dir->child, name);
		if (child && (!dir->dir->lists || dir->dir->lists(child))) {
			node_of_resource(child, ret);
			return 0;
		}
	}
	/* A resource that had the name before there was such an entry keeps it. */
	if (e) {
		node_of_entry(dir->r, e, ret);
		return 0;
	}
	return dir->dir->links ? lookup_link(v, dir, name, ret) : -ENOENT;
}

int node_lookup_absent(const struct node *dir, const char *name, struct node *ret)
{
	for (const struct entry *e = dir->dir ? dir->dir->entries : NULL; e && e->name; e++)
		if (strcmp(e->name, name) == 0 && !S_ISDIR(e->mode)) {
			node_of_entry(dir->r, e, ret);
			return 0;
		}
	return -ENOENT;
}

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
		return entry_by_number(kind_ops(KIND_REGION)->dir, name_number(by_id_links.at));
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

/* From the directory that holds `from` to `to`; both begin at the root. */
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

void show_path_to(const struct show *s, const struct resource *target, struct strbuf *out)
{
	struct node from = {.r = s->r, .entry = s->entry};
	struct strbuf here cleanup_strbuf = STRBUF_INIT;
	struct strbuf there cleanup_strbuf = STRBUF_INIT;

	node_path(s->view, &from, &here);
	resource_path(s->view, target, &there);
	relative_path(strbuf_str(&here), strbuf_str(&there), out);
}

void node_show(struct tree *t, const struct view *v, const struct node *n,
	       const struct tree_caller *who, struct strbuf *out)
{
	struct show s = {t, v, n->r, n->entry, who};

	if (n->links) {
		struct strbuf path cleanup_strbuf = STRBUF_INIT;
		struct strbuf here cleanup_strbuf = STRBUF_INIT;

		node_path(v, n, &here);
		resource_path(v, n->r, &path);
		relative_path(strbuf_str(&here), strbuf_str(&path), out);
	} else if (n->entry && n->entry->show) {
		n->entry->show(&s, out);
	} else if (n->entry) {
		show_field(&s, out);
	}
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
	if (n->dir->links && !n->dir->links->make && !n->dir->make && !n->dir->make_link)
		flags |= TREE_COMPUTED;
	if (n->dir->make)
		flags |= kind_ops(n->dir->child)->file ? TREE_FREE_FILES : TREE_COLLECTION;
	return flags;
}

static void fill_file(struct tree *t, const struct view *v, const struct node *n,
		      const struct field *f, const struct tree_caller *who, struct tree_node *ret)
{
	struct strbuf text cleanup_strbuf = STRBUF_INIT;
	const struct entry *e = n->entry;
	struct show s = {t, v, n->r, e, who};

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
	if (e->extra && e->extra->size) {
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
}

/* When something below changed last, or what somebody has set after that. */
static void fill_dir_time(struct tree *t, const struct node *n, const struct field *f,
			  struct tree_node *ret)
{
	const char *key = n->entry ? n->entry->name : DIR_TIME_SET;
	int64_t set = (int64_t)resource_u64(n->r, key, 0);

	ret->mtime = n->entry && f && f->mtime ? f->mtime : n->r->mtime;
	for (enum kind k = KIND_REGION; k < KIND_COUNT; k++) {
		int64_t below = cloud_children_mtime(t->cloud, n->r->number, k);

		/* A resource's directory: anything below. A fixed one: what it lists. */
		if (n->entry && k != n->dir->child)
			continue;
		if (below > set && (below > ret->mtime || n->entry))
			ret->mtime = below;
	}
}

void node_fill(struct tree *t, const struct view *v, const struct node *n,
	       const struct tree_caller *who, struct tree_node *ret)
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
		fill_dir_time(t, n, f, ret);
	} else if (S_ISREG(ret->mode)) {
		fill_file(t, v, n, f, who, ret);
	} else {
		struct strbuf text cleanup_strbuf = STRBUF_INIT;

		node_show(t, v, n, who, &text);
		ret->size = text.len;
		ret->mode = S_IFLNK | 0777;
		ret->mtime = r->mtime;
	}
	ret->ctime = ret->mtime > r->mtime ? ret->mtime : r->mtime;
}
