/* A change of a ruleset's memory as a whole: preparing, publishing, rolling back. */
#include "netfw/ruleset_state.h"

#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

/* The change as a whole. */

void state_stage_rest(struct ruleset *r)
{
	struct interface *i;
	struct group *g;

	table_each (i, &r->interfaces)
		if (!i->is_staged)
			state_stage_interface(r, i->id, NULL);
	table_each (g, &r->groups)
		if (!g->is_staged && g->current)
			state_stage_group(r, g->id, NULL);
}

int state_prepare(struct ruleset *r, struct ec2fs_error *error)
{
	struct class *c;
	bool acls;

	if (!r->vpc && !r->next_vpc)
		return ec2fs_fail(error, EC2_InternalError,
				  "the VPC itself was not described before its parts");
	if (r->next_vpc)
		table_each (c, &r->classes)
			state_touch_class(r, c);
	acls = (r->next_vpc ? r->next_vpc : r->vpc)->acls;
	for (size_t i = 0; i < r->touched_class_count; i++) {
		const struct subnet *subnet;
		enum class_acl acl;

		c = r->touched_classes[i];
		subnet = state_find_subnet(r, c->subnet);
		if (c->references && !subnet)
			return ec2fs_fail(error, EC2_InternalError,
					  "an interface is in subnet %s, which the VPC has not",
					  c->subnet);
		acl = !acls ? CLASS_NO_ACLS : subnet && subnet->acl ? CLASS_RESTRICTED : CLASS_OPEN;
		if (c->references && c->current && !c->has_next && c->acl == acl)
			continue;
		ir_free(c->next);
		c->has_next = true;
		c->next_acl = acl;
		c->next = c->references ? state_class_ir(c, acl) : NULL;
	}
	for (size_t i = 0; i < r->touched_group_count; i++)
		state_prepare_group(r->touched_groups[i]);
	return 0;
}

/* Lets go of what nothing refers to any more, and closes the change. */
static void sweep(struct ruleset *r)
{
	for (size_t i = 0; i < r->staged_interface_count; i++) {
		struct interface *n = r->staged_interfaces[i];

		if (n->current)
			continue;
		state_forget_interface(r, n);
	}
	for (size_t i = 0; i < r->touched_class_count; i++) {
		struct class *c = r->touched_classes[i];

		c->touched = false;
		if (c->references || c->current)
			continue;
		state_forget_class(r, c);
	}
	for (size_t i = 0; i < r->touched_group_count; i++) {
		struct group *g = r->touched_groups[i];

		g->touched = false;
		if (g->references || g->current)
			continue;
		state_forget_group(r, g);
	}
	r->staged_interface_count = r->staged_group_count = 0;
	r->touched_class_count = r->touched_group_count = 0;
	r->open = false;
}

void state_publish(struct ruleset *r)
{
	for (size_t i = 0; i < r->touched_group_count; i++) {
		struct group *g = r->touched_groups[i];

		if (!g->is_staged)
			continue;
		state_free_group_version(g->current);
		g->current = g->next;
		g->next = NULL;
		g->is_staged = false;
	}
	for (size_t i = 0; i < r->touched_class_count; i++) {
		struct class *c = r->touched_classes[i];

		if (!c->has_next)
			continue;
		ir_free(c->current);
		c->current = c->next;
		c->acl = c->next_acl;
		c->next = NULL;
		c->has_next = false;
	}
	for (size_t i = 0; i < r->staged_interface_count; i++) {
		struct interface *n = r->staged_interfaces[i];

		state_free_interface_version(n->current);
		n->current = n->next;
		n->next = NULL;
		n->is_staged = false;
	}
	if (r->next_vpc) {
		state_free_vpc_version(r->vpc);
		r->vpc = r->next_vpc;
		r->next_vpc = NULL;
	}
	sweep(r);
}

void state_roll_back(struct ruleset *r)
{
	for (size_t i = 0; i < r->staged_interface_count; i++) {
		struct interface *n = r->staged_interfaces[i];

		if (n->current)
			state_hold_class(r, n->current->class, true);
		if (n->next)
			state_hold_class(r, n->next->class, false);
		state_free_interface_version(n->next);
		n->next = NULL;
		n->is_staged = false;
	}
	for (size_t i = 0; i < r->staged_group_count; i++) {
		struct group *g = r->staged_groups[i];

		state_hold_peers(r, g->current, true);
		state_hold_peers(r, g->next, false);
	}
	/* Those that were prepared without being staged, too. */
	for (size_t i = 0; i < r->touched_group_count; i++) {
		struct group *g = r->touched_groups[i];

		state_free_group_version(g->next);
		g->next = NULL;
		g->is_staged = false;
	}
	for (size_t i = 0; i < r->touched_class_count; i++) {
		struct class *c = r->touched_classes[i];

		ir_free(c->next);
		c->next = NULL;
		c->has_next = false;
	}
	state_free_vpc_version(r->next_vpc);
	r->next_vpc = NULL;
	sweep(r);
}

void state_free(struct ruleset *r)
{
	struct interface *i;
	struct group *g;
	struct class *c;

	state_roll_back(r);
	table_each (i, &r->interfaces) {
		state_free_interface_version(i->current);
		free(i->id);
		free(i);
	}
	table_each (c, &r->classes)
		state_free_class(c);
	table_each (g, &r->groups) {
		state_free_group_version(g->current);
		free(g->id);
		free(g);
	}
	table_free(&r->interfaces);
	table_free(&r->classes);
	table_free(&r->groups);
	state_free_vpc_version(r->vpc);
	free(r->staged_groups);
	free(r->touched_groups);
	free(r->touched_classes);
	free(r->staged_interfaces);
}
