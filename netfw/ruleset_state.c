/* The memory of a ruleset: staging, references, publishing. */
#include "netfw/ruleset_state.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

static bool group_is(const void *item, const void *key)
{
	return !strcmp(((const struct group *)item)->id, key);
}

static bool class_is(const void *item, const void *key)
{
	return !strcmp(((const struct class *)item)->key, key);
}

static bool interface_is(const void *item, const void *key)
{
	return !strcmp(((const struct interface *)item)->id, key);
}

static void touch_group(struct ruleset *r, struct group *g)
{
	if (g->touched)
		return;
	g->touched = true;
	array_reserve(r->touched_groups, r->touched_group_count, r->touched_group_capacity);
	r->touched_groups[r->touched_group_count++] = g;
}

void state_touch_class(struct ruleset *r, struct class *c)
{
	if (c->touched)
		return;
	c->touched = true;
	array_reserve(r->touched_classes, r->touched_class_count, r->touched_class_capacity);
	r->touched_classes[r->touched_class_count++] = c;
}

static struct group *get_group(struct ruleset *r, const char *id)
{
	uint64_t hash = hash_str(id, 0);
	struct group *g = table_find(&r->groups, hash, group_is, id);

	if (!g) {
		g = xnew(struct group);
		g->id = xstrdup(id);
		table_add(&r->groups, hash, g);
		touch_group(r, g);
	}
	return g;
}

static void hold_group(struct ruleset *r, struct group *g, bool more)
{
	g->references += more ? 1 : -1U;
	touch_group(r, g);
}

static void free_strings(char **strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

/* Groups. */

static int by_text(const void *p, const void *q)
{
	return strcmp(*(char *const *)p, *(char *const *)q);
}

/* Sorts, and frees what is there twice. */
static size_t unique(char **strings, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(strings, count, sizeof(*strings), by_text);
	for (size_t i = 0; i < count; i++) {
		if (kept && !strcmp(strings[kept - 1], strings[i]))
			free(strings[i]);
		else
			strings[kept++] = strings[i];
	}
	return kept;
}

static void add_peers(struct group_version *v, const struct netfw_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].group)
			v->peers[v->peer_count++] = xstrdup(rules[i].group);
}

static struct group_version *new_group_version(const struct netfw_group *group, bool described)
{
	struct group_version *v = xnew(struct group_version);

	v->ir = compile_group(group);
	v->described = described;
	v->peers = xcalloc(group->ingress_count + group->egress_count + 1, sizeof(*v->peers));
	add_peers(v, group->ingress, group->ingress_count);
	add_peers(v, group->egress, group->egress_count);
	v->peer_count = unique(v->peers, v->peer_count);
	return v;
}

static void free_group_version(struct group_version *v)
{
	if (!v)
		return;
	ir_free(v->ir);
	free_strings(v->peers, v->peer_count);
	free(v);
}

static void hold_peers(struct ruleset *r, const struct group_version *v, bool more)
{
	for (size_t i = 0; v && i < v->peer_count; i++)
		hold_group(r, get_group(r, v->peers[i]), more);
}

void state_stage_group(struct ruleset *r, const char *id, const struct netfw_group *group)
{
	struct group *g = get_group(r, id);
	struct group_version *v = group ? new_group_version(group, true) : NULL;

	hold_peers(r, v, true);
	hold_peers(r, g->is_staged ? g->next : g->current, false);
	if (!g->is_staged) {
		array_reserve(r->staged_groups, r->staged_group_count, r->staged_group_capacity);
		r->staged_groups[r->staged_group_count++] = g;
		touch_group(r, g);
	} else {
		free_group_version(g->next);
	}
	g->is_staged = true;
	g->next = v;
}

/* A group that is named, but not described, is an empty one. */
static void prepare_group(struct group *g)
{
	const struct group_version *v = g->is_staged ? g->next : g->current;

	if (v && (v->described || g->references))
		return;
	if (!g->is_staged && !v && !g->references)
		return;
	g->is_staged = true;
	g->next =
		g->references ? new_group_version(&(struct netfw_group){.id = g->id}, false) : NULL;
}

/* Classes. */

static struct class *get_class(struct ruleset *r, const char *subnet, char *const *groups,
			       size_t count)
{
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	struct class *c;
	uint64_t hash;

	strbuf_adds(&key, subnet);
	for (size_t i = 0; i < count; i++)
		strbuf_addf(&key, " %s", groups[i]);
	hash = hash_str(strbuf_str(&key), 0);
	c = table_find(&r->classes, hash, class_is, strbuf_str(&key));
	if (c)
		return c;
	c = xnew(struct class);
	c->number = ++r->last_class;
	c->key = strbuf_steal(&key);
	c->subnet = xstrdup(subnet);
	c->groups = xcalloc(count + 1, sizeof(struct group *));
	for (size_t i = 0; i < count; i++)
		c->groups[c->group_count++] = get_group(r, groups[i]);
	table_add(&r->classes, hash, c);
	return c;
}

static void hold_class(struct ruleset *r, struct class *c, bool more)
{
	bool first = more && c->references == 0, last = !more && c->references == 1;

	c->references += more ? 1 : -1U;
	state_touch_class(r, c);
	for (size_t i = 0; (first || last) && i < c->group_count; i++)
		hold_group(r, c->groups[i], more);
}

static void free_class(struct class *c)
{
	free(c->key);
	free(c->subnet);
	free(c->groups);
	ir_free(c->current);
	free(c);
}

static struct ir *new_class_ir(const struct class *c, bool acl)
{
	cleanup_free const char **groups = xcalloc(c->group_count + 1, sizeof(*groups));
	struct class_description d = {.number = c->number,
				      .subnet = c->subnet,
				      .acl = acl,
				      .groups = groups,
				      .group_count = c->group_count};

	for (size_t i = 0; i < c->group_count; i++)
		groups[i] = c->groups[i]->id;
	return compile_class(&d);
}

/* Interfaces. */

static struct interface_version *new_interface_version(struct ruleset *r,
						       const struct netfw_interface *i)
{
	struct interface_version *v = xnew(struct interface_version);
	struct netfw_interface *d = &v->description;

	*d = *i;
	d->host_name = NULL;
	v->groups = xcalloc(i->group_count + 1, sizeof(*v->groups));
	for (size_t g = 0; g < i->group_count; g++)
		v->groups[g] = xstrdup(i->groups[g]);
	d->group_count = unique(v->groups, i->group_count);
	d->groups = (const char *const *)v->groups;
	v->class = get_class(r, i->subnet, v->groups, d->group_count);
	d->subnet = v->class->subnet;
	return v;
}

static void free_interface_version(struct interface_version *v)
{
	if (!v)
		return;
	free_strings(v->groups, v->description.group_count);
	free(v);
}

struct interface *state_find_interface(struct ruleset *r, const char *id)
{
	return table_find(&r->interfaces, hash_str(id, 0), interface_is, id);
}

void state_stage_interface(struct ruleset *r, const char *id,
			   const struct netfw_interface *interface)
{
	struct interface *i = state_find_interface(r, id);
	struct interface_version *v, *before;

	if (!i) {
		i = xnew(struct interface);
		i->id = xstrdup(id);
		table_add(&r->interfaces, hash_str(id, 0), i);
	}
	v = interface ? new_interface_version(r, interface) : NULL;
	if (v) {
		v->description.id = i->id;
		hold_class(r, v->class, true);
	}
	before = i->is_staged ? i->next : i->current;
	if (before)
		hold_class(r, before->class, false);
	if (!i->is_staged) {
		array_reserve(r->staged_interfaces, r->staged_interface_count,
			      r->staged_interface_capacity);
		r->staged_interfaces[r->staged_interface_count++] = i;
	} else {
		free_interface_version(i->next);
	}
	i->is_staged = true;
	i->next = v;
}

/* The VPC. */

static void free_vpc_version(struct vpc_version *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->subnet_count; i++)
		free(v->subnets[i].id);
	free(v->subnets);
	ir_free(v->ir);
	free(v->id);
	free(v);
}

void state_stage_vpc(struct ruleset *r, const struct netfw_vpc *vpc)
{
	struct vpc_version *v = xnew(struct vpc_version);

	v->id = xstrdup(vpc->id);
	v->ir = compile_vpc(vpc, COMPILE_NO_LOG);
	v->subnets = xcalloc(vpc->subnet_count + 1, sizeof(*v->subnets));
	for (size_t i = 0; i < vpc->subnet_count; i++) {
		v->subnets[i].id = xstrdup(vpc->subnets[i].id);
		v->subnets[i].acl = compile_acl_restricts(vpc, &vpc->subnets[i]);
	}
	v->subnet_count = vpc->subnet_count;
	free_vpc_version(r->next_vpc);
	r->next_vpc = v;
}

const struct subnet *state_find_subnet(const struct ruleset *r, const char *id)
{
	const struct vpc_version *v = r->next_vpc ? r->next_vpc : r->vpc;

	for (size_t i = 0; v && i < v->subnet_count; i++)
		if (!strcmp(v->subnets[i].id, id))
			return &v->subnets[i];
	return NULL;
}

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

	if (!r->vpc && !r->next_vpc)
		return ec2fs_fail(error, EC2_InternalError,
				  "the VPC itself was not described before its parts");
	if (r->next_vpc)
		table_each (c, &r->classes)
			state_touch_class(r, c);
	for (size_t i = 0; i < r->touched_class_count; i++) {
		const struct subnet *subnet;

		c = r->touched_classes[i];
		subnet = state_find_subnet(r, c->subnet);
		if (c->references && !subnet)
			return ec2fs_fail(error, EC2_InternalError,
					  "an interface is in subnet %s, which the VPC has not",
					  c->subnet);
		ir_free(c->next);
		c->has_next = true;
		c->next = c->references ? new_class_ir(c, subnet->acl) : NULL;
	}
	for (size_t i = 0; i < r->touched_group_count; i++)
		prepare_group(r->touched_groups[i]);
	return 0;
}

/* Lets go of what nothing refers to any more, and closes the change. */
static void sweep(struct ruleset *r)
{
	for (size_t i = 0; i < r->staged_interface_count; i++) {
		struct interface *n = r->staged_interfaces[i];

		if (n->current)
			continue;
		table_remove(&r->interfaces, hash_str(n->id, 0), interface_is, n->id);
		free(n->id);
		free(n);
	}
	for (size_t i = 0; i < r->touched_class_count; i++) {
		struct class *c = r->touched_classes[i];

		c->touched = false;
		if (c->references || c->current)
			continue;
		table_remove(&r->classes, hash_str(c->key, 0), class_is, c->key);
		free_class(c);
	}
	for (size_t i = 0; i < r->touched_group_count; i++) {
		struct group *g = r->touched_groups[i];

		g->touched = false;
		if (g->references || g->current)
			continue;
		table_remove(&r->groups, hash_str(g->id, 0), group_is, g->id);
		free(g->id);
		free(g);
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
		free_group_version(g->current);
		g->current = g->next;
		g->next = NULL;
		g->is_staged = false;
	}
	for (size_t i = 0; i < r->touched_class_count; i++) {
		struct class *c = r->touched_classes[i];

		ir_free(c->current);
		c->current = c->next;
		c->next = NULL;
		c->has_next = false;
	}
	for (size_t i = 0; i < r->staged_interface_count; i++) {
		struct interface *n = r->staged_interfaces[i];

		free_interface_version(n->current);
		n->current = n->next;
		n->next = NULL;
		n->is_staged = false;
	}
	if (r->next_vpc) {
		free_vpc_version(r->vpc);
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
			hold_class(r, n->current->class, true);
		if (n->next)
			hold_class(r, n->next->class, false);
		free_interface_version(n->next);
		n->next = NULL;
		n->is_staged = false;
	}
	for (size_t i = 0; i < r->staged_group_count; i++) {
		struct group *g = r->staged_groups[i];

		hold_peers(r, g->current, true);
		hold_peers(r, g->next, false);
	}
	/* Those that were prepared without being staged, too. */
	for (size_t i = 0; i < r->touched_group_count; i++) {
		struct group *g = r->touched_groups[i];

		free_group_version(g->next);
		g->next = NULL;
		g->is_staged = false;
	}
	for (size_t i = 0; i < r->touched_class_count; i++) {
		struct class *c = r->touched_classes[i];

		ir_free(c->next);
		c->next = NULL;
		c->has_next = false;
	}
	free_vpc_version(r->next_vpc);
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
		free_interface_version(i->current);
		free(i->id);
		free(i);
	}
	table_each (c, &r->classes)
		free_class(c);
	table_each (g, &r->groups) {
		free_group_version(g->current);
		free(g->id);
		free(g);
	}
	table_free(&r->interfaces);
	table_free(&r->classes);
	table_free(&r->groups);
	free_vpc_version(r->vpc);
	free(r->staged_groups);
	free(r->touched_groups);
	free(r->touched_classes);
	free(r->staged_interfaces);
}
