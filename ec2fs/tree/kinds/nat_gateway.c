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
	{.name = "nat-gateway-id", .mode = S_IFREG | 0444, .show = show_id, .help = "nat-…"},
	{.name = "subnet",
	 .mode = S_IFREG | 0644,
	 .flags = ENTRY_VOLATILE,
	 .show = show_reference,
	 .store = nat_gateway_set_subnet,
	 .help = "name of the subnet it is in, one with a route to the internet gateway"},
	{.name = "address",
	 .mode = S_IFREG | 0644,
	 .flags = ENTRY_VOLATILE | TREE_NOT_COPIED,
	 .show = show_reference,
	 .store = nat_gateway_set_address,
	 .help = "name of the Elastic IP it sends from"},
	{.name = "connectivity-type",
	 .mode = S_IFREG | 0644,
	 .store = nat_gateway_set_connectivity_type,
	 .help = "public"},
	{.name = "state",
	 .mode = S_IFREG | 0444,
	 .help = "pending until it has subnet and address, then available"},
	{.name = "private-ip-address", .mode = S_IFREG | 0444, .help = "its own, in the subnet"},
	{.name = "public-ip-address",
	 .mode = S_IFREG | 0444,
	 .flags = ENTRY_VOLATILE,
	 .show = show_public_ip,
	 .help = "that of its Elastic IP"},
	{.name = "wait",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_WAIT | TREE_NOT_COPIED,
	 .show = show_nothing,
	 .store = store_wait,
	 .extra = &wait_extra,
	 .help = "write STATE [SECONDS]: returns when it is reached"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir nat_gateway_dir = {.title = "vpcs/VPC/nat-gateways/NAME",
					   .entries = entries};

const struct kind_ops nat_gateway_kind = {
	.dir = &nat_gateway_dir, .remove = nat_gateway_remove, .rename = nat_gateway_rename};
