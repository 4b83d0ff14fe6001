#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	{.name = "route-table-id", .mode = S_IFREG | 0444, .show = show_id, .help = "rtb-…"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir route_table_dir = {.title = "vpcs/VPC/route-tables/NAME",
					   .entries = entries};

const struct kind_ops route_table_kind = {
	.dir = &route_table_dir, .remove = route_table_remove, .rename = route_table_rename};
