/* A virtual private gateway by plain routing. */
#include "netfw/gateway.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"
#include "ec2fs/util/spawn.h"
#include "netfw/pairs.h"
#include "netfw/routes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define MAIN 254
#define NFT_MS 20000
#define VETH_MOST 65535 /* the largest MTU it can have */
/* Of the host's end; the interface follows. */
#define ALIAS "ec2fs gateway to "

/* Does the host forward from everywhere to everywhere? */
static bool is_router(const struct edge *e)
{
	cleanup_netns int back = -1;
	cleanup_close int fd = -1;
	char is = '0';

	if (netns_enter(e->host.fd, &back) < 0)
		return true;
	fd = open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC);
	return fd < 0 || read(fd, &is, 1) != 1 || is != '0';
}

/*
 * Behind the link is a VPC: it reaches the network behind the interface, not the host itself. A
 * host that forwards nothing else goes on so, although the interface's own switch is on now.
 */
static int guard(const struct edge *e, const char *name, const char *interface,
		 struct ec2fs_error *error)
{
	cleanup_free char *only =
		is_router(e) ? xstrdup("")
			     : xasprintf("  iifname \"%s\" oifname != \"vgw*\" drop\n", interface);
	cleanup_free char *script = xasprintf(
		"add table inet %1$s\n"
		"delete table inet %1$s\n"
		"table inet %1$s {\n"
		" chain prerouting {\n"
		"  type filter hook prerouting priority -150; policy accept;\n"
		"  iifname \"%1$s\" ct state established,related accept\n"
		"  iifname \"%1$s\" fib daddr type { local, broadcast, multicast, anycast } drop\n"
		" }\n"
		" chain input {\n"
		"  type filter hook input priority -10; policy accept;\n"
		"  iifname \"%1$s\" ct state established,related accept\n"
		"  iifname \"%1$s\" drop\n"
		" }\n"
		" chain forward {\n"
		"  type filter hook forward priority -10; policy accept;\n"
		"  iifname \"%1$s\" oifname != \"%2$s\" drop\n"
		"  oifname \"%1$s\" iifname != \"%2$s\" drop\n"
		"%3$s"
		" }\n"
		"}\n",
		name, interface, only);
	const char *argv[] = {"nft", script, NULL};

	return spawn_run_in(e->host.fd, argv, NFT_MS, NULL, error);
}

static int forward(const struct edge *e, const char *interface, const char *value,
		   struct ec2fs_error *error)
{
	cleanup_free char *path = xasprintf("ipv4/conf/%s/forwarding", interface);
	struct netns_setting s = {path, value, 1};

	return netns_set(&e->host, &s, 1, error);
}

struct old_routes {
	const struct netfw_cidr *cidrs;
	size_t cidr_count;
	struct route *routes;
	size_t count, capacity;
};

static void find_old(void *context, const struct route *route)
{
	struct old_routes *old = context;

	for (size_t i = 0; i < old->cidr_count; i++)
		if (old->cidrs[i].address == route->to.address &&
		    old->cidrs[i].prefix == route->to.prefix)
			return;
	array_reserve(old->routes, old->count, old->capacity);
	old->routes[old->count++] = *route;
}

/* The host routes the VPC's CIDRs through the link. */
static int set_routes(struct edge *e, const struct link *l, const struct netfw_cidr *cidrs,
		      size_t count, struct ec2fs_error *error)
{
	struct old_routes old = {cidrs, count, NULL, 0, 0};
	char text[16];
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct route route = {
			.table = MAIN, .to = cidrs[i], .link = l->index, .via = LINK_EDGE};

		r = route_claim(&e->host.rtnl, &route, error);
		if (r == -EEXIST)
			r = ec2fs_fail(error, EC2_InternalError,
				       "the host has another route to %s/%u already: %s cannot "
				       "reach it",
				       rtnl_address(cidrs[i].address, text), cidrs[i].prefix,
				       l->name);
	}
	if (r == 0)
		r = routes_list(&e->host.rtnl, MAIN, l->index, find_old, &old, error);
	for (size_t i = 0; r == 0 && i < old.count; i++)
		r = route_delete(&e->host.rtnl, &old.routes[i], error);
	free(old.routes);
	return r;
}

/*
 * The pair lets through what the interface does, 1420 bytes for WireGuard: then it is the VPC's
 * router that tells a machine to send less. The host's word would come from an address of its own,
 * and be dropped.
 */
static int set_mtu(struct edge *e, struct netns *vpc, const char *interface, const struct link *in,
		   const struct link *out, struct ec2fs_error *error)
{
	struct link l;
	unsigned mtu;
	int r = link_get(&e->host.rtnl, interface, &l, error);

	if (r < 0)
		return r == -ENODEV ? ec2fs_fail(error, EC2_InternalError,
						 "the host has no interface %s", interface)
				    : r;
	mtu = l.mtu < VETH_MOST ? l.mtu : VETH_MOST;
	r = link_set_mtu(&e->host.rtnl, out, mtu, error);
	return r < 0 ? r : link_set_mtu(&vpc->rtnl, in, mtu, error);
}

static int set_up(struct edge *e, struct netns *vpc, const char *name, const char *interface,
		  const struct netfw_cidr *cidrs, size_t count, struct ec2fs_error *error)
{
	struct pair_end inside = {vpc, name, LINK_EDGE}, outside = {&e->host, name, LINK_EDGE};
	char alias[64];
	struct link in, out;
	int r = guard(e, name, interface, error), made;

	if (r == 0)
		r = pair_set(&inside, &outside, &in, &out, error);
	if (r < 0)
		return r;
	made = r;
	snprintf(alias, sizeof(alias), ALIAS "%s", interface);
	r = link_set_alias(&e->host.rtnl, &out, alias, error);
	if (r == 0)
		r = link_set_rp_filter(&vpc->rtnl, &in, RP_STRICT, error);
	if (r == 0)
		r = set_mtu(e, vpc, interface, &in, &out, error);
	if (r == 0)
		r = set_routes(e, &out, cidrs, count, error);
	if (r == 0)
		r = forward(e, name, "1", error);
	if (r == 0)
		r = forward(e, interface, "1", error);
	return r < 0 ? r : made;
}

int gateway_join(struct edge *e, struct netns *vpc, const char *name, const char *interface,
		 const struct netfw_cidr *cidrs, size_t count, struct ec2fs_error *error)
{
	int r;

	pthread_mutex_lock(&e->mutex);
	r = set_up(e, vpc, name, interface, cidrs, count, error);
	pthread_mutex_unlock(&e->mutex);
	return r;
}

struct others {
	const char *name, *alias;
	bool found;
};

static void look_for_others(void *context, const struct link *l)
{
	struct others *o = context;

	if (strcmp(l->name, o->name) != 0 && strcmp(l->alias, o->alias) == 0)
		o->found = true;
}

static int tear_down(struct edge *e, const char *name, struct ec2fs_error *error)
{
	cleanup_free char *script =
		xasprintf("add table inet %1$s\ndelete table inet %1$s\n", name);
	const char *argv[] = {"nft", script, NULL};
	struct link l;
	struct others others = {name, l.alias, false};
	int r = link_get(&e->host.rtnl, name, &l, error);

	if (r == -ENODEV)
		return 0;
	if (r == 0 && strncmp(l.alias, ALIAS, strlen(ALIAS)) == 0) {
		r = link_list(&e->host.rtnl, look_for_others, &others, error);
		if (r == 0 && !others.found && !is_router(e))
			r = forward(e, l.alias + strlen(ALIAS), "0", error);
	}
	if (r == 0)
		r = link_delete(&e->host.rtnl, l.index, name, error);
	return r < 0 ? r : spawn_run_in(e->host.fd, argv, NFT_MS, NULL, error);
}

int gateway_leave(struct edge *e, const char *name, struct ec2fs_error *error)
{
	int r;

	pthread_mutex_lock(&e->mutex);
	r = tear_down(e, name, error);
	pthread_mutex_unlock(&e->mutex);
	return r;
}
