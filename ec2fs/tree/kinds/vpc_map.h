/* map.svg: a VPC as a drawing. */
#ifndef EC2FS_TREE_KINDS_VPC_MAP_H
#define EC2FS_TREE_KINDS_VPC_MAP_H

#include "ec2fs/model/view.h"
#include "ec2fs/util/strbuf.h"

/* Appends an SVG of the VPC: its subnets by zone, what is in them, where their routes lead. */
void vpc_map(const struct view *v, const struct resource *vpc, struct strbuf *out);

#endif
