#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry_extra type_extra = {.prepare = key_pair_prepare};

static const struct entry entries[] = {
	{.name = "key-pair-id", .mode = S_IFREG | 0444, .show = show_id, .help = "key-…"},
	{.name = "public-key",
	 .mode = S_IFREG | 0644,
	 .max = 16384,
	 .store = key_pair_set_public_key,
	 .help = "write an OpenSSH public key to import it"},
	{.name = "key-type",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_NOT_COPIED,
	 .store = key_pair_set_type,
	 .extra = &type_extra,
	 .help = "write rsa or ed25519 to have a key made"},
	{.name = "fingerprint", .mode = S_IFREG | 0444, .help = "as EC2 computes it"},
	{.name = "private-key",
	 .mode = S_IFREG | 0400,
	 .flags = ENTRY_QUIET,
	 .show = show_document,
	 .unset = key_pair_unset_private_key,
	 .present = field_present,
	 .help = "of a key made here, until you move it away"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir key_pair_dir = {.title = "key-pairs/NAME", .entries = entries};

const struct kind_ops key_pair_kind = {
	.dir = &key_pair_dir, .remove = key_pair_remove, .rename = key_pair_rename};
