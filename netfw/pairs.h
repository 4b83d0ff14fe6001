/* Links between two namespaces: veth pairs whose ends know each other. */
#ifndef NETFW_PAIRS_H
#define NETFW_PAIRS_H

#include "netfw/links.h"
#include "netfw/namespaces.h"

struct pair_end {
	struct netns *ns;
	const char *name;
	uint32_t far; /* the address that stands for the other end; see links.h */
};

/* Makes the pair, or leaves it when it is right, and brings both ends up. The links are told to
 * ret_a and ret_b. 1: it is new; 0: it was there. */
int pair_set(const struct pair_end *a, const struct pair_end *b, struct link *ret_a,
	     struct link *ret_b, struct ec2fs_error *error);

#endif
