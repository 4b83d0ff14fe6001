/* Memberships: a link in an instance's security-groups/ is a resource of its own. */
#include "ec2fs/model/instance.h"
#include "ec2fs/model/network.h"
#include "ec2fs/model/refer.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <string.h>

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

/* The VPC of the instance; of a draft that names no subnet, that of its other groups; or NULL. */
static const struct resource *vpc_of(const struct view *v, const struct resource *instance)
{
	const struct resource *vpc = instance_vpc(v, instance);

	view_each (v, instance->number, KIND_MEMBERSHIP, m) {
		const struct resource *group = membership_group(v, m);

		if (!vpc && group)
			vpc = security_group_vpc(v, group);
	}
	return vpc;
}

static int check_vpc(const struct view *v, const struct resource *instance,
		     const struct resource *group, struct ec2fs_error *error)
{
	const struct resource *vpc = vpc_of(v, instance), *own = security_group_vpc(v, group);

	if (!own)
		return ec2fs_fail(error, EC2_MissingParameter,
				  "the security group %s is in no VPC yet: write one to its vpc",
				  group->name);
	if (vpc && own != vpc)
		return ec2fs_fail(error, EC2_InvalidParameter,
				  "the security group %s is in the VPC %s, and the instance in %s",
				  group->name, own->name, vpc->name);
	return 0;
}

static int check_alive(const struct resource *instance, struct ec2fs_error *error)
{
	if (instance_state(instance) != INSTANCE_TERMINATED)
		return 0;
	return ec2fs_fail_errno(error, EIDRM, EC2_IncorrectInstanceState,
				"the instance is terminated");
}

int membership_make(struct view *v, const struct resource *instance, const char *name,
		    const struct resource *target, struct resource **ret, struct ec2fs_error *error)
{
	const struct resource *region = view_get(v, instance->parent);
	uint64_t limit = quota_get(region, "security-groups-per-interface");
	struct resource *r;
	int result;

	if (target->kind != KIND_SECURITY_GROUP || target->parent != instance->parent)
		return ec2fs_fail(error, EC2_InvalidGroup_NotFound,
				  "%s is no security group of this region; link to one, such as "
				  "../../../security-groups/web",
				  target->name);
	result = view_may(v, target, 4, error);
	if (result < 0)
		return result;
	if (membership_has(v, instance, target))
		return ec2fs_fail(error, EC2_ResourceExists, "it is in the group %s already",
				  target->name);
	result = check_alive(instance, error);
	if (result < 0)
		return result;
	if (view_count(v, instance->number, KIND_MEMBERSHIP) >= limit)
		return ec2fs_fail(
			error, EC2_SecurityGroupsPerInterfaceLimitExceeded,
			"it is in %" PRIu64 " security groups, as many as one interface "
			"may be: leave one, or raise security-groups-per-interface in the "
			"region's quotas",
			limit);
	/* A copy's subnet may come after its groups; a launch looks at both. */
	result = v->copies ? 0 : check_vpc(v, instance, target, error);
	if (result < 0)
		return result;
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

/* The names in the text, resolved: *ret to be freed. */
static int resolve_all(const struct view *v, const struct resource *instance, const char *text,
		       const struct resource ***ret, size_t *ret_count, struct ec2fs_error *error)
{
	cleanup_free char *copy = xstrdup(text);
	cleanup_free const struct resource **groups =
		xcalloc(strlen(text) / 2 + 1, sizeof(*groups));
	size_t count = 0;

	for (char *rest = copy, *name; (name = strsep(&rest, ",")) != NULL;) {
		name += strspn(name, " ");
		int result = refer(v, instance->parent, KIND_SECURITY_GROUP,
				   EC2_InvalidGroup_NotFound, name, &groups[count], error);

		if (result < 0)
			return result;
		count++;
	}
	*ret = steal_pointer(&groups);
	*ret_count = count;
	return 0;
}

static bool is_among(const struct resource *group, const struct resource *const *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (group && all[i]->number == group->number)
			return true;
	return false;
}

int membership_set_all(struct view *v, struct resource *r, const char *text, size_t len,
		       struct ec2fs_error *error)
{
	cleanup_free const struct resource **groups = NULL;
	size_t count = 0;
	int result = *text ? resolve_all(v, r, text, &groups, &count, error) : 0;

	(void)len;
	if (result == 0)
		result = check_alive(r, error);
	if (result < 0)
		return result;
	view_each (v, r->number, KIND_MEMBERSHIP, m)
		if (!is_among(membership_group(v, m), groups, count))
			view_delete(v, m);
	for (size_t i = 0; result == 0 && i < count; i++) {
		const char *name = groups[i]->name;
		struct resource *made;

		if (membership_has(v, r, groups[i]))
			continue;
		/* A link of that name may lead elsewhere. */
		if (view_find(v, r->number, KIND_MEMBERSHIP, name))
			name = groups[i]->id;
		result = membership_make(v, r, name, groups[i], &made, error);
	}
	return result;
}
