/* What routes.c and routes_set.c share. */
#ifndef EC2FS_MODEL_ROUTES_INTERNAL_H
#define EC2FS_MODEL_ROUTES_INTERNAL_H

#include "ec2fs/model/routes.h"

struct route_target_info {
	const char *prefix; /* before the name; without one it is all of the word */
	enum kind kind;     /* KIND_ROOT: there is but one */
	enum ec2_code missing;
};

extern const struct route_target_info route_targets[ROUTE_TARGET_COUNT];

/* Which target the word means; *ret_name is what follows the prefix. ROUTE_TARGET_COUNT: none. */
enum route_target route_target_parse(const char *word, const char **ret_name);
/* What a target's name or ID means to a table of the VPC; NULL: nothing. */
const struct resource *route_target_find(const struct view *v, const struct resource *vpc,
					 enum route_target t, const char *text);
/* Is it one of the VPC's blocks, as a whole? */
bool is_block_of(const struct resource *vpc, struct cidr c);

static inline bool same_cidr(struct cidr a, struct cidr b)
{
	return a.address == b.address && a.prefix == b.prefix;
}

#endif
