/* What the files of netfw/flow_table.h share. */
#ifndef NETFW_FLOW_TABLE_INTERNAL_H
#define NETFW_FLOW_TABLE_INTERNAL_H

#include "ec2fs/util/table.h"
#include "netfw/flow_table.h"

struct interface {
	char id[24], tap[16];
	uint32_t address;
	bool gone; /* kept until the interval ends */
};

/* What makes a flow. No padding: it is hashed and compared as bytes. */
struct flow_key {
	char interface[24];
	uint32_t source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol, accepted;
	uint16_t none;
};

struct flow {
	struct flow_key key;
	int64_t packets, bytes; /* below 0 while refusals were told and their connection was not */
	int64_t first, last;
	bool carried; /* from the interval before */
};

struct connection {
	uint64_t key;
	struct flow_count there, back;
	bool told; /* since the last sweep */
};

struct flow_table {
	struct table by_id, by_address, by_tap; /* of struct interface; the first owns */
	uint32_t *reserved;                     /* sorted */
	size_t reserved_count;
	struct flow *flows;
	size_t flow_count, flow_capacity;
	uint32_t *index; /* hash to flow + 1, linear probing; twice FLOWS_MAX, made when needed */
	struct table connections;
	bool lost;
};

/* flow_table.c: the flow of that key, made when missing; NULL: there is no room for another one. */
struct flow *flow_get(struct flow_table *t, const struct flow_key *key, int64_t now);

/* flow_interfaces.c: forgets those that went in this interval. */
void flow_bury_interfaces(struct flow_table *t);

/* For table_find and bsearch. */
static inline bool same_address(const void *item, const void *key)
{
	return ((const struct interface *)item)->address == *(const uint32_t *)key;
}

static inline int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

#endif
