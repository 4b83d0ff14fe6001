/* Volumes: for now those that come with an instance as its root, and go with it. */
#include "ec2fs/model/instance.h"

#include "ec2fs/text/number.h"
#include "ec2fs/text/time.h"
#include "ec2fs/util/strbuf.h"

#include <inttypes.h>
#include <string.h>

struct resource *volume_make_root(struct view *v, const struct resource *instance, uint64_t size)
{
	struct resource *r = view_create(v, instance->parent, KIND_VOLUME, "");
	struct strbuf now __attribute__((cleanup(strbuf_free))) = STRBUF_INIT;
	uint64_t gib = size ? (size + GIB - 1) / GIB : 1;

	/* It has no other name than its ID, as EC2's root volumes. */
	view_rename(v, r, r->id);
	r->uid = instance->uid;
	r->gid = instance->gid;
	time_print(v->now, &now);
	set_format(v, r, "size", "%" PRIu64 " GiB", gib);
	set_text(v, r, "volume-type", "gp3");
	set_text(v, r, "state", "creating");
	set_text(v, r, "availability-zone", resource_or(instance, "availability-zone", ""));
	set_text(v, r, "create-time", strbuf_str(&now));
	set_text(v, r, "delete-on-termination", "true");
	set_format(v, r, "@instance", "%" PRIu64, instance->number);
	set_text(v, r, "@device", resource_or(instance, "root-device-name", "/dev/xvda"));
	return r;
}

const struct resource *volume_next_of(const struct view *v, const struct resource *instance,
				      uint64_t after)
{
	const struct resource *r = view_next(v, instance->parent, KIND_VOLUME, after);

	while (r && resource_u64(r, "@instance", 0) != instance->number)
		r = view_next(v, instance->parent, KIND_VOLUME, r->number);
	return r;
}

const struct resource *volume_root_of(const struct view *v, const struct resource *instance)
{
	const char *device = resource_or(instance, "root-device-name", "");
	const struct resource *r = NULL;

	while ((r = volume_next_of(v, instance, r ? r->number : 0)) != NULL)
		if (resource_is(r, "@device", device))
			return r;
	return NULL;
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

int volume_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *instance = view_get(v, resource_u64(r, "@instance", 0));

	if (instance && instance->kind == KIND_INSTANCE)
		return ec2fs_fail(error, EC2_VolumeInUse, "it is attached to the instance %s as %s",
				  instance->name, resource_or(r, "@device", "?"));
	/* The engine removes what it is made of, then the record. */
	set_text(v, r, "state", "deleting");
	return 0;
}

int volume_rename(struct view *v, struct resource *r, const char *name, struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}
