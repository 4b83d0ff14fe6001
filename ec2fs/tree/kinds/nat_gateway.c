#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	{.name = "nat-gateway-id", .mode = S_IFREG | 0444, .show = show_id, .help = "nat-…"},
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
