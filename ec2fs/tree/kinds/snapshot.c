#include "ec2fs/model/storage.h"
#include "ec2fs/tree/internal.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <string.h>

/* volumes/NAME/snapshots/: a link for each snapshot of the volume, called as it was made there. */
static bool link_of(const struct view *v, const struct resource *r, uint64_t *ret_owner,
		    struct strbuf *name)
{
	if (r->kind != KIND_SNAPSHOT || !snapshot_volume(v, r) || storage_is_removed(r))
		return false;
	*ret_owner = resource_reference(r);
	strbuf_adds(name, resource_or(r, "@as", r->name));
	return true;
}

static const struct resource *link_next(const struct view *v, const struct resource *owner,
					uint64_t after)
{
	const struct resource *r = view_next_about(v, owner->number, KIND_SNAPSHOT, after);

	while (r && storage_is_removed(r))
		r = view_next_about(v, owner->number, KIND_SNAPSHOT, r->number);
	return r;
}

const struct links volume_snapshot_links = {
	.salt = "snapshots/link", .at = "snapshots", .of = link_of, .next = link_next};

/* The blob that was written to it, "" when it was taken of a volume; to be freed. */
static char *imported_blob(struct tree *t, uint64_t number)
{
	struct view v = cloud_read(t->cloud);
	const struct resource *r = view_get(&v, number);
	const char *value = r ? resource_or(r, "disk", "") : "";
	char *name = xasprintf("%.*s", (int)strcspn(value, " "), value);

	cloud_read_end(t->cloud);
	return name;
}

int snapshot_open(struct tree *t, uint64_t number, struct luks **ret_luks, int *ret_fd,
		  uint64_t *ret_size)
{
	cleanup_free char *imported = imported_blob(t, number);

	if (*imported)
		return blob_open(t->blobs, imported, ret_fd, ret_size, NULL);
	return t->engine ? engine_snapshot_open(t->engine, number, ret_luks, ret_fd, ret_size)
			 : -ENODATA;
}

bool snapshot_blocks(struct tree *t, uint64_t number, uint64_t *ret)
{
	cleanup_free char *imported = imported_blob(t, number);

	if (*imported)
		return blob_blocks(t->blobs, imported, ret);
	return t->engine && engine_snapshot_blocks(t->engine, number, ret);
}

static uint64_t disk_size(const struct show *s)
{
	return snapshot_disk_size(s->r);
}

static const struct entry_extra disk_extra = {.inspect = engine_inspect_disk,
					      .size = disk_size,
					      .open = snapshot_open,
					      .blocks = snapshot_blocks};

static const struct entry entries[] = {
	{.name = "snapshot-id", .mode = S_IFREG | 0444, .show = show_id, .help = "snap-…"},
	{.name = "volume",
	 .mode = S_IFREG | 0644,
	 .flags = ENTRY_VOLATILE | TREE_NOT_COPIED,
	 .show = show_reference,
	 .store = snapshot_set_volume,
	 .help = "name or ID of the volume; writing it takes the snapshot"},
	{.name = "state", .mode = S_IFREG | 0444, .help = "draft, pending, completed or error"},
	{.name = "state-reason", .mode = S_IFREG | 0444, .help = "why it failed"},
	{.name = "progress", .mode = S_IFREG | 0444, .help = "0% to 100%"},
	{.name = "start-time", .mode = S_IFREG | 0444, .help = "its content is that of this time"},
	{.name = "completion-time", .mode = S_IFREG | 0444, .help = "when it was completed"},
	{.name = "size", .mode = S_IFREG | 0444, .help = "of the volume"},
	{.name = "encrypted", .mode = S_IFREG | 0444, .help = "as the volume is"},
	{.name = "description",
	 .mode = S_IFREG | 0644,
	 .store = snapshot_set_description,
	 .help = "free text"},
	{.name = "disk",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_BLOB,
	 .max = (size_t)DISK_MAX,
	 .store = snapshot_set_disk,
	 .extra = &disk_extra,
	 .help = "its content, raw; write a raw or qcow2 file here to import one"},
	{.name = "wait",
	 .mode = S_IFREG | 0644,
	 .flags = TREE_WAIT | TREE_NOT_COPIED,
	 .show = show_nothing,
	 .store = store_wait,
	 .extra = &wait_extra,
	 .help = "write STATE [SECONDS]: returns when it is reached"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir snapshot_dir = {.title = "snapshots/NAME", .entries = entries};

const struct kind_ops snapshot_kind = {
	.dir = &snapshot_dir, .remove = snapshot_remove, .rename = snapshot_rename};
