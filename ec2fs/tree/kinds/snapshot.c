/* snapshots/NAME: the content of a volume at an instant; and its link in volumes/NAME/snapshots/.
 */
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
	ENTRY_ID("snapshot-id", "snap-…"),
	ENTRY_RW("volume", snapshot_set_volume,
		 "name or ID of the volume; writing it takes the snapshot",
		 .flags = ENTRY_VOLATILE | TREE_NOT_COPIED, .show = show_reference),
	ENTRY_RO("state", "draft, pending, completed or error"),
	ENTRY_RO("state-reason", "why it failed"),
	ENTRY_RO("progress", "0% to 100%"),
	ENTRY_RO("start-time", "its content is that of this time"),
	ENTRY_RO("completion-time", "when it was completed"),
	ENTRY_RO("size", "of the volume"),
	ENTRY_RO("encrypted", "as the volume is"),
	ENTRY_RW("description", snapshot_set_description, "free text"),
	ENTRY_RW("disk", snapshot_set_disk,
		 "its content, raw; write a raw or qcow2 file here to import one",
		 .flags = TREE_BLOB, .max = (size_t)DISK_MAX, .extra = &disk_extra),
	ENTRY_WAIT,
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir snapshot_dir = {.title = "snapshots/NAME", .entries = entries};

const struct kind_ops snapshot_kind = {
	.dir = &snapshot_dir, .remove = snapshot_remove, .rename = snapshot_rename};
