/* Regions, and what each begins with: a zone, a default VPC, EC2's instance types. */
#include "ec2fs/model/network.h"
#include "ec2fs/model/storage.h"

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

/* Once in a region's life: whoever removes it does without. */
static void add_default_vpc(struct view *v, struct resource *region)
{
	vpc_add_default(v, region);
	set_text(v, region, "@default-vpc", "made");
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
	add_default_vpc(v, r);
	*ret = r;
	return 0;
}

/* Comes and goes with the region, or with its default VPC. */
static bool goes_with_region(const struct view *v, const struct resource *r)
{
	switch (r->kind) {
	case KIND_INSTANCE:
		/* A terminated one is only a memory. */
		return resource_is(r, "state", "terminated");
	case KIND_VPC:
		return resource_is(r, "is-default", "true") && vpc_is_pristine(v, r);
	case KIND_SECURITY_GROUP:
		return security_group_is_default(r);
	default:
		return false;
	}
}

int region_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	static const enum kind kinds[] = {KIND_INSTANCE, KIND_VOLUME,         KIND_SNAPSHOT,
					  KIND_IMAGE,    KIND_KEY_PAIR,       KIND_ADDRESS,
					  KIND_VPC,      KIND_SECURITY_GROUP, KIND_PREFIX_LIST};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		view_each (v, r->number, kinds[i], child) {
			if (goes_with_region(v, child))
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
	struct resource *begun, *made;

	(void)context;
	attachments_adopt(v);
	/* Regions of a cloud that is older than VPCs. */
	view_each (v, ROOT_NUMBER, KIND_REGION, region)
		if (!resource_get(region, "@default-vpc"))
			add_default_vpc(v, view_edit(v, region));
	if (view_next(v, ROOT_NUMBER, KIND_REGION, 0) || resource_get(root, "@begun"))
		return 0;
	begun = view_edit(v, root);
	set_text(v, begun, "@begun", "true");
	/* Who starts a cloud may change it. */
	begun->uid = v->uid;
	begun->gid = v->gid;
	return region_make(v, root, "us-east-1", &made, error);
}
