/*
 * What flowed through a VPC's interfaces in one aggregation interval, as EC2's flow logs tell it:
 * who talked to whom, how much, and whether it was let through. Pure: no I/O, no clock.
 *
 * An interface sees a connection as two flows, one a direction, and one between two interfaces of
 * the VPC is seen by both. All is bounded: what does not fit is not told, and counts as lost.
 *
 * Not locked: one thread at a time for one table. Addresses and ports are in host byte order, times
 * are seconds since the epoch.
 */
#ifndef NETFW_FLOW_TABLE_H
#define NETFW_FLOW_TABLE_H

#include "netfw/netfw.h"

/* Most flows of an interval, and most connections that are followed from one to the next. */
#define FLOWS_MAX 32768
#define CONNECTIONS_MAX 131072

struct flow_table;

/* Packets and bytes that went one way. */
struct flow_count {
	uint64_t packets, bytes;
};

/* A connection, as connection tracking knows it: without its translations. Ports are 0 where the
 * protocol has none. */
struct flow_connection {
	uint64_t key;            /* the same whenever this connection is told */
	uint32_t client, server; /* who began it, and with whom */
	uint16_t client_port, server_port;
	uint8_t protocol;
	struct flow_count there, back; /* since it began */
	int64_t begin;                 /* 0: not known */
};

/* A packet that was refused, on its way out of the VPC's sender or into its receiver. */
struct flow_refusal {
	uint32_t source, destination;
	uint16_t source_port, destination_port;
	uint8_t protocol;
	uint32_t bytes;
	bool out;        /* by what its sender may send; else by what its receiver may get */
	char in_tap[16]; /* by which it came, "" or another device's name when by none */
	char out_tap[16];
};

struct flow_table *flow_table_new(void);
/* Accepts NULL. */
void flow_table_free(struct flow_table *t);

/* Traffic with the VPC's own services and routers is not told. */
void flow_table_set_vpc(struct flow_table *t, const struct netfw_vpc *vpc);
void flow_table_set_interface(struct flow_table *t, const char *id, uint32_t address);
/* What flowed through it in this interval is still told. */
void flow_table_drop_interface(struct flow_table *t, const char *id);

/*
 * Connections are told again and again, by what they have counted since they began; the difference
 * is what flowed. `known`: what it has counted so far is of before, and not told.
 */
void flow_table_connection(struct flow_table *t, const struct flow_connection *c, bool known,
			   int64_t now);
/* The same for one that has ended. */
void flow_table_ended(struct flow_table *t, const struct flow_connection *c, int64_t now);
/* Forgets the connections that were not told since the last sweep. Only when all have been. */
void flow_table_sweep(struct flow_table *t);
void flow_table_refused(struct flow_table *t, const struct flow_refusal *p, int64_t now);
/* The packet, which is told as refused as well, belongs to a connection, which has counted it. */
void flow_table_counted(struct flow_table *t, const struct flow_refusal *p, int64_t now);
/* Something was not told to the table. */
void flow_table_lost(struct flow_table *t);

/* Ends the interval, which began at `begin`: a line for each flow of those that `what` has, after
 * them a SKIPDATA line when some were lost. The next one begins at end. */
void flow_table_print(struct flow_table *t, const struct netfw_flow_logs *what, int64_t begin,
		      int64_t end, struct strbuf *out);

#endif
