#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

/* max-entries comes first: copying tools go through a directory in this order. */
static const struct entry entries[] = {
	{.name = "prefix-list-id", .mode = S_IFREG | 0444, .show = show_id, .help = "pl-…"},
	{.name = "max-entries",
	 .mode = S_IFREG | 0644,
	 .store = prefix_list_set_max_entries,
	 .help = "the most entries; as many rules it counts for where it is named"},
	{.name = "entries",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_DOCUMENT,
	 .max = 512 * 1024,
	 .show = show_document,
	 .store = prefix_list_set_entries,
	 .help = "CIDR lines"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir prefix_list_dir = {.title = "prefix-lists/NAME", .entries = entries};

const struct kind_ops prefix_list_kind = {
	.dir = &prefix_list_dir, .remove = prefix_list_remove, .rename = prefix_list_rename};
