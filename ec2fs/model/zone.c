/* Availability zones: the back ends of their machines and volumes. */
#include "ec2fs/model/instance.h"
#include "ec2fs/model/network.h"
#include "ec2fs/model/storage.h"

#include <ctype.h>
#include <string.h>

static const struct zone_defaults *defaults;

void zone_set_defaults(const struct zone_defaults *d)
{
	defaults = d;
}

int zone_make(struct view *v, const struct resource *parent, const char *name,
	      struct resource **ret, struct ec2fs_error *error)
{
	size_t len = strlen(parent->name);
	struct resource *r;

	if (strncmp(name, parent->name, len) != 0 || !islower((unsigned char)name[len]) ||
	    name[len + 1])
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "a zone's name is its region's and a letter, such as %sb",
				  parent->name);
	r = view_create(v, parent->number, KIND_ZONE, name);
	set_default(r, "state", "available");
	if (defaults) {
		set_default(r, "compute", defaults->compute);
		set_default(r, "storage", defaults->storage);
	}
	if (vpc_default(v, parent->number))
		subnet_add_default(v, vpc_default(v, parent->number), r);
	*ret = r;
	return 0;
}

/* Does anything live there? */
static const struct resource *inhabitant(const struct view *v, const struct resource *zone)
{
	static const enum kind kinds[] = {KIND_INSTANCE, KIND_VOLUME, KIND_SNAPSHOT};

	for (size_t i = 0; i < 3; i++)
		view_each (v, zone->parent, kinds[i], r) {
			const char *key = kinds[i] == KIND_SNAPSHOT ? "@zone" : "availability-zone";

			if (!resource_is(r, key, zone->name))
				continue;
			if (kinds[i] == KIND_INSTANCE && (instance_state(r) == INSTANCE_DRAFT ||
							  instance_state(r) == INSTANCE_TERMINATED))
				continue;
			if (kinds[i] == KIND_VOLUME && resource_is(r, "state", "draft"))
				continue;
			/* Its content is in the zone's storage. */
			if (kinds[i] == KIND_SNAPSHOT && resource_get(r, "disk"))
				continue;
			return r;
		}
	return NULL;
}

/* A subnet of the zone that does not go with it as its default subnet does, or NULL. */
static const struct resource *subnet_to_keep(const struct view *v, const struct resource *zone)
{
	view_each (v, zone->parent, KIND_VPC, vpc)
		view_each (v, vpc->number, KIND_SUBNET, subnet)
			if (resource_is(subnet, "availability-zone", zone->name) &&
			    (!resource_is(subnet, "default-for-az", "true") ||
			     subnet_inhabitant(v, subnet)))
				return subnet;
	return NULL;
}

int zone_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *in = inhabitant(v, r), *subnet;

	if (!in)
		in = subnet_to_keep(v, r);
	if (in)
		return ec2fs_fail(error, EC2_DependencyViolation, "the %s %s is in this zone",
				  kind_name(in->kind), in->name);
	subnet = subnet_default(v, r->parent, r->name);
	if (subnet)
		view_delete(v, subnet);
	view_delete(v, r);
	return 0;
}

int zone_set_state(struct view *v, struct resource *r, const char *text, size_t len,
		   struct ec2fs_error *error)
{
	static const char *const states[] = {"available", "information", "impaired", "unavailable",
					     "constrained"};

	(void)len;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i], text) == 0) {
			set_text(v, r, "state", text);
			return 0;
		}
	return ec2fs_fail(error, EC2_InvalidParameterValue,
			  "write available, information, impaired, constrained or unavailable (any "
			  "but available takes no launches)");
}

/* What runs there runs on what the zone was when it came. */
static int set_backend(struct view *v, struct resource *r, const char *key, const char *text,
		       int (*check)(const char *, struct ec2fs_error *), struct ec2fs_error *error)
{
	const struct resource *in;
	int result;

	if (resource_is(r, key, text))
		return 0;
	result = check ? check(text, error) : 0;
	if (result < 0)
		return result;
	in = inhabitant(v, r);
	if (in)
		return ec2fs_fail_errno(error, EBUSY, EC2_DependencyViolation,
					"the %s %s is in this zone; make another zone instead",
					kind_name(in->kind), in->name);
	set_text(v, r, key, text);
	unset(v, r, "@memory");
	unset(v, r, "@vcpus");
	return 0;
}

int zone_set_compute(struct view *v, struct resource *r, const char *text, size_t len,
		     struct ec2fs_error *error)
{
	(void)len;
	return set_backend(v, r, "compute", text, defaults ? defaults->check_compute : NULL, error);
}

int zone_set_storage(struct view *v, struct resource *r, const char *text, size_t len,
		     struct ec2fs_error *error)
{
	(void)len;
	return set_backend(v, r, "storage", text, defaults ? defaults->check_storage : NULL, error);
}
