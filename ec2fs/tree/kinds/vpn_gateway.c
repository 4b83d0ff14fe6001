#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	{.name = "vpn-gateway-id", .mode = S_IFREG | 0444, .show = show_id, .help = "vgw-…"},
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
