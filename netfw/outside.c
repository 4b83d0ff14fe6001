/*
 * Links out of a VPC: "igw" and one for each NAT gateway to the edge, one for each peering to the
 * other VPC, one for a virtual private gateway to the host. Other files ask only whether a link is
 * there.
 */
#include "netfw/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "netfw/gateway.h"
#include "netfw/names.h"
#include "netfw/pairs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_side(const void *item, const void *key)
{
	return strcmp(item, key) == 0;
}

static void side_key(char key[128], const char *peering, const char *vpc)
{
	snprintf(key, 128, "%s %s", peering, vpc);
}

/* With peerings_mutex. */
static bool described(struct netfw *n, const char *peering, const char *vpc)
{
	char key[128];

	side_key(key, peering, vpc);
	return table_find(&n->peerings, hash_str(key, 0), same_side, key) != NULL;
}

/* With peerings_mutex. */
static void describe(struct netfw *n, const char *peering, const char *vpc, bool is)
{
	char key[128];

	side_key(key, peering, vpc);
	if (is && !described(n, peering, vpc))
		table_add(&n->peerings, hash_str(key, 0), xstrdup(key));
	else if (!is)
		free(table_remove(&n->peerings, hash_str(key, 0), same_side, key));
}

static bool wanted(const struct netfw_vpc *is, const char *name)
{
	char other[16];

	if (strcmp(name, NETFW_IGW) == 0)
		return is->internet;
	for (size_t i = 0; is->internet && i < is->nat_count; i++) {
		netfw_nat_name(is->nats[i].id, other);
		if (strcmp(name, other) == 0)
			return true;
	}
	for (size_t i = 0; i < is->peering_count; i++) {
		netfw_peering_name(is->peerings[i].id, other);
		if (strcmp(name, other) == 0)
			return true;
	}
	if (!is->gateway_id || !is->gateway_interface)
		return false;
	netfw_gateway_name(is->gateway_id, other);
	return strcmp(name, other) == 0;
}

struct names {
	const struct netfw_vpc *is; /* NULL: nothing is wanted */
	struct link *links;
	size_t count, capacity;
	bool taps;
};

static bool leads_out(const char *name)
{
	static const char *const kinds[] = {"igw", "nat", "pcx", "vgw"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strncmp(name, kinds[i], 3) == 0)
			return true;
	return false;
}

static void find_unwanted(void *context, const struct link *l)
{
	struct names *names = context;

	if (!leads_out(l->name) && !(names->taps && strncmp(l->name, "tap", 3) == 0))
		return;
	if (names->is && wanted(names->is, l->name))
		return;
	array_reserve(names->links, names->count, names->capacity);
	names->links[names->count++] = *l;
}

static int delete_links(struct vpc *v, const struct names *names, struct ec2fs_error *error)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct link *l = &names->links[i];
		int r = strncmp(l->name, "vgw", 3) == 0
				? gateway_leave(&v->netfw->edge, l->name, error)
				: link_delete(&v->ns.rtnl, l->index, l->name, error);

		if (r < 0)
			return r;
	}
	return 0;
}

static int find_by_name(struct vpc *v, const char *name, struct names *names,
			struct ec2fs_error *error)
{
	struct link l;
	int r;

	if (wanted(v->is, name))
		return 0;
	r = link_get(&v->ns.rtnl, name, &l, error);
	if (r == 0)
		find_unwanted(names, &l);
	return r == -ENODEV ? 0 : r;
}

/* With peerings_mutex: nobody looks at a link of a peering while the other side deletes it. */
static int delete_unwanted(struct vpc *v, const struct netfw_vpc *old, struct ec2fs_error *error)
{
	struct names names = {.is = v->is};
	char name[16];
	int r = 0;

	if (!old)
		r = link_list(&v->ns.rtnl, find_unwanted, &names, error);
	if (old && old->internet)
		r = find_by_name(v, NETFW_IGW, &names, error);
	for (size_t i = 0; r == 0 && old && i < old->nat_count; i++) {
		netfw_nat_name(old->nats[i].id, name);
		r = find_by_name(v, name, &names, error);
	}
	if (r == 0 && old && old->gateway_id) {
		netfw_gateway_name(old->gateway_id, name);
		r = find_by_name(v, name, &names, error);
	}
	for (size_t i = 0; r == 0 && old && i < old->peering_count; i++) {
		netfw_peering_name(old->peerings[i].id, name);
		r = find_by_name(v, name, &names, error);
		if (!wanted(v->is, name))
			describe(v->netfw, old->peerings[i].id, v->id, false);
	}
	if (r == 0)
		r = delete_links(v, &names, error);
	free(names.links);
	return r;
}

/* All public addresses of interfaces, at once. */
static int publish_all(struct vpc *v, struct ec2fs_error *error)
{
	cleanup_free uint32_t *addresses = xcalloc(v->interfaces.count + 1, sizeof(*addresses));
	size_t count = 0;
	int r;

	for (size_t c = 0; c < v->interfaces.capacity; c++) {
		const struct interface *i = v->interfaces.cells[c].item;

		if (i && i->is->public_ip)
			addresses[count++] = i->is->public_ip;
	}
	r = edge_set_routes(&v->netfw->edge, v->edge_link, addresses, count, error);
	for (size_t c = 0; r == 0 && c < v->interfaces.capacity; c++) {
		struct interface *i = v->interfaces.cells[c].item;

		if (i)
			i->published = i->is->public_ip;
	}
	return r;
}

/* The routes through the link to the edge went with it. */
static void forget_published(struct vpc *v)
{
	for (size_t c = 0; c < v->interfaces.capacity; c++) {
		struct interface *i = v->interfaces.cells[c].item;

		if (i)
			i->published = 0;
	}
}

static int join_internet(struct vpc *v, bool everything, struct ec2fs_error *error)
{
	struct edge *e = &v->netfw->edge;
	char alias[64];
	int r;

	snprintf(alias, sizeof(alias), "internet gateway of %s", v->id);
	r = edge_join(e, &v->ns, NETFW_IGW, v->edge_link, alias, error);
	if (r > 0 || (r == 0 && everything))
		r = publish_all(v, error);
	for (size_t i = 0; r >= 0 && i < v->is->nat_count; i++) {
		const struct netfw_nat *nat = &v->is->nats[i];
		char name[16];

		netfw_nat_name(nat->id, name);
		snprintf(alias, sizeof(alias), "%s", nat->id);
		r = edge_join(e, &v->ns, name, name, alias, error);
		if (r >= 0)
			r = edge_set_routes(e, name, &nat->public_ip, nat->public_ip != 0, error);
	}
	return r < 0 ? r : 0;
}

/* With peerings_mutex; both sides are described. */
static int join(struct vpc *v, struct netns *other, const struct netfw_peering *p,
		struct ec2fs_error *error)
{
	char name[16];
	struct pair_end here = {&v->ns, name, LINK_EDGE};
	struct pair_end there = {other, name, LINK_EDGE};
	struct link a, b;
	int r, made;

	netfw_peering_name(p->id, name);
	r = pair_set(&here, &there, &a, &b, error);
	if (r < 0)
		return r;
	made = r;
	r = link_set_rp_filter(&v->ns.rtnl, &a, RP_STRICT, error);
	if (r == 0)
		r = link_set_rp_filter(&other->rtnl, &b, RP_STRICT, error);
	if (r == 0 && strcmp(a.alias, p->id) != 0)
		r = link_set_alias(&v->ns.rtnl, &a, p->id, error);
	if (r == 0 && strcmp(b.alias, p->id) != 0)
		r = link_set_alias(&other->rtnl, &b, p->id, error);
	if (r == 0 && made) {
		array_reserve(v->joined, v->joined_count, v->joined_capacity);
		v->joined[v->joined_count++] = xstrdup(p->vpc);
	}
	return r;
}

static int join_peer(struct vpc *v, const struct netfw_peering *p, struct ec2fs_error *error)
{
	struct netfw *n = v->netfw;
	struct netns other = NETNS_INIT;
	int r = 0;

	pthread_mutex_lock(&n->peerings_mutex);
	describe(n, p->id, v->id, true);
	/* Else the other side makes the link when it comes. */
	if (described(n, p->id, p->vpc))
		r = netns_open(&other, p->vpc, n->mark, error);
	if (r == 0 && other.fd >= 0)
		r = join(v, &other, p, error);
	pthread_mutex_unlock(&n->peerings_mutex);
	netns_close(&other);
	return r == -ENOENT ? 0 : r;
}

static int join_gateway(struct vpc *v, struct ec2fs_error *error)
{
	const struct netfw_vpc *is = v->is;
	char name[16];
	int r;

	if (!is->gateway_id || !is->gateway_interface)
		return 0;
	netfw_gateway_name(is->gateway_id, name);
	r = gateway_join(&v->netfw->edge, &v->ns, name, is->gateway_interface, is->cidrs,
			 is->cidr_count, error);
	return r < 0 ? r : 0;
}

int outside_sync(struct vpc *v, const struct netfw_vpc *old, struct ec2fs_error *error)
{
	bool toggled = !old || old->internet != v->is->internet;
	int r;

	pthread_mutex_lock(&v->netfw->peerings_mutex);
	r = delete_unwanted(v, old, error);
	pthread_mutex_unlock(&v->netfw->peerings_mutex);
	if (!v->is->internet && toggled)
		forget_published(v);
	if (r == 0 && v->is->internet)
		r = join_internet(v, toggled, error);
	for (size_t i = 0; r == 0 && i < v->is->peering_count; i++)
		r = join_peer(v, &v->is->peerings[i], error);
	return r < 0 ? r : join_gateway(v, error);
}

int outside_withdraw(struct vpc *v, struct interface *i, struct ec2fs_error *error)
{
	int r = 0;

	if (i->published)
		r = edge_unroute(&v->netfw->edge, v->edge_link, i->published, error);
	if (r == 0)
		i->published = 0;
	return r;
}

int outside_publish(struct vpc *v, struct interface *i, struct ec2fs_error *error)
{
	uint32_t address = v->is->internet ? i->is->public_ip : 0;
	int r;

	if (i->published == address)
		return 0;
	r = outside_withdraw(v, i, error);
	if (r == 0 && address)
		r = edge_route(&v->netfw->edge, v->edge_link, address, error);
	if (r == 0)
		i->published = address;
	return r;
}

int outside_remove(struct vpc *v, struct ec2fs_error *error)
{
	struct names names = {.taps = true};
	int r = link_list(&v->ns.rtnl, find_unwanted, &names, error);

	pthread_mutex_lock(&v->netfw->peerings_mutex);
	for (size_t i = 0; v->is && i < v->is->peering_count; i++)
		describe(v->netfw, v->is->peerings[i].id, v->id, false);
	if (r == 0)
		r = delete_links(v, &names, error);
	pthread_mutex_unlock(&v->netfw->peerings_mutex);
	free(names.links);
	return r;
}
