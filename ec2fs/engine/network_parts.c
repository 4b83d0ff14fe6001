/* From records to what netfw is told. */
#include "ec2fs/engine/network.h"

#include "ec2fs/model/interface.h"
#include "ec2fs/model/names.h"
#include "ec2fs/util/cleanup.h"

#include <stdio.h>
#include <string.h>

static struct netfw_cidr to_netfw(struct cidr c)
{
	return (struct netfw_cidr){c.address, c.prefix};
}

struct collecting {
	const struct view *v;
	const struct resource *group;
	struct arena *arena;
	struct netfw_rule *rules;
	size_t count, capacity;
};

static struct netfw_rule *add_rule(struct collecting *c, const struct permission *p)
{
	struct netfw_rule *rule;

	if (c->count == c->capacity) {
		size_t capacity = c->capacity ? 2 * c->capacity : 16;
		struct netfw_rule *more = arena_alloc(c->arena, capacity * sizeof(*more));

		if (c->count)
			memcpy(more, c->rules, c->count * sizeof(*more));
		c->rules = more;
		c->capacity = capacity;
	}
	rule = &c->rules[c->count++];
	*rule = (struct netfw_rule){.protocol = p->protocol,
				    .from = p->from,
				    .to = p->to,
				    .type = p->type,
				    .code = p->code};
	return rule;
}

/* netfw follows who is in the groups of a VPC; of a peered one it is told their addresses. */
static void collect_members(struct collecting *c, const struct permission *p,
			    const struct resource *peer)
{
	view_each_about(c->v, peer->number, KIND_MEMBERSHIP, m)
	{
		const struct resource *instance = view_get(c->v, m->parent);

		if (instance && instance_holds_address(instance))
			add_rule(c, p)->cidr =
				(struct netfw_cidr){instance_private_ip(instance), 32};
	}
}

static void collect_rule(void *context, const struct permission *p, const struct resource *peer)
{
	struct collecting *c = context;

	/* VPCs have no IPv6; a peer that is gone matches nobody. */
	if (p->peer == PEER_CIDR6 || (p->peer == PEER_GROUP && !peer))
		return;
	if (p->peer == PEER_CIDR)
		add_rule(c, p)->cidr = to_netfw(p->cidr);
	else if (security_group_vpc(c->v, peer) == security_group_vpc(c->v, c->group))
		add_rule(c, p)->group = arena_copy(c->arena, peer->id);
	else
		collect_members(c, p, peer);
}

void netfw_of_group(const struct view *v, const struct resource *group, struct arena *a,
		    struct netfw_group *ret)
{
	struct collecting ingress = {.v = v, .group = group, .arena = a}, egress = ingress;

	security_group_each(v, group, false, collect_rule, &ingress);
	security_group_each(v, group, true, collect_rule, &egress);
	*ret = (struct netfw_group){.id = arena_copy(a, group->id),
				    .ingress = ingress.rules,
				    .ingress_count = ingress.count,
				    .egress = egress.rules,
				    .egress_count = egress.count};
}

bool netfw_of_interface(const struct view *v, const struct resource *instance, struct arena *a,
			struct netfw_interface *ret)
{
	const struct resource *subnet = instance_subnet(v, instance);
	const char *id = resource_get(instance, "network-interface");
	struct strbuf name cleanup_strbuf = STRBUF_INIT;
	const char **groups;
	size_t count = 0;

	*ret = (struct netfw_interface){.address = instance_private_ip(instance)};
	if (!subnet || !id || !ret->address)
		return false;
	ret->id = arena_copy(a, id);
	ret->subnet = arena_copy(a, subnet->id);
	ret->public_ip = instance_public_ip(v, instance);
	ret->source_dest_check = !resource_is(instance, "source-dest-check", "false");
	host_name(ret->address, &name);
	ret->host_name = arena_copy(a, strbuf_str(&name));
	sscanf(resource_or(instance, "mac-address", ""), "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx",
	       &ret->mac[0], &ret->mac[1], &ret->mac[2], &ret->mac[3], &ret->mac[4], &ret->mac[5]);
	groups = arena_alloc(a, (view_count(v, instance->number, KIND_MEMBERSHIP) + 1) *
					sizeof(*groups));
	view_each (v, instance->number, KIND_MEMBERSHIP, m) {
		const struct resource *group = membership_group(v, m);

		if (group)
			groups[count++] = arena_copy(a, group->id);
	}
	ret->groups = groups;
	ret->group_count = count;
	return true;
}

size_t netfw_of_pool(const struct view *v, struct arena *a, struct netfw_cidr **ret)
{
	cleanup_free struct cidr *blocks = NULL;
	size_t count = public_pool_blocks(v, &blocks);
	struct netfw_cidr *all = arena_alloc(a, (count + 1) * sizeof(*all));

	for (size_t i = 0; i < count; i++)
		all[i] = to_netfw(blocks[i]);
	*ret = all;
	return count;
}
