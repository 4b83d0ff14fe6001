/* Security groups: names, VPCs, and who is in them; their rules are in security_group_rules.c. */
#include "ec2fs/model/instance.h"
#include "ec2fs/model/network.h"
#include "ec2fs/model/refer.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* EC2's characters of names and descriptions (API reference, CreateSecurityGroup). */
#define CHARACTERS                                                                                 \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-:/()#,@[]+=&;{}!$*"
#define TEXT_MOST 255

static int check_characters(const char *text, const char *what, struct ec2fs_error *error)
{
	size_t n = strspn(text, CHARACTERS);

	if (text[n])
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "a group's %s is made of letters, digits, blanks and "
				  "._-:/()#,@[]+=&;{}!$*, and byte %zu is none of these",
				  what, n + 1);
	return 0;
}

/* EC2 compares the names of a VPC's groups without regard to case. */
static int check_unique(const struct view *v, uint64_t region, const struct resource *self,
			const struct resource *vpc, const char *name, struct ec2fs_error *error)
{
	view_each (v, region, KIND_SECURITY_GROUP, r)
		if (r != self && vpc && security_group_vpc(v, r) == vpc &&
		    strcasecmp(r->name, name) == 0)
			return ec2fs_fail(error, EC2_InvalidGroup_Duplicate,
					  "the VPC %s has the group %s, and names that differ in "
					  "case alone are the same to EC2",
					  vpc->name, r->name);
	return 0;
}

static int check_name(const char *name, struct ec2fs_error *error)
{
	size_t len = strlen(name);

	if (strcasecmp(name, "default") == 0)
		return ec2fs_fail(error, EC2_InvalidGroup_Reserved,
				  "%s is the name of the group that comes with a VPC", name);
	if (strncasecmp(name, "sg-", 3) == 0)
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "names that begin with sg- are IDs");
	if (name[0] == ' ' || name[len - 1] == ' ')
		return ec2fs_fail(error, EC2_InvalidParameterValue,
				  "a group's name has no blank at its ends");
	return check_characters(name, "name", error);
}

int security_group_make(struct view *v, const struct resource *parent, const char *name,
			struct resource **ret, struct ec2fs_error *error)
{
	const struct resource *vpc = vpc_default(v, parent->number);
	uint64_t limit = quota_get(parent, "security-groups");
	int result = check_name(name, error);
	struct resource *r;

	if (result == 0)
		result = check_unique(v, parent->number, NULL, vpc, name, error);
	if (result < 0)
		return result;
	if (view_count(v, parent->number, KIND_SECURITY_GROUP) >= limit)
		return ec2fs_fail(error, EC2_SecurityGroupLimitExceeded,
				  "there are %" PRIu64 " security groups, as many as the quota "
				  "allows: remove one, or raise security-groups in the region's "
				  "quotas",
				  limit);
	r = view_create(v, parent->number, KIND_SECURITY_GROUP, name);
	if (vpc)
		set_default(r, "vpc", vpc->id);
	set_default(r, "egress", "all - 0.0.0.0/0\n");
	*ret = r;
	return 0;
}

const struct resource *security_group_vpc(const struct view *v, const struct resource *group)
{
	return view_by_id(v, resource_or(group, "vpc", ""));
}

bool security_group_is_default(const struct resource *group)
{
	return resource_get(group, "@default");
}

const struct resource *security_group_default(const struct view *v, const struct resource *vpc)
{
	return view_get(v, resource_u64(vpc, "@default-group", NO_NUMBER));
}

const struct resource *security_group_in(const struct view *v, const struct resource *vpc)
{
	view_each (v, vpc->parent, KIND_SECURITY_GROUP, r)
		if (!security_group_is_default(r) && security_group_vpc(v, r) == vpc)
			return r;
	return NULL;
}

/* A directory lists all groups of the region, so only one of its default groups is `default`. */
static char *default_name(const struct view *v, const struct resource *vpc, const char *vpc_name)
{
	cleanup_free char *name = resource_is(vpc, "is-default", "true")
					  ? xstrdup("default")
					  : xasprintf("%.240s-default", vpc_name);
	const struct resource *own = security_group_default(v, vpc);

	for (unsigned n = 2;; n++) {
		cleanup_free char *other = NULL;
		const struct resource *there = view_find(v, vpc->parent, KIND_SECURITY_GROUP, name);

		if (!there || there == own)
			return steal_pointer(&name);
		other = xasprintf("%.240s-default-%u", vpc_name, n);
		free(name);
		name = steal_pointer(&other);
	}
}

struct resource *security_group_add_default(struct view *v, const struct resource *vpc)
{
	cleanup_free char *name = default_name(v, vpc, vpc->name);
	struct resource *r = view_create(v, vpc->parent, KIND_SECURITY_GROUP, name);
	struct strbuf ingress cleanup_strbuf = STRBUF_INIT;

	set_default(r, "vpc", vpc->id);
	set_text(v, r, "@default", "true");
	set_default(r, "description", "default VPC security group");
	strbuf_addf(&ingress, "all - sg:%s\n", name);
	set_default(r, "ingress", strbuf_str(&ingress));
	set_default(r, "egress", "all - 0.0.0.0/0\n");
	set_format(v, view_edit(v, vpc), "@default-group", "%" PRIu64, r->number);
	return r;
}

void security_group_rename_default(struct view *v, const struct resource *vpc, const char *name)
{
	const struct resource *group = security_group_default(v, vpc);
	cleanup_free char *new = group ? default_name(v, vpc, name) : NULL;

	if (!group || strcmp(new, group->name) == 0)
		return;
	security_groups_follow(v, group, new);
	view_rename(v, group, new);
}

/* An instance that is in the group and not terminated, a draft too, or NULL. */
static const struct resource *used_by(const struct view *v, const struct resource *group)
{
	view_each_about(v, group->number, KIND_MEMBERSHIP, m)
	{
		const struct resource *instance = view_get(v, m->parent);

		if (instance && instance_state(instance) != INSTANCE_TERMINATED)
			return instance;
	}
	return NULL;
}

/* The group, and what terminated instances remember of it. */
static void delete_group(struct view *v, const struct resource *group)
{
	view_each_about(v, group->number, KIND_MEMBERSHIP, m) view_delete(v, m);
	view_delete(v, group);
}

void security_group_remove_default(struct view *v, const struct resource *vpc)
{
	const struct resource *group = security_group_default(v, vpc);

	if (group)
		delete_group(v, group);
}

int security_group_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *user = used_by(v, r);

	if (security_group_is_default(r))
		return ec2fs_fail(error, EC2_CannotDelete,
				  "it is the default group of its VPC, and goes with it");
	if (user)
		return ec2fs_fail(error, EC2_DependencyViolation,
				  "the instance %s is in it; remove its link %s/security-groups/%s "
				  "first",
				  user->name, user->name, r->name);
	user = security_group_naming(v, r);
	if (user)
		return ec2fs_fail(
			error, EC2_DependencyViolation,
			"a rule of the security group %s names it; remove that line first",
			user->name);
	delete_group(v, r);
	return 0;
}

int security_group_rename(struct view *v, struct resource *r, const char *name,
			  struct ec2fs_error *error)
{
	cleanup_free char *old = xstrdup(r->name);
	int result = check_name(name, error);

	if (security_group_is_default(r))
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "the default group is called after its VPC");
	if (result == 0)
		result = check_unique(v, r->parent, r, security_group_vpc(v, r), name, error);
	if (result < 0)
		return result;
	security_groups_follow(v, r, name);
	view_rename(v, r, name);
	/* The links of its members too, where they had its name. */
	view_each_about(v, r->number, KIND_MEMBERSHIP,
			m) if (strcmp(m->name, old) == 0 &&
			       !view_find(v, m->parent, KIND_MEMBERSHIP, name))
		view_rename(v, m, name);
	return 0;
}

int security_group_set_description(struct view *v, struct resource *r, const char *text, size_t len,
				   struct ec2fs_error *error)
{
	int result = check_characters(text, "description", error);

	if (result < 0)
		return result;
	if (len > TEXT_MOST)
		return ec2fs_fail(error, EC2_NameTooLong, "a description has at most %d bytes",
				  TEXT_MOST);
	set_text(v, r, "description", text);
	return 0;
}

int security_group_set_vpc(struct view *v, struct resource *r, const char *text, size_t len,
			   struct ec2fs_error *error)
{
	const struct resource *vpc, *user = used_by(v, r);
	int result = refer(v, r->parent, KIND_VPC, EC2_InvalidVpcID_NotFound, text, &vpc, error);

	(void)len;
	if (result < 0)
		return result;
	if (resource_is(r, "vpc", vpc->id)) {
		set_text(v, r, "vpc", vpc->id);
		return 0;
	}
	if (security_group_is_default(r))
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "the default group stays in its VPC");
	if (user)
		return ec2fs_fail_errno(error, EBUSY, EC2_DependencyViolation,
					"the instance %s is in it", user->name);
	user = v->copies ? NULL : security_group_naming(v, r);
	if (user)
		return ec2fs_fail_errno(error, EBUSY, EC2_DependencyViolation,
					"a rule of the security group %s names it", user->name);
	if (!v->copies && security_group_names_others(v, r))
		return ec2fs_fail_errno(error, EBUSY, EC2_DependencyViolation,
					"its rules name other groups of the VPC; remove these "
					"lines first");
	result = check_unique(v, r->parent, r, vpc, r->name, error);
	if (result == 0)
		set_text(v, r, "vpc", vpc->id);
	return result;
}
