/* Sockets of one namespace that the kernel tells of connections and logged packets by. */
#ifndef NETFW_FLOW_SOCKETS_H
#define NETFW_FLOW_SOCKETS_H

#include "ec2fs/util/error.h"

#include <stdbool.h>
#include <stdint.h>

#include <linux/netlink.h>

struct flow_sockets {
	int events;  /* ends of connections; and their beginnings, while wanted */
	int packets; /* what is logged to the group */
	int dump;
	uint32_t sequence;
	char *room; /* for messages */
};

#define FLOW_SOCKETS_INIT                                                                          \
	{                                                                                          \
		-1, -1, -1, 0, NULL                                                                \
	}

typedef void flow_message_fn(void *context, const struct nlmsghdr *m);

int flow_sockets_open(int netns_fd, uint32_t group, struct flow_sockets *ret,
		      struct ec2fs_error *error);
/* Accepts what is not open. */
void flow_sockets_close(struct flow_sockets *s);
/* No packet is logged any more; those that the kernel kept together wait at the socket. */
void flow_sockets_unbind(struct flow_sockets *s, uint32_t group);
/* Are ends of connections wanted, and their beginnings? */
void flow_sockets_want(const struct flow_sockets *s, bool ends, bool beginnings);
/* Calls each with the messages that wait at fd, about `most` of them; how many there were. *lost:
 * the kernel had more to tell than there was room for. */
unsigned flow_sockets_hear(struct flow_sockets *s, int fd, unsigned most, bool *lost,
			   flow_message_fn *each, void *context);
/* Calls each with every connection that is. 0 or a negative errno. */
int flow_sockets_dump(struct flow_sockets *s, flow_message_fn *each, void *context);
/* The name of a device, "" when there is none of that number. */
void flow_sockets_device(const struct flow_sockets *s, uint32_t number, char name[16]);

#endif
