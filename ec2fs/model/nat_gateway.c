/* NAT gateways: the way out for subnets whose instances have no public addresses. */
#include "ec2fs/model/network.h"

#include "ec2fs/model/refer.h"

#include <inttypes.h>
#include <string.h>

int nat_gateway_make(struct view *v, const struct resource *parent, const char *name,
		     struct resource **ret, struct ec2fs_error *error)
{
	struct resource *r = view_create(v, parent->number, KIND_NAT_GATEWAY, name);

	(void)error;
	set_default(r, "state", "pending");
	set_default(r, "connectivity-type", "public");
	*ret = r;
	return 0;
}

int nat_gateway_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	/* Its Elastic IP is free again; the routes to it lead nowhere. */
	view_delete(v, r);
	return 0;
}

int nat_gateway_rename(struct view *v, struct resource *r, const char *name,
		       struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}

bool nat_gateway_is_available(const struct resource *nat)
{
	return resource_is(nat, "state", "available");
}

uint32_t nat_gateway_private_ip(const struct resource *nat)
{
	uint32_t a;

	return address_parse(resource_or(nat, "private-ip-address", ""), &a, NULL) == 0 ? a : 0;
}

static const struct resource *nat_gateway_address(const struct view *v, const struct resource *nat)
{
	const struct resource *r = view_by_id(v, resource_or(nat, "address", ""));

	return r && r->kind == KIND_ADDRESS ? r : NULL;
}

uint32_t nat_gateway_public_ip(const struct view *v, const struct resource *nat)
{
	const struct resource *address = nat_gateway_address(v, nat);

	return address ? address_public_ip(address) : 0;
}

const struct resource *nat_gateway_subnet(const struct view *v, const struct resource *nat)
{
	const struct resource *r = view_by_id(v, resource_or(nat, "subnet", ""));

	return r && r->kind == KIND_SUBNET ? r : NULL;
}

const struct resource *nat_gateway_of_address(const struct view *v, const struct resource *address)
{
	view_each (v, address->parent, KIND_VPC, vpc)
		view_each (v, vpc->number, KIND_NAT_GATEWAY, nat)
			if (resource_is(nat, "address", address->id))
				return nat;
	return NULL;
}

/* How many of the region are in that zone. */
static uint64_t count_in_zone(const struct view *v, uint64_t region, const char *zone)
{
	uint64_t n = 0;

	view_each (v, region, KIND_VPC, vpc)
		view_each (v, vpc->number, KIND_NAT_GATEWAY, nat) {
			const struct resource *subnet = nat_gateway_subnet(v, nat);

			n += subnet && resource_is(subnet, "availability-zone", zone);
		}
	return n;
}

/* Subnet and address are both known: it begins its work. */
static int complete(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *subnet = nat_gateway_subnet(v, r);
	const struct resource *vpc = view_get(v, r->parent);
	char text[CIDR_TEXT];
	uint32_t address;
	int result;

	if (!subnet || !nat_gateway_address(v, r))
		return 0;
	if (!vpc_has_internet(vpc))
		return ec2fs_fail(error, EC2_Gateway_NotAttached,
				  "the VPC has no internet gateway; write true to its "
				  "internet-gateway first");
	result = subnet_free_address(v, subnet, &address, error);
	if (result < 0)
		return result;
	address_print(address, text);
	set_text(v, r, "private-ip-address", text);
	set_text(v, r, "state", "available");
	return 0;
}

static int need_pending(const struct resource *r, const char *what, struct ec2fs_error *error)
{
	if (!nat_gateway_is_available(r))
		return 0;
	return ec2fs_fail(error, EC2_OperationNotPermitted,
			  "a NAT gateway keeps its %s; make another one", what);
}

int nat_gateway_set_subnet(struct view *v, struct resource *r, const char *text, size_t len,
			   struct ec2fs_error *error)
{
	const struct resource *region = view_region(v, r), *subnet;
	const char *zone;
	uint64_t limit = quota_get(region, "nat-gateways-per-zone");
	int result;

	(void)len;
	result = refer(v, r->parent, KIND_SUBNET, EC2_InvalidSubnetID_NotFound, text, &subnet,
		       error);
	if (result < 0)
		return result;
	if (resource_is(r, "subnet", subnet->id))
		return 0;
	result = need_pending(r, "subnet", error);
	if (result < 0)
		return result;
	zone = resource_or(subnet, "availability-zone", "");
	if (count_in_zone(v, region->number, zone) >= limit)
		return ec2fs_fail(error, EC2_NatGatewayLimitExceeded,
				  "%s has %" PRIu64 " NAT gateways, as many as the quota allows",
				  zone, limit);
	set_text(v, r, "subnet", subnet->id);
	return complete(v, r, error);
}

int nat_gateway_set_address(struct view *v, struct resource *r, const char *text, size_t len,
			    struct ec2fs_error *error)
{
	const struct resource *region = view_region(v, r), *address, *other;
	int result;

	(void)len;
	result = refer(v, region->number, KIND_ADDRESS, EC2_InvalidAllocationID_NotFound, text,
		       &address, error);
	if (result < 0)
		return result;
	if (resource_is(r, "address", address->id))
		return 0;
	result = need_pending(r, "address", error);
	if (result < 0)
		return result;
	other = nat_gateway_of_address(v, address);
	if (!other)
		other = view_get(v, resource_u64(address, "@instance", NO_NUMBER));
	if (other)
		return ec2fs_fail(error, EC2_Resource_AlreadyAssociated,
				  "the %s %s has the address %s", kind_name(other->kind),
				  other->name, text);
	set_text(v, r, "address", address->id);
	return complete(v, r, error);
}

int nat_gateway_set_connectivity_type(struct view *v, struct resource *r, const char *text,
				      size_t len, struct ec2fs_error *error)
{
	(void)len;
	if (strcmp(text, "public") != 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "write public: there are no private NAT gateways here");
	set_text(v, r, "connectivity-type", text);
	return 0;
}
