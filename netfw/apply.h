/*
 * Differences become netlink messages (libnftnl) and one transaction of the kernel's. Nothing of
 * the description of a VPC is known here.
 */
#ifndef NETFW_APPLY_H
#define NETFW_APPLY_H

#include "ec2fs/util/error.h"
#include "netfw/difference.h"

#include <libmnl/libmnl.h>

/* A batch of messages, between its begin and its end. */
struct batch {
	char *data;
	size_t len, capacity;
	uint32_t sequence;            /* of the next message; goes on from batch to batch */
	size_t last;                  /* where the last message is */
	uint32_t first, acknowledged; /* sequence of the begin, of the message that is answered */
};

/* The longest message that is made: a list of elements fills an attribute, 64 KiB. */
#define MESSAGE_MAX (80UL << 10)

/* Begins; generation: the batch is refused (-ERESTART) when the ruleset is of another; 0: any. */
void batch_begin(struct batch *b, uint32_t generation);
/* Where the next message goes: MESSAGE_MAX bytes of room. */
char *batch_room(struct batch *b);
/* The message made there is part of the batch. */
void batch_take(struct batch *b, struct nlmsghdr *message);
void batch_end(struct batch *b);
void batch_free(struct batch *b);

/* All messages of a difference, from begin to end. */
void apply_build(struct batch *b, const struct difference *d, uint32_t generation);
/* Appends the messages of one rule's statements; of apply_build. */
struct nftnl_rule;
void apply_statements(struct nftnl_rule *rule, enum ir_family family, const struct ir_rule *r);

/* Large receive buffer, short and talking refusals. */
void apply_prepare_socket(int fd);
/* Sends the batch; returns when the kernel has done it, all or nothing. On refusal `error` names
 * the object. -ERESTART: another generation, nothing looked at. */
int apply_send(int fd, const struct batch *b, struct ec2fs_error *error);
/* The generation of the namespace's rulesets: every transaction adds one. */
int apply_generation(int fd, uint32_t *ret, struct ec2fs_error *error);

struct traffic {
	uint64_t packets, bytes;
};
/* What an element of a counting set has counted: 0, or -ENOENT when it is not there. */
int apply_element_traffic(int fd, const struct ir_element *e, struct traffic *ret,
			  struct ec2fs_error *error);

/* What the tables have, whoever made it: chains (base chains with their hooks), sets and counters,
 * by name alone. */
int apply_existing(int fd, struct ir **ret, struct ec2fs_error *error);

/* Sends a request, and calls each for all answers until it returns other than 0, which is returned;
 * of apply_*.c. */
int apply_ask(int fd, const struct nlmsghdr *request,
	      int (*each)(const struct nlmsghdr *m, void *context), void *context);
/* Sequence numbers of requests: far from those of batches. */
#define REQUEST_SEQUENCE 0x80000000U

/* IR_INET, IR_ARP as netlink numbers them. */
uint16_t apply_family(enum ir_family family);
/* The messages that add (NFT_MSG_NEWSETELEM) or remove a view's elements; of apply_build. */
void apply_elements(struct batch *b, int type, const struct ir_view *v);
/* Completes a message about one element, without what it carries. */
void apply_ask_element(struct nlmsghdr *m, const struct ir_element *e);

#endif
