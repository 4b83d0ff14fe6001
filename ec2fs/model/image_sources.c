/* Images that are made from an instance or a snapshot (EC2's CreateImage and RegisterImage). */
#include "ec2fs/model/block_devices.h"
#include "ec2fs/model/instance.h"
#include "ec2fs/model/refer.h"
#include "ec2fs/model/storage.h"

#include "ec2fs/text/number.h"

#include <string.h>

/* Has it something to boot already, or was it made from something? */
static int need_empty(const struct view *v, const struct resource *r, struct ec2fs_error *error)
{
	static const char *const sources[] = {"source-instance", "source-snapshot", "disk"};

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (resource_get(r, sources[i]))
			return ec2fs_fail(error, EC2_IncorrectState,
					  "the image has a %s already; make another image",
					  sources[i]);
	if (image_root_snapshot(v, r))
		return ec2fs_fail(error, EC2_IncorrectState,
				  "its block-device-mappings name a root snapshot already");
	return 0;
}

int image_set_no_reboot(struct view *v, struct resource *r, const char *text, size_t len,
			struct ec2fs_error *error)
{
	bool on;
	int result = bool_parse(text, &on, error);

	(void)len;
	if (result < 0 || resource_is(r, "no-reboot", text))
		return result;
	if (resource_get(r, "source-instance"))
		return ec2fs_fail(error, EC2_IncorrectState,
				  "the image is made from its source-instance already");
	set_text(v, r, "no-reboot", text);
	return 0;
}

int image_set_source_instance(struct view *v, struct resource *r, const char *text, size_t len,
			      struct ec2fs_error *error)
{
	const struct resource *instance = view_refer(v, r->parent, KIND_INSTANCE, text);
	bool restart = !resource_is(r, "no-reboot", "true");
	int result;

	(void)len;
	if (resource_is(r, "source-instance", instance ? instance->id : text))
		return 0;
	result = need_empty(v, r, error);
	if (result == 0)
		result = refer(v, r->parent, KIND_INSTANCE, EC2_InvalidInstanceID_NotFound, text,
			       &instance, error);
	if (result == 0)
		result = view_may(v, instance, 2, error);
	if (result == 0)
		result = snapshot_take_all(v, instance, r->name, restart, error);
	if (result < 0)
		return result;
	if (!volume_root_of(v, instance))
		return ec2fs_fail(error, EC2_IncorrectInstanceState,
				  "the instance %s has no root volume", instance->name);
	set_text(v, r, "source-instance", instance->id);
	set_text(v, r, "architecture", resource_or(instance, "@architecture", "x86_64"));
	set_text(v, r, "root-device-name", resource_or(instance, "root-device-name", "/dev/xvda"));
	/* What it boots beside its disk. */
	if (resource_get(instance, "@kernel"))
		set_text(v, r, "@kernel-of", instance->id);
	if (resource_get(instance, "@cmdline"))
		set_text(v, r, "cmdline", resource_get(instance, "@cmdline"));
	block_devices_map_snapshots(v, r, r->name, instance);
	image_settle(v, r);
	return 0;
}

int image_set_source_snapshot(struct view *v, struct resource *r, const char *text, size_t len,
			      struct ec2fs_error *error)
{
	const struct resource *snapshot = view_refer(v, r->parent, KIND_SNAPSHOT, text);
	int result;

	(void)len;
	if (resource_is(r, "source-snapshot", snapshot ? snapshot->id : text))
		return 0;
	result = need_empty(v, r, error);
	if (result == 0)
		result = snapshot_refer(v, r->parent, text, &snapshot, error);
	if (result < 0)
		return result;
	if (resource_is(snapshot, "state", "draft") || resource_is(snapshot, "state", "error"))
		return ec2fs_fail(error, EC2_IncorrectState, "the snapshot %s is in state %s",
				  snapshot->name, resource_or(snapshot, "state", "?"));
	set_text(v, r, "source-snapshot", snapshot->id);
	block_devices_map_root(v, r, snapshot);
	image_settle(v, r);
	return 0;
}

int image_set_mappings(struct view *v, struct resource *r, const char *text, size_t len,
		       struct ec2fs_error *error)
{
	int result = block_devices_set(v, r, text, len, error);

	if (result == 0)
		image_settle(v, r);
	return result;
}

const struct resource *image_kernel_of(const struct view *v, const struct resource *image)
{
	const char *id = resource_get(image, "@kernel-of");

	return id ? view_by_id(v, id) : NULL;
}

bool image_wants_kernel(const struct resource *image)
{
	return resource_get(image, "@kernel-of");
}

void image_saw_kernel(struct view *v, struct resource *r, const char *kernel, const char *ramdisk)
{
	if (!image_wants_kernel(r))
		return;
	unset(v, r, "@kernel-of");
	if (kernel && *kernel)
		set_text(v, r, "kernel", kernel);
	if (ramdisk && *ramdisk)
		set_text(v, r, "ramdisk", ramdisk);
	image_settle(v, r);
}

struct progress {
	bool pending;
	const struct resource *failed;
};

static void look_at(void *context, const struct resource *snapshot)
{
	struct progress *p = context;

	if (resource_is(snapshot, "state", "error"))
		p->failed = snapshot;
	else if (!resource_is(snapshot, "state", "completed"))
		p->pending = true;
}

void image_settle(struct view *v, struct resource *r)
{
	bool bootable =
		resource_get(r, "disk") || resource_get(r, "kernel") || image_root_snapshot(v, r);
	struct progress p = {0};

	unset(v, r, "state-reason");
	unset(v, r, "progress");
	block_devices_of_image(v, r, look_at, &p);
	if (p.failed) {
		set_text(v, r, "state", "failed");
		set_format(v, r, "state-reason", "Client.InvalidSnapshot: the snapshot %s: %s",
			   p.failed->name, resource_or(p.failed, "state-reason", "it failed"));
	} else if (image_needs_conversion(r)) {
		set_text(v, r, "state", "pending");
		set_text(v, r, "progress", "0%");
	} else {
		set_text(v, r, "state",
			 bootable && !p.pending && !image_wants_kernel(r) ? "available"
									  : "pending");
	}
}

void images_saw_snapshot(struct view *v, const struct resource *snapshot)
{
	view_each (v, snapshot->parent, KIND_IMAGE, image)
		if (block_devices_name(image, snapshot))
			image_settle(v, view_edit(v, image));
}

const struct resource *image_of_snapshot(const struct view *v, const struct resource *snapshot)
{
	view_each (v, snapshot->parent, KIND_IMAGE, image)
		if (block_devices_name(image, snapshot))
			return image;
	return NULL;
}
