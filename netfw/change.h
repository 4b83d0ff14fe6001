/* A change of one VPC as it is staged: copies, in the order in which they were told. */
#ifndef NETFW_CHANGE_H
#define NETFW_CHANGE_H

#include "netfw/netfw.h"

enum staged_kind { STAGED_GROUP, STAGED_INTERFACE, STAGED_DROP_GROUP, STAGED_DROP_INTERFACE };

struct staged {
	enum staged_kind kind;
	void *what; /* a description, or an ID; owned */
};

struct netfw_change {
	struct netfw *netfw;
	char *vpc;
	bool whole;
	struct netfw_vpc *description; /* NULL: stays */
	struct staged *staged;
	size_t count, capacity;
};

#endif
