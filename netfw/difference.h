/* What has to be done to the kernel's tables so that they become what they should be. Pure. */
#ifndef NETFW_DIFFERENCE_H
#define NETFW_DIFFERENCE_H

#include "netfw/ir.h"

/* Objects are not owned: the irs must outlive it. All that is removed goes before all that comes.
 */
struct difference {
	enum {
		DIFFERENCE_CHANGE,  /* of what is known to be there */
		DIFFERENCE_REPLACE, /* all is taken away and made anew; the tables may be missing */
		DIFFERENCE_ANEW     /* the tables, too, are deleted and made anew */
	} kind;
	struct ir_view remove, add;
	/* Chains that stay, with other rules. */
	struct ir_chain **rewrite;
	size_t rewrite_count, rewrite_capacity;
};

/* Adds what makes `new` of `old`; either may be NULL, for nothing. */
void difference_add(struct difference *d, const struct ir *old, const struct ir *new);
/* d->add, which is all that is to be there, in the place of what exists: that goes, but for base
 * chains of the same kind. */
void difference_replace(struct difference *d, const struct ir *existing);
bool difference_empty(const struct difference *d);
void difference_free(struct difference *d);

#endif
