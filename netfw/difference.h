/* What has to be done to the kernel's tables so that they become what they should be. Pure. */
#ifndef NETFW_DIFFERENCE_H
#define NETFW_DIFFERENCE_H

#include "netfw/ir.h"

/* Objects are not owned: the irs must outlive it. All that is removed goes before all that comes.
 */
struct difference {
	bool whole; /* the tables are made anew: `add` is all that they are to be */
	struct ir_view remove, add;
	/* Chains that stay, with other rules. */
	struct ir_chain **rewrite;
	size_t rewrite_count, rewrite_capacity;
};

/* Adds what makes `new` of `old`; either may be NULL, for nothing. Not for a whole difference. */
void difference_add(struct difference *d, const struct ir *old, const struct ir *new);
bool difference_empty(const struct difference *d);
void difference_free(struct difference *d);

#endif
