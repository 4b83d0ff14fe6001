/* Elastic IPs: allocated, associated, moved, released (EC2 user guide, "Elastic IP addresses"). */
#include "ec2fs/model/instance.h"
#include "ec2fs/model/interface.h"
#include "ec2fs/model/network.h"
#include "ec2fs/model/refer.h"

#include <inttypes.h>
#include <string.h>

int address_make(struct view *v, const struct resource *parent, const char *name,
		 struct resource **ret, struct ec2fs_error *error)
{
	uint64_t limit = quota_get(parent, "addresses");
	char text[CIDR_TEXT];
	struct resource *r;
	uint32_t address;
	int result;

	if (strncmp(name, "eipalloc-", 9) == 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "names that begin with eipalloc- are IDs");
	if (view_count(v, parent->number, KIND_ADDRESS) >= limit)
		return ec2fs_fail(error, EC2_AddressLimitExceeded,
				  "there are %" PRIu64 " Elastic IPs, as many as the quota allows: "
				  "release one, or raise addresses in the region's quotas",
				  limit);
	result = public_address_free(v, &address, error);
	if (result < 0)
		return result;
	r = view_create(v, parent->number, KIND_ADDRESS, name);
	address_print(address, text);
	set_text(v, r, "public-ip", text);
	*ret = r;
	return 0;
}

int address_rename(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}

uint32_t address_public_ip(const struct resource *address)
{
	uint32_t a;

	return address_parse(resource_or(address, "public-ip", ""), &a, NULL) == 0 ? a : 0;
}

const struct resource *address_of_instance(const struct view *v, const struct resource *instance)
{
	return view_next_about(v, instance->number, KIND_ADDRESS, 0);
}

static const struct resource *associated_with(const struct view *v, const struct resource *address)
{
	return view_get(v, resource_reference(address));
}

static void forget_association(struct view *v, struct resource *address)
{
	if (!resource_get(address, "@instance"))
		return;
	unset(v, address, "@instance");
	unset(v, address, "association-id");
	set_text(v, address, "instance", "");
}

void address_disassociate(struct view *v, struct resource *address)
{
	const struct resource *instance = associated_with(v, address);

	forget_association(v, address);
	/* It gets an automatic address again, where it had one coming. */
	if (instance && instance_state(instance) == INSTANCE_RUNNING)
		interface_start(v, view_edit(v, instance));
}

void address_instance_gone(struct view *v, const struct resource *instance)
{
	view_each_about(v, instance->number, KIND_ADDRESS, r)
		forget_association(v, view_edit(v, r));
}

static int check_state(const struct resource *instance, struct ec2fs_error *error)
{
	enum instance_state s = instance_state(instance);

	if (s == INSTANCE_RUNNING || s == INSTANCE_STOPPING || s == INSTANCE_STOPPED)
		return 0;
	return ec2fs_fail_errno(error, s == INSTANCE_TERMINATED ? EIDRM : EBUSY,
				EC2_IncorrectInstanceState,
				"the instance %s is %s; an address is associated with one that is "
				"running or stopped",
				instance->name, instance_state_name(s));
}

int address_associate(struct view *v, struct resource *address, const struct resource *instance,
		      struct ec2fs_error *error)
{
	const struct resource *vpc = instance_vpc(v, instance);
	const struct resource *gateway = nat_gateway_of_address(v, address);
	char hex[18];
	int result;

	if (resource_reference(address) == instance->number)
		return 0;
	if (gateway)
		return ec2fs_fail(error, EC2_InvalidIPAddress_InUse,
				  "it is the address of the NAT gateway %s", gateway->name);
	result = check_state(instance, error);
	if (result < 0)
		return result;
	if (!vpc || !vpc_has_internet(vpc))
		return ec2fs_fail(
			error, EC2_Gateway_NotAttached,
			"the instance %s is in %s%s, which has no internet gateway: write "
			"true to its internet-gateway first",
			instance->name, vpc ? "the VPC " : "no VPC", vpc ? vpc->name : "");
	address_disassociate(v, address);
	/* The instance's other one stays allocated; the automatic one is given back. */
	address_instance_gone(v, instance);
	unset(v, view_edit(v, instance), "public-ip-address");
	set_format(v, address, "@instance", "%" PRIu64, instance->number);
	set_text(v, address, "instance", instance->id);
	view_random_hex(v, hex, 17);
	set_format(v, address, "association-id", "eipassoc-%s", hex);
	return 0;
}

int address_set_instance(struct view *v, struct resource *r, const char *text, size_t len,
			 struct ec2fs_error *error)
{
	const struct resource *instance;
	int result;

	(void)len;
	if (!*text) {
		address_disassociate(v, r);
		return 0;
	}
	result = refer(v, r->parent, KIND_INSTANCE, EC2_InvalidInstanceID_NotFound, text, &instance,
		       error);
	if (result == 0)
		result = view_may(v, instance, 2, error);
	return result < 0 ? result : address_associate(v, r, instance, error);
}

int address_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *instance = associated_with(v, r);
	const struct resource *gateway = nat_gateway_of_address(v, r);
	const struct resource *vpc = instance ? instance_vpc(v, instance) : NULL;

	if (gateway)
		return ec2fs_fail(error, EC2_InvalidIPAddress_InUse,
				  "it is the address of the NAT gateway %s", gateway->name);
	/* EC2 disassociates by itself in the default VPC, and only there. */
	if (instance && vpc != vpc_default(v, r->parent))
		return ec2fs_fail(error, EC2_InvalidIPAddress_InUse,
				  "it is associated with the instance %s; write an empty line to "
				  "instance first",
				  instance->name);
	if (instance)
		address_disassociate(v, r);
	view_delete(v, r);
	return 0;
}
