/* What the kernel tells of connections and of logged packets, read out of its messages. Pure. */
#ifndef NETFW_FLOW_MESSAGES_H
#define NETFW_FLOW_MESSAGES_H

#include "netfw/flow_table.h"

#include <linux/netlink.h>

/* A message about a connection (ctnetlink). False: it is not one of IPv4, or one that ends already
 * and will be told as ended. */
bool flow_message_connection(const struct nlmsghdr *m, struct flow_connection *ret);

/* Bytes of a packet that are needed: an IPv4 header of any length, and ports. */
#define FLOW_PACKET_BYTES 64

/* A logged packet (nflog). Devices are told by their numbers, 0: none; ret has no names yet. What
 * it is told as: *ret_counted, of flow_table_counted, or as refused. */
bool flow_message_packet(const struct nlmsghdr *m, struct flow_refusal *ret, bool *ret_counted,
			 uint32_t *ret_in, uint32_t *ret_out);

#endif
