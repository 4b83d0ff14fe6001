/* Routes and routing rules of a network namespace. */
#ifndef NETFW_ROUTES_H
#define NETFW_ROUTES_H

#include "netfw/netfw.h"
#include "netfw/rtnl.h"

#include <stdbool.h>

enum route_kind { ROUTE_VIA, ROUTE_BLACKHOLE, ROUTE_UNREACHABLE };

struct route {
	uint32_t table; /* 254: main */
	struct netfw_cidr to;
	uint32_t metric; /* the lowest wins */
	enum route_kind kind;
	int link;        /* VIA: index */
	uint32_t via;    /* VIA: the next hop, on that link whatever its addresses are; 0: none */
	uint32_t source; /* VIA: what the host's own packets come from; 0: as the kernel chooses */
};

/* Adds it, or puts it in the place of the one to the same CIDR with the same metric. */
int route_set(struct rtnl *r, const struct route *route, struct ec2fs_error *error);
/* Adds it (VIA), or replaces one through the same link. There is another one to the same CIDR with
 * the same metric: -EEXIST (error is untouched). */
int route_claim(struct rtnl *r, const struct route *route, struct ec2fs_error *error);
/* The route to this CIDR with this metric, and through that link if link is not 0. Absent is a
 * success. */
int route_delete(struct rtnl *r, const struct route *route, struct ec2fs_error *error);
/* Calls each for the routes of one table, or of all (0), and through one link or all (0). Others'
 * kinds of routes (local, broadcast) are not told. */
int routes_list(struct rtnl *r, uint32_t table, int link,
		void (*each)(void *context, const struct route *route), void *context,
		struct ec2fs_error *error);
/* Makes these the routes of the table: what is missing or different is set, then what is not
 * wanted is deleted. */
int routes_sync(struct rtnl *r, uint32_t table, const struct route *wanted, size_t count,
		struct ec2fs_error *error);

/* ip rule: the lowest priority comes first. */
struct rule {
	uint32_t priority;
	char in[16];            /* packets that come in from this link; "": all */
	struct netfw_cidr from; /* and from there; prefix 0: all */
	uint32_t table;         /* 0: blackhole */
};

/* Makes these the rules of the namespace, but for the kernel's own first one ("local"). */
int rules_sync(struct rtnl *r, const struct rule *wanted, size_t count, struct ec2fs_error *error);

#endif
