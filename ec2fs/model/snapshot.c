/* Snapshots: taken from volumes, alone or several at one instant, or imported. */
#include "ec2fs/model/storage.h"

#include "ec2fs/model/instance.h"
#include "ec2fs/model/refer.h"
#include "ec2fs/text/name.h"
#include "ec2fs/text/time.h"
#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* EC2's ConcurrentSnapshotLimitExceeded: pending ones of one volume. */
#define MOST_PENDING 5
#define MOST_PENDING_OF_HDD 1
#define DESCRIPTION_MAX 255

uint64_t snapshot_size(const struct resource *snapshot)
{
	return volume_size(snapshot);
}

uint64_t snapshot_disk_size(const struct resource *snapshot)
{
	/* "BLOB SIZE …" */
	const char *imported = strchr(resource_or(snapshot, "disk", ""), ' ');

	if (imported)
		return strtoull(imported, NULL, 10);
	return resource_is(snapshot, "state", "completed") ? snapshot_size(snapshot) : 0;
}

bool snapshot_is_encrypted(const struct resource *snapshot)
{
	return volume_is_encrypted(snapshot);
}

const struct resource *snapshot_volume(const struct view *v, const struct resource *snapshot)
{
	const struct resource *volume = view_get(v, resource_reference(snapshot));

	return volume && volume->kind == KIND_VOLUME ? volume : NULL;
}

int snapshot_refer(const struct view *v, uint64_t region, const char *text,
		   const struct resource **ret, struct ec2fs_error *error)
{
	int result =
		refer(v, region, KIND_SNAPSHOT, EC2_InvalidSnapshot_NotFound, text, ret, error);

	if (result == 0 && storage_is_removed(*ret))
		result = ec2fs_fail(error, EC2_InvalidSnapshot_NotFound,
				    "the snapshot %s was removed", text);
	return result;
}

static int check_name(const struct view *v, const struct resource *region, const char *name,
		      struct ec2fs_error *error)
{
	int result = name_check(name, error);

	if (result < 0)
		return result;
	if (view_find(v, region->number, KIND_SNAPSHOT, name))
		return ec2fs_fail(error, EC2_ResourceExists, "the snapshot %s is there already",
				  name);
	if (strncmp(name, "snap-", 5) == 0 && view_by_id(v, name))
		return ec2fs_fail(error, EC2_ResourceExists, "%s is a snapshot's ID", name);
	return 0;
}

static int check_quota(const struct view *v, const struct resource *region,
		       struct ec2fs_error *error)
{
	uint64_t limit = quota_get(region, "snapshots");

	if (view_count(v, region->number, KIND_SNAPSHOT) >= limit)
		return ec2fs_fail(error, EC2_SnapshotLimitExceeded,
				  "there are %" PRIu64 " snapshots, as many as the quota allows: "
				  "remove one, or raise snapshots in the region's quotas",
				  limit);
	return 0;
}

int snapshot_make(struct view *v, const struct resource *parent, const char *name,
		  struct resource **ret, struct ec2fs_error *error)
{
	int result = check_name(v, parent, name, error);

	if (result == 0)
		result = check_quota(v, parent, error);
	if (result < 0)
		return result;
	*ret = view_create(v, parent->number, KIND_SNAPSHOT, name);
	set_default(*ret, "state", "draft");
	return 0;
}

static int check_volume(const struct view *v, const struct resource *volume,
			struct ec2fs_error *error)
{
	const char *type = resource_or(volume, "volume-type", "");
	unsigned most = strcmp(type, "st1") == 0 || strcmp(type, "sc1") == 0 ? MOST_PENDING_OF_HDD
									     : MOST_PENDING;
	unsigned pending = 0;

	if (!resource_is(volume, "state", "available") && !resource_is(volume, "state", "in-use"))
		return ec2fs_fail(error, EC2_IncorrectState,
				  "the volume %s is in state %s; wait until it is available",
				  volume->name, resource_or(volume, "state", "?"));
	view_each_about(v, volume->number, KIND_SNAPSHOT, s) pending +=
		resource_is(s, "state", "pending");
	if (pending >= most)
		return ec2fs_fail(
			error, EC2_ConcurrentSnapshotLimitExceeded,
			"%u snapshots of the volume %s are pending, as many as may be; wait "
			"for one",
			pending, volume->name);
	return 0;
}

/* What the link below the volume is called. */
static void set_link_name(struct view *v, struct resource *r, const struct resource *volume,
			  const char *name)
{
	view_each_about(v, volume->number, KIND_SNAPSHOT,
			other) if (other->number != r->number && resource_is(other, "@as", name))
		name = r->id;
	set_text(v, r, "@as", name);
}

/* From the draft on. */
static int take(struct view *v, struct resource *r, const struct resource *volume, const char *as,
		struct ec2fs_error *error)
{
	struct strbuf now __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	int result = check_volume(v, volume, error);

	if (result < 0)
		return result;
	time_print(v->now, &now);
	set_link_name(v, r, volume, as);
	set_text(v, r, "volume", volume->id);
	set_format(v, r, "@volume", "%" PRIu64, volume->number);
	set_text(v, r, "@zone", resource_or(volume, "availability-zone", ""));
	set_text(v, r, "size", resource_or(volume, "size", ""));
	set_text(v, r, "encrypted", resource_or(volume, "encrypted", "false"));
	if (volume_key(volume))
		set_text(v, r, "@key", volume_key(volume));
	set_text(v, r, "start-time", strbuf_str(&now));
	set_text(v, r, "state", "pending");
	set_text(v, r, "progress", "0%");
	set_format(v, r, "@group", "%" PRIu64, r->number);
	return 0;
}

/* Called "FIRST-SECOND", and seen as `as` from its volume. */
static int take_called(struct view *v, const struct resource *region, const struct resource *volume,
		       const char *first, const char *second, const char *as, struct resource **ret,
		       struct ec2fs_error *error)
{
	cleanup_free char *name = xasprintf("%s-%s", first, second);
	int result = snapshot_make(v, region, name, ret, error);

	if (result < 0)
		return result;
	return take(v, *ret, volume, as ? as : name, error);
}

int snapshot_take(struct view *v, const struct resource *parent, const char *name,
		  struct resource **ret, struct ec2fs_error *error)
{
	return take_called(v, view_get(v, parent->parent), parent, parent->name, name, name, ret,
			   error);
}

int snapshot_take_all(struct view *v, const struct resource *instance, const char *name,
		      bool restart, struct ec2fs_error *error)
{
	enum instance_state s = instance_state(instance);
	struct resource *first = NULL;

	if (s != INSTANCE_RUNNING && s != INSTANCE_STOPPED)
		return ec2fs_fail_errno(
			error, s == INSTANCE_TERMINATED ? EIDRM : EBUSY, EC2_IncorrectInstanceState,
			"the instance is %s; snapshots are taken of one that is running "
			"or stopped",
			instance_state_name(s));
	view_each (v, instance->number, KIND_ATTACHMENT, a) {
		const struct resource *volume = attachment_volume(v, a);
		struct resource *r;
		int result;

		if (!volume || attachment_is_leaving(a))
			continue;
		result = take_called(v, view_get(v, instance->parent), volume, name, a->name, NULL,
				     &r, error);
		if (result < 0)
			return result;
		if (!first)
			first = r;
		set_format(v, r, "@group", "%" PRIu64, first->number);
	}
	if (!first)
		return ec2fs_fail(error, EC2_InvalidAttachment_NotFound,
				  "the instance has no volume");
	if (restart && s == INSTANCE_RUNNING)
		set_format(v, first, "@restart", "%" PRIu64, instance->number);
	return 0;
}

size_t snapshot_group(const struct view *v, const struct resource *snapshot,
		      const struct resource *ret[SNAPSHOT_GROUP_MAX])
{
	uint64_t group = resource_u64(snapshot, "@group", snapshot->number);
	size_t count = 0;

	/* They were made one after the other. */
	for (const struct resource *r = view_next(v, snapshot->parent, KIND_SNAPSHOT, group - 1);
	     r && count < SNAPSHOT_GROUP_MAX && resource_u64(r, "@group", 0) == group;
	     r = view_next(v, snapshot->parent, KIND_SNAPSHOT, r->number))
		if (resource_is(r, "state", "pending"))
			ret[count++] = r;
	return count;
}

const struct resource *snapshot_restarts(const struct view *v, const struct resource *snapshot)
{
	const struct resource *first =
		view_get(v, resource_u64(snapshot, "@group", snapshot->number));
	const struct resource *instance =
		first ? view_get(v, resource_u64(first, "@restart", NO_NUMBER)) : NULL;

	return instance && instance->kind == KIND_INSTANCE ? instance : NULL;
}

int snapshot_set_volume(struct view *v, struct resource *r, const char *text, size_t len,
			struct ec2fs_error *error)
{
	const struct resource *volume = view_refer(v, r->parent, KIND_VOLUME, text);
	int result;

	(void)len;
	if (resource_is(r, "volume", volume ? volume->id : text))
		return 0;
	if (!resource_is(r, "state", "draft"))
		return ec2fs_fail(error, EC2_IncorrectState,
				  "a snapshot is taken once, and this one is %s; make another one",
				  resource_or(r, "state", "?"));
	result = volume_refer(v, r->parent, text, &volume, error);
	return result < 0 ? result : take(v, r, volume, r->name, error);
}

int snapshot_set_description(struct view *v, struct resource *r, const char *text, size_t len,
			     struct ec2fs_error *error)
{
	if (len > DESCRIPTION_MAX)
		return ec2fs_fail(error, EC2_NameTooLong, "a description has at most %d bytes",
				  DESCRIPTION_MAX);
	set_text(v, r, "description", text);
	return 0;
}

int snapshot_rename(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)
{
	int result = check_name(v, view_get(v, r->parent), name, error);

	if (result == 0)
		view_rename(v, r, name);
	return result;
}

int snapshot_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *image = image_of_snapshot(v, r);

	if (image)
		return ec2fs_fail(error, EC2_InvalidSnapshot_InUse,
				  "the image %s needs it: deregister that first", image->name);
	if (resource_is(r, "state", "draft")) {
		view_delete(v, r);
		return 0;
	}
	/* The engine takes away what it is made of, then the record: a pending one when it is done,
	 * as EC2 does. */
	set_text(v, r, "@removed", r->name);
	view_rename(v, r, r->id);
	return 0;
}

bool snapshot_may_go(const struct view *v, const struct resource *snapshot)
{
	if (!storage_is_removed(snapshot) || resource_is(snapshot, "state", "pending"))
		return false;
	view_each (v, snapshot->parent, KIND_VOLUME, r)
		if (resource_is(r, "state", "creating") && resource_is(r, "snapshot", snapshot->id))
			return false;
	return true;
}

bool snapshot_needs_conversion(const struct resource *snapshot)
{
	return image_needs_conversion(snapshot);
}

static void complete(struct view *v, struct resource *r)
{
	struct strbuf now __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;

	time_print(v->now, &now);
	set_text(v, r, "state", "completed");
	set_text(v, r, "progress", "100%");
	set_text(v, r, "completion-time", strbuf_str(&now));
	unset(v, r, "state-reason");
	images_saw_snapshot(v, r);
}

/* Imported. */
static void set_disk(struct view *v, struct resource *r, const char *value)
{
	uint64_t bytes;

	set_text(v, r, "disk", value);
	bytes = image_disk_size(r);
	set_format(v, r, "size", "%" PRIu64 " GiB", (bytes + GIB - 1) / GIB);
	if (!image_needs_conversion(r))
		complete(v, r);
}

int snapshot_set_disk(struct view *v, struct resource *r, const char *text, size_t len,
		      struct ec2fs_error *error)
{
	struct strbuf now __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;

	(void)len;
	if (!resource_is(r, "state", "draft"))
		return ec2fs_fail(
			error, EC2_IncorrectState,
			"a snapshot's content is fixed, and this one is %s; make another one",
			resource_or(r, "state", "?"));
	time_print(v->now, &now);
	set_text(v, r, "start-time", strbuf_str(&now));
	set_default(r, "encrypted", "false");
	set_text(v, r, "state", "pending");
	set_text(v, r, "progress", "0%");
	set_disk(v, r, text);
	return 0;
}

void snapshot_imported(struct view *v, struct resource *r, const char *value)
{
	if (resource_is(r, "state", "pending"))
		set_disk(v, r, value);
}

void snapshot_saw_progress(struct view *v, struct resource *r, int percent)
{
	if (resource_is(r, "state", "pending"))
		set_format(v, r, "progress", "%d%%", percent);
}

void snapshot_saw_completed(struct view *v, struct resource *r)
{
	if (resource_is(r, "state", "pending"))
		complete(v, r);
}

void snapshot_saw_failure(struct view *v, struct resource *r, const struct ec2fs_error *why)
{
	if (!resource_is(r, "state", "pending"))
		return;
	set_text(v, r, "state", "error");
	set_format(v, r, "state-reason", "%s: %s", ec2_code_name(why->code), why->message);
	unset(v, r, "disk");
	images_saw_snapshot(v, r);
}

void snapshot_saw_gone(struct view *v, struct resource *r)
{
	if (storage_is_removed(r))
		view_delete(v, r);
}
