#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	{.name = "vpc-peering-connection-id",
	 .mode = S_IFREG | 0444,
	 .show = show_id,
	 .help = "pcx-…"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir peering_dir = {.title = "vpcs/VPC/peerings/NAME", .entries = entries};

const struct kind_ops peering_kind = {
	.dir = &peering_dir, .remove = peering_remove, .rename = peering_rename};
