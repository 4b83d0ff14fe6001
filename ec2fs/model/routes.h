/* Routes as text: for the files of a route table. */
#ifndef EC2FS_MODEL_ROUTES_H
#define EC2FS_MODEL_ROUTES_H

#include "ec2fs/model/network.h"
#include "ec2fs/util/strbuf.h"

/* The text of `routes`: what was written, with the names that targets have now. */
void routes_show(const struct view *v, const struct resource *table, struct strbuf *out);
/* A target as a file names it: "local", "nat:NAME", or by ID where there is no name to write. */
void route_target_show(const struct view *v, const struct resource *vpc, const struct route *r,
		       struct strbuf *out);

#endif
