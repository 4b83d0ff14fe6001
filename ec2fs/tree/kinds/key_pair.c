/* key-pairs/NAME: an SSH key. */
#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

static const struct entry_extra type_extra = {.prepare = key_pair_prepare};

static const struct entry entries[] = {
	ENTRY_ID("key-pair-id", "key-…"),
	ENTRY_RW("public-key", key_pair_set_public_key, "write an OpenSSH public key to import it",
		 .max = 16384),
	ENTRY_RW("key-type", key_pair_set_type, "write rsa or ed25519 to have a key made",
		 .flags = TREE_NOT_COPIED, .extra = &type_extra),
	ENTRY_RO("fingerprint", "as EC2 computes it"),
	{.name = "private-key",
	 .mode = S_IFREG | 0400,
	 .flags = ENTRY_QUIET,
	 .show = show_document,
	 .unset = key_pair_unset_private_key,
	 .present = field_present,
	 .help = "of a key made here, until you move it away"},
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir key_pair_dir = {.title = "key-pairs/NAME", .entries = entries};

const struct kind_ops key_pair_kind = {
	.dir = &key_pair_dir, .remove = key_pair_remove, .rename = key_pair_rename};
