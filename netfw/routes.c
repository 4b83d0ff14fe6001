/* Routes of a network namespace. */
#include "netfw/routes.h"

#include "ec2fs/util/cleanup.h"
#include "ec2fs/util/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* In rtm_protocol: `ip route` shows whose routes these are. */
#define PROTOCOL 236

static void start(struct rtnl_message *m, uint16_t type, uint16_t flags, const struct route *route)
{
	static const uint8_t types[] = {[ROUTE_VIA] = RTN_UNICAST,
					[ROUTE_BLACKHOLE] = RTN_BLACKHOLE,
					[ROUTE_UNREACHABLE] = RTN_UNREACHABLE};
	struct rtmsg t = {.rtm_family = AF_INET,
			  .rtm_dst_len = route->to.prefix,
			  .rtm_table = RT_TABLE_UNSPEC,
			  .rtm_protocol = PROTOCOL,
			  .rtm_type = types[route->kind]};

	if (type == RTM_DELROUTE) {
		t.rtm_protocol = RTPROT_UNSPEC;
		t.rtm_scope = RT_SCOPE_NOWHERE;
	} else if (route->kind == ROUTE_VIA) {
		t.rtm_scope = route->via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
		t.rtm_flags = route->via ? RTNH_F_ONLINK : 0;
	}
	rtnl_start(m, type, flags, &t, sizeof(t));
	mnl_attr_put_u32(&m->header, RTA_TABLE, route->table);
	if (route->to.prefix)
		mnl_attr_put_u32(&m->header, RTA_DST, htonl(route->to.address));
	if (route->metric)
		mnl_attr_put_u32(&m->header, RTA_PRIORITY, route->metric);
	if (route->kind == ROUTE_VIA && route->link)
		mnl_attr_put_u32(&m->header, RTA_OIF, (uint32_t)route->link);
}

static int add(struct rtnl *r, const struct route *route, uint16_t how)
{
	struct rtnl_message m;

	start(&m, RTM_NEWROUTE, NLM_F_CREATE | how, route);
	if (route->kind == ROUTE_VIA && route->via)
		mnl_attr_put_u32(&m.header, RTA_GATEWAY, htonl(route->via));
	if (route->kind == ROUTE_VIA && route->source)
		mnl_attr_put_u32(&m.header, RTA_PREFSRC, htonl(route->source));
	return rtnl_send(r, &m);
}

int route_set(struct rtnl *r, const struct route *route, struct ec2fs_error *error)
{
	char text[16];
	int got = add(r, route, NLM_F_REPLACE);

	return got < 0 ? rtnl_fail(r, got, error, "add the route %s/%u",
				   rtnl_address(route->to.address, text), route->to.prefix)
		       : 0;
}

int route_delete(struct rtnl *r, const struct route *route, struct ec2fs_error *error)
{
	struct rtnl_message m;
	char text[16];
	int got;

	start(&m, RTM_DELROUTE, 0, route);
	got = rtnl_send(r, &m);
	return got < 0 && got != -ESRCH
		       ? rtnl_fail(r, got, error, "delete the route %s/%u",
				   rtnl_address(route->to.address, text), route->to.prefix)
		       : 0;
}

struct listing {
	uint32_t table;
	int link;
	void (*each)(void *context, const struct route *route);
	void *context;
};

static bool parse(const struct nlmsghdr *h, struct route *route)
{
	const struct rtmsg *t = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;

	*route = (struct route){.table = t->rtm_table, .to.prefix = t->rtm_dst_len};
	switch (t->rtm_type) {
	case RTN_UNICAST:
		route->kind = ROUTE_VIA;
		break;
	case RTN_BLACKHOLE:
		route->kind = ROUTE_BLACKHOLE;
		break;
	case RTN_UNREACHABLE:
		route->kind = ROUTE_UNREACHABLE;
		break;
	default:
		return false;
	}
	mnl_attr_for_each(a, h, sizeof(*t))
	{
		switch (mnl_attr_get_type(a)) {
		case RTA_TABLE:
			route->table = mnl_attr_get_u32(a);
			break;
		case RTA_DST:
			route->to.address = ntohl(mnl_attr_get_u32(a));
			break;
		case RTA_PRIORITY:
			route->metric = mnl_attr_get_u32(a);
			break;
		case RTA_OIF:
			route->link = (int)mnl_attr_get_u32(a);
			break;
		case RTA_GATEWAY:
			route->via = ntohl(mnl_attr_get_u32(a));
			break;
		case RTA_PREFSRC:
			route->source = ntohl(mnl_attr_get_u32(a));
			break;
		default:
			break;
		}
	}
	return true;
}

static void list_one(void *context, const struct nlmsghdr *h)
{
	const struct listing *listing = context;
	const struct rtmsg *t = mnl_nlmsg_get_payload(h);
	struct route route;

	if (h->nlmsg_type != RTM_NEWROUTE || t->rtm_family != AF_INET ||
	    (t->rtm_flags & RTM_F_CLONED) || !parse(h, &route))
		return;
	if ((listing->table && route.table != listing->table) ||
	    (listing->link && route.link != listing->link))
		return;
	listing->each(listing->context, &route);
}

int routes_list(struct rtnl *r, uint32_t table, int link,
		void (*each)(void *context, const struct route *route), void *context,
		struct ec2fs_error *error)
{
	struct listing listing = {table, link, each, context};
	struct rtmsg t = {.rtm_family = AF_INET};
	struct rtnl_message m;
	int got;

	rtnl_start(&m, RTM_GETROUTE, NLM_F_DUMP, &t, sizeof(t));
	/* A kernel that heeds these does not walk what is not asked for. */
	if (table)
		mnl_attr_put_u32(&m.header, RTA_TABLE, table);
	if (link)
		mnl_attr_put_u32(&m.header, RTA_OIF, (uint32_t)link);
	got = rtnl_dump(r, &m, list_one, &listing);
	if (got == -ENOENT) /* a table that was never used */
		return 0;
	return got < 0 ? rtnl_fail(r, got, error, "list the routes") : 0;
}

struct search {
	const struct route *wanted;
	bool found;
};

static void look(void *context, const struct route *route)
{
	struct search *s = context;

	if (route->to.address == s->wanted->to.address &&
	    route->to.prefix == s->wanted->to.prefix && route->metric == s->wanted->metric)
		s->found = true;
}

int route_claim(struct rtnl *r, const struct route *route, struct ec2fs_error *error)
{
	struct search s = {route, false};
	char text[16];
	int got = add(r, route, NLM_F_EXCL);

	if (got == 0)
		return 0;
	if (got != -EEXIST)
		return rtnl_fail(r, got, error, "add the route %s/%u",
				 rtnl_address(route->to.address, text), route->to.prefix);
	got = routes_list(r, route->table, route->link, look, &s, error);
	if (got < 0)
		return got;
	return s.found ? route_set(r, route, error) : -EEXIST;
}

struct route_list {
	struct route *routes;
	size_t count, capacity;
};

static void append(void *context, const struct route *route)
{
	struct route_list *list = context;

	array_reserve(list->routes, list->count, list->capacity);
	list->routes[list->count++] = *route;
}

/* By what makes a route replace another. */
static int compare(const void *a, const void *b)
{
	const struct route *x = a, *y = b;

	if (x->to.address != y->to.address)
		return x->to.address < y->to.address ? -1 : 1;
	if (x->to.prefix != y->to.prefix)
		return x->to.prefix < y->to.prefix ? -1 : 1;
	return x->metric < y->metric ? -1 : x->metric > y->metric;
}

static bool same(const struct route *x, const struct route *y)
{
	return x->kind == y->kind &&
	       (x->kind != ROUTE_VIA ||
		(x->link == y->link && x->via == y->via && x->source == y->source));
}

/* The wanted ones are sorted. Those that are there and not wanted are deleted. */
static int delete_others(struct rtnl *r, const struct route_list *there, const struct route *wanted,
			 size_t count, struct ec2fs_error *error)
{
	for (size_t i = 0; i < there->count; i++) {
		int got;

		if (count && bsearch(&there->routes[i], wanted, count, sizeof(*wanted), compare))
			continue;
		got = route_delete(r, &there->routes[i], error);
		if (got < 0)
			return got;
	}
	return 0;
}

int routes_sync(struct rtnl *r, uint32_t table, const struct route *wanted, size_t count,
		struct ec2fs_error *error)
{
	cleanup_free struct route *sorted = xcalloc(count + 1, sizeof(*sorted));
	struct route_list there = {0};
	int got = routes_list(r, table, 0, append, &there, error);

	if (count)
		memcpy(sorted, wanted, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare);
	if (there.count)
		qsort(there.routes, there.count, sizeof(*there.routes), compare);
	for (size_t i = 0; got == 0 && i < count; i++) {
		const struct route *found = there.count
						    ? bsearch(&sorted[i], there.routes, there.count,
							      sizeof(*there.routes), compare)
						    : NULL;

		if (!found || !same(found, &sorted[i]))
			got = route_set(r, &sorted[i], error);
	}
	if (got == 0)
		got = delete_others(r, &there, sorted, count, error);
	free(there.routes);
	return got;
}
