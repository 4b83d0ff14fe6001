/*
 * The flow logs of one VPC that has them on: a thread that hears what the kernel tells of
 * connections and of refused packets in the VPC's namespace, and writes what an interval had.
 *
 * Nothing wakes it while no connection is known to the kernel and nothing is refused. It hears so
 * many messages a second and no more: the kernel drops what is beyond, and the log says SKIPDATA.
 *
 * Functions may be called by one thread at a time; they wait for no traffic.
 */
#ifndef NETFW_FLOW_LOGS_H
#define NETFW_FLOW_LOGS_H

#include "netfw/netfw.h"

/* The nflog group that the ruleset tells refused packets to. */
#define FLOW_LOGS_GROUP 0xec2U

struct flow_logs;

/*
 * directory: STATE/network/VPC. The VPC's description says what to log; interfaces are to be told
 * next. Traffic before this call is not told. written: netfw_options.flow_logged.
 */
int flow_logs_start(int netns_fd, const char *directory, const struct netfw_vpc *vpc,
		    void (*written)(void *context, const char *vpc), void *context,
		    struct flow_logs **ret, struct ec2fs_error *error);
void flow_logs_set_vpc(struct flow_logs *f, const struct netfw_vpc *vpc);
void flow_logs_set_interface(struct flow_logs *f, const char *id, uint32_t address);
void flow_logs_drop_interface(struct flow_logs *f, const char *id);
/* Writes what there is, and ends. Accepts NULL. */
void flow_logs_stop(struct flow_logs *f);

#endif
