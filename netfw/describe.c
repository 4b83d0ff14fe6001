/* Copies of descriptions. */
#include "netfw/describe.h"

#include "ec2fs/util/memory.h"

#include <stdlib.h>
#include <string.h>

static void *copy(const void *from, size_t count, size_t size)
{
	void *to;

	if (!count)
		return NULL;
	to = xcalloc(count, size);
	memcpy(to, from, count * size);
	return to;
}

static char *text(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

/* Descriptions are const for who reads them; what is freed here was made here. */
static void drop(const void *p)
{
	free((void *)p);
}

static const struct netfw_route_table *copy_tables(const struct netfw_route_table *from,
						   size_t count)
{
	struct netfw_route_table *to = copy(from, count, sizeof(*to));

	for (size_t i = 0; i < count; i++) {
		struct netfw_route *routes =
			copy(from[i].routes, from[i].route_count, sizeof(*routes));

		for (size_t j = 0; j < from[i].route_count; j++)
			routes[j].id = text(routes[j].id);
		to[i].id = text(from[i].id);
		to[i].routes = routes;
	}
	return to;
}

static const struct netfw_subnet *copy_subnets(const struct netfw_subnet *from, size_t count)
{
	struct netfw_subnet *to = copy(from, count, sizeof(*to));

	for (size_t i = 0; i < count; i++) {
		to[i].id = text(from[i].id);
		to[i].route_table = text(from[i].route_table);
		to[i].acl = text(from[i].acl);
	}
	return to;
}

static const struct netfw_acl *copy_acls(const struct netfw_acl *from, size_t count)
{
	struct netfw_acl *to = copy(from, count, sizeof(*to));

	for (size_t i = 0; i < count; i++) {
		to[i].id = text(from[i].id);
		to[i].entries =
			copy(from[i].entries, from[i].entry_count, sizeof(*from[i].entries));
	}
	return to;
}

static const struct netfw_nat *copy_nats(const struct netfw_nat *from, size_t count)
{
	struct netfw_nat *to = copy(from, count, sizeof(*to));

	for (size_t i = 0; i < count; i++)
		to[i].id = text(from[i].id);
	return to;
}

static const struct netfw_peering *copy_peerings(const struct netfw_peering *from, size_t count)
{
	struct netfw_peering *to = copy(from, count, sizeof(*to));

	for (size_t i = 0; i < count; i++) {
		to[i].id = text(from[i].id);
		to[i].vpc = text(from[i].vpc);
	}
	return to;
}

struct netfw_vpc *describe_vpc(const struct netfw_vpc *v)
{
	struct netfw_vpc *c = copy(v, 1, sizeof(*c));

	c->id = text(v->id);
	c->cidrs = copy(v->cidrs, v->cidr_count, sizeof(*v->cidrs));
	c->subnets = copy_subnets(v->subnets, v->subnet_count);
	c->route_tables = copy_tables(v->route_tables, v->route_table_count);
	c->acls = copy_acls(v->acls, v->acl_count);
	c->nats = copy_nats(v->nats, v->nat_count);
	c->peerings = copy_peerings(v->peerings, v->peering_count);
	c->gateway_id = text(v->gateway_id);
	c->gateway_interface = text(v->gateway_interface);
	c->domain_name = text(v->domain_name);
	c->name_servers = copy(v->name_servers, v->name_server_count, sizeof(*v->name_servers));
	c->ntp_servers = copy(v->ntp_servers, v->ntp_server_count, sizeof(*v->ntp_servers));
	c->flow_logs.account = text(v->flow_logs.account);
	return c;
}

void describe_free_vpc(struct netfw_vpc *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->subnet_count; i++) {
		drop(v->subnets[i].id);
		drop(v->subnets[i].route_table);
		drop(v->subnets[i].acl);
	}
	for (size_t i = 0; i < v->route_table_count; i++) {
		for (size_t j = 0; j < v->route_tables[i].route_count; j++)
			drop(v->route_tables[i].routes[j].id);
		drop(v->route_tables[i].routes);
		drop(v->route_tables[i].id);
	}
	for (size_t i = 0; i < v->acl_count; i++) {
		drop(v->acls[i].id);
		drop(v->acls[i].entries);
	}
	for (size_t i = 0; i < v->nat_count; i++)
		drop(v->nats[i].id);
	for (size_t i = 0; i < v->peering_count; i++) {
		drop(v->peerings[i].id);
		drop(v->peerings[i].vpc);
	}
	drop(v->id);
	drop(v->cidrs);
	drop(v->subnets);
	drop(v->route_tables);
	drop(v->acls);
	drop(v->nats);
	drop(v->peerings);
	drop(v->gateway_id);
	drop(v->gateway_interface);
	drop(v->domain_name);
	drop(v->name_servers);
	drop(v->ntp_servers);
	drop(v->flow_logs.account);
	free(v);
}

static const struct netfw_rule *copy_rules(const struct netfw_rule *from, size_t count)
{
	struct netfw_rule *to = copy(from, count, sizeof(*to));

	for (size_t i = 0; i < count; i++)
		to[i].group = text(from[i].group);
	return to;
}

struct netfw_group *describe_group(const struct netfw_group *g)
{
	struct netfw_group *c = copy(g, 1, sizeof(*c));

	c->id = text(g->id);
	c->ingress = copy_rules(g->ingress, g->ingress_count);
	c->egress = copy_rules(g->egress, g->egress_count);
	return c;
}

void describe_free_group(struct netfw_group *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->ingress_count; i++)
		drop(g->ingress[i].group);
	for (size_t i = 0; i < g->egress_count; i++)
		drop(g->egress[i].group);
	drop(g->ingress);
	drop(g->egress);
	drop(g->id);
	free(g);
}

struct netfw_interface *describe_interface(const struct netfw_interface *i)
{
	struct netfw_interface *c = copy(i, 1, sizeof(*c));
	const char **groups = copy(i->groups, i->group_count, sizeof(*groups));

	for (size_t j = 0; j < i->group_count; j++)
		groups[j] = text(groups[j]);
	c->id = text(i->id);
	c->subnet = text(i->subnet);
	c->groups = groups;
	c->host_name = text(i->host_name);
	return c;
}

void describe_free_interface(struct netfw_interface *i)
{
	if (!i)
		return;
	for (size_t j = 0; j < i->group_count; j++)
		drop(i->groups[j]);
	drop(i->groups);
	drop(i->id);
	drop(i->subnet);
	drop(i->host_name);
	free(i);
}

const struct netfw_subnet *describe_subnet(const struct netfw_vpc *v, const char *id)
{
	for (size_t i = 0; i < v->subnet_count; i++)
		if (strcmp(v->subnets[i].id, id) == 0)
			return &v->subnets[i];
	return NULL;
}
