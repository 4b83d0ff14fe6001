/* Which jobs of the network a change of the cloud makes necessary. */
#include "ec2fs/engine/network.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/model/network.h"

#include <string.h>

static bool differs(const struct resource *was, const struct resource *is, const char *key)
{
	const char *a = was ? resource_get(was, key) : NULL, *b = is ? resource_get(is, key) : NULL;

	return strcmp(a ? a : "", b ? b : "") != 0;
}

static void kick(struct engine *e, uint64_t number)
{
	queue_kick(e->queue, number | NETWORK_JOB);
}

/* Under cloud_read: kicking takes no lock of the cloud's. */
static void kick_all(struct engine *e, const struct view *v, uint64_t region, enum kind kind)
{
	view_each (v, region, kind, r)
		kick(e, r->number);
}

static void group_changed(struct engine *e, const struct view *v, const struct resource *was,
			  const struct resource *is)
{
	const struct resource *any = is ? is : was;
	const struct resource *old = was ? security_group_vpc(v, was) : NULL;

	if (old && (!is || differs(was, is, "vpc")))
		network_forget(e, old->id, was->id);
	/* Rules of others that named it before it was there. */
	if (!was || !is || differs(was, is, "vpc") || strcmp(was->name, is->name) != 0)
		view_each (v, any->parent, KIND_SECURITY_GROUP, group)
			if (security_group_mentions(group, any))
				kick(e, group->number);
	if (is &&
	    (differs(was, is, "ingress") || differs(was, is, "egress") || differs(was, is, "vpc")))
		kick(e, is->number);
}

/* The address moved: its old holder and its new one. */
static void address_changed(struct engine *e, const struct view *v, const struct resource *was,
			    const struct resource *is)
{
	const struct resource *any = is ? is : was;

	if (was)
		kick(e, resource_u64(was, "@instance", NO_NUMBER));
	if (is)
		kick(e, resource_u64(is, "@instance", NO_NUMBER));
	view_each (v, any->parent, KIND_VPC, vpc)
		if (view_next(v, vpc->number, KIND_NAT_GATEWAY, 0))
			kick(e, vpc->number);
}

/* A route to an instance that does not run is a black hole. */
static void kick_routes_to(struct engine *e, const struct view *v, const struct resource *instance)
{
	const struct resource *vpc = instance_vpc(v, instance);

	view_each (v, vpc ? vpc->number : NO_NUMBER, KIND_ROUTE_TABLE, table)
		if (strstr(resource_or(table, "routes", ""), "instance:")) {
			kick(e, vpc->number);
			return;
		}
}

static void peering_changed(struct engine *e, const struct view *v, const struct resource *was,
			    const struct resource *is)
{
	const struct resource *any = is ? is : was;
	const struct resource *vpc = view_get(v, any->parent);

	kick(e, any->parent);
	kick(e, resource_u64(any, "@peer", NO_NUMBER));
	if (!vpc)
		vpc = view_get(v, resource_u64(any, "@peer", NO_NUMBER));
	/* Groups of the one that name groups of the other. */
	if (vpc && differs(was, is, "state"))
		kick_all(e, v, vpc->parent, KIND_SECURITY_GROUP);
}

/* Who is in the group has changed: rules in peered VPCs that name it have these addresses. */
static void members_changed(struct engine *e, const struct view *v, const struct resource *group)
{
	const struct resource *vpc = group ? security_group_vpc(v, group) : NULL;

	if (!vpc || !peering_next(v, vpc, NULL))
		return;
	view_each (v, group->parent, KIND_SECURITY_GROUP, other)
		if (security_group_vpc(v, other) != vpc && security_group_mentions(other, group))
			kick(e, other->number);
}

void network_changed(struct engine *e, const struct resource *was, const struct resource *is)
{
	const struct resource *any = is ? is : was;
	struct view v;

	v = cloud_read(e->cloud);
	switch (any->kind) {
	case KIND_ROOT:
		if (differs(was, is, "public-ipv4-pool"))
			kick(e, ROOT_NUMBER);
		break;
	case KIND_SECURITY_GROUP:
		group_changed(e, &v, was, is);
		break;
	case KIND_PREFIX_LIST:
		kick_all(e, &v, any->parent, KIND_SECURITY_GROUP);
		kick_all(e, &v, any->parent, KIND_VPC);
		break;
	case KIND_MEMBERSHIP:
		kick(e, any->parent);
		members_changed(e, &v, membership_group(&v, any));
		break;
	case KIND_ADDRESS:
		address_changed(e, &v, was, is);
		break;
	case KIND_INSTANCE:
		if (is && (differs(was, is, "public-ip-address") ||
			   differs(was, is, "source-dest-check")))
			kick(e, is->number);
		if (differs(was, is, "state"))
			kick_routes_to(e, &v, any);
		if (differs(was, is, "state") || differs(was, is, "private-ip-address"))
			view_each (&v, any->number, KIND_MEMBERSHIP, m)
				members_changed(e, &v, membership_group(&v, m));
		break;
	case KIND_VPC:
		if (is)
			kick(e, is->number);
		else
			network_forget(e, was->id, NULL);
		break;
	case KIND_SUBNET:
	case KIND_ROUTE_TABLE:
	case KIND_NETWORK_ACL:
	case KIND_NAT_GATEWAY:
	case KIND_VPN_GATEWAY:
		kick(e, any->parent);
		break;
	case KIND_PEERING:
		peering_changed(e, &v, was, is);
		break;
	default:
		break;
	}
	cloud_read_end(e->cloud);
}
