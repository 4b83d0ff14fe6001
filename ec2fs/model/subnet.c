/* Subnets: a block of a VPC's addresses, in one zone. */
#include "ec2fs/model/network.h"

#include "ec2fs/model/refer.h"
#include "ec2fs/text/number.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <string.h>

#define DEFAULT_PREFIX 20 /* of the default VPC's subnets (VPC user guide, "Default VPCs") */

static struct resource *make(struct view *v, const struct resource *vpc, const char *name)
{
	struct resource *r = view_create(v, vpc->number, KIND_SUBNET, name);

	set_default(r, "state", "pending");
	set_default(r, "map-public-ip-on-launch", "false");
	set_default(r, "default-for-az", "false");
	return r;
}

/* The default VPC of another region is copied: its default subnet is the one of the zone here. The
 * block comes with the copy where rsync --delete took ours away before. */
static struct resource *default_by_foreign_name(struct view *v, const struct resource *vpc,
						const struct resource *zone, const char *name)
{
	const struct resource *there = subnet_default(v, vpc->parent, zone->name);
	struct resource *r;

	if (there) {
		view_rename(v, there, name);
		return view_edit(v, there);
	}
	r = make(v, vpc, name);
	set_default(r, "availability-zone", zone->name);
	set_default(r, "map-public-ip-on-launch", "true");
	set_default(r, "default-for-az", "true");
	return r;
}

int subnet_make(struct view *v, const struct resource *parent, const char *name,
		struct resource **ret, struct ec2fs_error *error)
{
	const struct resource *region = view_region(v, parent);
	const struct resource *zone = view_next(v, parent->parent, KIND_ZONE, 0), *there;
	uint64_t limit = quota_get(region, "subnets-per-vpc");
	struct resource *r;

	if (parent == vpc_default(v, parent->parent) &&
	    zone_is_foreign(v, parent->parent, name, &there) && there) {
		*ret = default_by_foreign_name(v, parent, there, name);
		return 0;
	}
	if (view_count(v, parent->number, KIND_SUBNET) >= limit)
		return ec2fs_fail(error, EC2_SubnetLimitExceeded,
				  "there are %" PRIu64 " subnets, as many as the quota allows",
				  limit);
	r = make(v, parent, name);
	if (zone)
		set_default(r, "availability-zone", zone->name);
	*ret = r;
	return 0;
}

/* The subnet of the VPC whose block overlaps, or NULL. */
static const struct resource *overlapping(const struct view *v, const struct resource *vpc,
					  const struct resource *but, struct cidr c)
{
	struct cidr other;

	view_each (v, vpc->number, KIND_SUBNET, r)
		if ((!but || r->number != but->number) && subnet_cidr(r, &other) &&
		    cidr_overlaps(other, c))
			return r;
	return NULL;
}

void subnet_add_default(struct view *v, const struct resource *vpc, const struct resource *zone)
{
	struct cidr block, c = {.prefix = DEFAULT_PREFIX};
	char text[CIDR_TEXT];
	struct resource *r;

	if (!vpc_cidr(vpc, 0, &block) || view_find(v, vpc->number, KIND_SUBNET, zone->name))
		return;
	c.address = block.address;
	while (cidr_contains(block, c) && overlapping(v, vpc, NULL, c))
		c.address += UINT32_C(1) << (32 - DEFAULT_PREFIX);
	if (!cidr_contains(block, c))
		return;
	cidr_print(c, text);
	r = make(v, vpc, zone->name);
	set_default(r, "cidr-block", text);
	set_default(r, "availability-zone", zone->name);
	set_default(r, "state", "available");
	set_default(r, "map-public-ip-on-launch", "true");
	set_default(r, "default-for-az", "true");
}

int subnet_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *in = subnet_inhabitant(v, r);

	if (in)
		return ec2fs_fail(error, EC2_DependencyViolation,
				  "the %s %s has an interface in the subnet", kind_name(in->kind),
				  in->name);
	view_delete(v, r);
	return 0;
}

int subnet_rename(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}

bool subnet_cidr(const struct resource *subnet, struct cidr *ret)
{
	return cidr_parse(resource_or(subnet, "cidr-block", ""), ret, NULL) == 0;
}

const struct resource *subnet_default(const struct view *v, uint64_t region, const char *zone)
{
	const struct resource *vpc = vpc_default(v, region);

	view_each (v, vpc ? vpc->number : NO_NUMBER, KIND_SUBNET, r)
		if (resource_is(r, "default-for-az", "true") &&
		    resource_is(r, "availability-zone", zone))
			return r;
	return NULL;
}

const struct resource *subnet_refer(const struct view *v, uint64_t region, const char *text)
{
	const char *slash = strchr(text, '/');
	const struct resource *found = NULL, *vpc;
	cleanup_free char *name = NULL;

	if (slash) {
		name = xasprintf("%.*s", (int)(slash - text), text);
		vpc = view_refer(v, region, KIND_VPC, name);
		return vpc ? view_refer(v, vpc->number, KIND_SUBNET, slash + 1) : NULL;
	}
	view_each (v, region, KIND_VPC, r) {
		const struct resource *subnet = view_find(v, r->number, KIND_SUBNET, text);

		if (subnet && found)
			return NULL;
		found = subnet ? subnet : found;
	}
	if (found)
		return found;
	found = view_by_id(v, text);
	vpc = found && found->kind == KIND_SUBNET ? view_get(v, found->parent) : NULL;
	return vpc && vpc->parent == region ? found : NULL;
}

int subnet_set_cidr_block(struct view *v, struct resource *r, const char *text, size_t len,
			  struct ec2fs_error *error)
{
	const struct resource *vpc = view_get(v, r->parent), *other;
	struct cidr c, block;
	int result;

	(void)len;
	if (resource_is(r, "cidr-block", text)) {
		set_text(v, r, "cidr-block", text);
		return 0;
	}
	result = cidr_parse(text, &c, error);
	if (result < 0)
		return result;
	if (resource_get(r, "cidr-block"))
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "a subnet keeps its block, which is %s; make another subnet",
				  resource_get(r, "cidr-block"));
	if (!vpc_cidr(vpc, 0, &block))
		return ec2fs_fail(error, EC2_MissingParameter,
				  "the VPC has no block yet; write one to its cidr-block first");
	if (c.prefix < 16 || c.prefix > 28 || !vpc_contains(vpc, c))
		return ec2fs_fail(error, EC2_InvalidSubnet_Range,
				  "%s is not a /16 to /28 within a block of the VPC, such as %s",
				  text, resource_or(vpc, "cidr-block", ""));
	other = overlapping(v, vpc, r, c);
	if (other)
		return ec2fs_fail(error, EC2_InvalidSubnet_Conflict,
				  "%s overlaps the subnet %s, which has %s", text, other->name,
				  resource_or(other, "cidr-block", ""));
	set_text(v, r, "cidr-block", text);
	set_text(v, r, "state", "available");
	return 0;
}

int subnet_set_zone(struct view *v, struct resource *r, const char *text, size_t len,
		    struct ec2fs_error *error)
{
	const struct resource *vpc = view_get(v, r->parent), *in;
	const char *current = resource_get(r, "availability-zone");
	const struct resource *zone = refer_zone(v, vpc->parent, current, text);
	int result;

	(void)len;
	if (zone)
		text = zone->name;
	if (!resource_is(r, "availability-zone", text)) {
		result = refer(v, vpc->parent, KIND_ZONE, EC2_InvalidZone_NotFound, text, &zone,
			       error);
		if (result < 0)
			return result;
		in = subnet_inhabitant(v, r);
		if (in || resource_get(r, "@zone") || resource_is(r, "default-for-az", "true"))
			return ec2fs_fail(error, EC2_OperationNotPermitted,
					  "a subnet stays in its zone, which is %s; make another "
					  "subnet",
					  resource_or(r, "availability-zone", "none"));
	}
	set_text(v, r, "availability-zone", text);
	set_text(v, r, "@zone", "written");
	return 0;
}

int subnet_set_map_public_ip(struct view *v, struct resource *r, const char *text, size_t len,
			     struct ec2fs_error *error)
{
	bool on;
	int result = bool_parse(text, &on, error);

	(void)len;
	if (result == 0)
		set_text(v, r, "map-public-ip-on-launch", on ? "true" : "false");
	return result;
}

/* Something of the same VPC; an empty line means the VPC's own. */
static int set_reference(struct view *v, struct resource *r, const char *key, enum kind kind,
			 enum ec2_code code, const char *text, struct ec2fs_error *error)
{
	const struct resource *to;
	int result;

	cleanup_free char *coming = xasprintf("@coming-%s", key);

	unset(v, r, coming);
	if (!*text) {
		unset(v, r, key);
		return 0;
	}
	result = refer(v, r->parent, kind, code, text, &to, error);
	/* In a copy the subnets may come first: subnets_meet finds it. */
	if (result == -ENOENT && v->copies) {
		set_text(v, r, coming, text);
		return 0;
	}
	if (result == 0)
		set_text(v, r, key, to->id);
	return result;
}

void subnets_meet(struct view *v, const struct resource *made, const char *key)
{
	cleanup_free char *coming = xasprintf("@coming-%s", key);

	view_each (v, made->parent, KIND_SUBNET, subnet)
		if (resource_is(subnet, coming, made->name)) {
			struct resource *r = view_edit(v, subnet);

			set_text(v, r, key, made->id);
			unset(v, r, coming);
		}
}

int subnet_set_route_table(struct view *v, struct resource *r, const char *text, size_t len,
			   struct ec2fs_error *error)
{
	(void)len;
	return set_reference(v, r, "route-table", KIND_ROUTE_TABLE,
			     EC2_InvalidRouteTableID_NotFound, text, error);
}

int subnet_unset_route_table(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	return subnet_set_route_table(v, r, "", 0, error);
}

int subnet_set_network_acl(struct view *v, struct resource *r, const char *text, size_t len,
			   struct ec2fs_error *error)
{
	(void)len;
	return set_reference(v, r, "network-acl", KIND_NETWORK_ACL,
			     EC2_InvalidNetworkAclID_NotFound, text, error);
}

int subnet_unset_network_acl(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	return subnet_set_network_acl(v, r, "", 0, error);
}

const struct resource *subnet_route_table(const struct view *v, const struct resource *subnet)
{
	const struct resource *r = view_by_id(v, resource_or(subnet, "route-table", ""));

	return r ? r : vpc_main_table(v, view_get(v, subnet->parent));
}

const struct resource *subnet_network_acl(const struct view *v, const struct resource *subnet)
{
	const struct resource *r = view_by_id(v, resource_or(subnet, "network-acl", ""));

	return r ? r : vpc_default_acl(v, view_get(v, subnet->parent));
}
