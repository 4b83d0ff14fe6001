/* vpcs/VPC/vpn/NAME: a joint to a network of the user's. */
#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	ENTRY_ID("vpn-gateway-id", "vgw-…"),
	ENTRY_RW("interface", vpn_gateway_set_interface,
		 "of the host, to your own network: eth1, or a WireGuard device",
		 .flags = TREE_NOT_COPIED),
	ENTRY_RW("customer-gateway", vpn_gateway_set_customer_gateway,
		 "address of your router there, where one is needed",
		 .unset = vpn_gateway_unset_customer_gateway),
	ENTRY_RW("routes", vpn_gateway_set_routes,
		 "CIDR blocks of your own network, one a line, for tables that propagate",
		 .flags = TREE_DOCUMENT, .max = 16 * 1024, .show = show_document),
	ENTRY_RO("state", "pending until it has an interface, then available"),
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir vpn_gateway_dir = {.title = "vpcs/VPC/vpn/NAME", .entries = entries};

const struct kind_ops vpn_gateway_kind = {
	.dir = &vpn_gateway_dir, .remove = vpn_gateway_remove, .rename = vpn_gateway_rename};
