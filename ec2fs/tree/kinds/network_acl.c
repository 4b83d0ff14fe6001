#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	{.name = "network-acl-id", .mode = S_IFREG | 0444, .show = show_id, .help = "acl-…"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir network_acl_dir = {.title = "vpcs/VPC/network-acls/NAME",
					   .entries = entries};

const struct kind_ops network_acl_kind = {
	.dir = &network_acl_dir, .remove = network_acl_remove, .rename = network_acl_rename};
