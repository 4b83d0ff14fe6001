/* Volumes as users make, set, rename and remove them. */
#include "ec2fs/model/storage.h"

#include "ec2fs/model/refer.h"
#include "ec2fs/text/number.h"
#include "ec2fs/text/size.h"
#include "ec2fs/text/time.h"

#include <inttypes.h>
#include <string.h>

/* More than any type has; the types' own limits come when it is created. */
#define MOST_IOPS 256000
#define MOST_THROUGHPUT 4000

bool storage_is_removed(const struct resource *r)
{
	return resource_get(r, "@removed");
}

uint64_t volume_size(const struct resource *volume)
{
	uint64_t bytes = 0;

	return size_parse(resource_or(volume, "size", ""), GIB, &bytes, NULL) < 0 ? 0 : bytes;
}

uint64_t volume_made_size(const struct resource *volume)
{
	return resource_u64(volume, "@made", 0);
}

bool volume_is_encrypted(const struct resource *volume)
{
	return resource_is(volume, "encrypted", "true");
}

const char *volume_key(const struct resource *volume)
{
	return resource_get(volume, "@key");
}

void volume_encrypt(struct view *v, struct resource *r, const struct resource *snapshot)
{
	if (snapshot && snapshot_is_encrypted(snapshot)) {
		set_text(v, r, "encrypted", "true");
		set_text(v, r, "@key", resource_or(snapshot, "@key", ""));
	} else if (volume_is_encrypted(r)) {
		set_text(v, r, "@key", r->id);
	}
}

bool volume_key_is_wanted(const struct view *v, const char *key)
{
	static const enum kind kinds[] = {KIND_VOLUME, KIND_SNAPSHOT};

	view_each (v, ROOT_NUMBER, KIND_REGION, region)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			view_each (v, region->number, kinds[i], r)
				if (resource_is(r, "@key", key))
					return true;
	return false;
}

static bool is_draft(const struct resource *r)
{
	return resource_is(r, "state", "draft");
}

int volume_make(struct view *v, const struct resource *parent, const char *name,
		struct resource **ret, struct ec2fs_error *error)
{
	const struct resource *zone = view_next(v, parent->number, KIND_ZONE, 0);
	struct resource *r;

	if (strncmp(name, "vol-", 4) == 0 && view_by_id(v, name))
		return ec2fs_fail(error, EC2_ResourceExists, "%s is a volume's ID", name);
	r = view_create(v, parent->number, KIND_VOLUME, name);
	set_default(r, "state", "draft");
	set_default(r, "volume-type", "gp3");
	set_default(r, "encrypted", "false");
	set_default(r, "multi-attach-enabled", "false");
	set_default(r, "delete-on-termination", "false");
	if (zone)
		set_default(r, "availability-zone", zone->name);
	*ret = r;
	return 0;
}

int volume_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *attachment = volume_attachment(v, r);
	const struct resource *instance = attachment ? attachment_instance(v, attachment) : NULL;

	if (instance)
		return ec2fs_fail(error, EC2_VolumeInUse,
				  "it is attached to the instance %s as %s; remove that link first",
				  instance->name, attachment->name);
	if (is_draft(r)) {
		view_delete(v, r);
		return 0;
	}
	/* The engine removes what it is made of, then the record. */
	set_text(v, r, "state", "deleting");
	set_text(v, r, "@removed", r->name);
	view_rename(v, r, r->id);
	return 0;
}

int volume_rename(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)
{
	if (strncmp(name, "vol-", 4) == 0 && strcmp(name, r->id) != 0 && view_by_id(v, name))
		return ec2fs_fail(error, EC2_ResourceExists, "%s is another volume's ID", name);
	view_rename(v, r, name);
	return 0;
}

/* What may be chosen while nothing is created yet. */
static int need_draft(const struct resource *r, const char *what, struct ec2fs_error *error)
{
	if (is_draft(r))
		return 0;
	return ec2fs_fail(error, EC2_IncorrectState,
			  "%s is fixed when the volume is created, and it is %s", what,
			  resource_or(r, "state", "?"));
}

/* A spec is judged when it is complete. */
static int settle(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	return v->together ? 0 : volume_settle(v, r, error);
}

int volume_set_size(struct view *v, struct resource *r, const char *text, size_t len,
		    struct ec2fs_error *error)
{
	uint64_t bytes;
	int result = size_parse(text, GIB, &bytes, error);

	(void)len;
	if (result < 0)
		return result;
	if (!bytes || bytes % GIB)
		return ec2fs_fail_errno(error, ERANGE, EC2_InvalidParameterValue,
					"a volume has whole GiB, such as 8 or 8 GiB");
	set_format(v, r, "size", "%" PRIu64 " GiB", bytes / GIB);
	return settle(v, r, error);
}

int volume_set_type(struct view *v, struct resource *r, const char *text, size_t len,
		    struct ec2fs_error *error)
{
	int result = volume_type_check(text, error);

	(void)len;
	if (result < 0)
		return result;
	set_text(v, r, "volume-type", text);
	return settle(v, r, error);
}

/* Figures: what it has is no change, whoever chose it. */
static int set_figure(struct view *v, struct resource *r, const char *key, const char *text,
		      uint64_t most, uint64_t is, struct ec2fs_error *error)
{
	uint64_t n;
	int result = number_parse(text, 1, most, &n, error);

	if (result < 0)
		return result;
	if (n == is && !is_draft(r))
		return 0;
	set_format(v, r, key, "%" PRIu64, n);
	return settle(v, r, error);
}

int volume_set_iops(struct view *v, struct resource *r, const char *text, size_t len,
		    struct ec2fs_error *error)
{
	(void)len;
	return set_figure(v, r, "iops", text, MOST_IOPS, volume_iops(r), error);
}

int volume_set_throughput(struct view *v, struct resource *r, const char *text, size_t len,
			  struct ec2fs_error *error)
{
	(void)len;
	return set_figure(v, r, "throughput", text, MOST_THROUGHPUT, volume_throughput(r), error);
}

int volume_set_encrypted(struct view *v, struct resource *r, const char *text, size_t len,
			 struct ec2fs_error *error)
{
	bool on;
	int result = bool_parse(text, &on, error);

	(void)len;
	if (result < 0 || resource_is(r, "encrypted", text))
		return result;
	result = need_draft(r, "encrypted", error);
	if (result < 0)
		return result;
	set_text(v, r, "encrypted", text);
	return settle(v, r, error);
}

int volume_set_multi_attach(struct view *v, struct resource *r, const char *text, size_t len,
			    struct ec2fs_error *error)
{
	bool on;
	int result = bool_parse(text, &on, error);

	(void)len;
	if (result < 0 || resource_is(r, "multi-attach-enabled", text))
		return result;
	if (volume_attachment(v, r))
		return ec2fs_fail(
			error, EC2_IncorrectState,
			"multi-attach-enabled changes while the volume is attached nowhere");
	if (on && !is_draft(r) && !volume_type_multi_attaches(resource_or(r, "volume-type", "")))
		return ec2fs_fail(error, EC2_InvalidParameterCombination,
				  "only io1 and io2 volumes may be attached to several instances");
	set_text(v, r, "multi-attach-enabled", text);
	return settle(v, r, error);
}

int volume_set_zone(struct view *v, struct resource *r, const char *text, size_t len,
		    struct ec2fs_error *error)
{
	const char *current = resource_get(r, "availability-zone");
	const struct resource *zone = refer_zone(v, r->parent, current, text);
	int result;

	(void)len;
	if (zone)
		text = zone->name;
	if (resource_is(r, "availability-zone", text))
		return 0;
	result = need_draft(r, "availability-zone", error);
	if (result == 0)
		result = refer(v, r->parent, KIND_ZONE, EC2_InvalidZone_NotFound, text, &zone,
			       error);
	if (result < 0)
		return result;
	set_text(v, r, "availability-zone", text);
	return settle(v, r, error);
}

int volume_set_snapshot(struct view *v, struct resource *r, const char *text, size_t len,
			struct ec2fs_error *error)
{
	const struct resource *snapshot = view_refer(v, r->parent, KIND_SNAPSHOT, text);
	int result;

	(void)len;
	/* One that is gone is still known by its ID to what was made from it. */
	if (resource_is(r, "snapshot", snapshot ? snapshot->id : text) ||
	    (!*text && !resource_get(r, "snapshot")))
		return 0;
	result = need_draft(r, "snapshot", error);
	if (result == 0 && !*text)
		unset(v, r, "snapshot");
	else if (result == 0)
		result = snapshot_refer(v, r->parent, text, &snapshot, error);
	if (result < 0 || !*text)
		return result;
	set_text(v, r, "snapshot", snapshot->id);
	return settle(v, r, error);
}

int volume_set_delete_on_termination(struct view *v, struct resource *r, const char *text,
				     size_t len, struct ec2fs_error *error)
{
	bool on;
	int result = bool_parse(text, &on, error);

	(void)len;
	if (result == 0)
		set_text(v, r, "delete-on-termination", on ? "true" : "false");
	return result;
}

int volume_refer(const struct view *v, uint64_t region, const char *text,
		 const struct resource **ret, struct ec2fs_error *error)
{
	int result = refer(v, region, KIND_VOLUME, EC2_InvalidVolume_NotFound, text, ret, error);

	if (result == 0 && storage_is_removed(*ret))
		result = ec2fs_fail(error, EC2_InvalidVolume_NotFound, "the volume %s was removed",
				    text);
	return result;
}

/* Of a draft: is there enough to create it, and is that right? */
static int create(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	struct strbuf now __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	const char *id = resource_get(r, "snapshot");
	const struct resource *snapshot = id ? view_by_id(v, id) : NULL;
	uint64_t least = snapshot ? snapshot_size(snapshot) : 0;
	const char *zone = resource_or(r, "availability-zone", "");
	struct volume_spec spec = {.type = resource_or(r, "volume-type", "gp3"),
				   .iops = resource_u64(r, "iops", 0),
				   .throughput = resource_u64(r, "throughput", 0)};
	int result;

	if (!id && !volume_size(r))
		return 0;
	if (id && (!snapshot || storage_is_removed(snapshot)))
		return ec2fs_fail(error, EC2_InvalidSnapshot_NotFound, "the snapshot %s is gone",
				  id);
	if (snapshot && !resource_is(snapshot, "state", "completed"))
		return ec2fs_fail(error, EC2_IncorrectState,
				  "the snapshot %s is %s; wait until it is completed",
				  snapshot->name, resource_or(snapshot, "state", "?"));
	if (!view_find(v, r->parent, KIND_ZONE, zone))
		return ec2fs_fail(error, EC2_InvalidZone_NotFound,
				  "there is no availability zone %s; write another one to "
				  "availability-zone first",
				  *zone ? zone : "at all");
	if (volume_size(r) && volume_size(r) < least)
		return ec2fs_fail_errno(error, ERANGE, EC2_InvalidParameterValue,
					"the snapshot has %" PRIu64
					" GiB; a volume from it has no less",
					least / GIB);
	spec.gib = (volume_size(r) ? volume_size(r) : least) / GIB;
	result = volume_spec_check(&spec, error);
	if (result == 0)
		result = volume_quota_check(v, view_get(v, r->parent), &spec, r->number, NULL,
					    error);
	if (result < 0)
		return result;
	if (resource_is(r, "multi-attach-enabled", "true") &&
	    !volume_type_multi_attaches(spec.type))
		return ec2fs_fail(error, EC2_InvalidParameterCombination,
				  "only io1 and io2 volumes may be attached to several instances");
	/* What its type gives is not chosen. */
	if (spec.iops && !volume_type_takes_iops(spec.type))
		unset(v, r, "iops");
	volume_encrypt(v, r, snapshot);
	set_format(v, r, "size", "%" PRIu64 " GiB", spec.gib);
	time_print(v->now, &now);
	set_text(v, r, "create-time", strbuf_str(&now));
	set_text(v, r, "state", "creating");
	return 0;
}

int volume_settle(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	return is_draft(r) ? create(v, r, error) : volume_modify(v, r, error);
}
