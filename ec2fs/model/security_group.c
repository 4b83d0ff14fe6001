#include "ec2fs/model/network.h"

int security_group_make(struct view *v, const struct resource *parent, const char *name,
			struct resource **ret, struct ec2fs_error *error)
{
	(void)error;
	*ret = view_create(v, parent->number, KIND_SECURITY_GROUP, name);
	return 0;
}

int security_group_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	view_delete(v, r);
	return 0;
}

int security_group_rename(struct view *v, struct resource *r, const char *name,
			  struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}

const struct resource *security_group_vpc(const struct view *v, const struct resource *group)
{
	return view_get(v, resource_u64(group, "@vpc", NO_NUMBER));
}
