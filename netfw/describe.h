/* Copies of descriptions, which callers only lend. */
#ifndef NETFW_DESCRIBE_H
#define NETFW_DESCRIBE_H

#include "netfw/netfw.h"

struct netfw_vpc *describe_vpc(const struct netfw_vpc *v);
struct netfw_group *describe_group(const struct netfw_group *g);
struct netfw_interface *describe_interface(const struct netfw_interface *i);

/* Accept NULL. */
void describe_free_vpc(struct netfw_vpc *v);
void describe_free_group(struct netfw_group *g);
void describe_free_interface(struct netfw_interface *i);

/* NULL: there is none of that ID. */
const struct netfw_subnet *describe_subnet(const struct netfw_vpc *v, const char *id);

#endif
