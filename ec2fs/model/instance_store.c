/* Instance store: disks that belong to an instance's type, and live as long as its machine. */
#include "ec2fs/model/storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GB 1000000000ULL

/* "2x75": so many disks of so many GB. */
static bool parse(const char *text, struct instance_store *ret)
{
	unsigned long long count, gb;
	char *end;

	*ret = (struct instance_store){0};
	if (*text < '1' || *text > '9')
		return false;
	count = strtoull(text, &end, 10);
	if (*end != 'x' || end[1] < '1' || end[1] > '9')
		return false;
	gb = strtoull(end + 1, &end, 10);
	if (*end || count > INSTANCE_STORE_MOST || gb > 100000)
		return false;
	/* Whole sectors of any size. */
	*ret = (struct instance_store){(unsigned)count, gb * GB / MIB * MIB};
	return true;
}

void instance_store(const struct view *v, const struct resource *instance,
		    struct instance_store *ret)
{
	const struct resource *type = view_find(v, instance->parent, KIND_INSTANCE_TYPE,
						resource_or(instance, "instance-type", ""));

	parse(type ? resource_or(type, "instance-storage", "") : "", ret);
}

void instance_store_id(const struct resource *instance, unsigned n, char ret[22])
{
	/* The instance's own digits, but for the last one: 16 of them are chance enough. */
	snprintf(ret, 22, "vol-%.16s%x", instance->id + strlen("i-"), n & 15);
}

int instance_type_set_storage(struct view *v, struct resource *r, const char *text, size_t len,
			      struct ec2fs_error *error)
{
	struct instance_store store;

	(void)len;
	if (resource_is(r, "instance-storage", text) ||
	    (!*text && !resource_get(r, "instance-storage")))
		return 0;
	if (*text && !parse(text, &store))
		return ec2fs_fail(
			error, EC2_InvalidParameterValue,
			"write COUNTxSIZE in GB, such as 1x75, at most %d disks; or an empty "
			"line",
			INSTANCE_STORE_MOST);
	if (instance_type_user(v, r))
		return ec2fs_fail_errno(error, EBUSY, EC2_DependencyViolation,
					"the instance %s is of this type",
					instance_type_user(v, r)->name);
	if (*text)
		set_text(v, r, "instance-storage", text);
	else
		unset(v, r, "instance-storage");
	return 0;
}
