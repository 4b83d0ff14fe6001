/*
 * What the files of netfw share. Locks, in this order; who holds one takes only later ones:
 *
 *	a VPC's (never two of them)
 *	peerings
 *	edge, taps (edge.h; struct netfw)
 *	netfw
 *
 * A VPC's lock is held across netlink, dnsmasq and nft; the others' across netlink, netfw's across
 * nothing that waits.
 */
#ifndef NETFW_INTERNAL_H
#define NETFW_INTERNAL_H

#include "ec2fs/util/table.h"
#include "netfw/dhcp.h"
#include "netfw/edge.h"
#include "netfw/flow_logs.h"
#include "netfw/imds/imds.h"
#include "netfw/links.h"
#include "netfw/namespaces.h"
#include "netfw/netfw.h"
#include "netfw/ruleset.h"

#include <pthread.h>

struct vpc;

/* An interface as committed last. */
struct interface {
	struct vpc *vpc; /* holds no reference: it lives in the VPC's table */
	struct netfw_interface *is;
	char tap[16];
	uint32_t published; /* the public address that the edge routes to it */
	bool told;          /* by the whole change that is being committed */
};

/* Looked up by ID; made at first use and kept while somebody uses it or it has a namespace. */
struct vpc {
	struct netfw *netfw;
	char *id;
	unsigned users;        /* guarded by netfw's mutex */
	pthread_mutex_t mutex; /* guards what follows */
	struct netns ns;       /* not open: there is none, or nobody has looked yet */
	struct ruleset *rules;
	struct dhcp *dhcp;
	struct imds *imds;
	struct flow_logs *flow_logs; /* NULL: off */
	bool known;                  /* described as a whole, and the kernel has it so */
	struct netfw_vpc *is;        /* as committed last; NULL: never */
	struct table interfaces;     /* struct interface, by ID */
	struct table routers;        /* those of them without source/dest check */
	char edge_link[16];          /* the edge's end of igw */
	/* VPCs that were joined with this one by its last change and have not routed that yet. */
	char **joined;
	size_t joined_count, joined_capacity;
};

struct netfw {
	char *owner, *directory, *mark;
	int (*facts)(void *context, const char *vpc, uint32_t address, struct imds_facts *ret);
	void (*flow_logged)(void *context, const char *vpc);
	void *context;
	struct edge edge;
	pthread_mutex_t peerings_mutex; /* guards the table, and the links of peerings */
	struct table peerings;          /* char *, "pcx-… vpc-…": sides that are described */
	pthread_mutex_t taps_mutex;     /* guards hypervisor.rtnl */
	struct netns hypervisor;
	pthread_mutex_t mutex; /* guards what follows */
	struct table vpcs;     /* by ID */
	struct table places;   /* struct interface of all VPCs, by ID: where a tap may be */
};

/* vpcs.c */

/* Locked, and counted until vpc_release. Its namespace is not opened. */
struct vpc *vpc_acquire(struct netfw *n, const char *id);
void vpc_release(struct vpc *v);
/* Opens the namespace when there is one; -ENOENT (error is untouched): there is none. */
int vpc_open(struct vpc *v, struct ec2fs_error *error);
/* The VPC of an interface into id (at least 64 bytes), or false. Takes no VPC's lock. */
bool vpc_of_interface(struct netfw *n, const char *interface, char id[64]);
struct interface *vpc_find(const struct vpc *v, const char *interface);
/* Takes is. The old description, or NULL, is the caller's. */
struct interface *vpc_put(struct vpc *v, struct netfw_interface *is,
			  struct netfw_interface **ret_old);
/* Takes the interface out of the tables; interface_free is the caller's. */
struct interface *vpc_take(struct vpc *v, const char *interface);
void interface_free(struct interface *i);
/* Forgets all that is known of it, closes what is open; the kernel keeps all. */
void vpc_forget(struct vpc *v);

/* interfaces.c: the VPC is locked, its namespace open. */

/* The tap, which is in the namespace, gets its addresses and its route. */
int interface_connect(struct vpc *v, const struct interface *i, const struct link *tap,
		      struct ec2fs_error *error);
/* The same when the tap is there; else nothing. */
int interface_reconnect(struct vpc *v, const struct interface *i, struct ec2fs_error *error);
/* Nothing reaches the address by way of it any more. */
int interface_unroute(struct vpc *v, const struct interface *i, uint32_t address,
		      struct ec2fs_error *error);
/* Nothing reaches it any more; its tap is down. */
int interface_disconnect(struct vpc *v, const struct interface *i, struct ec2fs_error *error);
/* Connects all interfaces whose taps are there and not as they should be; deletes taps and routes
 * of others. */
int interfaces_sync(struct vpc *v, struct ec2fs_error *error);

/* routing.c: tables and rules of the VPC's namespace. */

#define VPC_TABLE 1U /* the VPC's own addresses */

/* old, here and below: the description before this one, of which all that is there has come. NULL:
 * what is there is to be looked at. */

/* The routes to the VPC's CIDRs as a whole: what is sent to nobody there does not leave the VPC. */
int routing_set_cidrs(struct vpc *v, const struct netfw_vpc *old, struct ec2fs_error *error);
/* Route tables and rules. */
int routing_sync(struct vpc *v, const struct netfw_vpc *old, struct ec2fs_error *error);
/* Is there a route by way of this interface? */
bool routing_uses(const struct vpc *v, const char *interface);

/* outside.c: links out of the VPC. */

/* Makes the links that are wanted and can be, deletes the others, and has the public addresses
 * routed. Appends to v->joined. */
int outside_sync(struct vpc *v, const struct netfw_vpc *old, struct ec2fs_error *error);
/* The edge routes the interface's public address, or no longer. */
int outside_publish(struct vpc *v, struct interface *i, struct ec2fs_error *error);
int outside_withdraw(struct vpc *v, struct interface *i, struct ec2fs_error *error);
/* Deletes all links out of the VPC, and its taps. */
int outside_remove(struct vpc *v, struct ec2fs_error *error);

/* services.c: DHCP, DNS, metadata. */

int services_sync(struct vpc *v, struct ec2fs_error *error);
int services_host(struct vpc *v, const struct interface *i, struct ec2fs_error *error);
void services_drop_host(struct vpc *v, const struct netfw_interface *is);
/* Ends them, dnsmasq too. */
void services_remove(struct vpc *v);

/* flows.c: flow logs. */

/* Before the rules of that description (NULL: no new one) tell of refused packets somebody listens.
 * *ret_new: he does since now. */
int flows_prepare(struct vpc *v, const struct netfw_vpc *next, bool *ret_new,
		  struct ec2fs_error *error);
/* The rules are in force, v->is is what is. */
void flows_settle(struct vpc *v);
/* Writes what there is; nobody listens any more. */
void flows_end(struct vpc *v);

#endif
