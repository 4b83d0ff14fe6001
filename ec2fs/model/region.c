#include "ec2fs/model/kinds.h"

#include <ctype.h>
#include <string.h>

/* EC2's own names have the form of a DNS label, and zones append a letter to it. */
static bool decent_name(const char *name)
{
	size_t len = strnlen(name, 33);

	if (len < 2 || len > 32 || !islower((unsigned char)name[0]) ||
	    !isalnum((unsigned char)name[len - 1]))
		return false;
	for (const char *p = name; *p; p++)
		if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '-')
			return false;
	return true;
}

int region_make(struct view *v, const struct resource *parent, const char *name,
		struct resource **ret, struct ec2fs_error *error)
{
	struct resource *r, *zone;
	char zone_name[64];
	size_t len = strlen(name);
	int result;

	if (!decent_name(name))
		return ec2fs_fail(
			error, EC2_InvalidParameterValue,
			"a region's name is 2 to 32 lowercase letters, digits and dashes, "
			"such as eu-west-1");
	r = view_create(v, parent->number, KIND_REGION, name);
	instance_types_add_catalogue(v, r);
	memcpy(zone_name, name, len);
	memcpy(zone_name + len, "a", 2);
	result = zone_make(v, r, zone_name, &zone, error);
	if (result < 0)
		return result;
	*ret = r;
	return 0;
}

int region_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	static const enum kind kinds[] = {KIND_INSTANCE, KIND_VOLUME, KIND_IMAGE, KIND_KEY_PAIR};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		view_each (v, r->number, kinds[i], child) {
			/* A terminated instance is only a memory. */
			if (child->kind == KIND_INSTANCE &&
			    resource_is(child, "state", "terminated"))
				continue;
			return ec2fs_fail(error, EC2_DependencyViolation,
					  "the region still has the %s %s", kind_name(kinds[i]),
					  child->name);
		}
	view_delete(v, r);
	return 0;
}

int cloud_first(struct view *v, void *context, struct ec2fs_error *error)
{
	const struct resource *root = view_get(v, ROOT_NUMBER);
	struct resource *region, *begun;

	(void)context;
	if (view_next(v, ROOT_NUMBER, KIND_REGION, 0) || resource_get(root, "@begun"))
		return 0;
	begun = view_edit(v, root);
	set_text(v, begun, "@begun", "true");
	/* Who starts a cloud may change it. */
	begun->uid = v->uid;
	begun->gid = v->gid;
	return region_make(v, root, "us-east-1", &region, error);
}
