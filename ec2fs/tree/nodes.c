/* The kinds of resources, and the way down: from identities and names to nodes. */
#include "ec2fs/tree/internal.h"

#include <string.h>

const struct kind_ops *const all_kinds[KIND_COUNT] = {
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

int node_get(const struct view *v, tree_id id, struct node *ret)
{
	uint64_t number = id == TREE_ROOT ? ROOT_NUMBER : id >> 16;
	uint16_t sub = id == TREE_ROOT ? 0 : (uint16_t)id;
	const struct resource *r = view_get(v, number);
	const struct links *links;
	const struct entry *e;

	if (!r)
		return -ESTALE;
	if (!sub) {
		node_of_resource(r, ret);
		return 0;
	}
	links = links_by_number(sub);
	if (links) {
		*ret = (struct node){.r = r, .links = links, .id = id};
		return 0;
	}
	e = entry_by_number(r->kind, sub);
	if (!e)
		return -ESTALE;
	node_of_entry(r, e, ret);
	return 0;
}

static bool entry_present(struct tree *t, const struct view *v, const struct resource *r,
			  const struct entry *e, const struct tree_caller *who)
{
	struct show s = {t, v, r, e, who, NULL};

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

int node_fixed(struct tree *t, const struct view *v, const struct node *dir, const struct entry *e,
	       const struct tree_caller *who, struct node *ret)
{
	if (!entry_present(t, v, dir->r, e, who))
		return -ENOENT;
	node_of_entry(dir->r, e, ret);
	return 0;
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
	if (e && !(e->flags & ENTRY_UNLISTED))
		return node_fixed(t, v, dir, e, who, ret);
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
