/* VPCs: what comes with one, and what must be gone before it goes. */
#include "ec2fs/model/network.h"

#include <inttypes.h>
#include <string.h>

#define DEFAULT_BLOCK "172.31.0.0/16"

/* EC2 makes these with every VPC. */
static void add_contents(struct view *v, const struct resource *vpc)
{
	route_table_add_main(v, vpc);
	network_acl_add_default(v, vpc);
	security_group_add_default(v, vpc);
}

static struct resource *make(struct view *v, const struct resource *region, const char *name,
			     bool is_default)
{
	struct resource *r = view_create(v, region->number, KIND_VPC, name);

	set_default(r, "state", "pending");
	/* What comes with it is named by this. */
	set_default(r, "is-default", is_default ? "true" : "false");
	set_default(r, "internet-gateway", "false");
	set_default(r, "enable-dns-support", "true");
	set_default(r, "enable-dns-hostnames", "false");
	add_contents(v, r);
	return r;
}

static struct resource *make_default(struct view *v, const struct resource *region,
				     const char *name)
{
	struct resource *r = make(v, region, name, true);
	struct resource *table = view_edit(v, vpc_main_table(v, r));

	set_default(r, "cidr-block", DEFAULT_BLOCK);
	set_default(r, "state", "available");
	set_default(r, "internet-gateway", "true");
	set_default(r, "enable-dns-hostnames", "true");
	set_default(table, "routes", DEFAULT_BLOCK " local\n0.0.0.0/0 internet-gateway\n");
	view_each (v, region->number, KIND_ZONE, zone)
		subnet_add_default(v, r, zone);
	return r;
}

void vpc_add_default(struct view *v, struct resource *region)
{
	const char *name = "default";

	/* An older cloud may have a VPC of that name. */
	if (view_find(v, region->number, KIND_VPC, name))
		name = "default-vpc";
	if (!vpc_default(v, region->number) && !view_find(v, region->number, KIND_VPC, name))
		make_default(v, region, name);
}

int vpc_make(struct view *v, const struct resource *parent, const char *name, struct resource **ret,
	     struct ec2fs_error *error)
{
	uint64_t limit = quota_get(parent, "vpcs");

	if (view_count(v, parent->number, KIND_VPC) >= limit)
		return ec2fs_fail(error, EC2_VpcLimitExceeded,
				  "there are %" PRIu64 " VPCs, as many as the quota allows: remove "
				  "one, or raise vpcs in the region's quotas",
				  limit);
	if (strcmp(name, "default") == 0 && !vpc_default(v, parent->number))
		*ret = make_default(v, parent, name);
	else
		*ret = make(v, parent, name, false);
	return 0;
}

int vpc_rename(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)
{
	(void)error;
	security_group_rename_default(v, r, name);
	view_rename(v, r, name);
	return 0;
}

static bool came_with_vpc(const struct view *v, const struct resource *r)
{
	return (r->kind == KIND_ROUTE_TABLE && route_table_is_main(v, r)) ||
	       (r->kind == KIND_NETWORK_ACL && network_acl_is_default(v, r));
}

/* Something of the VPC, or about it, that nobody but a user has made; or NULL. */
static const struct resource *made_by_user(const struct view *v, const struct resource *vpc,
					   bool subnets_too)
{
	static const enum kind kinds[] = {KIND_NAT_GATEWAY, KIND_VPN_GATEWAY, KIND_SUBNET,
					  KIND_ROUTE_TABLE, KIND_NETWORK_ACL};
	const struct resource *peering = NULL;

	/* Those that others asked for and that came to nothing are theirs. */
	while ((peering = peering_next(v, vpc, peering)) != NULL)
		if (peering->parent == vpc->number || peering_is_alive(peering))
			return peering;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		view_each (v, vpc->number, kinds[i], r)
			if (!came_with_vpc(v, r) &&
			    (subnets_too || !resource_is(r, "default-for-az", "true")))
				return r;
	return security_group_in(v, vpc);
}

bool vpc_is_pristine(const struct view *v, const struct resource *vpc)
{
	view_each (v, vpc->number, KIND_SUBNET, subnet)
		if (subnet_inhabitant(v, subnet))
			return false;
	return !made_by_user(v, vpc, false);
}

int vpc_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *left = made_by_user(v, r, true);

	if (left)
		return ec2fs_fail(error, EC2_DependencyViolation,
				  "the VPC still has the %s %s; remove it first",
				  kind_name(left->kind), left->name);
	if (vpc_has_internet(r))
		return ec2fs_fail(error, EC2_DependencyViolation,
				  "an internet gateway is attached; write false to "
				  "internet-gateway first");
	security_group_remove_default(v, r);
	view_delete(v, r);
	return 0;
}

const struct resource *vpc_default(const struct view *v, uint64_t region)
{
	view_each (v, region, KIND_VPC, r)
		if (resource_is(r, "is-default", "true"))
			return r;
	return NULL;
}

bool vpc_has_internet(const struct resource *vpc)
{
	return resource_is(vpc, "internet-gateway", "true");
}

bool vpc_has_dns(const struct resource *vpc)
{
	return resource_is(vpc, "enable-dns-support", "true");
}
