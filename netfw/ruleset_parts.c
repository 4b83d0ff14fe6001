/* The parts of a ruleset in memory: versions of groups, classes, interfaces and the VPC, and who
 * holds whom. */
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

void state_free_group_version(struct group_version *v)
{
	if (!v)
		return;
	ir_free(v->ir);
	free_strings(v->peers, v->peer_count);
	free(v);
}

void state_hold_peers(struct ruleset *r, const struct group_version *v, bool more)
{
	for (size_t i = 0; v && i < v->peer_count; i++)
		hold_group(r, get_group(r, v->peers[i]), more);
}

void state_stage_group(struct ruleset *r, const char *id, const struct netfw_group *group)
{
	struct group *g = get_group(r, id);
	struct group_version *v = group ? new_group_version(group, true) : NULL;

	state_hold_peers(r, v, true);
	state_hold_peers(r, g->is_staged ? g->next : g->current, false);
	if (!g->is_staged) {
		array_reserve(r->staged_groups, r->staged_group_count, r->staged_group_capacity);
		r->staged_groups[r->staged_group_count++] = g;
		touch_group(r, g);
	} else {
		state_free_group_version(g->next);
	}
	g->is_staged = true;
	g->next = v;
}

/* A group that is named, but not described, is an empty one. */
void state_prepare_group(struct group *g)
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

void state_hold_class(struct ruleset *r, struct class *c, bool more)
{
	bool first = more && c->references == 0, last = !more && c->references == 1;

	c->references += more ? 1 : -1U;
	state_touch_class(r, c);
	for (size_t i = 0; (first || last) && i < c->group_count; i++)
		hold_group(r, c->groups[i], more);
}

void state_free_class(struct class *c)
{
	free(c->key);
	free(c->subnet);
	free(c->groups);
	ir_free(c->current);
	free(c);
}

struct ir *state_class_ir(const struct class *c, enum class_acl acl)
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

void state_free_interface_version(struct interface_version *v)
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
		state_hold_class(r, v->class, true);
	}
	before = i->is_staged ? i->next : i->current;
	if (before)
		state_hold_class(r, before->class, false);
	if (!i->is_staged) {
		array_reserve(r->staged_interfaces, r->staged_interface_count,
			      r->staged_interface_capacity);
		r->staged_interfaces[r->staged_interface_count++] = i;
	} else {
		state_free_interface_version(i->next);
	}
	i->is_staged = true;
	i->next = v;
}

/* The VPC. */

void state_free_vpc_version(struct vpc_version *v)
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
	v->ir = compile_vpc(vpc, r->log_group);
	v->subnets = xcalloc(vpc->subnet_count + 1, sizeof(*v->subnets));
	for (size_t i = 0; i < vpc->subnet_count; i++) {
		v->subnets[i].id = xstrdup(vpc->subnets[i].id);
		v->subnets[i].acl = compile_acl_restricts(vpc, &vpc->subnets[i]);
		v->acls |= v->subnets[i].acl;
	}
	v->subnet_count = vpc->subnet_count;
	state_free_vpc_version(r->next_vpc);
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

/* What nothing refers to any more. */

void state_forget_interface(struct ruleset *r, struct interface *i)
{
	table_remove(&r->interfaces, hash_str(i->id, 0), interface_is, i->id);
	free(i->id);
	free(i);
}

void state_forget_class(struct ruleset *r, struct class *c)
{
	table_remove(&r->classes, hash_str(c->key, 0), class_is, c->key);
	state_free_class(c);
}

void state_forget_group(struct ruleset *r, struct group *g)
{
	table_remove(&r->groups, hash_str(g->id, 0), group_is, g->id);
	free(g->id);
	free(g);
}
