/* volumes/NAME: a disk. */
#include "ec2fs/model/storage.h"
#include "ec2fs/text/size.h"
#include "ec2fs/tree/internal.h"
#include "ec2fs/util/cleanup.h"

#include <inttypes.h>
#include <string.h>

static const struct resource *attached_to(const struct show *s)
{
	const struct resource *a = volume_attachment(s->view, s->r);

	return a ? attachment_instance(s->view, a) : NULL;
}

static bool is_attached(const struct show *s)
{
	return attached_to(s);
}

/* From the volume's directory. */
static void show_attachment(const struct show *s, struct strbuf *out)
{
	const struct resource *instance = attached_to(s);

	if (instance)
		show_path_to(s, instance, out);
}

static void show_attached_device(const struct show *s, struct strbuf *out)
{
	const struct resource *a = volume_attachment(s->view, s->r);

	if (a)
		strbuf_addf(out, "/dev/%s\n", a->name);
}

static void show_attachment_state(const struct show *s, struct strbuf *out)
{
	const struct resource *a = volume_attachment(s->view, s->r);

	if (a)
		strbuf_addf(out, "%s\n", attachment_state_name(attachment_state(a)));
}

static void show_attachments(const struct show *s, struct strbuf *out)
{
	view_each_about(s->view, s->r->number, KIND_ATTACHMENT, a)
	{
		const struct resource *instance = attachment_instance(s->view, a);

		if (instance)
			strbuf_addf(out, "%s /dev/%s %s\n", instance->name, a->name,
				    attachment_state_name(attachment_state(a)));
	}
}

static void show_iops(const struct show *s, struct strbuf *out)
{
	uint64_t n = volume_iops(s->r);

	if (n)
		strbuf_addf(out, "%" PRIu64 "\n", n);
}

static void show_throughput(const struct show *s, struct strbuf *out)
{
	uint64_t n = volume_throughput(s->r);

	if (n)
		strbuf_addf(out, "%" PRIu64 "\n", n);
}

static bool is_made(const struct show *s)
{
	return volume_made_size(s->r);
}

/* The host's file or block device. */
static void show_device(const struct show *s, struct strbuf *out)
{
	cleanup_free char *storage = storage_of(s->view, s->r, "availability-zone");
	cleanup_free char *path = NULL;

	if (storage && s->tree->engine)
		path = engine_volume_path(s->tree->engine, storage, s->r->id);
	if (path)
		strbuf_adds(out, path);
}

static void show_filesystem(const struct show *s, struct strbuf *out)
{
	if (s->tree->engine)
		engine_filesystem(s->tree->engine, s->r->id, out);
}

static int refresh_filesystem(struct tree *t, uint64_t number, const char *id)
{
	return t->engine ? engine_refresh_filesystem(t->engine, number, id) : 0;
}

static bool filesystem_is_still(const struct show *s)
{
	return resource_is(s->r, "state", "draft") ||
	       (s->tree->engine && engine_filesystem_is_known(s->tree->engine, s->r->id));
}

static const struct entry_extra filesystem_extra = {.still = filesystem_is_still,
						    .refresh = refresh_filesystem};

static const struct dir snapshots_dir = {
	.title = "volumes/NAME/snapshots", .make = snapshot_take, .links = &volume_snapshot_links};

static bool same_size(const char *one, const char *other)
{
	uint64_t a, b;

	return size_parse(one, GIB, &a, NULL) == 0 && size_parse(other, GIB, &b, NULL) == 0 &&
	       a == b;
}

static const struct entry_extra size_extra = {.same = same_size};

/* What creates a volume comes after what says how: copying tools go in this order. */
static const struct entry entries[] = {
	ENTRY_ID("volume-id", "vol-…"),
	ENTRY_RW("volume-type", volume_set_type, "gp3, gp2, io1, io2, st1, sc1 or standard",
		 .flags = ENTRY_SPEC),
	ENTRY_RW("iops", volume_set_iops, "of gp3, io1 and io2",
		 .flags = ENTRY_SPEC | ENTRY_VOLATILE, .show = show_iops),
	ENTRY_RW("throughput", volume_set_throughput, "MiB/s, of gp3",
		 .flags = ENTRY_SPEC | ENTRY_VOLATILE, .show = show_throughput),
	ENTRY_RW("encrypted", volume_set_encrypted, "true or false; fixed when it is created",
		 .flags = ENTRY_SPEC),
	ENTRY_RW("multi-attach-enabled", volume_set_multi_attach,
		 "true lets several instances have an io1 or io2 volume", .flags = ENTRY_SPEC),
	ENTRY_RW("availability-zone", volume_set_zone, "where it is; fixed when it is created",
		 .flags = ENTRY_SPEC),
	ENTRY_RW("snapshot", volume_set_snapshot,
		 "name or ID of what it begins as; writing it creates the volume", .order = 1,
		 .flags = ENTRY_SPEC | ENTRY_VOLATILE, .show = show_reference),
	ENTRY_RW("size", volume_set_size,
		 "GiB; writing it creates the volume, and later lets it grow", .order = 2,
		 .flags = ENTRY_SPEC, .extra = &size_extra),
	ENTRY_RW("spec", store_spec,
		 "what can be set above, in KEY VALUE lines; a write is one transaction",
		 .flags = TREE_DOCUMENT | ENTRY_VOLATILE | ENTRY_QUIET, .max = 16 * 1024,
		 .show = show_spec),
	ENTRY_RO("state", "draft, creating, available, in-use, deleting or error"),
	ENTRY_RO("state-reason", "what went wrong"),
	ENTRY_RO("modification-state",
		 "of its last change: modifying, optimizing, completed or failed"),
	ENTRY_RO("modification-progress", "0% to 100%"),
	ENTRY_RO("create-time", "when it was created"),
	{.name = "device",
	 .mode = S_IFLNK | 0777,
	 .show = show_device,
	 .present = is_made,
	 .help = "the host's file or block device behind it"},
	ENTRY_RO("filesystem", "what is on it: type, label, uuid; empty: nothing that is known",
		 .flags = TREE_LIVE | TREE_REFRESH, .show = show_filesystem,
		 .extra = &filesystem_extra),
	{.name = "attachment",
	 .mode = S_IFLNK | 0777,
	 .show = show_attachment,
	 .present = is_attached,
	 .help = "the instance that has it"},
	ENTRY_RO("attached-device", "its name there", .show = show_attached_device),
	ENTRY_RO("attachment-state", "attaching, attached, detaching or busy",
		 .show = show_attachment_state),
	ENTRY_RO("attachments", "INSTANCE DEVICE STATE of each", .flags = ENTRY_VOLATILE,
		 .show = show_attachments),
	ENTRY_RW("delete-on-termination", volume_set_delete_on_termination,
		 "whether it goes with its instance"),
	ENTRY_WAIT,
	ENTRY_DIR("snapshots", &snapshots_dir, "a link for each of its snapshots; mkdir takes one"),
	ENTRY_TAGS,
	ENTRY_ERROR,
	{0},
};

static const struct dir volume_dir = {.title = "volumes/NAME", .entries = entries};

const struct kind_ops volume_kind = {.dir = &volume_dir,
				     .remove = volume_remove,
				     .rename = volume_rename,
				     .settle = volume_settle};
