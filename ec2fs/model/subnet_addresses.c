/* The addresses of a subnet: which are free, which are whose. */
#include "ec2fs/model/network.h"

#include "ec2fs/util/cleanup.h"

#include <string.h>

/* EC2 keeps the network's address, the three after it (router, DNS, future use) and the last. */
#define RESERVED_FIRST 4
#define RESERVED 5

/* Calls each with every interface in the subnet, until one answers true. Returns that one. */
static const struct resource *find_interface(const struct view *v, const struct resource *subnet,
					     bool (*each)(void *context, const struct resource *r,
							  uint32_t address),
					     void *context)
{
	const struct resource *vpc = view_get(v, subnet->parent);

	view_each (v, subnet->parent, KIND_NAT_GATEWAY, nat)
		if (nat_gateway_private_ip(nat) && resource_is(nat, "subnet", subnet->id) &&
		    each(context, nat, nat_gateway_private_ip(nat)))
			return nat;
	view_each (v, vpc ? vpc->parent : NO_NUMBER, KIND_INSTANCE, r)
		if (resource_is(r, "subnet", subnet->id) && instance_holds_address(r) &&
		    each(context, r, instance_private_ip(r)))
			return r;
	return NULL;
}

static bool any(void *context, const struct resource *r, uint32_t address)
{
	(void)context;
	(void)r;
	(void)address;
	return true;
}

const struct resource *subnet_inhabitant(const struct view *v, const struct resource *subnet)
{
	return find_interface(v, subnet, any, NULL);
}

static bool is_address(void *context, const struct resource *r, uint32_t address)
{
	(void)r;
	return address == *(uint32_t *)context;
}

static bool reserved(struct cidr c, uint32_t address)
{
	return address - c.address < RESERVED_FIRST || address == cidr_last(c);
}

/* Interfaces need a subnet with a block. */
static int need_cidr(const struct resource *subnet, struct cidr *ret, struct ec2fs_error *error)
{
	if (subnet_cidr(subnet, ret))
		return 0;
	return ec2fs_fail(error, EC2_IncorrectState,
			  "the subnet %s has no block yet; write one to its cidr-block",
			  subnet->name);
}

int subnet_check_address(const struct view *v, const struct resource *subnet, uint32_t address,
			 struct ec2fs_error *error)
{
	const struct resource *taken;
	char text[CIDR_TEXT];
	struct cidr c;
	int result = need_cidr(subnet, &c, error);

	if (result < 0)
		return result;
	address_print(address, text);
	if (!cidr_has(c, address))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s is not in the subnet %s, which has %s", text, subnet->name,
				  resource_or(subnet, "cidr-block", ""));
	if (reserved(c, address))
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "%s is reserved: the first four addresses of a subnet and its "
				  "last",
				  text);
	taken = find_interface(v, subnet, is_address, &address);
	if (taken)
		return ec2fs_fail(error, EC2_InvalidIPAddress_InUse, "the %s %s has %s",
				  kind_name(taken->kind), taken->name, text);
	return 0;
}

/* A bit for each address of a subnet. */
struct bitmap {
	struct cidr c;
	unsigned char *bits;
};

static bool mark(void *context, const struct resource *r, uint32_t address)
{
	struct bitmap *b = context;
	uint32_t i = address - b->c.address;

	(void)r;
	if (cidr_has(b->c, address))
		b->bits[i / 8] |= (unsigned char)(1u << i % 8);
	return false;
}

int subnet_free_address(const struct view *v, const struct resource *subnet, uint32_t *ret,
			struct ec2fs_error *error)
{
	cleanup_free unsigned char *bits = NULL;
	struct bitmap b;
	uint32_t last;
	int result = need_cidr(subnet, &b.c, error);

	if (result < 0)
		return result;
	/* One pass over the interfaces; at most 8 KiB. */
	last = cidr_last(b.c) - b.c.address;
	b.bits = bits = calloc(last / 8 + 1, 1);
	if (!bits)
		return ec2fs_fail_errno(error, ENOMEM, EC2_InternalError, "out of memory");
	find_interface(v, subnet, mark, &b);
	for (uint32_t i = RESERVED_FIRST; i < last; i++)
		if (!(bits[i / 8] >> i % 8 & 1)) {
			*ret = b.c.address + i;
			return 0;
		}
	return ec2fs_fail(error, EC2_InsufficientFreeAddressesInSubnet,
			  "all addresses of the subnet %s (%s) are taken", subnet->name,
			  resource_or(subnet, "cidr-block", ""));
}

static bool count_one(void *context, const struct resource *r, uint32_t address)
{
	(void)r;
	(void)address;
	++*(uint64_t *)context;
	return false;
}

uint64_t subnet_available(const struct view *v, const struct resource *subnet)
{
	uint64_t taken = 0, all;
	struct cidr c;

	if (!subnet_cidr(subnet, &c))
		return 0;
	all = (UINT64_C(1) << (32 - c.prefix)) - RESERVED;
	find_interface(v, subnet, count_one, &taken);
	return taken < all ? all - taken : 0;
}
