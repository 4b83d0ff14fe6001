#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	{.name = "vpn-gateway-id", .mode = S_IFREG | 0444, .show = show_id, .help = "vgw-…"},
	{.name = "interface",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_NOT_COPIED,
	 .store = vpn_gateway_set_interface,
	 .help = "of the host, to your own network: eth1, or a WireGuard device"},
	{.name = "customer-gateway",
	 .mode = S_IFREG | 0644,
	 .store = vpn_gateway_set_customer_gateway,
	 .unset = vpn_gateway_unset_customer_gateway,
	 .help = "address of your router there, where one is needed"},
	{.name = "routes",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_DOCUMENT,
	 .max = 16 * 1024,
	 .show = show_document,
	 .store = vpn_gateway_set_routes,
	 .help = "CIDR blocks of your own network, one a line, for tables that propagate"},
	{.name = "state",
	 .mode = S_IFREG | 0444,
	 .help = "pending until it has an interface, then available"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir vpn_gateway_dir = {.title = "vpcs/VPC/vpn/NAME", .entries = entries};

const struct kind_ops vpn_gateway_kind = {
	.dir = &vpn_gateway_dir, .remove = vpn_gateway_remove, .rename = vpn_gateway_rename};
