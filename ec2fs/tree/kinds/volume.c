#include "ec2fs/model/kinds.h"
#include "ec2fs/tree/internal.h"
#include "ec2fs/util/cleanup.h"

#include <string.h>

static const struct resource *attached_to(const struct show *s)
{
	uint64_t number = resource_u64(s->r, "@instance", 0);

	return number ? view_get(s->view, number) : NULL;
}

static bool is_attached(const struct show *s)
{
	return attached_to(s);
}

static void show_attachment(const struct show *s, struct strbuf *out)
{
	const struct resource *instance = attached_to(s);

	if (instance)
		strbuf_addf(out, "../../%s/%s",
			    resource_get(instance, "@removed") ? "by-id" : "instances",
			    instance->name);
}

static void show_attached_device(const struct show *s, struct strbuf *out)
{
	const char *device = resource_get(s->r, "@device");

	if (device)
		strbuf_addf(out, "%s\n", device);
}

/* The host's file or block device. */
static void show_device(const struct show *s, struct strbuf *out)
{
	const struct resource *zone = view_find(s->view, s->r->parent, KIND_ZONE,
						resource_or(s->r, "availability-zone", ""));
	cleanup_free char *path = NULL;

	if (zone && s->tree->engine)
		path = engine_volume_path(s->tree->engine, resource_or(zone, "storage", ""),
					  s->r->id);
	if (path)
		strbuf_adds(out, path);
}

static const struct entry entries[] = {
	{.name = "volume-id", .mode = S_IFREG | 0444, .show = show_id, .help = "vol-…"},
	{.name = "size", .mode = S_IFREG | 0444, .help = "such as 8 GiB"},
	{.name = "volume-type", .mode = S_IFREG | 0444, .help = "gp3"},
	{.name = "availability-zone", .mode = S_IFREG | 0444, .help = "where it is"},
	{.name = "create-time", .mode = S_IFREG | 0444, .help = "when it was made"},
	{.name = "state", .mode = S_IFREG | 0444, .help = "creating, in-use, available, deleting"},
	{.name = "device",
	 .mode = S_IFLNK | 0777,
	 .show = show_device,
	 .help = "the host's file or block device behind it"},
	{.name = "attachment",
	 .mode = S_IFLNK | 0777,
	 .show = show_attachment,
	 .present = is_attached,
	 .help = "the instance that has it"},
	{.name = "attached-device",
	 .mode = S_IFREG | 0444,
	 .show = show_attached_device,
	 .help = "its name there"},
	{.name = "delete-on-termination",
	 .mode = S_IFREG | 0644,
	 .store = volume_set_delete_on_termination,
	 .help = "whether it goes with its instance"},
	{.name = "tags", .mode = S_IFDIR | 0755, .dir = &tags_dir, .help = "a file each"},
	{.name = "error",
	 .mode = S_IFREG | 0444,
	 .show = show_error,
	 .help = "why the last change was refused"},
	{0},
};

static const struct dir volume_dir = {.title = "volumes/NAME", .entries = entries};

const struct kind_ops volume_kind = {
	.dir = &volume_dir, .remove = volume_remove, .rename = volume_rename};
