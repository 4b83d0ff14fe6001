#include "ec2fs/model/kinds.h"

int vpn_gateway_make(struct view *v, const struct resource *parent, const char *name,
		     struct resource **ret, struct ec2fs_error *error)
{
	(void)error;
	*ret = view_create(v, parent->number, KIND_VPN_GATEWAY, name);
	return 0;
}

int vpn_gateway_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	(void)error;
	view_delete(v, r);
	return 0;
}

int vpn_gateway_rename(struct view *v, struct resource *r, const char *name,
		       struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}
