#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	{.name = "subnet-id", .mode = S_IFREG | 0444, .show = show_id, .help = "subnet-…"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir subnet_dir = {.title = "vpcs/VPC/subnets/NAME", .entries = entries};

const struct kind_ops subnet_kind = {
	.dir = &subnet_dir, .remove = subnet_remove, .rename = subnet_rename};
