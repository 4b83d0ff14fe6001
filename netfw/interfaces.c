/*
 * Interfaces of instances inside their VPC's namespace: a tap with the router's address, a
 * permanent neighbour entry and a route for the one address behind it.
 *
 * The route is the last thing that is made. So where it is right, all else is, and after a crash at
 * any point a look at the links and the routes tells what is left to do.
 */
#include "netfw/internal.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "netfw/describe.h"
#include "netfw/links.h"
#include "netfw/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct route route_to(const struct interface *i, int link)
{
	return (struct route){.table = VPC_TABLE, .to = {i->is->address, 32}, .link = link};
}

int interface_connect(struct vpc *v, const struct interface *i, const struct link *tap,
		      struct ec2fs_error *error)
{
	const struct netfw_subnet *s = v->is ? describe_subnet(v->is, i->is->subnet) : NULL;
	struct route route = route_to(i, tap->index);
	struct netfw_cidr router;
	int r;

	if (!s)
		return ec2fs_fail(error, EC2_InternalError, "%s is in %s, which %s has not",
				  i->is->id, i->is->subnet, v->id);
	router = (struct netfw_cidr){s->cidr.address + 1, s->cidr.prefix};
	r = link_answer_at_once(&v->ns.rtnl, tap, error);
	if (r == 0)
		r = address_add(&v->ns.rtnl, tap, router, ADDRESS_GLOBAL, error);
	if (r == 0 && !tap->up)
		r = link_up(&v->ns.rtnl, tap, error);
	if (r == 0)
		r = neighbour_add(&v->ns.rtnl, tap, i->is->address, i->is->mac, error);
	return r < 0 ? r : route_set(&v->ns.rtnl, &route, error);
}

int interface_reconnect(struct vpc *v, const struct interface *i, struct ec2fs_error *error)
{
	struct link tap;
	int r = link_get(&v->ns.rtnl, i->tap, &tap, error);

	if (r == -ENODEV)
		return 0;
	return r < 0 ? r : interface_connect(v, i, &tap, error);
}

int interface_unroute(struct vpc *v, const struct interface *i, uint32_t address,
		      struct ec2fs_error *error)
{
	struct route route = route_to(i, 0);
	struct link tap;
	int r = link_get(&v->ns.rtnl, i->tap, &tap, error);

	if (r == -ENODEV)
		return 0;
	route.to.address = address;
	route.link = tap.index;
	return r < 0 ? r : route_delete(&v->ns.rtnl, &route, error);
}

int interface_disconnect(struct vpc *v, const struct interface *i, struct ec2fs_error *error)
{
	struct link tap;
	int r = link_get(&v->ns.rtnl, i->tap, &tap, error);

	if (r == -ENODEV)
		return 0;
	return r < 0 ? r : link_down(&v->ns.rtnl, &tap, error); /* its routes go with it */
}

struct tap {
	struct link link;
	bool wanted;
};

struct taps {
	struct tap *taps;
	size_t count, capacity;
};

static void collect_tap(void *context, const struct link *l)
{
	struct taps *taps = context;

	if (strncmp(l->name, "tap", 3) != 0)
		return;
	array_reserve(taps->taps, taps->count, taps->capacity);
	taps->taps[taps->count++] = (struct tap){*l, false};
}

static int by_name(const void *a, const void *b)
{
	const struct tap *x = a, *y = b;

	return strcmp(x->link.name, y->link.name);
}

struct host {
	struct route route;
	bool wanted;
};

struct hosts {
	struct host *hosts;
	size_t count, capacity;
};

static void collect_route(void *context, const struct route *route)
{
	struct hosts *hosts = context;

	if (route->kind != ROUTE_VIA)
		return;
	array_reserve(hosts->hosts, hosts->count, hosts->capacity);
	hosts->hosts[hosts->count++] = (struct host){*route, false};
}

static int by_address(const void *a, const void *b)
{
	const struct host *x = a, *y = b;

	return x->route.to.address < y->route.to.address
		       ? -1
		       : x->route.to.address > y->route.to.address;
}

/* Is the tap up with the interface's route through it? */
static bool connected(const struct interface *i, const struct link *tap, struct hosts *hosts)
{
	struct host key = {.route = route_to(i, tap->index)};
	struct host *found =
		hosts->count ? bsearch(&key, hosts->hosts, hosts->count, sizeof(key), by_address)
			     : NULL;

	if (!found || found->route.to.prefix != 32 || found->route.link != tap->index ||
	    found->route.via || !tap->up)
		return false;
	found->wanted = true;
	return true;
}

static int connect_all(struct vpc *v, struct taps *taps, struct hosts *hosts,
		       struct ec2fs_error *error)
{
	for (size_t c = 0; c < v->interfaces.capacity; c++) {
		struct interface *i = v->interfaces.cells[c].item;
		struct tap key = {0}, *tap;
		int r;

		if (!i || !taps->count)
			continue;
		memcpy(key.link.name, i->tap, sizeof(key.link.name));
		tap = bsearch(&key, taps->taps, taps->count, sizeof(key), by_name);
		if (!tap)
			continue;
		tap->wanted = true;
		if (connected(i, &tap->link, hosts))
			continue;
		r = interface_connect(v, i, &tap->link, error);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Nobody's taps, and routes to nobody. A route that was replaced is not found any more: well. */
static int delete_others(struct vpc *v, const struct taps *taps, const struct hosts *hosts,
			 struct ec2fs_error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < hosts->count; i++)
		if (!hosts->hosts[i].wanted)
			r = route_delete(&v->ns.rtnl, &hosts->hosts[i].route, error);
	for (size_t i = 0; r == 0 && i < taps->count; i++)
		if (!taps->taps[i].wanted)
			r = link_delete(&v->ns.rtnl, taps->taps[i].link.index,
					taps->taps[i].link.name, error);
	return r;
}

int interfaces_sync(struct vpc *v, struct ec2fs_error *error)
{
	struct taps taps = {0};
	struct hosts hosts = {0};
	int r = link_list(&v->ns.rtnl, collect_tap, &taps, error);

	if (r == 0)
		r = routes_list(&v->ns.rtnl, VPC_TABLE, 0, collect_route, &hosts, error);
	if (taps.count)
		qsort(taps.taps, taps.count, sizeof(*taps.taps), by_name);
	if (hosts.count)
		qsort(hosts.hosts, hosts.count, sizeof(*hosts.hosts), by_address);
	if (r == 0)
		r = connect_all(v, &taps, &hosts, error);
	if (r == 0)
		r = delete_others(v, &taps, &hosts, error);
	free(taps.taps);
	free(hosts.hosts);
	return r;
}
