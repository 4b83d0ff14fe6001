/* Links of a network namespace, their addresses and neighbours. All functions can be repeated. */
#ifndef NETFW_LINKS_H
#define NETFW_LINKS_H

#include "netfw/netfw.h"
#include "netfw/rtnl.h"

#include <stdbool.h>

struct link {
	int index;
	unsigned mtu;
	int peer; /* a veth's other end, its index over there; 0: none */
	bool up;
	uint8_t mac[6];
	char name[16], kind[16], alias[64];
};

/*
 * The MAC of both ends of every link between namespaces, and the addresses that stand for the far
 * end: never asked for by ARP (a permanent neighbour entry answers), never seen by a guest. RFC
 * 3927 keeps the block 169.254.0.0/24 from all hosts that choose themselves an address.
 */
#define LINK_EDGE 0xa9fe0001U /* 169.254.0.1: the edge, seen from a VPC or from the host */
#define LINK_HOST 0xa9fe0002U /* 169.254.0.2: the host; for the edge also a VPC */

/* Since the link was made; received: by the namespace that it is in. */
struct link_stats {
	uint64_t received_bytes, received_packets, sent_bytes, sent_packets;
};
/* -ENODEV as link_get. */
int link_get_stats(struct rtnl *r, const char *name, struct link_stats *ret,
		   struct ec2fs_error *error);

/* -ENODEV (error is untouched): there is none of that name. */
int link_get(struct rtnl *r, const char *name, struct link *ret, struct ec2fs_error *error);
/* Calls each for all links. */
int link_list(struct rtnl *r, void (*each)(void *context, const struct link *l), void *context,
	      struct ec2fs_error *error);

/* A veth pair: name in the namespace of r, peer_name in that of peer_fd; both ends are down. */
int link_add_veth(struct rtnl *r, const char *name, int peer_fd, const char *peer_name,
		  struct ec2fs_error *error);
/* Deletes the link, a veth's other end with it. One that is gone is a success. */
int link_delete(struct rtnl *r, int index, const char *name, struct ec2fs_error *error);
int link_set_alias(struct rtnl *r, const struct link *l, const char *alias,
		   struct ec2fs_error *error);
int link_set_mtu(struct rtnl *r, const struct link *l, unsigned mtu, struct ec2fs_error *error);
/* Moves it to the namespace of fd, where it is down and without addresses. */
int link_move(struct rtnl *r, const struct link *l, int fd, struct ec2fs_error *error);
int link_up(struct rtnl *r, const struct link *l, struct ec2fs_error *error);
int link_down(struct rtnl *r, const struct link *l, struct ec2fs_error *error);
/* rp_filter: a packet passes whose answer would take the same link; or any link at all. */
enum rp_filter { RP_STRICT = 1, RP_LOOSE = 2 };
int link_set_rp_filter(struct rtnl *r, const struct link *l, enum rp_filter mode,
		       struct ec2fs_error *error);
/* Proxy ARP answers at once instead of after up to 0.8 s. */
int link_answer_at_once(struct rtnl *r, const struct link *l, struct ec2fs_error *error);

enum address_scope { ADDRESS_GLOBAL, ADDRESS_HOST };

/* Without a route to its network. */
int address_add(struct rtnl *r, const struct link *l, struct netfw_cidr address,
		enum address_scope scope, struct ec2fs_error *error);
/* Makes these, with prefix 32 and of scope host, the addresses of the link; 127.0.0.0/8 is left. */
int addresses_set(struct rtnl *r, const struct link *l, const uint32_t *addresses, size_t count,
		  struct ec2fs_error *error);
/* A permanent neighbour entry. */
int neighbour_add(struct rtnl *r, const struct link *l, uint32_t address, const uint8_t mac[6],
		  struct ec2fs_error *error);

/* A link between namespaces is up and knows its far end. */
int link_ready(struct rtnl *r, const struct link *l, uint32_t far, struct ec2fs_error *error);

#endif
