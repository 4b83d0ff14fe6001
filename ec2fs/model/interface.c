/* The network interface of an instance: where it is, and its addresses. */
#include "ec2fs/model/instance.h"
#include "ec2fs/model/network.h"

const struct resource *instance_subnet(const struct view *v, const struct resource *instance)
{
	const struct resource *r = view_by_id(v, resource_or(instance, "subnet", ""));

	return r && r->kind == KIND_SUBNET ? r : NULL;
}

const struct resource *instance_vpc(const struct view *v, const struct resource *instance)
{
	const struct resource *subnet = instance_subnet(v, instance);

	return subnet ? view_get(v, subnet->parent) : NULL;
}

uint32_t instance_private_ip(const struct resource *instance)
{
	uint32_t address;

	return address_parse(resource_or(instance, "private-ip-address", ""), &address, NULL) == 0
		       ? address
		       : 0;
}

bool instance_holds_address(const struct resource *instance)
{
	enum instance_state s = instance_state(instance);

	return s != INSTANCE_DRAFT && s != INSTANCE_TERMINATED && instance_private_ip(instance);
}
