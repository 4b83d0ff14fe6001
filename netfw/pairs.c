/* Links between two namespaces. */
#include "netfw/pairs.h"

#include <errno.h>
#include <string.h>

/* Absent: an index of 0. */
static int look(const struct pair_end *end, struct link *l, struct ec2fs_error *error)
{
	int r = link_get(&end->ns->rtnl, end->name, l, error);

	if (r == -ENODEV) {
		*l = (struct link){0};
		return 0;
	}
	return r;
}

static bool joined(const struct link *a, const struct link *b)
{
	return a->index && b->index && strcmp(a->kind, "veth") == 0 &&
	       strcmp(b->kind, "veth") == 0 && a->peer == b->index && b->peer == a->index;
}

static int make(const struct pair_end *a, const struct pair_end *b, struct link *la,
		struct link *lb, struct ec2fs_error *error)
{
	int r = la->index ? link_delete(&a->ns->rtnl, la->index, a->name, error) : 0;

	if (r == 0 && lb->index)
		r = link_delete(&b->ns->rtnl, lb->index, b->name, error);
	if (r == 0)
		r = link_add_veth(&a->ns->rtnl, a->name, b->ns->fd, b->name, error);
	if (r == 0)
		r = link_get(&a->ns->rtnl, a->name, la, error);
	if (r == 0)
		r = link_get(&b->ns->rtnl, b->name, lb, error);
	if (r == -ENODEV)
		r = ec2fs_fail(error, EC2_InternalError, "the link %s was taken away at once",
			       a->name);
	return r;
}

int pair_set(const struct pair_end *a, const struct pair_end *b, struct link *ret_a,
	     struct link *ret_b, struct ec2fs_error *error)
{
	struct link la, lb;
	bool made = false;
	int r = look(a, &la, error);

	if (r == 0)
		r = look(b, &lb, error);
	if (r == 0 && !joined(&la, &lb)) {
		made = true;
		r = make(a, b, &la, &lb, error);
	}
	if (r == 0)
		r = link_ready(&b->ns->rtnl, &lb, b->far, error);
	if (r == 0)
		r = link_ready(&a->ns->rtnl, &la, a->far, error);
	if (r < 0)
		return r;
	*ret_a = la;
	*ret_b = lb;
	return made;
}
