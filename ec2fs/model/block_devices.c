/* Block device mappings: what an image says that its instances' disks are, what a launch says
 * instead, and the volumes that come of it. */
#include "ec2fs/model/block_devices.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/text/block_device.h"
#include "ec2fs/text/time.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beside the text as it was written stands what it means: snapshots by ID. */
#define WRITTEN "block-device-mappings"
#define MEANING "@mappings"
/* Of a launched instance: the lines of its instance store. */
#define EPHEMERAL "@ephemeral"

static void free_devices(struct devices *d)
{
	free(d->all);
}

#define cleanup_devices __attribute__((cleanup(free_devices)))

struct resolving {
	const struct view *v;
	uint64_t region;
	struct strbuf *out;
};

static int resolve_line(void *context, const struct block_device *d, struct ec2fs_error *error)
{
	struct resolving *x = context;
	struct block_device resolved = *d;
	const struct resource *snapshot;
	int r;

	if (*d->type) {
		r = volume_type_check(d->type, error);
		if (r < 0)
			return r;
	}
	if (d->content == BLOCK_DEVICE_SNAPSHOT) {
		r = snapshot_refer(x->v, x->region, d->snapshot, &snapshot, error);
		if (r < 0)
			return r;
		snprintf(resolved.snapshot, sizeof(resolved.snapshot), "%s", snapshot->id);
	}
	block_device_print(&resolved, x->out);
	return 0;
}

/* Names become IDs. */
static int resolve(const struct view *v, uint64_t region, const char *text, size_t len,
		   struct strbuf *out, struct ec2fs_error *error)
{
	struct resolving x = {v, region, out};

	return block_devices_parse(text, len, resolve_line, &x, error);
}

int block_devices_set(struct view *v, struct resource *r, const char *text, size_t len,
		      struct ec2fs_error *error)
{
	struct strbuf meaning __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	int result = resolve(v, r->parent, text, len, &meaning, error);

	if (result < 0)
		return result;
	if (meaning.len) {
		set_data(v, r, WRITTEN, text, len);
		set_text(v, r, MEANING, strbuf_str(&meaning));
	} else {
		unset(v, r, WRITTEN);
		unset(v, r, MEANING);
	}
	return 0;
}

/* IDs become names, where what has them is still there. */
static int name_line(void *context, const struct block_device *d, struct ec2fs_error *error)
{
	struct resolving *x = context;
	struct block_device named = *d;
	const struct resource *snapshot =
		d->content == BLOCK_DEVICE_SNAPSHOT ? view_by_id(x->v, d->snapshot) : NULL;

	(void)error;
	/* A name with blanks would be two words. */
	if (snapshot && !strpbrk(snapshot->name, " \t#") && !storage_is_removed(snapshot))
		snprintf(named.snapshot, sizeof(named.snapshot), "%s", snapshot->name);
	block_device_print(&named, x->out);
	return 0;
}

void block_devices_print(const struct view *v, const struct resource *r, struct strbuf *out)
{
	struct strbuf meaning __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	const struct field *written = resource_field(r, WRITTEN);
	const char *is = resource_get(r, MEANING);
	struct resolving x = {v, r->parent, out};

	if (!is)
		return;
	/* As it was written, as long as it says what is. */
	if (written && written->value &&
	    resolve(v, r->parent, written->value->data, written->value->len, &meaning, NULL) == 0 &&
	    strcmp(strbuf_str(&meaning), is) == 0)
		strbuf_add(out, written->value->data, written->value->len);
	else
		block_devices_parse(is, strlen(is), name_line, &x, NULL);
}

static int add_line(void *context, const struct block_device *d, struct ec2fs_error *error)
{
	struct devices *all = context;

	(void)error;
	array_reserve(all->all, all->count, all->capacity);
	all->all[all->count++] = *d;
	return 0;
}

static void parse_devices(const char *text, struct devices *ret)
{
	block_devices_parse(text, strlen(text), add_line, ret, NULL);
}

static void read_devices(const struct resource *r, struct devices *ret)
{
	parse_devices(resource_or(r, MEANING, ""), ret);
}

static struct block_device *find(struct devices *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->all[i].name, name) == 0)
			return &all->all[i];
	return NULL;
}

static const char *device_name(const char *device)
{
	return strncmp(device, "/dev/", 5) == 0 ? device + 5 : device;
}

const struct resource *image_root_snapshot(const struct view *v, const struct resource *image)
{
	struct devices all cleanup_devices = {0};
	const struct block_device *root;

	read_devices(image, &all);
	root = find(&all, device_name(resource_or(image, "root-device-name", "")));
	return root && root->content == BLOCK_DEVICE_SNAPSHOT ? view_by_id(v, root->snapshot)
							      : NULL;
}

bool block_devices_name(const struct resource *r, const struct resource *snapshot)
{
	return strstr(resource_or(r, MEANING, ""), snapshot->id);
}

void block_devices_of_image(const struct view *v, const struct resource *image,
			    void (*each)(void *context, const struct resource *snapshot),
			    void *context)
{
	struct devices all cleanup_devices = {0};

	read_devices(image, &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct resource *snapshot = all.all[i].content == BLOCK_DEVICE_SNAPSHOT
							  ? view_by_id(v, all.all[i].snapshot)
							  : NULL;

		if (snapshot)
			each(context, snapshot);
	}
}

void block_devices_map_snapshots(struct view *v, struct resource *image, const char *names,
				 const struct resource *instance)
{
	struct strbuf meaning __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;

	view_each (v, instance->number, KIND_ATTACHMENT, a) {
		struct block_device d = {.content = BLOCK_DEVICE_SNAPSHOT};
		const struct resource *volume = attachment_volume(v, a), *snapshot;
		char *name = xasprintf("%s-%s", names, a->name);

		snapshot = view_find(v, instance->parent, KIND_SNAPSHOT, name);
		free(name);
		if (!snapshot || !volume || attachment_is_leaving(a))
			continue;
		snprintf(d.name, sizeof(d.name), "%s", a->name);
		snprintf(d.snapshot, sizeof(d.snapshot), "%s", snapshot->id);
		snprintf(d.type, sizeof(d.type), "%s", resource_or(volume, "volume-type", ""));
		d.iops = resource_u64(volume, "iops", 0);
		d.throughput = resource_u64(volume, "throughput", 0);
		d.delete_on_termination = resource_is(volume, "delete-on-termination", "true")
						  ? BLOCK_DEVICE_TRUE
						  : BLOCK_DEVICE_FALSE;
		block_device_print(&d, &meaning);
	}
	set_text(v, image, MEANING, strbuf_str(&meaning));
	unset(v, image, WRITTEN);
}

void block_devices_map_root(struct view *v, struct resource *image, const struct resource *snapshot)
{
	struct strbuf meaning __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	const char *root = device_name(resource_or(image, "root-device-name", ""));
	struct devices all cleanup_devices = {0};
	struct block_device d = {.content = BLOCK_DEVICE_SNAPSHOT}, *there;

	read_devices(image, &all);
	there = find(&all, root);
	if (there && there->content != BLOCK_DEVICE_NONE &&
	    there->content != BLOCK_DEVICE_EPHEMERAL) {
		there->content = BLOCK_DEVICE_SNAPSHOT;
		snprintf(there->snapshot, sizeof(there->snapshot), "%s", snapshot->id);
	} else if (!there) {
		snprintf(d.name, sizeof(d.name), "%s", root);
		snprintf(d.snapshot, sizeof(d.snapshot), "%s", snapshot->id);
		block_device_print(&d, &meaning);
	}
	for (size_t i = 0; i < all.count; i++)
		block_device_print(&all.all[i], &meaning);
	set_text(v, image, MEANING, strbuf_str(&meaning));
	unset(v, image, WRITTEN);
}

/* A launch's line over the image's: what it leaves out is the image's. */
static void overlay(struct devices *all, const struct block_device *d)
{
	struct block_device *there = find(all, d->name), merged = *d;

	if (!there) {
		add_line(all, d, NULL);
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

	read_devices(image, &all);
	read_devices(instance, &own);
	for (size_t i = 0; i < own.count; i++)
		overlay(&all, &own.all[i]);
	d = find(&all, root);
	if (d && (d->content == BLOCK_DEVICE_NONE || d->content == BLOCK_DEVICE_EPHEMERAL))
		return ec2fs_fail(error, EC2_InvalidBlockDeviceMapping,
				  "/dev/%s is the root device, which is a volume", root);
	if (!d) {
		snprintf(plain.name, sizeof(plain.name), "%s", root);
		add_line(&all, &plain, NULL);
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
	parse_devices(resource_or(instance, EPHEMERAL, ""), &all);
	for (size_t i = 0; i < all.count; i++) {
		const struct block_device *d = &all.all[i];

		if (d->ephemeral >= most)
			continue;
		memcpy(ret[d->ephemeral], d->name, sizeof(d->name));
		count++;
	}
	return count;
}
