/* prefix-lists/NAME: CIDRs by a name. */
#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

/* max-entries comes first: copying tools go through a directory in this order. */
static const struct entry entries[] = {
	ENTRY_ID("prefix-list-id", "pl-…"),
	ENTRY_RW("max-entries", prefix_list_set_max_entries,
		 "the most entries; as many rules it counts for where it is named"),
	ENTRY_RW("entries", prefix_list_set_entries, "CIDR lines", .flags = TREE_DOCUMENT,
		 .max = 512 * 1024, .show = show_document),
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir prefix_list_dir = {.title = "prefix-lists/NAME", .entries = entries};

const struct kind_ops prefix_list_kind = {
	.dir = &prefix_list_dir, .remove = prefix_list_remove, .rename = prefix_list_rename};
