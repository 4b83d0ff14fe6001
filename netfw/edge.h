/*
 * The edge: the namespace in which the VPCs' links to the outside end, that has the public
 * addresses, and one link to the host. docs/networks.md, "Namespaces and routes".
 *
 * All functions may be called by any thread; they wait for each other.
 */
#ifndef NETFW_EDGE_H
#define NETFW_EDGE_H

#include "netfw/namespaces.h"
#include "netfw/netfw.h"

#include <pthread.h>

struct edge {
	pthread_mutex_t mutex; /* guards what follows but the names */
	struct netns ns;       /* not open until it is needed */
	struct netns host;     /* the daemon's own */
	char mark[64];
	char name[20];   /* the namespace and the host's nftables table: ec2fs-0123abcd */
	char link[16];   /* the host's link to it: ec2-0123abcd */
	uint32_t metric; /* of the host's unreachable routes; tells whose they are */
};

/* owner: a UUID; mark: as for netns_open. */
int edge_init(struct edge *e, const char *owner, const char *mark, struct ec2fs_error *error);
/* It stays in the kernel, unless no VPC leads to it. */
void edge_close(struct edge *e);

int edge_set_pool(struct edge *e, const struct netfw_cidr *cidrs, size_t count,
		  struct ec2fs_error *error);

/* Joins a VPC and the edge by a link called name there and edge_name here. vpc is the caller's for
 * the time of the call. 1: the link is new; 0: it was there. */
int edge_join(struct edge *e, struct netns *vpc, const char *name, const char *edge_name,
	      const char *alias, struct ec2fs_error *error);
/* Routes one public address through a link, or no longer through it. */
int edge_route(struct edge *e, const char *edge_name, uint32_t address, struct ec2fs_error *error);
int edge_unroute(struct edge *e, const char *edge_name, uint32_t address,
		 struct ec2fs_error *error);
/* Makes these all public addresses that are routed through a link. */
int edge_set_routes(struct edge *e, const char *edge_name, const uint32_t *addresses, size_t count,
		    struct ec2fs_error *error);

#endif
