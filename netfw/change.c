/* Staging a change. */
#include "netfw/change.h"

#include "ec2fs/util/memory.h"
#include "netfw/describe.h"

#include <stdlib.h>

struct netfw_change *netfw_change_begin(struct netfw *n, const char *vpc, bool whole)
{
	struct netfw_change *c = xnew(struct netfw_change);

	c->netfw = n;
	c->vpc = xstrdup(vpc);
	c->whole = whole;
	return c;
}

static void stage(struct netfw_change *c, enum staged_kind kind, void *what)
{
	array_reserve(c->staged, c->count, c->capacity);
	c->staged[c->count++] = (struct staged){kind, what};
}

void netfw_change_vpc(struct netfw_change *c, const struct netfw_vpc *vpc)
{
	describe_free_vpc(c->description);
	c->description = describe_vpc(vpc);
}

void netfw_change_group(struct netfw_change *c, const struct netfw_group *group)
{
	stage(c, STAGED_GROUP, describe_group(group));
}

void netfw_change_drop_group(struct netfw_change *c, const char *id)
{
	stage(c, STAGED_DROP_GROUP, xstrdup(id));
}

void netfw_change_interface(struct netfw_change *c, const struct netfw_interface *interface)
{
	stage(c, STAGED_INTERFACE, describe_interface(interface));
}

void netfw_change_drop_interface(struct netfw_change *c, const char *id)
{
	stage(c, STAGED_DROP_INTERFACE, xstrdup(id));
}

void netfw_change_cancel(struct netfw_change *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++) {
		void *what = c->staged[i].what;

		switch (c->staged[i].kind) {
		case STAGED_GROUP:
			describe_free_group(what);
			break;
		case STAGED_INTERFACE:
			describe_free_interface(what);
			break;
		default:
			free(what);
			break;
		}
	}
	free(c->staged);
	describe_free_vpc(c->description);
	free(c->vpc);
	free(c);
}
