/* The edge, and the host's side of it. */
#include "netfw/edge.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/spawn.h"
#include "netfw/pairs.h"
#include "netfw/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAIN 254
#define HOST_LINK "host" /* in the edge */
#define NFT_MS 20000

/* A packet of a VPC must come from a public address that is routed to the link it comes from. */
static const struct netns_setting settings[] = {
	{"ipv4/ip_forward", "1", 0},
	{"ipv4/conf/all/rp_filter", "1", 0},
	{"ipv4/conf/default/rp_filter", "1", 0},
	{"ipv4/conf/all/send_redirects", "0", 0},
	{"ipv4/conf/default/send_redirects", "0", 0},
	{"ipv4/conf/all/accept_redirects", "0", 0},
	{"ipv4/conf/default/accept_redirects", "0", 0},
	{"ipv4/conf/all/proxy_arp", "0", 0},
	{"ipv4/conf/default/proxy_arp", "0", 0},
	{"ipv4/icmp_echo_ignore_all", "1", 0},
	{"ipv6/conf/all/disable_ipv6", "1", 1},
	{"ipv6/conf/default/disable_ipv6", "1", 1},
};

int edge_init(struct edge *e, const char *owner, const char *mark, struct ec2fs_error *error)
{
	*e = (struct edge){.ns = NETNS_INIT};
	snprintf(e->mark, sizeof(e->mark), "%s", mark);
	snprintf(e->name, sizeof(e->name), "ec2fs-%.8s", owner);
	snprintf(e->link, sizeof(e->link), "ec2-%.8s", owner);
	e->metric = 0xec000000U | ((uint32_t)strtoul(e->link + 4, NULL, 16) & 0xffffffU);
	pthread_mutex_init(&e->mutex, NULL);
	return netns_open_own(&e->host, "the host", error);
}

/*
 * Nobody behind the link begins a connection to the host: neither to an address of its own, nor
 * (where the host translates addresses) by another. What it forwards is its own matter.
 */
static int guard_host(const struct edge *e, struct ec2fs_error *error)
{
	cleanup_free char *script = xasprintf(
		"add table inet %1$s\n"
		"delete table inet %1$s\n"
		"table inet %1$s {\n"
		" chain prerouting {\n"
		"  type filter hook prerouting priority -150; policy accept;\n"
		"  iifname \"%2$s\" ct state established,related accept\n"
		"  iifname \"%2$s\" fib daddr type { local, broadcast, multicast, anycast } drop\n"
		" }\n"
		" chain input {\n"
		"  type filter hook input priority -10; policy accept;\n"
		"  iifname \"%2$s\" ct state established,related accept\n"
		"  iifname \"%2$s\" drop\n"
		" }\n"
		"}\n",
		e->name, e->link);
	const char *argv[] = {"nft", script, NULL};

	return spawn_run_in(e->host.fd, argv, NFT_MS, NULL, error);
}

static int set_addresses(struct edge *e, const struct link *host, const struct link *edge,
			 struct ec2fs_error *error)
{
	static const struct netfw_cidr own = {LINK_EDGE, 32};
	static const uint32_t hosts = LINK_HOST;
	struct route out = {.table = MAIN, .link = edge->index, .via = LINK_HOST};
	struct route in = {.table = MAIN, .to = own, .metric = e->metric, .link = host->index};
	int r = addresses_set(&e->host.rtnl, host, &hosts, 1, error);

	if (r == 0)
		r = link_set_rp_filter(&e->host.rtnl, host, RP_LOOSE, error);
	/* What ICMP errors of the edge come from; rp_filter wants a way back. */
	if (r == 0)
		r = address_add(&e->ns.rtnl, edge, own, ADDRESS_GLOBAL, error);
	if (r == 0)
		r = route_set(&e->host.rtnl, &in, error);
	return r < 0 ? r : route_set(&e->ns.rtnl, &out, error);
}

/* With the mutex: opens or makes the edge and its link to the host. */
static int ensure(struct edge *e, struct ec2fs_error *error)
{
	struct pair_end host = {&e->host, e->link, LINK_EDGE};
	struct pair_end edge = {&e->ns, HOST_LINK, LINK_HOST};
	char path[64];
	struct netns_setting no_ipv6 = {path, "1", 1};
	struct link host_link, edge_link;
	int r;

	if (e->ns.fd >= 0)
		return 0;
	r = netns_create(&e->ns, e->name, e->mark, settings, sizeof(settings) / sizeof(*settings),
			 error);
	if (r == 0)
		r = guard_host(e, error);
	if (r == 0)
		r = pair_set(&host, &edge, &host_link, &edge_link, error);
	if (r >= 0)
		r = set_addresses(e, &host_link, &edge_link, error);
	if (r == 0)
		r = link_set_alias(&e->host.rtnl, &host_link, e->mark, error);
	snprintf(path, sizeof(path), "ipv6/conf/%s/disable_ipv6", e->link);
	if (r == 0)
		r = netns_set(&e->host, &no_ipv6, 1, error);
	if (r < 0)
		netns_close(&e->ns);
	return r;
}

struct pool_walk {
	const struct netfw_cidr *cidrs;
	size_t count;
	uint32_t metric; /* of those looked for */
	struct route *old;
	size_t old_count, old_capacity;
};

static void find_old(void *context, const struct route *route)
{
	struct pool_walk *w = context;

	if (route->metric != w->metric || !route->to.prefix ||
	    (route->to.address == LINK_EDGE && route->to.prefix == 32))
		return;
	for (size_t i = 0; i < w->count; i++)
		if (w->cidrs[i].address == route->to.address &&
		    w->cidrs[i].prefix == route->to.prefix)
			return;
	array_reserve(w->old, w->old_count, w->old_capacity);
	w->old[w->old_count++] = *route;
}

/* Deletes the routes of former pools: those through the link, or all of a metric of ours. */
static int forget_old(struct rtnl *r, struct pool_walk *w, int link, uint32_t metric,
		      struct ec2fs_error *error)
{
	int got;

	w->metric = metric;
	w->old_count = 0;
	got = routes_list(r, MAIN, link, find_old, w, error);
	for (size_t i = 0; got == 0 && i < w->old_count; i++)
		got = route_delete(r, &w->old[i], error);
	return got;
}

/* The host's way to the pool. Another's route to the same addresses is left, and told. */
static int route_pool(struct edge *e, const struct link *l, struct netfw_cidr to,
		      struct ec2fs_error *error)
{
	struct route none = {
		.table = MAIN, .to = to, .metric = e->metric, .kind = ROUTE_UNREACHABLE};
	struct route way = {
		.table = MAIN, .to = to, .link = l->index, .via = LINK_EDGE, .source = LINK_HOST};
	char text[16];
	int r = route_set(&e->host.rtnl, &none, error);

	if (r < 0)
		return r;
	r = route_claim(&e->host.rtnl, &way, error);
	if (r == -EEXIST)
		return ec2fs_fail(error, EC2_InternalError,
				  "the host has another route to %s/%u already: choose another "
				  "public pool, or remove that route",
				  rtnl_address(to.address, text), to.prefix);
	return r;
}

static int set_pool(struct edge *e, const struct netfw_cidr *cidrs, size_t count,
		    struct ec2fs_error *error)
{
	struct pool_walk w = {cidrs, count, 0, NULL, 0, 0};
	struct link l;
	int r = link_get(&e->host.rtnl, e->link, &l, error);

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct route none = {
			.table = MAIN, .to = cidrs[i], .kind = ROUTE_UNREACHABLE, .metric = 1};

		r = route_set(&e->ns.rtnl, &none, error);
		if (r == 0)
			r = route_pool(e, &l, cidrs[i], error);
	}
	if (r == 0)
		r = forget_old(&e->host.rtnl, &w, l.index, 0, error);
	if (r == 0)
		r = forget_old(&e->host.rtnl, &w, 0, e->metric, error);
	if (r == 0)
		r = forget_old(&e->ns.rtnl, &w, 0, 1, error);
	free(w.old);
	return r;
}

int edge_set_pool(struct edge *e, const struct netfw_cidr *cidrs, size_t count,
		  struct ec2fs_error *error)
{
	int r;

	pthread_mutex_lock(&e->mutex);
	r = ensure(e, error);
	if (r == 0)
		r = set_pool(e, cidrs, count, error);
	pthread_mutex_unlock(&e->mutex);
	return r;
}

int edge_join(struct edge *e, struct netns *vpc, const char *name, const char *edge_name,
	      const char *alias, struct ec2fs_error *error)
{
	struct pair_end inside = {vpc, name, LINK_EDGE};
	struct pair_end outside = {&e->ns, edge_name, LINK_HOST};
	struct link in, out;
	int r, made;

	pthread_mutex_lock(&e->mutex);
	r = ensure(e, error);
	if (r == 0)
		r = pair_set(&inside, &outside, &in, &out, error);
	pthread_mutex_unlock(&e->mutex);
	if (r < 0)
		return r;
	made = r;
	r = link_set_rp_filter(&vpc->rtnl, &in, RP_STRICT, error);
	if (r == 0 && strcmp(in.alias, alias) != 0)
		r = link_set_alias(&vpc->rtnl, &in, alias, error);
	return r < 0 ? r : made;
}

static struct route to_public(const struct link *l, uint32_t address)
{
	return (struct route){
		.table = MAIN, .to = {address, 32}, .link = l->index, .via = LINK_HOST};
}

/* -ENODEV: the VPC's link is not there. */
static int with_public(struct edge *e, const char *edge_name, uint32_t address,
		       int (*apply)(struct rtnl *r, const struct route *route,
				    struct ec2fs_error *error),
		       struct ec2fs_error *error)
{
	struct route route;
	struct link l;
	int r;

	pthread_mutex_lock(&e->mutex);
	r = ensure(e, error);
	if (r == 0)
		r = link_get(&e->ns.rtnl, edge_name, &l, error);
	if (r == 0) {
		route = to_public(&l, address);
		r = apply(&e->ns.rtnl, &route, error);
	}
	pthread_mutex_unlock(&e->mutex);
	return r;
}

int edge_route(struct edge *e, const char *edge_name, uint32_t address, struct ec2fs_error *error)
{
	int r = with_public(e, edge_name, address, route_set, error);

	if (r == -ENODEV)
		r = ec2fs_fail(error, EC2_InternalError, "%s has no link %s", e->name, edge_name);
	return r;
}

int edge_unroute(struct edge *e, const char *edge_name, uint32_t address, struct ec2fs_error *error)
{
	int r = with_public(e, edge_name, address, route_delete, error);

	return r == -ENODEV ? 0 : r; /* its routes went with the link */
}

struct public_walk {
	const uint32_t *addresses; /* sorted */
	size_t count;
	bool *there;
	struct route *old;
	size_t old_count, old_capacity;
};

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void sort_out(void *context, const struct route *route)
{
	struct public_walk *w = context;
	const uint32_t *found = w->count ? bsearch(&route->to.address, w->addresses, w->count,
						   sizeof(*w->addresses), compare)
					 : NULL;

	if (route->to.prefix == 32 && found) {
		w->there[found - w->addresses] = true;
		return;
	}
	array_reserve(w->old, w->old_count, w->old_capacity);
	w->old[w->old_count++] = *route;
}

static int sync_routes(struct edge *e, const struct link *l, struct public_walk *w,
		       struct ec2fs_error *error)
{
	int r = routes_list(&e->ns.rtnl, MAIN, l->index, sort_out, w, error);

	for (size_t i = 0; r == 0 && i < w->count; i++) {
		struct route route = to_public(l, w->addresses[i]);

		if (!w->there[i])
			r = route_set(&e->ns.rtnl, &route, error);
	}
	for (size_t i = 0; r == 0 && i < w->old_count; i++)
		r = route_delete(&e->ns.rtnl, &w->old[i], error);
	return r;
}

int edge_set_routes(struct edge *e, const char *edge_name, const uint32_t *addresses, size_t count,
		    struct ec2fs_error *error)
{
	cleanup_free uint32_t *sorted = xcalloc(count + 1, sizeof(*sorted));
	cleanup_free bool *there = xcalloc(count + 1, sizeof(*there));
	struct public_walk w = {sorted, count, there, NULL, 0, 0};
	struct link l;
	int r;

	if (count)
		memcpy(sorted, addresses, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare);
	pthread_mutex_lock(&e->mutex);
	r = ensure(e, error);
	if (r == 0)
		r = link_get(&e->ns.rtnl, edge_name, &l, error);
	if (r == 0)
		r = sync_routes(e, &l, &w, error);
	pthread_mutex_unlock(&e->mutex);
	free(w.old);
	if (r == -ENODEV)
		r = ec2fs_fail(error, EC2_InternalError, "%s has no link %s", e->name, edge_name);
	return r;
}

static void count_vpcs(void *context, const struct link *l)
{
	if (strcmp(l->name, "lo") != 0 && strcmp(l->name, HOST_LINK) != 0)
		++*(size_t *)context;
}

static void find_ours(void *context, const struct route *route)
{
	struct pool_walk *w = context;

	if (route->metric != w->metric)
		return;
	array_reserve(w->old, w->old_count, w->old_capacity);
	w->old[w->old_count++] = *route;
}

/* Of an edge that no VPC leads to nothing is left, on the host neither. */
static void remove_unused(struct edge *e)
{
	cleanup_free char *script =
		xasprintf("add table inet %1$s\ndelete table inet %1$s\n", e->name);
	const char *argv[] = {"nft", script, NULL};
	struct pool_walk w = {.metric = e->metric};
	struct link l;
	size_t vpcs = 0;

	if (link_list(&e->ns.rtnl, count_vpcs, &vpcs, NULL) < 0 || vpcs)
		return;
	routes_list(&e->host.rtnl, MAIN, 0, find_ours, &w, NULL);
	if (link_get(&e->host.rtnl, e->link, &l, NULL) == 0)
		link_delete(&e->host.rtnl, l.index, e->link, NULL);
	for (size_t i = 0; i < w.old_count; i++)
		route_delete(&e->host.rtnl, &w.old[i], NULL);
	free(w.old);
	spawn_run_in(e->host.fd, argv, NFT_MS, NULL, NULL);
	netns_remove(e->name, e->mark, NULL);
}

void edge_close(struct edge *e)
{
	if (e->ns.fd >= 0 || netns_open(&e->ns, e->name, e->mark, NULL) == 0)
		remove_unused(e);
	netns_close(&e->ns);
	netns_close(&e->host);
	pthread_mutex_destroy(&e->mutex);
}
