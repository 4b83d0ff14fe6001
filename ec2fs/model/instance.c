/* The settable attributes of an instance. */
#include "ec2fs/model/instance.h"

#include "ec2fs/model/block_devices.h"
#include "ec2fs/model/refer.h"
#include "ec2fs/model/storage.h"
#include "ec2fs/text/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* EC2's limit, before base64 (EC2 user guide, "Run commands at launch"). */
#define USER_DATA_MAX (16 * 1024)

int instance_make(struct view *v, const struct resource *parent, const char *name,
		  struct resource **ret, struct ec2fs_error *error)
{
	const struct resource *zone = view_next(v, parent->number, KIND_ZONE, 0);
	struct resource *r;

	uint64_t limit = quota_get(parent, "instances");

	if (view_count(v, parent->number, KIND_INSTANCE) >= limit)
		return ec2fs_fail(error, EC2_InstanceLimitExceeded,
				  "there are %" PRIu64 " instances, as many as the quota allows: "
				  "remove one, or raise instances in the region's quotas",
				  limit);
	if (strncmp(name, "i-", 2) == 0 && view_by_id(v, name))
		return ec2fs_fail(error, EC2_ResourceExists, "%s is an instance's ID", name);
	r = view_create(v, parent->number, KIND_INSTANCE, name);
	set_default(r, "state", "draft");
	set_default(r, "instance-type", "t3.micro");
	if (zone)
		set_default(r, "availability-zone", zone->name);
	set_default(r, "disable-api-termination", "false");
	set_default(r, "disable-api-stop", "false");
	set_default(r, "instance-initiated-shutdown-behavior", "stop");
	set_default(r, "hibernation-options", "false");
	set_default(r, "source-dest-check", "true");
	*ret = r;
	return 0;
}

int instance_rename(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}

int instance_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	int result;

	if (instance_state(r) == INSTANCE_DRAFT) {
		if (resource_is(r, "disable-api-termination", "true"))
			return instance_set_state(v, r, "terminated", 10, error);
		attachments_release(v, r);
		view_delete(v, r);
		return 0;
	}
	result = instance_set_state(v, r, "terminated", 10, error);
	if (result < 0)
		return result;
	/* The name is free again at once; by-id/ shows it until EC2 would forget it. */
	if (!resource_get(r, "@removed")) {
		set_text(v, r, "@removed", r->name);
		view_rename(v, r, r->id);
	}
	return 0;
}

int instance_need_draft(const struct resource *r, const char *what, struct ec2fs_error *error)
{
	enum instance_state s = instance_state(r);

	if (s == INSTANCE_DRAFT)
		return 0;
	return ec2fs_fail_errno(
		error, s == INSTANCE_TERMINATED ? EIDRM : EBUSY, EC2_IncorrectInstanceState,
		"%s is fixed at launch, and the instance is %s", what, instance_state_name(s));
}

/* Before the launch, or while stopped. */
static int need_stopped(const struct resource *r, const char *what, struct ec2fs_error *error)
{
	enum instance_state s = instance_state(r);

	if (s == INSTANCE_DRAFT || s == INSTANCE_STOPPED)
		return 0;
	return ec2fs_fail_errno(error, s == INSTANCE_TERMINATED ? EIDRM : EBUSY,
				EC2_IncorrectInstanceState,
				"%s can be changed while the instance is stopped, and it is %s",
				what, instance_state_name(s));
}

static bool unchanged(const struct resource *r, const char *key, const char *text)
{
	return resource_is(r, key, text);
}

int instance_set_image(struct view *v, struct resource *r, const char *text, size_t len,
		       struct ec2fs_error *error)
{
	const struct resource *image = view_refer(v, r->parent, KIND_IMAGE, text);
	int result;

	(void)len;
	/* An image that is gone is still known by its ID to what was launched from it. */
	if (unchanged(r, "image", image ? image->id : text))
		return 0;
	result = instance_need_draft(r, "image", error);
	if (result < 0)
		return result;
	if (!image)
		return refer(v, r->parent, KIND_IMAGE, EC2_InvalidAMIID_NotFound, text, &image,
			     error);
	result = view_may(v, image, 4, error);
	if (result == 0)
		set_text(v, r, "image", image->id);
	return result;
}

int instance_set_type(struct view *v, struct resource *r, const char *text, size_t len,
		      struct ec2fs_error *error)
{
	const struct resource *type;
	int result;

	(void)len;
	if (unchanged(r, "instance-type", text)) {
		set_text(v, r, "instance-type", text);
		return 0;
	}
	result = need_stopped(r, "instance-type", error);
	if (result < 0)
		return result;
	result = refer(v, r->parent, KIND_INSTANCE_TYPE, EC2_InvalidInstanceAttributeValue, text,
		       &type, error);
	if (result < 0)
		return result;
	if (instance_state(r) == INSTANCE_STOPPED && resource_is(r, "@hibernated", "true"))
		return ec2fs_fail(error, EC2_IncorrectInstanceState,
				  "the instance is hibernated: start it and stop it first");
	set_text(v, r, "instance-type", text);
	return 0;
}

int instance_set_key_pair(struct view *v, struct resource *r, const char *text, size_t len,
			  struct ec2fs_error *error)
{
	const struct resource *key;
	int result;

	(void)len;
	if (unchanged(r, "key-pair", text) || (!*text && !resource_get(r, "key-pair")))
		return 0;
	result = instance_need_draft(r, "key-pair", error);
	if (result < 0)
		return result;
	if (!*text) {
		unset(v, r, "key-pair");
		return 0;
	}
	result = refer(v, r->parent, KIND_KEY_PAIR, EC2_InvalidKeyPair_NotFound, text, &key, error);
	if (result < 0)
		return result;
	set_text(v, r, "key-pair", key->name);
	return 0;
}

int instance_unset_key_pair(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	if (instance_state(r) != INSTANCE_DRAFT)
		return 0;
	return instance_set_key_pair(v, r, "", 0, error);
}

int instance_set_zone(struct view *v, struct resource *r, const char *text, size_t len,
		      struct ec2fs_error *error)
{
	const char *current = resource_get(r, "availability-zone");
	const struct resource *zone = refer_zone(v, r->parent, current, text);
	int result;

	(void)len;
	if (zone)
		text = zone->name;
	if (unchanged(r, "availability-zone", text))
		return 0;
	result = instance_need_draft(r, "availability-zone", error);
	if (result < 0)
		return result;
	result = refer(v, r->parent, KIND_ZONE, EC2_InvalidZone_NotFound, text, &zone, error);
	if (result < 0)
		return result;
	set_text(v, r, "availability-zone", text);
	return 0;
}

int instance_set_user_data(struct view *v, struct resource *r, const char *text, size_t len,
			   struct ec2fs_error *error)
{
	const struct field *f = resource_field(r, "user-data");
	int result;

	if (f && f->value && f->value->len == len && memcmp(f->value->data, text, len) == 0)
		return 0;
	if (!len && !(f && f->value))
		return 0;
	if (len > USER_DATA_MAX)
		return ec2fs_fail(error, EC2_UserDataTooLarge,
				  "user-data has %zu bytes; at most %d fit", len, USER_DATA_MAX);
	result = need_stopped(r, "user-data", error);
	if (result < 0)
		return result;
	if (len)
		set_data(v, r, "user-data", text, len);
	else
		unset(v, r, "user-data");
	return 0;
}

/* While the state does not allow it the file just goes from sight for a moment, as other attributes
 * do: rm -r must be able to pass. */
int instance_unset_user_data(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	enum instance_state s = instance_state(r);

	if (s != INSTANCE_DRAFT && s != INSTANCE_STOPPED)
		return 0;
	return instance_set_user_data(v, r, "", 0, error);
}

int instance_set_mappings(struct view *v, struct resource *r, const char *text, size_t len,
			  struct ec2fs_error *error)
{
	struct strbuf is cleanup_strbuf = STRBUF_INIT;
	int result;

	block_devices_print(v, r, &is);
	if (is.len == len && memcmp(strbuf_str(&is), text, len) == 0)
		return 0;
	result = instance_need_draft(r, "block-device-mappings", error);
	return result < 0 ? result : block_devices_set(v, r, text, len, error);
}

/* Booleans that may change in any state but the last. */
static int set_flag(struct view *v, struct resource *r, const char *key, const char *text,
		    struct ec2fs_error *error)
{
	bool on;
	int result = bool_parse(text, &on, error);

	if (result < 0)
		return result;
	if (instance_state(r) == INSTANCE_TERMINATED)
		return ec2fs_fail_errno(error, EIDRM, EC2_IncorrectInstanceState,
					"the instance is terminated");
	set_text(v, r, key, on ? "true" : "false");
	return 0;
}

int instance_set_termination_protection(struct view *v, struct resource *r, const char *text,
					size_t len, struct ec2fs_error *error)
{
	(void)len;
	return set_flag(v, r, "disable-api-termination", text, error);
}

int instance_set_stop_protection(struct view *v, struct resource *r, const char *text, size_t len,
				 struct ec2fs_error *error)
{
	(void)len;
	return set_flag(v, r, "disable-api-stop", text, error);
}

int instance_set_hibernation(struct view *v, struct resource *r, const char *text, size_t len,
			     struct ec2fs_error *error)
{
	int result;

	(void)len;
	if (unchanged(r, "hibernation-options", text))
		return 0;
	result = instance_need_draft(r, "hibernation-options", error);
	return result < 0 ? result : set_flag(v, r, "hibernation-options", text, error);
}

int instance_set_shutdown_behavior(struct view *v, struct resource *r, const char *text, size_t len,
				   struct ec2fs_error *error)
{
	(void)len;
	if (strcmp(text, "stop") != 0 && strcmp(text, "terminate") != 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue, "write stop or terminate");
	if (instance_state(r) == INSTANCE_TERMINATED)
		return ec2fs_fail_errno(error, EIDRM, EC2_IncorrectInstanceState,
					"the instance is terminated");
	set_text(v, r, "instance-initiated-shutdown-behavior", text);
	return 0;
}
