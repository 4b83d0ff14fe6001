/* The frame of a VPC's tables: sets and chains that are there whatever the VPC has. */
#ifndef NETFW_COMPILE_FRAME_H
#define NETFW_COMPILE_FRAME_H

#include "netfw/ir.h"

extern const struct ir_set frame_services, frame_routers, frame_links;

/* acls: network ACLs have to be asked. log_group: where refused packets are also told to nflog;
 * 0: nowhere. */
void compile_frame(struct ir *ir, bool acls, uint32_t log_group);

#endif
