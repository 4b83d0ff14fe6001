/* tags/KEY, of whatever has tags: a file whose text is the value. */
#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"

/* Users name the files; all are like this one. */
static const struct entry tag_file = {.name = "value",
				      .mode = S_IFREG | 0644,
				      .store = tag_set_value,
				      .max = 1024 + 1,
				      .help = "the tag's value, at most 256 characters"};

const struct dir tags_dir = {.title = "tags", .child = KIND_TAG, .make = tag_make};

const struct kind_ops tag_kind = {.file = &tag_file, .remove = tag_remove, .rename = tag_rename};
