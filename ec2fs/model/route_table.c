/* Route tables: the main one of a VPC, and those that subnets choose. Their routes: routes.c. */
#include "ec2fs/model/network.h"

#include "ec2fs/text/number.h"

#include <inttypes.h>

#define MAIN "@main-table" /* of the VPC: the table's number */

static struct resource *make(struct view *v, const struct resource *vpc, const char *name)
{
	struct resource *r = view_create(v, vpc->number, KIND_ROUTE_TABLE, name);

	set_default(r, "propagating", "false");
	return r;
}

struct resource *route_table_add_main(struct view *v, const struct resource *vpc)
{
	struct resource *r = make(v, vpc, "main");

	set_format(v, view_edit(v, vpc), MAIN, "%" PRIu64, r->number);
	return r;
}

int route_table_make(struct view *v, const struct resource *parent, const char *name,
		     struct resource **ret, struct ec2fs_error *error)
{
	uint64_t limit = quota_get(view_region(v, parent), "route-tables-per-vpc");

	if (view_count(v, parent->number, KIND_ROUTE_TABLE) >= limit)
		return ec2fs_fail(error, EC2_RouteTableLimitExceeded,
				  "there are %" PRIu64 " route tables, as many as the quota allows",
				  limit);
	*ret = make(v, parent, name);
	subnets_meet(v, *ret, "route-table");
	return 0;
}

const struct resource *vpc_main_table(const struct view *v, const struct resource *vpc)
{
	return vpc ? view_get(v, resource_u64(vpc, MAIN, NO_NUMBER)) : NULL;
}

bool route_table_is_main(const struct view *v, const struct resource *table)
{
	const struct resource *vpc = view_get(v, table->parent);

	return vpc && resource_u64(vpc, MAIN, NO_NUMBER) == table->number;
}

int route_table_remove(struct view *v, struct resource *r, struct ec2fs_error *error)
{
	const struct resource *subnet = view_next(v, r->parent, KIND_SUBNET, 0);

	if (route_table_is_main(v, r)) {
		/* It goes with its VPC, as fixed directories do; "rm -r" asks on its way there. */
		if (!subnet)
			return 0;
		return ec2fs_fail(error, EC2_CannotDelete,
				  "this is the VPC's main route table: make another one main "
				  "first, or remove the VPC");
	}
	view_each (v, r->parent, KIND_SUBNET, one)
		if (resource_is(one, "route-table", r->id))
			return ec2fs_fail(error, EC2_DependencyViolation,
					  "the subnet %s uses it; write another one, or an empty "
					  "line, to its route-table",
					  one->name);
	view_delete(v, r);
	return 0;
}

int route_table_rename(struct view *v, struct resource *r, const char *name,
		       struct ec2fs_error *error)
{
	(void)error;
	view_rename(v, r, name);
	return 0;
}

int route_table_set_main(struct view *v, struct resource *r, const char *text, size_t len,
			 struct ec2fs_error *error)
{
	bool on;
	int result = bool_parse(text, &on, error);

	(void)len;
	if (result < 0 || on == route_table_is_main(v, r))
		return result;
	if (!on)
		return ec2fs_fail(error, EC2_OperationNotPermitted,
				  "a VPC always has a main route table: write true to the main of "
				  "another one");
	set_format(v, view_edit(v, view_get(v, r->parent)), MAIN, "%" PRIu64, r->number);
	return 0;
}

int route_table_set_propagating(struct view *v, struct resource *r, const char *text, size_t len,
				struct ec2fs_error *error)
{
	bool on;
	int result = bool_parse(text, &on, error);

	(void)len;
	if (result == 0)
		set_text(v, r, "propagating", on ? "true" : "false");
	return result;
}
