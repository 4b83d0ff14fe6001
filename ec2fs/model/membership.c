/* Memberships: a link in an instance's security-groups/ is a resource of its own. */
#include "ec2fs/model/network.h"

#include <inttypes.h>

/* EC2's default, "security groups per network interface". */
#define GROUPS_MOST 5

const struct resource *membership_group(const struct view *v, const struct resource *membership)
{
	const struct resource *group = view_get(v, resource_u64(membership, "@group", NO_NUMBER));

	return group && group->kind == KIND_SECURITY_GROUP ? group : NULL;
}

bool membership_has(const struct view *v, const struct resource *instance,
		    const struct resource *group)
{
	view_each (v, instance->number, KIND_MEMBERSHIP, m)
		if (resource_u64(m, "@group", NO_NUMBER) == group->number)
			return true;
	return false;
}

int membership_make(struct view *v, const struct resource *instance, const char *name,
		    const struct resource *target, struct resource **ret, struct ec2fs_error *error)
{
	const struct resource *vpc = instance_vpc(v, instance);
	struct resource *r;

	if (target->kind != KIND_SECURITY_GROUP || target->parent != instance->parent)
		return ec2fs_fail(error, EC2_InvalidGroup_NotFound,
				  "%s is no security group of this region; link to one, such as "
				  "../../../security-groups/web",
				  target->name);
	if (membership_has(v, instance, target))
		return ec2fs_fail(error, EC2_ResourceExists, "it is in the group %s already",
				  target->name);
	if (view_count(v, instance->number, KIND_MEMBERSHIP) >= GROUPS_MOST)
		return ec2fs_fail(error, EC2_SecurityGroupsPerInterfaceLimitExceeded,
				  "it is in %d security groups, as many as one interface may be",
				  GROUPS_MOST);
	if (vpc && security_group_vpc(v, target) != vpc)
		return ec2fs_fail(
			error, EC2_InvalidParameter,
			"the group %s is in another VPC than the instance, which is in %s",
			target->name, vpc->name);
	r = view_create(v, instance->number, KIND_MEMBERSHIP, name);
	set_format(v, r, "@group", "%" PRIu64, target->number);
	*ret = r;
	return 0;
}

int membership_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	view_delete(v, r);
	return 0;
}
