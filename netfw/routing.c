/*
 * Route tables. A packet in a VPC's namespace asks, in this order:
 *
 * - local: the router's, the DNS server's, the metadata service's addresses
 * - 100: the VPC's table, a /32 an interface; the rest of its CIDRs is a blackhole
 * - 200, 201: it came from an interface without source/dest check: its subnet's table, no other
 * - 300: its source is in a subnet: that subnet's table
 * - 400: nothing: dropped
 *
 * Below each route of a table through a link lies a blackhole of a worse metric: when the link
 * goes, the route leads nowhere at once, and not to where a shorter prefix would.
 */
#include "netfw/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "netfw/describe.h"
#include "netfw/names.h"
#include "netfw/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PRIORITY_VPC 100
#define PRIORITY_ROUTER 200
#define PRIORITY_SUBNET 300
#define PRIORITY_NONE 400
#define METRIC_NONE 4000000000U
/* The kernel's number of a route table comes from its ID, so it is the same after a restart. */
#define FIRST_TABLE 0x10000000U

struct holes {
	const struct netfw_vpc *is;
	struct route *old;
	size_t count, capacity;
};

static void find_old(void *context, const struct route *route)
{
	struct holes *holes = context;

	if (route->kind != ROUTE_BLACKHOLE)
		return;
	for (size_t i = 0; i < holes->is->cidr_count; i++)
		if (holes->is->cidrs[i].address == route->to.address &&
		    holes->is->cidrs[i].prefix == route->to.prefix)
			return;
	array_reserve(holes->old, holes->count, holes->capacity);
	holes->old[holes->count++] = *route;
}

static struct route hole(struct netfw_cidr to)
{
	return (struct route){.table = VPC_TABLE, .to = to, .kind = ROUTE_BLACKHOLE};
}

int routing_set_cidrs(struct vpc *v, const struct netfw_vpc *old, struct ec2fs_error *error)
{
	struct holes holes = {.is = v->is};
	int r = 0;

	for (size_t i = 0; r == 0 && i < v->is->cidr_count; i++) {
		struct route route = hole(v->is->cidrs[i]);

		r = route_set(&v->ns.rtnl, &route, error);
	}
	if (r == 0 && !old)
		r = routes_list(&v->ns.rtnl, VPC_TABLE, 0, find_old, &holes, error);
	for (size_t i = 0; old && i < old->cidr_count; i++) {
		struct route route = hole(old->cidrs[i]);

		find_old(&holes, &route);
	}
	for (size_t i = 0; r == 0 && i < holes.count; i++)
		r = route_delete(&v->ns.rtnl, &holes.old[i], error);
	free(holes.old);
	return r;
}

static void number_tables(const struct netfw_vpc *is, uint32_t *numbers)
{
	for (size_t i = 0; i < is->route_table_count; i++) {
		uint32_t number =
			FIRST_TABLE | (uint32_t)(hash_str(is->route_tables[i].id, 0) & 0xfffffff);

		for (size_t j = 0; j < i; j++)
			if (numbers[j] == number) { /* once in millions of VPCs */
				number++;
				j = (size_t)-1;
			}
		numbers[i] = number;
	}
}

static uint32_t number_of(const struct netfw_vpc *is, const uint32_t *numbers, const char *table)
{
	for (size_t i = 0; i < is->route_table_count; i++)
		if (strcmp(is->route_tables[i].id, table) == 0)
			return numbers[i];
	return 0;
}

/* Fills link and next hop; false: the target is not there now. */
static bool find_target(struct vpc *v, const struct netfw_route *route, struct route *to)
{
	const struct interface *i;
	char name[16];
	struct link l;

	to->via = LINK_EDGE;
	switch (route->target) {
	case NETFW_INTERNET:
		memcpy(name, NETFW_IGW, sizeof(NETFW_IGW));
		break;
	case NETFW_NAT:
		netfw_nat_name(route->id, name);
		break;
	case NETFW_PEERING:
		netfw_peering_name(route->id, name);
		break;
	case NETFW_GATEWAY:
		netfw_gateway_name(route->id, name);
		break;
	case NETFW_INTERFACE:
		i = vpc_find(v, route->id);
		if (!i)
			return false;
		memcpy(name, i->tap, sizeof(name));
		to->via = i->is->address;
		break;
	default:
		return false;
	}
	if (link_get(&v->ns.rtnl, name, &l, NULL) < 0 || !l.up)
		return false;
	to->link = l.index;
	return true;
}

static int sync_table(struct vpc *v, const struct netfw_route_table *t, uint32_t number,
		      struct ec2fs_error *error)
{
	cleanup_free struct route *routes = xcalloc(2 * t->route_count + 1, sizeof(*routes));
	size_t count = 0;
	int r;

	for (size_t i = 0; i < t->route_count; i++) {
		struct route way = {.table = number, .to = t->routes[i].to};
		struct route none = {.table = number,
				     .to = t->routes[i].to,
				     .kind = ROUTE_BLACKHOLE,
				     .metric = METRIC_NONE};

		routes[count++] = none;
		if (find_target(v, &t->routes[i], &way))
			routes[count++] = way;
	}
	r = routes_sync(&v->ns.rtnl, number, routes, count, error);
	return r < 0 ? ec2fs_wrap(error, "route table %s", t->id) : 0;
}

static void add_rule(struct rule **rules, size_t *count, struct rule rule)
{
	(*rules)[(*count)++] = rule;
}

static int sync_rules(struct vpc *v, const uint32_t *numbers, struct ec2fs_error *error)
{
	const struct netfw_vpc *is = v->is;
	cleanup_free struct rule *rules =
		xcalloc(is->subnet_count + 2 * v->routers.count + 2, sizeof(*rules));
	size_t count = 0;

	add_rule(&rules, &count, (struct rule){.priority = PRIORITY_VPC, .table = VPC_TABLE});
	for (size_t c = 0; c < v->routers.capacity; c++) {
		const struct interface *i = v->routers.cells[c].item;
		const struct netfw_subnet *s = i ? describe_subnet(is, i->is->subnet) : NULL;
		struct rule rule = {.priority = PRIORITY_ROUTER};

		if (!s)
			continue;
		memcpy(rule.in, i->tap, sizeof(rule.in));
		rule.table = number_of(is, numbers, s->route_table);
		if (rule.table)
			add_rule(&rules, &count, rule);
		rule.priority++;
		rule.table = 0;
		add_rule(&rules, &count, rule);
	}
	for (size_t i = 0; i < is->subnet_count; i++) {
		struct rule rule = {.priority = PRIORITY_SUBNET, .from = is->subnets[i].cidr};

		rule.table = number_of(is, numbers, is->subnets[i].route_table);
		if (rule.table)
			add_rule(&rules, &count, rule);
	}
	add_rule(&rules, &count, (struct rule){.priority = PRIORITY_NONE});
	return rules_sync(&v->ns.rtnl, rules, count, error);
}

struct stale {
	const uint32_t *numbers;
	size_t number_count;
	struct route *routes;
	size_t count, capacity;
};

static void find_stale(void *context, const struct route *route)
{
	struct stale *stale = context;

	if (route->table < FIRST_TABLE)
		return;
	for (size_t i = 0; i < stale->number_count; i++)
		if (stale->numbers[i] == route->table)
			return;
	array_reserve(stale->routes, stale->count, stale->capacity);
	stale->routes[stale->count++] = *route;
}

/* Empties the tables that no rule asks any more. */
static int empty_others(struct vpc *v, const struct netfw_vpc *old, const uint32_t *numbers,
			struct ec2fs_error *error)
{
	struct stale stale = {.numbers = numbers, .number_count = v->is->route_table_count};
	cleanup_free uint32_t *old_numbers =
		xcalloc((old ? old->route_table_count : 0) + 1, sizeof(*old_numbers));
	int r = 0;

	if (!old)
		r = routes_list(&v->ns.rtnl, 0, 0, find_stale, &stale, error);
	else
		number_tables(old, old_numbers);
	for (size_t i = 0; r == 0 && old && i < old->route_table_count; i++)
		r = routes_list(&v->ns.rtnl, old_numbers[i], 0, find_stale, &stale, error);
	for (size_t i = 0; r == 0 && i < stale.count; i++)
		r = route_delete(&v->ns.rtnl, &stale.routes[i], error);
	free(stale.routes);
	return r;
}

int routing_sync(struct vpc *v, const struct netfw_vpc *old, struct ec2fs_error *error)
{
	const struct netfw_vpc *is = v->is;
	cleanup_free uint32_t *numbers = xcalloc(is->route_table_count + 1, sizeof(*numbers));
	int r = 0;

	number_tables(is, numbers);
	/* The other side of a peering does not delete a link that is being routed through. */
	if (is->peering_count)
		pthread_mutex_lock(&v->netfw->peerings_mutex);
	for (size_t i = 0; r == 0 && i < is->route_table_count; i++)
		r = sync_table(v, &is->route_tables[i], numbers[i], error);
	if (is->peering_count)
		pthread_mutex_unlock(&v->netfw->peerings_mutex);
	if (r == 0)
		r = sync_rules(v, numbers, error);
	return r < 0 ? r : empty_others(v, old, numbers, error);
}

bool routing_uses(const struct vpc *v, const char *interface)
{
	for (size_t i = 0; i < v->is->route_table_count; i++)
		for (size_t j = 0; j < v->is->route_tables[i].route_count; j++) {
			const struct netfw_route *route = &v->is->route_tables[i].routes[j];

			if (route->target == NETFW_INTERFACE && strcmp(route->id, interface) == 0)
				return true;
		}
	return false;
}
