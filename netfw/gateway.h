/*
 * A virtual private gateway by plain routing: a link from a VPC into the host's namespace, which
 * forwards between it and one interface of the host's, and nothing else.
 */
#ifndef NETFW_GATEWAY_H
#define NETFW_GATEWAY_H

#include "netfw/edge.h"

/* Makes or repairs it: name is the link's at both ends, interface the host's. The edge's lock is
 * taken. 1: the link is new; 0: it was there. */
int gateway_join(struct edge *e, struct netns *vpc, const char *name, const char *interface,
		 const struct netfw_cidr *cidrs, size_t count, struct ec2fs_error *error);
/* Takes it away, the link too. Absent is a success. */
int gateway_leave(struct edge *e, const char *name, struct ec2fs_error *error);

#endif
