#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry entries[] = {
	{.name = "allocation-id", .mode = S_IFREG | 0444, .show = show_id, .help = "eipalloc-…"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir address_dir = {.title = "addresses/NAME", .entries = entries};

const struct kind_ops address_kind = {
	.dir = &address_dir, .remove = address_remove, .rename = address_rename};
