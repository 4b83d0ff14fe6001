#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	{.name = "group-id", .mode = S_IFREG | 0444, .show = show_id, .help = "sg-…"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir security_group_dir = {.title = "security-groups/NAME", .entries = entries};

const struct kind_ops security_group_kind = {.dir = &security_group_dir,
					     .remove = security_group_remove,
					     .rename = security_group_rename};
