/* vpcs/VPC/nat-gateways/NAME: a way out for private subnets. */
#include "ec2fs/model/network.h"
#include "ec2fs/tree/internal.h"

static void show_public_ip(const struct show *s, struct strbuf *out)
{
	uint32_t address = nat_gateway_public_ip(s->view, s->r);
	char text[CIDR_TEXT];

	if (!address)
		return;
	address_print(address, text);
	strbuf_addf(out, "%s\n", text);
}

static const struct entry entries[] = {
	ENTRY_ID("nat-gateway-id", "nat-…"),
	ENTRY_RW("subnet", nat_gateway_set_subnet,
		 "name of the subnet it is in, one with a route to the internet gateway",
		 .flags = ENTRY_VOLATILE, .show = show_reference),
	ENTRY_RW("address", nat_gateway_set_address, "name of the Elastic IP it sends from",
		 .flags = ENTRY_VOLATILE | TREE_NOT_COPIED, .show = show_reference),
	ENTRY_RW("connectivity-type", nat_gateway_set_connectivity_type, "public"),
	ENTRY_RO("state", "pending until it has subnet and address, then available"),
	ENTRY_RO("private-ip-address", "its own, in the subnet"),
	ENTRY_RO("public-ip-address", "that of its Elastic IP", .flags = ENTRY_VOLATILE,
		 .show = show_public_ip),
	ENTRY_WAIT,
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir nat_gateway_dir = {.title = "vpcs/VPC/nat-gateways/NAME",
					   .entries = entries};

const struct kind_ops nat_gateway_kind = {
	.dir = &nat_gateway_dir, .remove = nat_gateway_remove, .rename = nat_gateway_rename};
