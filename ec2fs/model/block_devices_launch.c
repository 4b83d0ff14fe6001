/* The disks of a launch: the image's block device mappings, what the launch says instead, and the
 * volumes that come of it. */
#include "ec2fs/model/block_devices_internal.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/text/time.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Of a launched instance: the lines of its instance store. */
#define EPHEMERAL "@ephemeral"

/* A launch's line over the image's: what it leaves out is the image's. */
static void overlay(struct devices *all, const struct block_device *d)
{
	struct block_device *there = devices_find(all, d->name), merged = *d;

	if (!there) {
		devices_add(all, d);
		return;
	}
	if (d->content == BLOCK_DEVICE_VOLUME && there->content == BLOCK_DEVICE_SNAPSHOT) {
		merged.content = BLOCK_DEVICE_SNAPSHOT;
		memcpy(merged.snapshot, there->snapshot, sizeof(merged.snapshot));
	}
	if (d->content == BLOCK_DEVICE_VOLUME) {
		if (!merged.gib)
			merged.gib = there->gib;
		/* Figures belong to a type. */
		if (!*merged.type) {
			memcpy(merged.type, there->type, sizeof(merged.type));
			merged.iops = merged.iops ? merged.iops : there->iops;
			merged.throughput =
				merged.throughput ? merged.throughput : there->throughput;
		}
		if (merged.delete_on_termination == BLOCK_DEVICE_UNSET)
			merged.delete_on_termination = there->delete_on_termination;
		merged.encrypted |= there->encrypted;
	}
	*there = merged;
}

/* What a volume at that device begins as, and its least size. */
static int content_of(const struct view *v, const struct block_device *d,
		      const struct resource *image, bool root, const struct resource **ret_snapshot,
		      uint64_t *ret_least, struct ec2fs_error *error)
{
	*ret_snapshot = NULL;
	*ret_least = root ? (image_disk_size(image) + GIB - 1) / GIB : 0;
	if (d->content != BLOCK_DEVICE_SNAPSHOT || (root && image_disk_size(image)))
		return 0;
	*ret_snapshot = view_by_id(v, d->snapshot);
	if (!*ret_snapshot || storage_is_removed(*ret_snapshot))
		return ec2fs_fail(error, EC2_InvalidSnapshot_NotFound,
				  "/dev/%s: the snapshot %s is gone", d->name, d->snapshot);
	if (!resource_is(*ret_snapshot, "state", "completed"))
		return ec2fs_fail(error, EC2_IncorrectState,
				  "/dev/%s: the snapshot %s is %s; wait until it is completed",
				  d->name, (*ret_snapshot)->name,
				  resource_or(*ret_snapshot, "state", "?"));
	*ret_least = snapshot_size(*ret_snapshot) / GIB;
	return 0;
}

static int make_volume(struct view *v, const struct resource *instance,
		       const struct resource *image, const struct block_device *d, bool root,
		       struct ec2fs_error *error)
{
	struct strbuf now __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	struct volume_spec spec = {.type = *d->type ? d->type : "gp3",
				   .gib = d->gib,
				   .iops = d->iops,
				   .throughput = d->throughput};
	const struct resource *snapshot;
	struct resource *r;
	uint64_t least;
	int result = content_of(v, d, image, root, &snapshot, &least, error);

	if (result < 0)
		return result;
	if (!spec.gib)
		spec.gib = least ? least : 1;
	if (spec.gib < least)
		return ec2fs_fail(error, EC2_InvalidBlockDeviceMapping,
				  "/dev/%s: %" PRIu64
				  " GiB are too small for what is on it; wanted are "
				  "%" PRIu64 " or more",
				  d->name, spec.gib, least);
	if (root && !volume_type_boots(spec.type))
		return ec2fs_fail(error, EC2_BootForVolumeTypeUnsupported,
				  "/dev/%s: a root volume cannot be of type %s", d->name,
				  spec.type);
	result = volume_spec_check(&spec, error);
	if (result == 0)
		result = volume_quota_check(v, view_get(v, instance->parent), &spec, NO_NUMBER,
					    error);
	if (result < 0)
		return ec2fs_wrap(error, "/dev/%s", d->name);
	/* It has no other name than its ID, as EC2's have none. */
	r = view_create(v, instance->parent, KIND_VOLUME, "");
	view_rename(v, r, r->id);
	r->uid = instance->uid;
	r->gid = instance->gid;
	time_print(v->now, &now);
	set_format(v, r, "size", "%" PRIu64 " GiB", spec.gib);
	set_text(v, r, "volume-type", spec.type);
	if (spec.iops && volume_type_takes_iops(spec.type))
		set_format(v, r, "iops", "%" PRIu64, spec.iops);
	if (spec.throughput)
		set_format(v, r, "throughput", "%" PRIu64, spec.throughput);
	set_text(v, r, "encrypted", d->encrypted ? "true" : "false");
	volume_encrypt(v, r, snapshot);
	set_default(r, "multi-attach-enabled", "false");
	if (snapshot)
		set_text(v, r, "snapshot", snapshot->id);
	else if (root)
		set_text(v, r, "@image", image->id);
	set_text(v, r, "state", "creating");
	set_text(v, r, "availability-zone", resource_or(instance, "availability-zone", ""));
	set_text(v, r, "create-time", strbuf_str(&now));
	set_text(v, r, "delete-on-termination",
		 d->delete_on_termination == BLOCK_DEVICE_FALSE ? "false" : "true");
	attachment_add(v, instance, d->name, r);
	return 0;
}

/* The links of the draft: still there to be attached? */
static int check_links(const struct view *v, const struct resource *instance,
		       const struct devices *all, const char *root, struct ec2fs_error *error)
{
	struct instance_store store;
	size_t count = 0;

	view_each (v, instance->number, KIND_ATTACHMENT, a) {
		const struct resource *volume = attachment_volume(v, a);

		count++;
		if (strcmp(a->name, root) == 0)
			return ec2fs_fail(
				error, EC2_InvalidBlockDeviceMapping,
				"%s in volumes/ is the root device; call that link otherwise",
				a->name);
		for (size_t i = 0; i < all->count; i++)
			if (strcmp(all->all[i].name, a->name) == 0 &&
			    all->all[i].content != BLOCK_DEVICE_NONE)
				return ec2fs_fail(
					error, EC2_InvalidBlockDeviceMapping,
					"the block device mappings have something else at "
					"/dev/%s, where volumes/ has %s",
					a->name, volume ? volume->name : "a volume");
		if (volume && strcmp(resource_or(volume, "availability-zone", ""),
				     resource_or(instance, "availability-zone", "")) != 0)
			return ec2fs_fail(
				error, EC2_InvalidVolume_ZoneMismatch,
				"the volume %s is in %s, and the instance is launched in %s",
				volume->name, resource_or(volume, "availability-zone", ""),
				resource_or(instance, "availability-zone", ""));
	}
	for (size_t i = 0; i < all->count; i++)
		count += all->all[i].content == BLOCK_DEVICE_VOLUME ||
			 all->all[i].content == BLOCK_DEVICE_SNAPSHOT;
	instance_store(v, instance, &store);
	if (count + store.count + 1 > MOST_ATTACHMENTS)
		return ec2fs_fail(error, EC2_AttachmentLimitExceeded,
				  "with its interface and its instance store it would have %zu "
				  "attachments; %d are possible",
				  count + store.count + 1, MOST_ATTACHMENTS);
	return 0;
}

/* Disks that the type has; EC2 passes over the others. */
static void keep_ephemeral(struct view *v, struct resource *instance, const struct devices *all)
{
	struct strbuf text __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	struct instance_store store;

	instance_store(v, instance, &store);
	for (size_t i = 0; i < all->count; i++)
		if (all->all[i].content == BLOCK_DEVICE_EPHEMERAL &&
		    all->all[i].ephemeral < store.count)
			block_device_print(&all->all[i], &text);
	if (text.len)
		set_text(v, instance, EPHEMERAL, strbuf_str(&text));
}

int block_devices_launch(struct view *v, struct resource *instance, const struct resource *image,
			 struct ec2fs_error *error)
{
	const char *root = device_name(resource_or(instance, "root-device-name", "/dev/xvda"));
	struct devices all cleanup_devices = {0}, own cleanup_devices = {0};
	struct block_device plain = {.content = BLOCK_DEVICE_VOLUME}, *d;
	int result;

	devices_read(image, &all);
	devices_read(instance, &own);
	for (size_t i = 0; i < own.count; i++)
		overlay(&all, &own.all[i]);
	d = devices_find(&all, root);
	if (d && (d->content == BLOCK_DEVICE_NONE || d->content == BLOCK_DEVICE_EPHEMERAL))
		return ec2fs_fail(error, EC2_InvalidBlockDeviceMapping,
				  "/dev/%s is the root device, which is a volume", root);
	if (!d) {
		snprintf(plain.name, sizeof(plain.name), "%s", root);
		devices_add(&all, &plain);
	}
	result = check_links(v, instance, &all, root, error);
	keep_ephemeral(v, instance, &all);
	/* The root volume first: guests see disks in this order. */
	for (size_t i = 0; result == 0 && i < all.count; i++)
		if (strcmp(all.all[i].name, root) == 0)
			result = make_volume(v, instance, image, &all.all[i], true, error);
	for (size_t i = 0; result == 0 && i < all.count; i++) {
		d = &all.all[i];
		if (strcmp(d->name, root) == 0 || d->content == BLOCK_DEVICE_NONE ||
		    d->content == BLOCK_DEVICE_EPHEMERAL)
			continue;
		if (d->content == BLOCK_DEVICE_VOLUME && !d->gib)
			return ec2fs_fail(
				error, EC2_InvalidBlockDeviceMapping,
				"/dev/%s: neither the mapping nor the image says how big it "
				"is; write size:GIB",
				d->name);
		result = make_volume(v, instance, image, d, false, error);
	}
	return result;
}

size_t block_devices_ephemeral(const struct resource *instance, char (*ret)[32], size_t most)
{
	struct devices all cleanup_devices = {0};
	size_t count = 0;

	for (size_t i = 0; i < most; i++)
		*ret[i] = '\0';
	devices_parse(resource_or(instance, EPHEMERAL, ""), &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct block_device *d = &all.all[i];

		if (d->ephemeral >= most)
			continue;
		memcpy(ret[d->ephemeral], d->name, sizeof(d->name));
		count++;
	}
	return count;
}
